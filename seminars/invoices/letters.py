"""The facts of letters that bring a document: always wanted, since what was issued is never out of date.

Their wording lies under templates/mail/invoices/.
"""

from typing import Any

from seminars.config import Letterhead
from seminars.invoices import wording
from seminars.invoices.models import CreditNote, Invoice
from seminars.messages.outbox import Letter
from seminars.orders.letters import order_page
from seminars.orders.models import Order

RECEIPT = "invoices/receipt"
CREDITED = "invoices/credited"


def receipt(invoice: Invoice, *, letterhead: Letterhead) -> Letter:
    """The invoice of what was paid; for one of which something is open, what is to be paid."""
    facts = {
        "number": invoice.number,
        "order": invoice.order.number,
        "total": {"amount": wording.still_to_pay(invoice.facts) or invoice.total, "currency": invoice.currency},
        "paid_on": wording.paid_on(invoice.facts),
        "po_number": invoice.facts["buyer"]["po_number"],
    }
    return _letter(RECEIPT, invoice.order, invoice.reference, f"invoice-{invoice.number}.pdf", facts, letterhead)


def credited(note: CreditNote, *, letterhead: Letterhead) -> Letter:
    """What was taken back of an invoice, and when the money comes."""
    facts = {
        "number": note.number,
        "invoice": note.invoice.number,
        "order": note.invoice.order.number,
        "total": {"amount": note.total, "currency": note.currency},
        "reason": note.facts["reason"],
    }
    return _letter(CREDITED, note.invoice.order, note.reference, f"credit-note-{note.number}.pdf", facts, letterhead)


def _letter(kind: str, order: Order, document: str, file: str, facts: dict[str, Any], letterhead: Letterhead) -> Letter:
    told = {"buyer": order.buyer_name, "page": order_page(order, letterhead), "attachments": [{"reference": document, "name": file}]}
    return Letter(
        kind=kind,
        key=f"{kind}:{document}",
        to=order.buyer_email,
        name=order.buyer_name,
        facts=facts | told,
        references=(order.reference, document),
    )
