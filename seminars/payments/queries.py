"""Payments as pages and other rooms ask for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from seminars.kit.format import count
from seminars.orders.models import Order
from seminars.payments.models import EVENTS, Payment, PaymentAttempt, Refund, StripeCursor, StripeEvent

STRIPE_KEEPS = timedelta(days=30)
MOST_BEHIND = timedelta(days=20)
"""From then on people have ten days before messages are lost for good (payments.md §5)."""


def attempts_of(session: Session, order: Order) -> Sequence[PaymentAttempt]:
    """The order's payment attempts, first to last."""
    return session.scalars(select(PaymentAttempt).where(PaymentAttempt.order_id == order.id).order_by(PaymentAttempt.number)).all()


def payments_of(session: Session, order: Order) -> Sequence[Payment]:
    """The order's payments with their refunds, first to last."""
    return session.scalars(
        select(Payment).where(Payment.order_id == order.id).options(selectinload(Payment.refunds)).order_by(Payment.id)
    ).all()


def events_about(session: Session, order: Order) -> Sequence[StripeEvent]:
    """The messages from Stripe that name this order's pages, payments or refunds, as they came."""
    attempts, payments = attempts_of(session, order), payments_of(session, order)
    names = {a.session_id for a in attempts} | {a.payment_intent_id for a in attempts}
    names |= {p.charge_id for p in payments} | {p.payment_intent_id for p in payments}
    names |= {r.refund_id for p in payments for r in p.refunds}
    known = [name for name in names if name]
    if not known:
        return []
    return session.scalars(
        select(StripeEvent).where(StripeEvent.object_id.in_(known)).order_by(StripeEvent.received_at, StripeEvent.id)
    ).all()


def found_by(session: Session) -> dict[str, int]:
    """How many payments were learned of in each way: webhook, thanks, poll, backfill. Polls that grow say that webhooks are lost."""
    succeeded = select(PaymentAttempt.found_by, func.count().label("number")).where(PaymentAttempt.state == "succeeded")
    rows = session.execute(succeeded.group_by(PaymentAttempt.found_by))
    return {row.found_by: row.number for row in rows}


def refunds_waiting(session: Session, *, most: int = 50) -> Sequence[Refund]:
    """Refunds that a person must settle, and those made by hand that nobody has answered, oldest first."""
    waits = or_(Refund.state == "needs_manual", and_(Refund.external, Refund.answered_at.is_(None)))
    return session.scalars(select(Refund).where(waits).order_by(Refund.id).limit(most)).all()


def set_aside(session: Session, *, most: int = 50) -> Sequence[Payment]:
    """Payments that agree with no order and of which not all goes back, oldest first."""
    waits = select(Payment).where(Payment.role == "unallocated", Payment.promised < Payment.amount)
    return session.scalars(waits.order_by(Payment.id).limit(most)).all()


def given_up(session: Session, *, most: int = 50) -> Sequence[StripeEvent]:
    """Messages from Stripe that could not be handled in many tries, oldest first."""
    dead = select(StripeEvent).where(StripeEvent.state == "dead")
    return session.scalars(dead.order_by(StripeEvent.received_at, StripeEvent.id).limit(most)).all()


@dataclass(frozen=True)
class EventsTrouble:
    """What is wrong with how Stripe's messages reach us, since when."""

    since: datetime
    what: str
    detail: str


def events_trouble(session: Session, *, now: datetime) -> list[EventsTrouble]:
    """Why messages may be lost: our reading of Stripe's list is far behind, or Stripe cannot deliver to our address."""
    cursor = session.get(StripeCursor, EVENTS, populate_existing=True)
    found: list[EventsTrouble] = []
    if cursor is None:
        return found
    if (behind := now - cursor.read_until) > MOST_BEHIND:
        lost = f"Stripe's list of messages was last read {behind.days} days ago, and Stripe keeps a message for {STRIPE_KEEPS.days} days."
        found.append(EventsTrouble(cursor.read_until, "Messages from Stripe may be lost", f"{lost} See why no worker can read it."))
    if cursor.undelivered:
        many = count(cursor.undelivered, "message", "messages")
        detail = f"Stripe could not bring us {many} of the last day; we fetched them late. Compare the webhook's address and secret."
        found.append(EventsTrouble(cursor.read_at, "Stripe cannot deliver its messages", detail))
    return found
