"""Invoices and credit notes as pages ask for them."""

from typing import NamedTuple

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from seminars.invoices.models import CreditNote, Document, Invoice
from seminars.kit.references import reference
from seminars.orders.models import Order


class Paper(NamedTuple):
    """A document of an order; `size` in bytes, 0 while its PDF is being rendered."""

    kind: str
    id: int
    number: str
    size: int

    @property
    def reference(self) -> str:
        """How rooms name it."""
        return reference(self.kind, self.id)


def documents_of(session: Session, order: Order) -> list[Paper]:
    """The order's invoices and credit notes, as they were issued."""
    invoices = select(literal("invoice").label("kind"), Invoice.id, Invoice.number, Invoice.issued_at).where(Invoice.order_id == order.id)
    notes = (
        select(literal("credit_note"), CreditNote.id, CreditNote.number, CreditNote.issued_at)
        .join(Invoice, Invoice.id == CreditNote.invoice_id)
        .where(Invoice.order_id == order.id)
    )
    found = union_all(invoices, notes).subquery("found")
    rows = session.execute(
        select(found.c.kind, found.c.id, found.c.number, func.coalesce(func.length(Document.pdf), 0))
        .outerjoin(Document, Document.subject == func.concat(found.c.kind, "/", found.c.id))
        .order_by(found.c.issued_at, found.c.kind.desc(), found.c.id)
    )
    return [Paper(*row) for row in rows]
