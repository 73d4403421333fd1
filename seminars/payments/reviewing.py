"""What waited for a person, settled by one: an order that was looked into, money that did not agree, a message that is tried again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.db import ring
from seminars.invoices import issuing
from seminars.kit.format import local, money
from seminars.kit.money import Money
from seminars.kit.refusals import Conflict
from seminars.ledger import journal, periods, postings
from seminars.orders import attention, cancellation, settlement
from seminars.orders.models import Order
from seminars.payments import capture, refunds
from seminars.payments.models import Payment, Refund, StripeEvent


@dataclass(frozen=True)
class Difference:
    """A payment beside the order that it was meant for."""

    came: Money
    owed: Money

    @property
    def applied(self) -> Money:
        """What of it pays the invoice."""
        return min(self.came, self.owed)

    @property
    def short(self) -> Money:
        """What is still to be paid after it."""
        return self.owed - self.applied

    @property
    def over(self) -> Money:
        """What came beyond the order."""
        return self.came - self.applied


def settle(session: Session, order: Order) -> Order:
    """Take an order off the queue: whoever looked into it says why in the audit. The caller has it locked.

    Raises Conflict while money for it is set aside and not promised back: «paid, no seat, nobody assigned» must not exist.
    """
    aside = session.scalars(select(Payment).where(Payment.order_id == order.id, Payment.role == "unallocated")).all()
    left = sum(payment.amount - payment.promised for payment in aside)
    if left:
        raise Conflict(f"{money(Money(left, order.currency))} of this order is still set aside. Confirm the payment or send it back first.")
    order.needs_review, order.paid_unplaced = "", False
    session.flush()
    return order


def difference(payment: Payment) -> Difference:
    """What confirming a payment that differs would do. Raises Conflict when it cannot be confirmed."""
    order = payment.order
    if payment.role != "unallocated":
        raise Conflict("This payment does not wait for a decision any more.")
    if payment.promised:
        raise Conflict("Some of this money goes back already, so it cannot pay the order. Send the rest back too.")
    if payment.currency != order.currency:
        raise Conflict(f"The order is in {order.currency} and this money is in {payment.currency}: it can only go back.")
    if order.state not in ("placed", "expired"):
        raise Conflict(f"The order is {order.state}, so that this money cannot pay it. Send it back.")
    return Difference(payment.money, order.total_money)


def confirm_differing(session: Session, payment: Payment, *, letterhead: Letterhead, now: datetime) -> Difference:
    """Confirm an order although the amount paid differs: who decides so says why in the audit (payments.md §6 row 23).

    The charge stays booked as it came (1050 against 2000). The invoice is issued over the whole (rule 1) and what came is matched to
    it (rule 9), which leaves a short rest on 1100 until it is paid or credited (row 45); what came beyond the order stays on 2000 for
    a moment (rule 10) and is promised back at once (rule 53): so 1100 equals the open invoices and 2000 what nobody has decided on.
    Raises Conflict, SoldOut.
    """
    order = settlement.lock(session, payment.order_id)
    session.refresh(payment, with_for_update=True)
    made = difference(payment)
    if order.state == "expired":
        cancellation.revive(session, order, now=now)
    payment.role = "settles"
    session.flush()
    paid = capture.how_paid(payment) | ({"amount": str(made.applied.amount)} if made.short else {})
    issuing.issue(session, order, center=letterhead.center, paid=paid, now=now)
    journal.post(
        session,
        source_kind=postings.MATCH,
        source=payment.reference,
        effective_on=periods.open_day(session, local(now, letterhead.center.zone).date()),
        about=order.reference,
        lines=postings.identified(made.applied, order=order.reference),
        memo=f"{order.number}: confirmed although {money(made.came)} differs from {money(made.owed)}",
        now=now,
    )
    if made.over:
        refunds.promise_surplus(session, payment, made.over, reason="More was paid than ordered", letterhead=letterhead, now=now)
    settlement.settle(session, order, letterhead=letterhead, now=now)
    attention.looked_at(session, order, capture.differs(payment, order))
    return made


def send_back(session: Session, payment: Payment, *, reason: str, letterhead: Letterhead, now: datetime) -> Refund:
    """Give back money that was set aside for an order which does not need it (any more).

    Raises Conflict while the order waits for its payment: cancelling it sends the money back with it, and frees the seats.
    """
    order = settlement.lock(session, payment.order_id)
    session.refresh(payment, with_for_update=True)
    if payment.role != "unallocated" or payment.promised == payment.amount:
        raise Conflict("This payment does not wait for a decision any more.")
    if order.state == "placed":
        raise Conflict("The order still waits for its payment. Cancel the order: this money goes back with it.")
    refund = refunds.promise_unapplied(session, payment, reason=reason, letterhead=letterhead, now=now)
    attention.looked_at(session, order, capture.differs(payment, order))
    return refund


def try_again(session: Session, event: StripeEvent, *, now: datetime) -> StripeEvent:
    """Hand a message that was given up to the workers once more. Raises Conflict when it was handled meanwhile."""
    session.refresh(event, with_for_update=True)
    if event.state != "dead":
        raise Conflict("This message is not waiting for a person any more.")
    event.state, event.attempts, event.not_before = "pending", 0, now
    session.flush()
    ring(session, "stripe")
    return event
