"""Renders what was issued: the PDF is made from the frozen facts outside any transaction, kept for good, and sent to the buyer."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.gateways.pdf import Typesetter
from seminars.invoices import letters, wording
from seminars.invoices.models import CreditNote, Document, Invoice
from seminars.kit.clock import Clock
from seminars.messages import outbox

Transaction = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class _Due:
    """One document to be made, free of any session."""

    kind: type[Invoice] | type[CreditNote]
    id: int
    reference: str
    facts: dict[str, Any]
    issued_at: datetime


def render_due(transaction: Transaction, *, letterhead: Letterhead, clock: Clock, most: int = 20) -> int:
    """Render what has no PDF yet and post it to the buyer; returns how many were tried.

    Two who render the same document make the same bytes, and the first to commit keeps them. One that can't be rendered waits for the
    next tick and does not hold up the others: their errors are raised together at the end.
    """
    with transaction() as session:
        due = _without_document(session, most)
    troubles: list[Exception] = []
    with Typesetter() as typesetter:
        for one in due:
            try:
                made = bytes_of(one.facts, dated=one.issued_at, typesetter=typesetter)
                with transaction() as session:
                    _keep(session, one, made, letterhead, clock())
            except Exception as trouble:
                trouble.add_note(f"while rendering {one.reference}")
                troubles.append(trouble)
    if troubles:
        raise ExceptionGroup("documents that could not be rendered", troubles)
    return len(due)


def bytes_of(facts: dict[str, Any], *, dated: datetime, typesetter: Typesetter) -> bytes:
    """The PDF of an invoice or a credit note: the same facts give the same bytes."""
    words = wording.invoice_words(facts) if facts["document"] == "invoice" else wording.credit_note_words(facts)
    return typesetter.render(facts["document"], words, dated=dated, logo=facts["seller"]["logo"])


def pdf_of(session: Session, reference: str) -> bytes | None:
    """The kept PDF of a document (`invoice/12`); None while it is being rendered."""
    return session.scalar(select(Document.pdf).where(Document.subject == reference))


def _without_document(session: Session, most: int) -> list[_Due]:
    invoices: Iterable[Invoice | CreditNote] = session.scalars(
        select(Invoice).where(Invoice.rendered_at.is_(None)).order_by(Invoice.id).limit(most)
    ).all()
    notes = session.scalars(select(CreditNote).where(CreditNote.rendered_at.is_(None)).order_by(CreditNote.id).limit(most)).all()
    return [_Due(type(one), one.id, one.reference, one.facts, one.issued_at) for one in (*invoices, *notes)]


def _keep(session: Session, due: _Due, made: bytes, letterhead: Letterhead, now: datetime) -> None:
    kept = session.scalar(
        insert(Document)
        .values(subject=due.reference, sha256=sha256(made).hexdigest(), pdf=made, rendered_at=now)
        .on_conflict_do_nothing()
        .returning(Document.subject)
    )
    if kept is None:
        return
    session.execute(update(due.kind).where(due.kind.id == due.id, due.kind.rendered_at.is_(None)).values(rendered_at=now))
    outbox.post(session, _letter(session, due, letterhead), now=now)


def _letter(session: Session, due: _Due, letterhead: Letterhead) -> outbox.Letter:
    if due.kind is Invoice:
        return letters.receipt(session.get_one(Invoice, due.id), letterhead=letterhead)
    return letters.credited(session.get_one(CreditNote, due.id), letterhead=letterhead)
