"""From a filed message to the act: fetch afresh what it names, then bring our rows to that. Events carry no truth, only ids.

Which act belongs to which event is the table of payments.md §5.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.gateways.stripe import API_VERSION, BalanceTransaction, Charge, Gateway, Refused
from seminars.kit.clock import Clock
from seminars.payments import capture, refunds
from seminars.payments.checkout import Work
from seminars.payments.models import PaymentAttempt, StripeEvent

LEASE = timedelta(seconds=60)
MOST_TRIES = 12
LONGEST_PAUSE = timedelta(hours=6)

log = logging.getLogger(__name__)

SESSION_EVENTS = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
)
INTENT_EVENTS = ("payment_intent.payment_failed", "payment_intent.succeeded")
CHARGE_EVENTS = ("charge.updated", "charge.succeeded")
REFUND_EVENTS = ("refund.created", "refund.updated", "refund.failed")
HANDLED = (*SESSION_EVENTS, *INTENT_EVENTS, *CHARGE_EVENTS, *REFUND_EVENTS)

Act = Callable[[Session, datetime], str]
"""What is to be done in one transaction; answers why the event was ignored, or nothing when it was handled."""


@dataclass(frozen=True)
class Due:
    """A filed message whose turn it is."""

    id: str
    type: str
    object_id: str
    source: str


def claim_due(session: Session, *, now: datetime, most: int = 20) -> list[Due]:
    """Take messages for a minute: a worker that dies gives them back by the clock."""
    waiting = (
        select(StripeEvent.id)
        .where(StripeEvent.state == "pending", StripeEvent.not_before <= now)
        .order_by(StripeEvent.not_before, StripeEvent.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(
        update(StripeEvent)
        .where(StripeEvent.id.in_(waiting.scalar_subquery()))
        .values(not_before=now + LEASE, attempts=StripeEvent.attempts + 1)
        .returning(StripeEvent.id, StripeEvent.type, StripeEvent.object_id, StripeEvent.source)
        .execution_options(synchronize_session=False)
    )
    return [Due(*row) for row in rows]


def handle_due(work: Work, gateway: Gateway, *, letterhead: Letterhead, clock: Clock, most: int = 20) -> int:
    """Handle what is filed and due; how many. Each message is fetched with no transaction open and applied in one."""
    with work() as session:
        due = claim_due(session, now=clock(), most=most)
    for event in due:
        try:
            act = prepare(gateway, event, letterhead=letterhead)
            with work() as session:
                ignored = act(session, clock())
                _mark(session, event.id, "ignored" if ignored else "handled", ignored, now=clock())
        except Exception as trouble:  # one bad message must not keep the others from being handled
            log.warning("stripe event %s: %s", event.id, trouble, exc_info=True)
            with work() as session:
                _postpone(session, event.id, trouble, now=clock())
    return len(due)


def prepare(gateway: Gateway, event: Due, *, letterhead: Letterhead) -> Act:
    """Ask Stripe what the event is about, and say what is to be done. Raises StripeTrouble."""
    try:
        return _act(gateway, event, letterhead)
    except Refused as refused:
        if not refused.absent:
            raise
        reason = str(refused)
        return lambda session, now: reason


def _act(gateway: Gateway, event: Due, letterhead: Letterhead) -> Act:
    zone = letterhead.center.zone
    if event.type in SESSION_EVENTS:
        return _session_act(gateway, event.object_id, event.source, letterhead)
    if event.type in INTENT_EVENTS:
        return _intent_act(event)
    if event.type in CHARGE_EVENTS:
        return _charge_act(gateway, event.object_id, zone)
    if event.type in REFUND_EVENTS:
        return _refund_act(gateway, event.object_id, zone)
    return lambda session, now: "not an event that we act on"


def _session_act(gateway: Gateway, session_id: str, source: str, letterhead: Letterhead) -> Act:
    seen = capture.look(gateway, session_id)
    return lambda session, now: (
        "" if capture.apply(session, seen, letterhead=letterhead, found_by=source, now=now) else "not a page of ours"
    )


def _intent_act(event: Due) -> Act:
    """A payment intent leads to its page only through our own row: Stripe's object does not name the page."""
    intent_id = event.object_id

    def act(session: Session, now: datetime) -> str:
        attempt = session.scalar(select(PaymentAttempt).where(PaymentAttempt.payment_intent_id == intent_id))
        if attempt is None or attempt.session_id is None:
            return "the page's own event says it"
        attempt.checked_at = None  # the poller looks at once
        return ""

    return act


def _charge_act(gateway: Gateway, charge_id: str, zone: str) -> Act:
    charge: Charge = gateway.charge(charge_id)
    if charge.balance_transaction_id is None:
        return lambda session, now: "its balance transaction is not there yet"
    fee: BalanceTransaction = gateway.balance_transaction(charge.balance_transaction_id)

    def act(session: Session, now: datetime) -> str:
        return "" if capture.record_fee(session, charge.id, fee, zone=zone, now=now) else "a charge that is not ours"

    return act


def _refund_act(gateway: Gateway, refund_id: str, zone: str) -> Act:
    looked = refunds.look(gateway, gateway.refund(refund_id))

    def act(session: Session, now: datetime) -> str:
        refund = refunds.adopt(session, looked.state, now=now)
        if refund is None:
            return "a refund of a payment that is not ours"
        refunds.sync(session, refund.id, looked, zone=zone, now=now)
        return ""

    return act


def _mark(session: Session, event_id: str, state: str, reason: str, *, now: datetime) -> None:
    event = session.get_one(StripeEvent, event_id)
    event.state, event.reason, event.handled_at = state, reason, now
    if event.api_version and event.api_version != API_VERSION:
        event.reason = f"{reason} (sent in version {event.api_version}, not {API_VERSION})".strip()
    session.flush()


def _postpone(session: Session, event_id: str, trouble: Exception, *, now: datetime) -> None:
    """Try later, each time later than before; after many tries a person must look."""
    event = session.get_one(StripeEvent, event_id, populate_existing=True)
    pause = min(timedelta(seconds=5 * 2 ** min(event.attempts, 12)), LONGEST_PAUSE)
    event.not_before, event.reason = now + pause, f"{type(trouble).__name__}: {trouble}"[:1000]
    if event.attempts >= MOST_TRIES:
        event.state = "dead"
    session.flush()
