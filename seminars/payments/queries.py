"""Payments as pages and other rooms ask for them."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from seminars.orders.models import Order
from seminars.payments.models import Payment, PaymentAttempt, Refund, StripeEvent


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
    """Refunds that a person must settle, oldest first."""
    return session.scalars(select(Refund).where(Refund.state.in_(("failed", "needs_manual"))).order_by(Refund.id).limit(most)).all()
