"""The timetable: what is done without anybody pressing a button, and how often.

A job is a verb with the neighbours handed in. Any of them may run twice, at once, or late: rows decide what there is to do. `ring`
names the bell (PostgreSQL NOTIFY) that starts a job at once, so that `every` is only how long a missed bell is waited for.
"""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from seminars.catalog import importing
from seminars.catalog.models import ImportRun
from seminars.consulting import booking, busy
from seminars.consulting import letters as meeting_letters
from seminars.db import at_once, transaction
from seminars.engagements import documents as proposal_documents
from seminars.engagements import letters as engagement_letters
from seminars.engagements import proposals, retainers
from seminars.finance import recognition
from seminars.gateways.smtp import NotReached, Refused
from seminars.gateways.stripe import StripeTrouble
from seminars.invoices import documents
from seminars.invoices.models import ISSUED
from seminars.joined import Joined
from seminars.messages import delivery
from seminars.messages.outbox import OUTBOX
from seminars.messages.render import press_of
from seminars.operations import heartbeats
from seminars.orders import fairness
from seminars.orders import letters as order_letters
from seminars.payments import events, polling, refunds, resolving
from seminars.payments import queries as paid
from seminars.registration import holds
from seminars.registration import letters as seat_letters

STRIPE = "stripe"
MOST_ROUNDS = 20
"""So many batches at a time, then others get their turn."""
BATCH = 50

STILL_WANTED: dict[str, delivery.StillWanted] = {
    seat_letters.CONFIRMED: seat_letters.still_wanted,
    seat_letters.INVITATION: seat_letters.still_wanted,
    seat_letters.SESSION_CHANGED: seat_letters.still_wanted,
    order_letters.RECEIVED: order_letters.still_unpaid,
    order_letters.CONFIRMED: order_letters.still_standing,
    meeting_letters.CONFIRMED: meeting_letters.still_standing,
    meeting_letters.MOVED: meeting_letters.still_standing,
    meeting_letters.MEETING: meeting_letters.still_standing,
    meeting_letters.MEETING_MOVED: meeting_letters.still_standing,
    meeting_letters.REQUESTED: meeting_letters.still_asked,
    meeting_letters.REQUEST_WAITS: meeting_letters.still_asked,
    meeting_letters.APPROVED: meeting_letters.still_to_pay,
    engagement_letters.PROPOSAL: engagement_letters.still_open,
    engagement_letters.SUBMITTED: engagement_letters.still_submitted,
}


@dataclass(frozen=True)
class Job:
    """One row of the timetable: `times` how many run side by side, `ring` which bell starts it."""

    act: Callable[[Joined], object]
    every: timedelta
    queue: str = "short"
    times: int = 1
    ring: str = ""

    @property
    def name(self) -> str:
        """How workers and logs call it."""
        return self.act.__name__


def deliver_outbox(joined: Joined) -> None:
    """Hand over the mails that are due."""
    work, rooms = _work("deliver_outbox"), delivery.Rooms(STILL_WANTED, pdf_of)
    press = press_of(joined.settings.letterhead, joined.settings.secret_key)
    for _ in range(MOST_ROUNDS):
        if delivery.deliver_due(work, at_once, joined.smtp, press, rooms, clock=joined.clock, most=BATCH) < BATCH:
            return


def handle_stripe_events(joined: Joined) -> None:
    """Do what the filed webhook messages ask for."""
    work, letterhead = _work("handle_stripe_events"), joined.settings.letterhead
    for _ in range(MOST_ROUNDS):
        if not events.handle_due(work, joined.stripe, letterhead=letterhead, clock=joined.clock):
            return


def release_lapsed_holds(joined: Joined) -> None:
    """Put seats back on sale whose time in a cart is over."""
    with transaction(by="job/release_lapsed_holds") as session:
        holds.sweep_lapsed(session, now=joined.clock())


def release_lapsed_slots(joined: Joined) -> None:
    """Put slots back on offer whose time in a cart is over."""
    with transaction(by="job/release_lapsed_slots") as session:
        booking.sweep_lapsed(session, now=joined.clock())


def read_busy_calendars(joined: Joined) -> None:
    """Ask consultants' own calendars when they are busy."""
    work = _work("read_busy_calendars")
    with work() as session:
        due = busy.due(session, now=joined.clock())
    for consultant_id in due:
        busy.read_one(work, joined.fetch, consultant_id, clock=joined.clock)


def forget_clients(joined: Joined) -> None:
    """Forget whose the carts of yesterday were."""
    with transaction(by="job/forget_clients") as session:
        fairness.forget_clients(session, now=joined.clock())


def poll_attempts(joined: Joined) -> None:
    """Ask about payment pages of which no webhook has told."""
    polling.poll(_work("poll_attempts"), joined.stripe, letterhead=joined.settings.letterhead, clock=joined.clock)


def resolve_intents(joined: Joined) -> None:
    """Find out what became of calls whose answer was lost."""
    resolving.resolve_stuck(_work("resolve_intents"), joined.stripe, letterhead=joined.settings.letterhead, clock=joined.clock)


def pay_refunds(joined: Joined) -> None:
    """Send the refunds that were promised, and look after those under way."""
    work = _work("pay_refunds")
    with work() as session:
        due = refunds.due(session, now=joined.clock())
    for refund_id in due:
        refunds.pay_out(work, joined.stripe, refund_id, letterhead=joined.settings.letterhead, clock=joined.clock)


def fetch_fees(joined: Joined) -> None:
    """Book card fees that no webhook has told of."""
    polling.fetch_fees(_work("fetch_fees"), joined.stripe, letterhead=joined.settings.letterhead, clock=joined.clock)


def backfill_stripe_events(joined: Joined) -> None:
    """Read Stripe's own list for messages that never arrived."""
    polling.backfill(_work("backfill_stripe_events"), joined.stripe, clock=joined.clock)


def beat_heart(joined: Joined) -> None:
    """Say how the neighbours do. That this runs at all shows that the timetable and the broker work."""
    mail = heartbeats.tried(joined.smtp.check, troubles=(NotReached, Refused))
    stripe = heartbeats.tried(joined.stripe.reachable, troubles=(StripeTrouble,))
    states = {heartbeats.BROKER: (True, ""), heartbeats.BEAT: (True, ""), heartbeats.MAIL: mail, heartbeats.STRIPE: stripe}
    with transaction(by="job/beat_heart") as session:
        troubles = [trouble.what for trouble in paid.events_trouble(session, now=joined.clock())]
        states[heartbeats.STRIPE_EVENTS] = (not troubles, "; ".join(troubles))
        for name, (well, detail) in states.items():
            heartbeats.record(session, name, well=well, detail=detail, now=joined.clock())


def render_documents(joined: Joined) -> None:
    """Make the PDFs of what was issued, and post them."""
    work, letterhead = _work("render_documents"), joined.settings.letterhead
    for _ in range(MOST_ROUNDS):
        if documents.render_due(work, letterhead=letterhead, clock=joined.clock, most=BATCH) < BATCH:
            return


def render_proposals(joined: Joined) -> None:
    """Make the PDFs of proposals that were sent."""
    work = _work("render_proposals")
    for _ in range(MOST_ROUNDS):
        if proposal_documents.render_due(work, clock=joined.clock, most=BATCH) < BATCH:
            return


def expire_proposals(joined: Joined) -> None:
    """Close proposals whose time is over."""
    with transaction(by="job/expire_proposals") as session:
        proposals.expire_due(session, now=joined.clock())


def look_after_retainers(joined: Joined) -> None:
    """Open retainers that were paid, and let those expire whose last day is over."""
    work, letterhead = _work("look_after_retainers"), joined.settings.letterhead
    with work() as session:
        retainers.settle_paid(session, letterhead=letterhead, now=joined.clock())
    with work() as session:
        retainers.expire_due(session, letterhead=letterhead, now=joined.clock())


def recognise_late_sales(joined: Joined) -> None:
    """Earn what was sold after its session had been delivered."""
    with transaction(by="job/recognise_late_sales") as session:
        recognition.recognise_late_sales(session, now=joined.clock())


def take_imports(joined: Joined) -> None:
    """Make the next batches of catalogues that staff have pressed, one transaction each. One that cannot go on stops no other.

    Raises ExceptionGroup of what stopped some, after the others are made.
    """
    work, troubles = _work("take_imports"), []
    with work() as session:
        pressed = [run.id for run in importing.running(session)]
    for run_id in pressed:
        state = "running"
        try:
            while state == "running":
                with work() as session:
                    state = importing.carry_out(session, session.get_one(ImportRun, run_id), now=joined.clock()).state
        except Exception as trouble:
            trouble.add_note(f"import {run_id}")
            troubles.append(trouble)
    if troubles:
        raise ExceptionGroup("These imports stopped; each goes on where it stopped once its cause is mended.", troubles)


TIMETABLE = (
    Job(deliver_outbox, every=timedelta(seconds=15), times=2, ring=OUTBOX),
    Job(handle_stripe_events, every=timedelta(seconds=5), ring=STRIPE),
    Job(render_documents, every=timedelta(seconds=15), ring=ISSUED),
    Job(render_proposals, every=timedelta(seconds=15), ring=proposals.SENT),
    Job(take_imports, every=timedelta(seconds=15), ring=importing.PRESSED),
    Job(release_lapsed_holds, every=timedelta(minutes=1)),
    Job(release_lapsed_slots, every=timedelta(minutes=1)),
    Job(read_busy_calendars, every=timedelta(minutes=1)),
    Job(forget_clients, every=timedelta(hours=1)),
    Job(poll_attempts, every=timedelta(minutes=1)),
    Job(resolve_intents, every=timedelta(minutes=1)),
    Job(pay_refunds, every=timedelta(minutes=1), ring=refunds.REFUNDS),
    Job(fetch_fees, every=timedelta(minutes=5)),
    Job(backfill_stripe_events, every=timedelta(minutes=10)),
    Job(recognise_late_sales, every=timedelta(hours=1)),
    Job(expire_proposals, every=timedelta(minutes=5)),
    Job(look_after_retainers, every=timedelta(minutes=1)),
    Job(beat_heart, every=timedelta(seconds=30)),
)
BY_NAME = {job.name: job for job in TIMETABLE}


def _work(name: str) -> Callable[[], AbstractContextManager[Session]]:
    return functools.partial(transaction, by=f"job/{name}")


def pdf_of(session: Session, reference: str) -> bytes | None:
    """The kept PDF that a letter brings along, whichever room made it."""
    if reference.startswith(proposal_documents.PREFIX):
        return proposal_documents.pdf_of(session, reference)
    return documents.pdf_of(session, reference)
