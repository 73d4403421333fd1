"""Who delivers a meeting: the time of those who are free is taken, and the next who is free is asked where somebody else was faster."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from seminars.consulting.availability import Slot, Terms
from seminars.consulting.models import Appointment, Consultant, Offering
from seminars.consulting.queries import meetings_near, slots_on
from seminars.consulting.rules import MINUTE
from seminars.kit.refusals import Conflict
from seminars.schedule import claims
from seminars.schedule.claims import Span, Taken

LOOK_AROUND = timedelta(days=14)
NEAREST = 3


class SlotGone(Conflict):
    """Somebody else was faster. Knows the nearest slots that are free."""

    def __init__(self, nearest: Sequence[Slot]) -> None:
        self.nearest = list(nearest)
        super().__init__("This time was just taken. Please choose another.")


def take_first_free(
    session: Session, appointment: Appointment, terms: Terms, chosen: Collection[int], *, lapses_at: datetime | None, now: datetime
) -> None:
    """Claim the time of the chosen people, or of the free ones with fewest meetings that week, and write them down. Raises SlotGone.

    Who is free is asked again once their time is locked: the daily cap is no constraint of the database. Who lost the time to another
    goes on to the next who is free.
    """
    offering = appointment.offering
    window = {"since": appointment.starts_at, "until": appointment.starts_at + MINUTE, "now": now}
    for _ in range(len(offering.consultants) + 1):
        free = slots_on(session, offering, terms, chosen or None, ignoring=appointment.reference, **window)
        if not free or free[0].starts_at != appointment.starts_at:
            break
        people = _fewest_meetings(session, offering, free[0], appointment, chosen, terms.together)
        ids = [one.id for one in people]
        try:
            with session.begin_nested():
                claims.hold_still(session, [one.resource_id for one in people])
                still = slots_on(session, offering, terms, ids, ignoring=appointment.reference, **window)
                if not still or still[0].starts_at != appointment.starts_at:
                    # Lets go of their time with the savepoint: whoever waits for the next ones meanwhile may wait for these.
                    raise Taken([])
                spans = spans_of(appointment, people, kind="hold" if lapses_at else "appointment")
                claims.take(session, appointment.reference, spans, lapses_at=lapses_at, now=now)
                appointment.consultants = people
                session.flush()
                return
        except Taken:
            continue
    raise SlotGone(nearest_to(session, offering, terms, appointment.starts_at, chosen, now=now))


def spans_of(appointment: Appointment, people: Sequence[Consultant], *, kind: str, starts_at: datetime | None = None) -> list[Span]:
    """The time that a meeting takes of these people, with the offering's buffers around it."""
    starts = starts_at or appointment.starts_at
    ends = starts + appointment.minutes * MINUTE
    before, after = appointment.offering.buffer_before * MINUTE, appointment.offering.buffer_after * MINUTE
    found = []
    for one in people:
        label = appointment.offering.title
        found.append(Span(one.resource_id, starts, ends, kind, label))
        if before:
            found.append(Span(one.resource_id, starts - before, starts, "buffer", label))
        if after:
            found.append(Span(one.resource_id, ends, ends + after, "buffer", label))
    return found


def nearest_to(
    session: Session, offering: Offering, terms: Terms, starts_at: datetime, chosen: Collection[int], *, ignoring: str = "", now: datetime
) -> list[Slot]:
    """The free slots that are nearest to that time, earliest first."""
    around = slots_on(
        session, offering, terms, chosen or None, since=starts_at - LOOK_AROUND, until=starts_at + LOOK_AROUND, ignoring=ignoring, now=now
    )
    return sorted(sorted(around, key=lambda slot: abs(slot.starts_at - starts_at))[:NEAREST], key=lambda slot: slot.starts_at)


def _fewest_meetings(
    session: Session, offering: Offering, slot: Slot, appointment: Appointment, chosen: Collection[int], together: int
) -> list[Consultant]:
    """Those who are chosen and, until there are enough, the free ones who have fewest meetings in that week of theirs."""
    free = [one for one in offering.consultants if one.id in slot.consultant_ids]
    held = {one.id: 0 for one in free}
    zones = {one.id: ZoneInfo(one.zone) for one in free}
    for consultant_id, starts_at in meetings_near(session, held, appointment.starts_at) if len(free) > together else ():
        zone = zones[consultant_id]
        held[consultant_id] += _week(starts_at, zone) == _week(appointment.starts_at, zone)
    return sorted(free, key=lambda one: (one.id not in chosen, held[one.id], one.id))[:together]


def _week(instant: datetime, zone: ZoneInfo) -> tuple[int, int]:
    return instant.astimezone(zone).isocalendar()[:2]
