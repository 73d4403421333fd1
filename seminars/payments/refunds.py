"""Giving money back: promised in one commit, paid out by a job under the promise's key, followed until it is final.

A promise lowers what can still be promised from its payment: the database keeps the sum within the payment, so that two people who
refund at once cannot give back more than came (payments.md §5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.db import ring
from seminars.gateways.stripe import BalanceTransaction, Gateway, KeyMisused, RefundState, Refused, StripeTrouble, Unreachable
from seminars.kit.clock import Clock
from seminars.kit.format import local, money
from seminars.kit.money import Money
from seminars.kit.references import secret
from seminars.kit.refusals import Conflict
from seminars.ledger import journal, periods, postings
from seminars.orders import attention, settlement
from seminars.payments.checkout import Work
from seminars.payments.models import Payment, Refund

REFUNDS = "refunds"
"""The bell that a promise rings."""
STUCK_AFTER = timedelta(seconds=60)
RESEND_WITHIN = timedelta(hours=23)
SURELY_OVER = timedelta(minutes=10)
"""So long after a failure no answer of Stripe's can still be in the making behind it: what is not found then was never made."""
MOST_KEYS = 4
UNSENT = ("requested", "submitting")
GIVEN_UP = ("failed", "canceled")
ANSWERED = ("settled_otherwise", "canceled")
"""A person found another way, or another refund took its place."""
ENDED = ("failed", "needs_manual", *ANSWERED)
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
    promised = session.scalar(
        update(Payment)
        .where(Payment.id == payment.id, Payment.promised + amount.amount <= Payment.amount)
        .values(promised=Payment.promised + amount.amount)
        .returning(Payment.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(payment)
    if promised is None:
        raise MoreThanPaid(Money(payment.amount - payment.promised, payment.currency))
    refund = Refund(
        payment_id=payment.id, key=key, amount=amount.amount, currency=amount.currency, reason=reason, params={}, promised_at=now
    )
    session.add(refund)
    session.flush()
    refund.params = _params(refund, payment, letterhead)
    session.flush()
    ring(session, REFUNDS)
    return refund


def _params(refund: Refund, payment: Payment, letterhead: Letterhead) -> dict[str, Any]:
    """What Stripe is sent under one key, however often. `mark` keeps keys apart when row ids begin again after a restored backup."""
    return {
        "payment_intent": payment.payment_intent_id,
        "amount": refund.amount,
        "reason": "requested_by_customer",
        "metadata": {
            "kind": "refund",
            "row": str(refund.id),
            "attempt": str(refund.number),
            "installation": letterhead.installation,
            "mark": secret()[:10],
        },
    }


def promise_unapplied(session: Session, payment: Payment, *, reason: str, letterhead: Letterhead, now: datetime) -> Refund:
    """Promise back what is left of a payment that settles nothing (ledger rule 53)."""
    left = Money(payment.amount - payment.promised, payment.currency)
    return promise_surplus(session, payment, left, reason=reason, letterhead=letterhead, now=now)


def promise_surplus(session: Session, payment: Payment, surplus: Money, *, reason: str, letterhead: Letterhead, now: datetime) -> Refund:
    """Promise back what came of a payment beyond what was owed (ledger rule 53); once, however often. Raises MoreThanPaid."""
    key = f"{payment.reference}:unapplied"
    refund = promise_refund(session, payment, surplus, key=key, reason=reason, letterhead=letterhead, now=now)
    unapplied_goes_back(session, refund, zone=letterhead.center.zone, now=now)
    return refund


def unapplied_goes_back(session: Session, refund: Refund, *, zone: str, now: datetime) -> None:
    """Book that a refund gives back unapplied money (ledger rule 53)."""
    journal.post(
        session,
        source_kind=postings.REFUND,
        source=str(refund.id),
        effective_on=periods.open_day(session, local(now, zone).date()),
        about=_owed(refund),
        lines=postings.unapplied_sent_back(refund.money, paid_for=_owed(refund)),
        memo=refund.reason,
        now=now,
    )


def due(session: Session, *, now: datetime, most: int = 20) -> Sequence[int]:
    """Refunds to be sent, sent again, or looked at, by id."""
    unsent = and_(
        Refund.state.in_(UNSENT),
        or_(Refund.submitted_at.is_(None), Refund.submitted_at <= now - STUCK_AFTER),
    )
    moving = Refund.state.in_(("pending", "requires_action"))
    young = and_(Refund.state == "succeeded", Refund.settled_at >= now - FOLLOWED_FOR)
    stale = or_(Refund.checked_at.is_(None), Refund.checked_at <= now - LOOKED_AT_EVERY)
    query = select(Refund.id).where(or_(unsent, and_(or_(moving, young), stale)))
    return session.scalars(query.order_by(Refund.checked_at.asc().nulls_first(), Refund.id).limit(most)).all()


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
        if refund.state in UNSENT:
            refund.state, refund.submitted_at = "submitting", refund.submitted_at or clock()
        elif refund.refund_id is None:
            return refund  # somebody else was here first, and was refused
    try:
        state = _send_or_find(gateway, refund, now=clock())
        looked = look(gateway, state) if state is not None else None
    except StripeTrouble as trouble:
        with work() as session:
            return _in_trouble(session, refund_id, trouble, now=clock())
    with work() as session:
        if looked is None:
            return _never_made(session, refund, letterhead=letterhead, now=clock())
        return sync(session, refund_id, looked, zone=letterhead.center.zone, now=clock())


def _send_or_find(gateway: Gateway, refund: Refund, *, now: datetime) -> RefundState | None:
    """The refund as Stripe has it; None when it is certain that it was never made. Raises StripeTrouble.

    While Stripe remembers the key the same call is sent again; after that only what is found counts (payments.md §6 rows 5, 6).
    """
    if refund.refund_id is not None:
        return gateway.refund(refund.refund_id)
    age = now - (refund.submitted_at or now)
    if age < RESEND_WITHIN:
        try:
            return gateway.create_refund(refund.params, key=refund.stripe_key)
        except StripeTrouble as trouble:
            found = _found(gateway, refund)
            if found is None and not (isinstance(trouble, Unreachable) and trouble.failed_there and age > SURELY_OVER):
                raise
            return found
    return _found(gateway, refund)


def _found(gateway: Gateway, refund: Refund) -> RefundState | None:
    return next((r for r in gateway.refunds_of(refund.params["payment_intent"]) if r.metadata == refund.params["metadata"]), None)


def _never_made(session: Session, sent: Refund, *, letterhead: Letterhead, now: datetime) -> Refund:
    """Nothing came of the call and its key is spent: ask under a new one at the next tick, a few times."""
    refund = session.get_one(Refund, sent.id, with_for_update=True, populate_existing=True)
    if refund.refund_id is not None or refund.number != sent.number:
        return refund
    if refund.number >= MOST_KEYS:
        refund.state = "needs_manual"
        attention.needs_look(session, refund.payment.order, did_not_go(refund))
    else:
        refund.number += 1
        refund.params = _params(refund, refund.payment, letterhead)
        refund.state, refund.submitted_at = "requested", None
    refund.checked_at = now
    session.flush()
    return refund


def _in_trouble(session: Session, refund_id: int, trouble: StripeTrouble, *, now: datetime) -> Refund:
    refund = session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    refund.trouble, refund.checked_at = f"{type(trouble).__name__}: {trouble}", now
    if isinstance(trouble, Refused | KeyMisused) and refund.refund_id is None:
        refund.state = "needs_manual"
        attention.needs_look(session, refund.payment.order, did_not_go(refund))
    session.flush()
    return refund


def sync(session: Session, refund_id: int, looked: Looked, *, zone: str, now: datetime) -> Refund:
    """Bring a refund to what Stripe says of it, and book what moved (ledger rules 17 and 18). Twice is once.

    One made by hand that did not arrive is owed to nobody by us: its money is ours again, and nothing was promised.
    """
    refund = session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    state = looked.state
    refund.refund_id, refund.checked_at, refund.trouble = state.id, now, ""
    if looked.moved is not None:
        refund.balance_transaction_id = looked.moved.id
        _book(session, refund, looked.moved, postings.refund_executed(refund.money, owed_to=_owed(refund)), zone, now)
    if state.status in ("pending", "requires_action", "succeeded") and refund.state not in ANSWERED:
        refund.state, refund.settled_at = state.status, (refund.settled_at or now if state.status == "succeeded" else None)
    elif state.status == "succeeded" and refund.settled_at is None:
        attention.needs_look(session, refund.payment.order, _paid_both_ways(refund))
        refund.settled_at = now
    elif state.status in ("failed", "canceled") and refund.state not in ENDED:
        refund.failure_reason = state.failure_reason or state.status
        if refund.external and refund.answered_at is None:
            _let_go(session, refund, now)
        else:
            refund.state = "needs_manual"
            attention.needs_look(session, refund.payment.order, did_not_go(refund))
    if looked.came_back is not None:
        refund.failure_balance_transaction_id = looked.came_back.id
        _book(session, refund, looked.came_back, postings.refund_failed(refund.money, owed_to=_owed(refund)), zone, now)
    session.flush()
    return refund


def did_not_go(refund: Refund) -> str:
    """What is said of a promised refund that waits for a person."""
    amount = money(refund.money)
    if refund.failure_reason:
        return f"The refund of {amount} did not arrive ({refund.failure_reason}). Find another way to pay it back."
    if refund.number >= MOST_KEYS:
        return f"Stripe made no refund of {amount} in {MOST_KEYS} tries: {refund.trouble}"
    return f"Stripe refused the refund of {amount}: {refund.trouble.partition(': ')[2]}"


def by_hand(refund: Refund) -> str:
    """What is said of a refund that somebody made at Stripe."""
    return f"{money(refund.money)} was refunded at Stripe by hand. Decide about the seats and the credit note."


def _paid_both_ways(refund: Refund) -> str:
    return f"The refund of {money(refund.money)} went through at Stripe after it had been settled another way: it was paid twice."


def _let_go(session: Session, refund: Refund, now: datetime) -> None:
    settlement.lock(session, refund.payment.order_id)  # before its payment, as everywhere
    refund.state, refund.answered_at, refund.answer = "failed", now, "It did not arrive"
    promised_anew(session, refund.payment)
    attention.looked_at(session, refund.payment.order, by_hand(refund))
    gone = f"The refund of {money(refund.money)} that was made at Stripe by hand did not arrive ({refund.failure_reason})."
    attention.needs_look(session, refund.payment.order, f"{gone} The money is ours again, and no refund is promised.")


def promised_anew(session: Session, payment: Payment) -> None:
    """Count what is promised back of a payment, after one of its refunds was given up."""
    session.flush()
    session.refresh(payment, with_for_update=True)
    live = select(func.coalesce(func.sum(Refund.amount), 0)).where(Refund.payment_id == payment.id, Refund.state.not_in(GIVEN_UP))
    payment.promised = min(payment.amount, int(session.scalar(live) or 0))
    session.flush()


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
    payment = session.scalar(select(Payment).where(Payment.payment_intent_id == state.payment_intent_id))
    if payment is None:
        return None
    # The order before its payment, as those do who cancel: each would wait for the other. Who came first has made the row.
    settlement.lock(session, payment.order_id)
    known = session.scalar(select(Refund).where(Refund.refund_id == state.id))
    if known is not None:
        return known
    session.refresh(payment, with_for_update=True)
    payment.promised = min(payment.amount, payment.promised + state.amount)
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
    attention.needs_look(session, payment.order, by_hand(refund))
    return refund
