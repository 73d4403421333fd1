"""Attempts whose fate is not known: killed before the call, during it, or before its answer was stored (payments.md §6 rows 1-7).

The same call under the same key is harmless while Stripe remembers the key. When it is certain that no page exists, a new attempt with
a new key takes its place; a key that Stripe has seen with other parameters is left to a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.gateways.stripe import CheckoutSession, Gateway, KeyMisused, Refused, StripeTrouble, Unreachable
from seminars.kit.clock import Clock
from seminars.orders import attention, cancellation, settlement
from seminars.payments import checkout
from seminars.payments.checkout import Work
from seminars.payments.models import PaymentAttempt

STUCK_AFTER = timedelta(seconds=60)
RESEND_WITHIN = timedelta(hours=23)
LOOK_AROUND = timedelta(minutes=10)
MOST_ATTEMPTS = 4


@dataclass(frozen=True)
class Absent:
    """It is certain that Stripe has no page for the attempt."""


Finding = CheckoutSession | Absent | StripeTrouble


def stuck(session: Session, *, now: datetime, most: int = 20) -> Sequence[int]:
    """Attempts that were begun over a minute ago and have no page, oldest first, by id."""
    last = func.greatest(PaymentAttempt.checked_at, PaymentAttempt.submitted_at, PaymentAttempt.created_at)  # passes over what is NULL
    query = select(PaymentAttempt.id).where(
        PaymentAttempt.state.in_(("intent", "submitting", "unknown")),
        PaymentAttempt.session_id.is_(None),
        last <= now - STUCK_AFTER,
        ~PaymentAttempt.trouble.startswith(KeyMisused.__name__),
    )
    return session.scalars(query.order_by(PaymentAttempt.id).limit(most)).all()


def find_out(gateway: Gateway, attempt: PaymentAttempt, *, now: datetime) -> Finding:
    """Ask Stripe what became of an attempt: by sending it again while the key is remembered, else by looking for its metadata."""
    if now - attempt.created_at < RESEND_WITHIN:
        answer = checkout.ask(gateway, attempt)
        silent = isinstance(answer, Unreachable) and not answer.failed_there
        if isinstance(answer, CheckoutSession | KeyMisused) or silent:
            return answer
        assert isinstance(answer, Unreachable | Refused)  # a stored failure, or parameters that are too old: neither says if a page exists
    return look_for(gateway, attempt)


def look_for(gateway: Gateway, attempt: PaymentAttempt) -> Finding:
    """Look for an attempt's page by its metadata, without asking for one."""
    last_sent = attempt.submitted_at or attempt.created_at
    try:
        pages = gateway.sessions_created(attempt.created_at - LOOK_AROUND, last_sent + RESEND_WITHIN)
        return next((page for page in pages if page.metadata == attempt.params["metadata"]), Absent())
    except StripeTrouble as trouble:
        return trouble


def resolve(session: Session, attempt_id: int, finding: Finding, *, letterhead: Letterhead, now: datetime) -> PaymentAttempt:
    """Act on what was found out: adopt the page, put a new attempt in place of one that never was, or wait."""
    if not isinstance(finding, Absent):
        return checkout.answered(session, attempt_id, finding, now=now)
    attempt = give_up(session, attempt_id, now=now)
    order = settlement.lock(session, attempt.order_id)
    if attempt.state != "superseded" or order.state != "placed" or checkout.live_attempt(session, order) is not None:
        return attempt
    if _without_page(session, attempt.order_id) >= MOST_ATTEMPTS:
        attention.needs_look(session, order, f"Stripe made no payment page in {MOST_ATTEMPTS} tries: {attempt.trouble}")
        cancellation.expire(session, order, now=now)
        return attempt
    return checkout.begin(session, order, letterhead=letterhead, now=now)


def give_up(session: Session, attempt_id: int, *, now: datetime) -> PaymentAttempt:
    """Close an attempt that is certain to have no page, unless it got one meanwhile."""
    attempt = session.get_one(PaymentAttempt, attempt_id, with_for_update=True, populate_existing=True)
    if attempt.live and attempt.session_id is None:
        attempt.state, attempt.settled_at = "superseded", now
        session.flush()
    return attempt


def _without_page(session: Session, order_id: int) -> int:
    """How many attempts of the order never had a page. A buyer who let pages expire comes back as often as they like."""
    query = select(func.count()).where(PaymentAttempt.order_id == order_id, PaymentAttempt.state == "superseded")
    return session.scalar(query) or 0


def resolve_stuck(work: Work, gateway: Gateway, *, letterhead: Letterhead, clock: Clock) -> int:
    """Find out about every stuck attempt; how many. A new attempt is handed over at once."""
    with work() as session:
        ids = stuck(session, now=clock())
    for attempt_id in ids:
        with work() as session:
            attempt = session.get_one(PaymentAttempt, attempt_id, populate_existing=True)
        finding = find_out(gateway, attempt, now=clock())
        with work() as session:
            now_live = resolve(session, attempt_id, finding, letterhead=letterhead, now=clock())
        if now_live.id != attempt_id:
            checkout.hand_over(work, gateway, now_live.id, clock=clock)
    return len(ids)
