"""Giving money back: promised in one commit, paid out by a job under the promise's key, followed until it is final.

A promise lowers what can still be promised from its payment: the database keeps the sum within the payment, so that two people who
refund at once cannot give back more than came (payments.md §5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.gateways.stripe import BalanceTransaction, Gateway, KeyMisused, RefundState, Refused, StripeTrouble
from seminars.kit.clock import Clock
from seminars.kit.format import local, money
from seminars.kit.money import Money
from seminars.kit.refusals import Conflict
from seminars.ledger import journal, periods, postings
from seminars.payments.checkout import Work
from seminars.payments.models import Payment, Refund

STUCK_AFTER = timedelta(seconds=60)
RESEND_WITHIN = timedelta(hours=23)
FOLLOWED_FOR = timedelta(days=35)
LOOKED_AT_EVERY = timedelta(hours=6)


class MoreThanPaid(Conflict):
    """The refund is larger than what is left of the payment."""

    def __init__(self, left: Money) -> None:
        super().__init__(f"Only {money(left)} of this payment can still be refunded.")


def promise_refund(
    session: Session, payment: Payment, amount: Money, *, key: str, reason: str, letterhead: Letterhead, now: datetime
) -> Refund:
    """Promise money back from a payment; a job pays it out. The same key promises once. Raises MoreThanPaid."""
    made = session.scalar(select(Refund).where(Refund.key == key))
    if made is not None:
        return made
    promised = session.execute(
        update(Payment)
        .where(Payment.id == payment.id, Payment.promised + amount.amount <= Payment.amount)
        .values(promised=Payment.promised + amount.amount)
        .execution_options(synchronize_session=False)
    )
    session.refresh(payment)
    if not promised.rowcount:  # type: ignore[attr-defined]
        raise MoreThanPaid(Money(payment.amount - payment.promised, payment.currency))
    refund = Refund(
        payment_id=payment.id, key=key, amount=amount.amount, currency=amount.currency, reason=reason, params={}, promised_at=now
    )
    session.add(refund)
    session.flush()
    refund.params = {
        "payment_intent": payment.payment_intent_id,
        "amount": amount.amount,
        "reason": "requested_by_customer",
        "metadata": {
            "kind": "refund",
            "row": str(refund.id),
            "attempt": "1",
            "installation": letterhead.base_url.split("://", 1)[-1],
        },
    }
    session.flush()
    return refund


def promise_unapplied(session: Session, payment: Payment, *, reason: str, letterhead: Letterhead, now: datetime) -> Refund:
    """Promise back the whole of a payment that settles nothing (ledger rule 53)."""
    host = letterhead.base_url.split("://", 1)[-1]
    refund = promise_refund(
        session,
        payment,
        payment.money,
        key=f"seminars:{host}:refund:unapplied:{payment.id}",
        reason=reason,
        letterhead=letterhead,
        now=now,
    )
    journal.post(
        session,
        source_kind=postings.REFUND,
        source=str(refund.id),
        effective_on=periods.open_day(session, local(now, letterhead.center.zone).date()),
        about=f"order/{payment.order_id}",
        lines=postings.unapplied_sent_back(payment.money, paid_for=f"order/{payment.order_id}"),
        memo=reason,
        now=now,
    )
    return refund


def due(session: Session, *, now: datetime, most: int = 20) -> Sequence[int]:
    """Refunds to be sent, sent again, or looked at, by id."""
    unsent = and_(
        Refund.state.in_(("requested", "submitting")),
        or_(Refund.submitted_at.is_(None), Refund.submitted_at <= now - STUCK_AFTER),
    )
    moving = Refund.state.in_(("pending", "requires_action"))
    young = and_(Refund.state == "succeeded", Refund.settled_at >= now - FOLLOWED_FOR)
    stale = or_(Refund.checked_at.is_(None), Refund.checked_at <= now - LOOKED_AT_EVERY)
    query = select(Refund.id).where(or_(unsent, and_(or_(moving, young), stale)), ~Refund.trouble.startswith("KeyMisused"))
    return session.scalars(query.order_by(Refund.id).limit(most)).all()


@dataclass(frozen=True)
class Looked:
    """What Stripe said of a refund, with the movements of our balance that it caused."""

    state: RefundState
    moved: BalanceTransaction | None
    came_back: BalanceTransaction | None


def look(gateway: Gateway, state: RefundState) -> Looked:
    """Fetch the balance transactions of a refund. Raises StripeTrouble."""
    moved = gateway.balance_transaction(state.balance_transaction_id) if state.balance_transaction_id else None
    back = gateway.balance_transaction(state.failure_balance_transaction_id) if state.failure_balance_transaction_id else None
    return Looked(state, moved, back)


def pay_out(work: Work, gateway: Gateway, refund_id: int, *, letterhead: Letterhead, clock: Clock) -> Refund:
    """Send one promised refund, or see what became of it: one transaction before the call, one after it, none during it."""
    with work() as session:
        refund = session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
        resend = refund.submitted_at is None or clock() - refund.submitted_at < RESEND_WITHIN
        if refund.refund_id is None:
            refund.state = "submitting"
            refund.submitted_at = refund.submitted_at or clock()
    try:
        looked = look(gateway, _send_or_find(gateway, refund, resend=resend))
    except StripeTrouble as trouble:
        with work() as session:
            return _in_trouble(session, refund_id, trouble, now=clock())
    with work() as session:
        return sync(session, refund_id, looked, zone=letterhead.center.zone, now=clock())


def _send_or_find(gateway: Gateway, refund: Refund, *, resend: bool) -> RefundState:
    """Within Stripe's memory of keys the same call is sent again; after it, only what is found counts (payments.md §6 rows 5, 6)."""
    if refund.refund_id is not None:
        return gateway.refund(refund.refund_id)
    if resend:
        try:
            return gateway.create_refund(refund.params, key=refund.key)
        except StripeTrouble:
            found = _found(gateway, refund)
            if found is None:
                raise
            return found
    found = _found(gateway, refund)
    if found is None:
        raise Refused("not_found", "This refund was sent long ago and Stripe has no trace of it. Promise it again.")
    return found


def _found(gateway: Gateway, refund: Refund) -> RefundState | None:
    return next((r for r in gateway.refunds_of(refund.params["payment_intent"]) if r.metadata == refund.params["metadata"]), None)


def _in_trouble(session: Session, refund_id: int, trouble: StripeTrouble, *, now: datetime) -> Refund:
    refund = session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    refund.trouble, refund.checked_at = f"{type(trouble).__name__}: {trouble}", now
    if isinstance(trouble, Refused | KeyMisused):
        refund.state = "needs_manual"
        refund.payment.order.needs_review = f"Stripe refused the refund of {money(refund.money)}: {trouble}"
    else:
        refund.submitted_at = refund.submitted_at or now
    session.flush()
    return refund


def sync(session: Session, refund_id: int, looked: Looked, *, zone: str, now: datetime) -> Refund:
    """Bring a refund to what Stripe says of it, and book what moved (ledger rules 17 and 18). Twice is once."""
    refund = session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    state = looked.state
    refund.refund_id, refund.checked_at, refund.trouble = state.id, now, ""
    if looked.moved is not None:
        refund.balance_transaction_id = looked.moved.id
        _book(session, refund, looked.moved, postings.refund_executed(refund.money, owed_to=_owed(refund)), zone, now)
    if state.status in ("pending", "requires_action", "succeeded") and refund.state != "settled_otherwise":
        refund.state, refund.settled_at = state.status, (refund.settled_at or now if state.status == "succeeded" else None)
    elif state.status in ("failed", "canceled") and refund.state not in ("needs_manual", "settled_otherwise"):
        refund.state, refund.failure_reason = "needs_manual", state.failure_reason or state.status
        refund.payment.order.needs_review = (
            f"The refund of {money(refund.money)} did not arrive ({refund.failure_reason}). Find another way to pay it back."
        )
    if looked.came_back is not None:
        refund.failure_balance_transaction_id = looked.came_back.id
        _book(session, refund, looked.came_back, postings.refund_failed(refund.money, owed_to=_owed(refund)), zone, now)
    session.flush()
    return refund


def _owed(refund: Refund) -> str:
    return f"order/{refund.payment.order_id}"


def _book(session: Session, refund: Refund, moved: BalanceTransaction, lines: list[postings.Line], zone: str, now: datetime) -> None:
    journal.post(
        session,
        source_kind=postings.BALANCE_TRANSACTION,
        source=moved.id,
        effective_on=periods.open_day(session, local(moved.created, zone).date()),
        about=_owed(refund),
        lines=lines,
        memo=f"Refund {refund.refund_id}",
        now=now,
    )


def adopt(session: Session, state: RefundState, *, now: datetime) -> Refund | None:
    """Our row for a refund that Stripe tells of: the one we promised, or a new one when it was made at Stripe by hand.

    None when its payment is not ours. A refund made by hand waits for a person: what becomes of the seat is not money's to say.
    """
    known = session.scalar(select(Refund).where(Refund.refund_id == state.id))
    if known is not None:
        return known
    if state.metadata.get("kind") == "refund" and state.metadata.get("row", "").isdecimal():
        ours = session.get(Refund, int(state.metadata["row"]), with_for_update=True)
        if ours is not None and ours.params.get("metadata") == state.metadata:
            return ours
    payment = session.scalar(select(Payment).where(Payment.payment_intent_id == state.payment_intent_id).with_for_update())
    if payment is None:
        return None
    payment.promised = min(payment.amount, payment.promised + state.amount)
    gone = money(Money(state.amount, state.currency))
    payment.order.needs_review = f"{gone} was refunded at Stripe by hand. Decide about the seats and the credit note."
    refund = Refund(
        payment_id=payment.id,
        key=f"external:{state.id}",
        amount=state.amount,
        currency=state.currency,
        reason="Made at Stripe by hand",
        params={},
        external=True,
        refund_id=state.id,
        promised_at=now,
    )
    session.add(refund)
    session.flush()
    return refund
