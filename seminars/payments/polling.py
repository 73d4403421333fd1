"""Finding what no webhook told: open pages are asked about, late fees are fetched, lost events are read back."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.gateways.stripe import Gateway, Refused, StripeTrouble
from seminars.kit.clock import Clock
from seminars.payments import capture, events, inbox
from seminars.payments.checkout import Work
from seminars.payments.models import EVENTS, Payment, PaymentAttempt, StripeCursor
from seminars.payments.queries import STRIPE_KEEPS

NEAR_ITS_END = timedelta(minutes=2)
NEAR_ITS_END_EVERY = timedelta(minutes=1)
OTHERWISE_EVERY = timedelta(minutes=10)
FEE_AFTER = timedelta(seconds=30)
OVERLAP = timedelta(hours=1)
FIRST_READ = timedelta(days=1)
UNDELIVERED_OF = timedelta(days=1)
UNDELIVERED_AFTER = timedelta(minutes=10)
"""So long a message may be under way: a restart of ours is no reason for an alarm."""

log = logging.getLogger(__name__)


def attempts_to_ask(session: Session, *, now: datetime, most: int = 50) -> Sequence[str]:
    """The pages to ask Stripe about now: each minute near their end and after it, else every ten minutes; the session ids."""
    last = PaymentAttempt.checked_at
    ending = (PaymentAttempt.expires_at <= now + NEAR_ITS_END) & (last <= now - NEAR_ITS_END_EVERY)
    query = select(PaymentAttempt.session_id).where(
        PaymentAttempt.state.in_(("open", "processing")),
        PaymentAttempt.session_id.is_not(None),
        or_(last.is_(None), ending, last <= now - OTHERWISE_EVERY),
    )
    # Who was asked about longest ago comes first: bank debits under way for days must not keep the others from their turn.
    return [found for found in session.scalars(query.order_by(last.asc().nulls_first(), PaymentAttempt.id).limit(most)) if found]


def ask_about(
    work: Work, gateway: Gateway, session_id: str, *, letterhead: Letterhead, found_by: str, clock: Clock
) -> PaymentAttempt | None:
    """Look at one page and apply what is seen. Raises StripeTrouble when Stripe cannot be asked."""
    seen = capture.look(gateway, session_id)
    with work() as session:
        return capture.apply(session, seen, letterhead=letterhead, found_by=found_by, now=clock())


def could_ask(work: Work, gateway: Gateway, session_id: str, *, letterhead: Letterhead, found_by: str, clock: Clock) -> bool:
    """The same for somebody who waits at a page: false when Stripe cannot be asked just now, which the next tick mends."""
    try:
        ask_about(work, gateway, session_id, letterhead=letterhead, found_by=found_by, clock=clock)
    except StripeTrouble:
        return False
    return True


def poll(work: Work, gateway: Gateway, *, letterhead: Letterhead, clock: Clock) -> int:
    """Ask about every page whose turn it is; how many were told of. Stops at the first silence: the next tick goes on."""
    with work() as session:
        session_ids = attempts_to_ask(session, now=clock())
    told = 0
    for session_id in session_ids:
        try:
            ask_about(work, gateway, session_id, letterhead=letterhead, found_by="poll", clock=clock)
        except Refused as refused:
            with work() as session:
                capture.note_unknown_page(session, session_id, str(refused), now=clock())
        except StripeTrouble as trouble:
            log.warning("polling %s: %s", session_id, trouble)
            break
        else:
            told += 1
    return told


def fetch_fees(work: Work, gateway: Gateway, *, letterhead: Letterhead, clock: Clock, most: int = 50) -> int:
    """Book fees whose balance transaction came after the charge, where charge.updated was never heard; how many."""
    with work() as session:
        query = select(Payment.charge_id).where(Payment.balance_transaction_id.is_(None), Payment.recorded_at <= clock() - FEE_AFTER)
        charge_ids = session.scalars(query.order_by(Payment.id).limit(most)).all()
    booked = 0
    for charge_id in charge_ids:
        try:
            charge = gateway.charge(charge_id)
            fee = gateway.balance_transaction(charge.balance_transaction_id) if charge.balance_transaction_id else None
        except Refused as refused:
            log.warning("fee of %s: %s", charge_id, refused)
            continue
        if fee is None:
            continue
        with work() as session:
            capture.record_fee(session, charge_id, fee, zone=letterhead.center.zone, now=clock())
        booked += 1
    return booked


def backfill(work: Work, gateway: Gateway, *, clock: Clock) -> int:
    """Read Stripe's list of events from where we stopped (an hour before it) and file those that no webhook brought; how many."""
    began = clock()
    with work() as session:
        cursor = session.get(StripeCursor, EVENTS)
        since = (cursor.read_until if cursor else began - FIRST_READ) - OVERLAP
    found = list(gateway.events_since(max(since, began - STRIPE_KEEPS), events.HANDLED))
    undelivered = _undelivered(gateway, began)
    new = 0
    with work() as session:
        for notice in found:
            new += inbox.accept(session, notice, source="backfill", now=clock())
        read = {"read_until": began, "read_at": clock(), "undelivered": undelivered}
        session.execute(insert(StripeCursor).values(name=EVENTS, **read).on_conflict_do_update(index_elements=["name"], set_=read))
    return new


def _undelivered(gateway: Gateway, now: datetime) -> int:
    """How many messages of the last day Stripe has been trying to deliver for a while (payments.md §6 rows 14, 17 and 47)."""
    late = gateway.events_since(now - UNDELIVERED_OF, events.HANDLED, undelivered=True)
    return sum(notice.created <= now - UNDELIVERED_AFTER for notice in late)
