"""Issues credit notes: what is taken back of an invoice, seat by seat, and never more than was invoiced."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seminars.config import Center
from seminars.consulting.models import Appointment
from seminars.db import ring
from seminars.invoices import numbering
from seminars.invoices.facts import CreditedSeat, credit_note_facts, hash_of
from seminars.invoices.models import ISSUED, CreditNote, Invoice, InvoiceLine, RevenueShare
from seminars.kit import format as fmt
from seminars.kit.money import Money
from seminars.kit.references import reference
from seminars.kit.refusals import Conflict
from seminars.ledger import journal, periods, postings
from seminars.orders.models import OrderLine
from seminars.registration.models import Registration


class MoreThanInvoiced(Conflict):
    """More was to be credited than is left of a seat's price."""


@dataclass(frozen=True, slots=True)
class CreditLine:
    """What is taken back of one thing (`registration/118`, `appointment/3`), in minor units of the invoice's currency."""

    thing: str
    net: int
    tax: int

    @property
    def total(self) -> int:
        """What the customer gets back for it."""
        return self.net + self.tax

    def less(self, total: int) -> "CreditLine":
        """The line with at most `total` to get back; the tax falls in proportion, rounded half up."""
        if total >= self.total:
            return self
        tax = int((Decimal(self.tax) * total / self.total).to_integral_value(ROUND_HALF_UP))
        return CreditLine(self.thing, total - tax, tax)


def left(session: Session, invoice: Invoice, things: Collection[str] | None = None) -> list[CreditLine]:
    """What can still be credited of an invoice: for some of what it bills, or for all."""
    rows = session.scalars(select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id).order_by(InvoiceLine.id))
    lines = (CreditLine(row.thing, row.net - row.credited_net, row.tax - row.credited_tax) for row in rows)
    return [line for line in lines if line.total and (things is None or line.thing in things)]


def issue(
    session: Session, invoice: Invoice, *, key: str, lines: Sequence[CreditLine], reason: str, center: Center, now: datetime
) -> CreditNote:
    """Issue a credit note for seats of an invoice and post it (rules 16 and 19; 20 for what is delivered); the same key issues once.

    What is deferred goes first, spread over the sessions still to come; the rest is a refund after delivery. While something of the
    invoice is still to be paid, the credit lowers that first (rule 14). Raises MoreThanInvoiced.
    """
    # The lock comes before the look: of two who come with one key the second finds the first one's note.
    session.refresh(invoice, with_for_update={"key_share": True})
    earlier = session.scalar(select(CreditNote).where(CreditNote.key == key))
    if earlier is not None:
        return earlier
    lines = [line for line in lines if line.total]
    if not lines:
        raise ValueError(f"{key}: there is nothing to credit. A free seat needs no credit note.")
    owed = still_owed(session, invoice)
    rows = _mark_credited(session, invoice, lines)
    deferred, delivered = _take_back(session, invoice.currency, [(rows[line.thing], line.net) for line in lines])
    note = _write(session, invoice, key, lines, reason, center, now)
    _post(session, invoice, note, deferred, delivered, owed, now)
    if not left(session, invoice):
        invoice.state = "credited"
    elif invoice.state == "issued" and not still_owed(session, invoice):
        invoice.state = "paid"
    session.flush()
    ring(session, ISSUED)
    return note


def still_owed(session: Session, invoice: Invoice) -> Money:
    """What the customer still has to pay of an invoice, after what came and what was credited."""
    credited = session.scalar(select(func.coalesce(func.sum(CreditNote.total), 0)).where(CreditNote.invoice_id == invoice.id)) or 0
    open_amount = invoice.total - invoice.paid - int(credited) if invoice.state == "issued" else 0
    return Money(max(open_amount, 0), invoice.currency)


def _mark_credited(session: Session, invoice: Invoice, lines: Sequence[CreditLine]) -> dict[str, InvoiceLine]:
    """Add to what has been credited of each thing; returns the invoice's lines by thing. Raises MoreThanInvoiced."""
    query = select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id)
    rows = {row.thing: row for row in session.scalars(query.order_by(InvoiceLine.id).execution_options(populate_existing=True))}
    for line in lines:
        row = rows.get(line.thing)
        if row is None or line.net > row.net - row.credited_net or line.tax > row.tax - row.credited_tax or min(line.net, line.tax) < 0:
            raise MoreThanInvoiced(f"Invoice {invoice.number} does not hold that much for this any more.")
        row.credited_net += line.net
        row.credited_tax += line.tax
    session.flush()
    return rows


def _take_back(session: Session, currency: str, wanted: Sequence[tuple[InvoiceLine, int]]) -> tuple[dict[str, Money], Money]:
    """Release deferrals for the credited net; returns what was released by dimension (`session/7`) and what had been earned already."""
    ids = [row.id for row, _ in wanted]
    query = select(RevenueShare).where(RevenueShare.line_id.in_(ids)).order_by(RevenueShare.id).with_for_update()
    shares: dict[int, list[RevenueShare]] = {}
    for share in session.scalars(query.execution_options(populate_existing=True)):
        shares.setdefault(share.line_id, []).append(share)
    released: dict[str, Money] = {}
    earned = Money(0, currency)
    for row, net in wanted:
        mine = shares.get(row.id, [])
        room = [share.amount - share.credited - share.recognised for share in mine]
        from_deferred = min(net, sum(room))
        earned += Money(net - from_deferred, currency)
        for share, part in zip(mine, spread(from_deferred, room), strict=True):
            share.credited += part
            released[share.dimension] = released.get(share.dimension, Money(0, currency)) + Money(part, currency)
    session.flush()
    return released, earned


def spread(amount: int, room: Sequence[int]) -> list[int]:
    """The amount in proportion to the room that each has, whole units that add up, none above its room."""
    total, used, given, parts = sum(room), 0, 0, []
    for one in room:
        used += one
        upto = amount * used // total if total else 0
        parts.append(upto - given)
        given = upto
    return parts


def _write(
    session: Session, invoice: Invoice, key: str, lines: Sequence[CreditLine], reason: str, center: Center, now: datetime
) -> CreditNote:
    issued_on = fmt.local(now, center.zone).date()
    number = numbering.take(session, "credit_note", issued_on)
    seats = _seats(session, invoice, lines)
    facts = credit_note_facts(invoice.facts, seats, number=number.text, issued_on=issued_on, center=center, reason=reason)
    note = CreditNote(
        key=key,
        series_id=number.series_id,
        serial=number.serial,
        number=number.text,
        invoice_id=invoice.id,
        issued_on=issued_on,
        issued_at=now,
        currency=invoice.currency,
        net=facts["net"],
        tax=facts["tax"],
        total=facts["total"],
        facts=facts,
        facts_hash=hash_of(facts),
    )
    session.add(note)
    session.flush()
    return note


def _seats(session: Session, invoice: Invoice, lines: Sequence[CreditLine]) -> list[CreditedSeat]:
    query = (
        select(OrderLine, func.coalesce(Registration.attendee_name, Appointment.client_name))
        .outerjoin(Registration, Registration.id == OrderLine.registration_id)
        .outerjoin(Appointment, Appointment.id == OrderLine.appointment_id)
        .where(OrderLine.order_id == invoice.order_id)
    )
    told = {line.thing: (line.description, person) for line, person in session.execute(query)}
    details = {line["description"]: line["details"] for line in invoice.facts["lines"]}
    return [
        CreditedSeat(description, details.get(description, ""), person, line.net, line.tax)
        for line in lines
        for description, person in (told[line.thing],)
    ]


def _post(
    session: Session, invoice: Invoice, note: CreditNote, deferred: Mapping[str, Money], delivered: Money, owed: Money, now: datetime
) -> None:
    about = reference("order", invoice.order_id)
    journal.post(
        session,
        source_kind=postings.CREDIT_NOTE,
        source=note.number,
        effective_on=periods.open_day(session, note.issued_on),
        about=about,
        lines=postings.credited(deferred, delivered, Money(note.tax, note.currency), about, owed=owed),
        memo=f"Credit note {note.number} on invoice {invoice.number}",
        now=now,
    )
