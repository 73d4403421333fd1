"""Refunds that no program can finish: ours that Stripe did not carry out, and those that somebody made at Stripe by hand.

Each way out leaves 2050 at what is really owed. Whoever decides says why; the audit keeps who it was.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.invoices import credit_notes
from seminars.invoices.credit_notes import CreditLine
from seminars.invoices.models import CreditNote
from seminars.kit.format import local, money
from seminars.kit.money import Money
from seminars.kit.references import reference as named
from seminars.kit.refusals import BadInput, Conflict
from seminars.ledger import journal, periods, postings
from seminars.orders import attention, settlement
from seminars.payments import cancelling, refunds
from seminars.payments.models import Refund
from seminars.registration import places


@dataclass(frozen=True)
class Seat:
    """A seat of the order whose price has not wholly been given back; `taken` while somebody is registered on it."""

    registration_id: int
    person: str
    event: str
    left: Money
    taken: bool


@dataclass(frozen=True)
class Ways:
    """What can be done about a refund made by hand: it takes a promise's place, gives back what was set aside, or is credited."""

    promised: Money | None
    set_aside: bool
    seats: Sequence[Seat]


def settle_otherwise(session: Session, refund: Refund, *, reason: str, reference: str, zone: str, now: datetime) -> Refund:
    """Close a refund that was paid back another way, such as a bank transfer: `reference` finds it on the statement.

    What we owed leaves 2050 against the bank (rule 17 with the bank in Stripe's place). Raises Conflict.
    """
    _lock(session, refund)
    if refund.state != "needs_manual":
        raise Conflict("This refund does not wait for a person any more.")
    if refund.external and refund.answered_at is None:
        raise Conflict("This refund was made at Stripe by hand. Say first what it was for.")
    settled = refunds.did_not_go(refund)
    journal.post(
        session,
        source_kind=postings.REFUND_OTHERWISE,
        source=str(refund.id),
        effective_on=periods.open_day(session, local(now, zone).date()),
        about=refund.payment.order.reference,
        lines=postings.refund_by_bank(refund.money, owed_to=refund.payment.order.reference),
        memo=f"Refund of {refund.payment.order.number} paid another way: {reference}",
        now=now,
    )
    refund.state = "settled_otherwise"
    _answer(session, refund, reason, reference, now)
    attention.looked_at(session, refund.payment.order, settled)
    return refund


def ways(session: Session, refund: Refund) -> Ways:
    """What can be done about a refund that was made by hand and that nobody has answered."""
    payment, order = refund.payment, refund.payment.order
    promised = _stuck_promise(session, refund)
    invoice = cancelling.invoice_of(session, order) if payment.role == "settles" else None
    left = {line.thing: line for line in credit_notes.left(session, invoice)} if invoice else {}
    seats = [
        Seat(
            registration_id=line.seat.id,
            person=line.seat.attendee_name or "Seat without a name",
            event=line.seat.event.title,
            left=Money(left[line.thing].total, order.currency),
            taken=line.seat.state == "confirmed",
        )
        for line in order.seat_lines
        if line.thing in left
    ]
    return Ways(promised.money if promised else None, payment.role != "settles" and promised is None, seats)


def credit(
    session: Session, refund: Refund, registration_ids: Collection[int], *, cancel: bool, reason: str, letterhead: Letterhead, now: datetime
) -> CreditNote:
    """Issue the credit note that a refund made by hand lacks, over its amount, on these seats (rules 16, 19 and 20).

    With `cancel` the seats go back on sale; without it the price was lowered after the sale, as goodwill (rule 14).
    Raises BadInput when the seats cost less than went back, Conflict.
    """
    _unanswered(session, refund)
    payment = refund.payment
    order = settlement.lock(session, payment.order_id)
    invoice = cancelling.invoice_of(session, order)
    if payment.role != "settles" or invoice is None:
        raise Conflict("This money settled no invoice, so that there is nothing to credit.")
    if credit_notes.still_owed(session, invoice):
        raise Conflict("Some of the invoice is still to be paid. A credit would lower that debt and not answer this refund.")
    lines = _spread(credit_notes.left(session, invoice, [named("registration", one) for one in registration_ids]), refund.money)
    key = f"{refund.reference}:by-hand"
    note = credit_notes.issue(session, invoice, key=key, lines=lines, reason=reason, center=letterhead.center, now=now)
    if cancel:
        chosen = [one for one in places.of_order(session, order.reference) if one.id in set(registration_ids) and one.state == "confirmed"]
        if not chosen:
            raise BadInput("None of the chosen seats is taken, so that none can be cancelled.", "seat")
        cancelling.free_seats(session, order, chosen, refund=None, letterhead=letterhead, now=now)
    _answer_by_hand(session, refund, reason, note.number, now)
    return note


def take_the_place(session: Session, refund: Refund, *, reason: str, letterhead: Letterhead, now: datetime) -> Refund:
    """Say that a refund made by hand paid what we had promised and could not send; what is left of the promise is promised anew.

    The promise's credit note and the refund's own entry are booked already, so nothing is posted. Raises Conflict.
    """
    _unanswered(session, refund)
    promise = _stuck_promise(session, refund)
    if promise is None:
        raise Conflict("No promised refund of this payment waits that this one could have paid.")
    session.refresh(promise, with_for_update=True)
    order = settlement.lock(session, refund.payment.order_id)
    settled, rest = refunds.did_not_go(promise), promise.money - refund.money
    promise.state = "canceled"
    _answer(session, promise, reason, refund.refund_id or "", now)
    refunds.promised_anew(session, refund.payment)
    if rest:
        key = f"{promise.reference}:rest"
        refunds.promise_refund(session, refund.payment, rest, key=key, reason=promise.reason, letterhead=letterhead, now=now)
    attention.looked_at(session, order, settled)
    _answer_by_hand(session, refund, reason, promise.reference, now)
    return refund


def gave_back_set_aside(session: Session, refund: Refund, *, reason: str, zone: str, now: datetime) -> Refund:
    """Say that a refund made by hand gave back money that paid for nothing (rule 53). Raises Conflict."""
    _unanswered(session, refund)
    settlement.lock(session, refund.payment.order_id)
    if refund.payment.role == "settles" or _stuck_promise(session, refund) is not None:
        raise Conflict("This money was not set aside.")
    refunds.unapplied_goes_back(session, refund, zone=zone, now=now)
    _answer_by_hand(session, refund, reason, "", now)
    return refund


def _lock(session: Session, refund: Refund) -> None:
    session.refresh(refund, with_for_update=True)


def _unanswered(session: Session, refund: Refund) -> None:
    _lock(session, refund)
    if not refund.external or refund.answered_at is not None:
        raise Conflict("This refund does not wait for an answer any more.")


def _answer(session: Session, refund: Refund, reason: str, reference: str, now: datetime) -> None:
    refund.answer, refund.answer_reference, refund.answered_at = reason, reference, now
    session.flush()


def _answer_by_hand(session: Session, refund: Refund, reason: str, reference: str, now: datetime) -> None:
    _answer(session, refund, reason, reference, now)
    attention.looked_at(session, refund.payment.order, refunds.by_hand(refund))


def _stuck_promise(session: Session, refund: Refund) -> Refund | None:
    """Our own refund of the same payment that Stripe did not make, because this one had taken the money: at least as large."""
    query = select(Refund).where(
        Refund.payment_id == refund.payment_id,
        Refund.state == "needs_manual",
        Refund.refund_id.is_(None),
        ~Refund.external,
        Refund.amount >= refund.amount,
    )
    return session.scalar(query.order_by(Refund.amount, Refund.id).limit(1))


def _spread(lines: Sequence[CreditLine], amount: Money) -> list[CreditLine]:
    """The amount over these seats, the first ones whole."""
    left, spread = amount.amount, []
    for line in lines:
        if left:
            spread.append(line.less(left))
            left -= spread[-1].total
    if left:
        raise BadInput(f"{money(amount)} went back, more than the chosen seats cost. Choose more of them.", "seat")
    return spread
