"""What waited for a person, settled by one: an order that was looked into, a message from Stripe that is to be tried again."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.db import ring
from seminars.kit.format import money
from seminars.kit.money import Money
from seminars.kit.refusals import Conflict
from seminars.orders.models import Order
from seminars.payments.models import Payment, StripeEvent


def settle(session: Session, order: Order) -> Order:
    """Take an order off the queue: whoever looked into it says why in the audit. The caller has it locked.

    Raises Conflict while money for it is set aside and not promised back: «paid, no seat, nobody assigned» must not exist.
    """
    aside = session.scalars(select(Payment).where(Payment.order_id == order.id, Payment.role == "unallocated")).all()
    left = sum(payment.amount - payment.promised for payment in aside)
    if left:
        raise Conflict(f"{money(Money(left, order.currency))} of this order is still set aside. Cancel the order to send it back first.")
    order.needs_review, order.paid_unplaced = "", False
    session.flush()
    return order


def try_again(session: Session, event: StripeEvent, *, now: datetime) -> StripeEvent:
    """Hand a message that was given up to the workers once more. Raises Conflict when it was handled meanwhile."""
    session.refresh(event, with_for_update=True)
    if event.state != "dead":
        raise Conflict("This message is not waiting for a person any more.")
    event.state, event.attempts, event.not_before = "pending", 0, now
    session.flush()
    ring(session, "stripe")
    return event
