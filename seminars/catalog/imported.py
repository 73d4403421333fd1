"""Making what an import's plans say: drafts without prices, of seminars that are looked up by their title or made.

Many at once: whoever takes 10,000 rows waits for statements, and these are few per batch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from seminars.catalog.events import LONGEST_SESSION
from seminars.catalog.models import Event, EventSession, Quota, Seminar, Speaker, Venue
from seminars.catalog.reading.plan import EventPlan, SessionRow, shortened
from seminars.catalog.seminars import next_free
from seminars.catalog.timing import NoSuchTime, place_day, place_in_time
from seminars.kit.references import secret, slug
from seminars.schedule.models import Resource

LONGEST_TEXT = 20_000
LONGEST_SUMMARY = 600
LONGEST_NAME = 200
LONGEST_TOPIC = 40

Named = TypeVar("Named", Seminar, Venue, Speaker)


def fitting(plan: EventPlan, zone: str) -> tuple[EventPlan, list[str]]:
    """The plan with every time that clocks skip moved on to one that exists (RFC 5545 3.3.5), and a sentence for each that was.

    Raises NotPlaced where a session can't be held.
    """
    moved: list[str] = []
    sessions = []
    for row in plan.sessions:
        fits = row if row.all_day else _on_the_clock(row, zone)
        if fits != row:
            moved.append(f"{row.starts_local:%Y-%m-%d %H:%M} does not exist in {zone}; {fits.starts_local:%H:%M} was taken")
        starts, ends = span_of(fits, zone)
        if ends <= starts:
            raise NotPlaced("It would end before it starts, since clocks change in it.")
        if fits.ends_local - fits.starts_local > LONGEST_SESSION:
            raise NotPlaced(f"A session of it lasts longer than {LONGEST_SESSION.days} days.")
        sessions.append(fits)
    return replace(plan, sessions=tuple(sessions)), moved


class NotPlaced(Exception):
    """Why a plan can't be made, in a sentence for staff."""


def make_events(session: Session, plans: Sequence[EventPlan], *, zone: str, seats: int, now: datetime) -> list[Event]:
    """Make drafts from plans, each with its sessions and a counter of seats. `zone` is for plans of days that name none."""
    seminars = _seminars(session, plans, now=now)
    speakers = _by_name(session, Speaker, Speaker.name, {plan.speaker[:LONGEST_NAME] for plan in plans if plan.speaker})
    for name in dict.fromkeys(plan.speaker[:LONGEST_NAME] for plan in plans if plan.speaker):
        speakers.setdefault(name.lower(), Speaker(name=name, resource=Resource(kind="person", name=name)))
    venues = _by_name(session, Venue, Venue.name, {plan.location for plan in plans if plan.location})
    references = _references(session, plans)
    events = [
        _event(
            plan,
            seminars[plan.seminar_title.lower()],
            venues.get(plan.location.lower()),
            speakers.get(plan.speaker[:LONGEST_NAME].lower()),
            reference,
            zone=plan.zone or zone,
            seats=seats,
            now=now,
        )
        for plan, reference in zip(plans, references, strict=True)
    ]
    session.add_all(events)
    session.flush()
    return events


def span_of(row: SessionRow, zone: str) -> tuple[datetime, datetime]:
    """The instants of a session. Raises NoSuchTime."""
    if row.all_day:
        return place_day(row.starts_local.date(), zone), place_day(row.ends_local.date(), zone)
    return place_in_time(row.starts_local, zone), place_in_time(row.ends_local, zone)


def _event(
    plan: EventPlan,
    seminar: Seminar,
    venue: Venue | None,
    speaker: Speaker | None,
    reference: str,
    *,
    zone: str,
    seats: int,
    now: datetime,
) -> Event:
    sessions = [_session(row, plan, venue, zone) for row in plan.sessions]
    return Event(
        seminar=seminar,
        reference=reference,
        title=plan.seminar_title,
        state="draft",
        format=_format(plan),
        zone=zone,
        venue=venue,
        join_url=_secure(plan.join_url),
        notes=f"More about it: {plan.url}" if plan.url else "",
        starts_at=min(part.starts_at for part in sessions),
        ends_at=max(part.ends_at for part in sessions),
        preview_secret=secret(),
        source_uid=plan.uid,
        created_at=now,
        sessions=sessions,
        quotas=[Quota(name="Seats", size=seats, taken=0)],
        speakers=[speaker] if speaker else [],
    )


def _session(row: SessionRow, plan: EventPlan, venue: Venue | None, zone: str) -> EventSession:
    starts, ends = span_of(row, zone)
    return EventSession(
        title=row.title,
        agenda=shortened(row.description, LONGEST_TEXT) if row.description != plan.summary else "",
        starts_local=row.starts_local,
        ends_local=row.ends_local,
        all_day=row.all_day,
        starts_at=starts,
        ends_at=ends,
        room="" if venue and row.location == plan.location else row.location,
        join_url=_secure(row.join_url) if row.join_url != plan.join_url else "",
        state="planned",
    )


def _seminars(session: Session, plans: Sequence[EventPlan], *, now: datetime) -> dict[str, Seminar]:
    """The seminar of each title, in small letters: the oldest of that title, or a new one with what the file says of it."""
    known = _by_name(session, Seminar, Seminar.title, {plan.seminar_title for plan in plans})
    missing = {plan.seminar_title.lower(): plan for plan in reversed(plans) if plan.seminar_title.lower() not in known}
    plain = {title: slug(title) for title in missing}
    taken = _taken(session, Seminar.slug, plain.values())
    for title, plan in reversed(missing.items()):
        address = next_free(plain[title], taken)
        taken.add(address)
        known[title] = Seminar(
            slug=address,
            title=plan.seminar_title,
            summary=shortened(plan.summary.split("\n\n")[0].replace("\n", " "), LONGEST_SUMMARY),
            abstract=shortened(plan.summary, LONGEST_TEXT),
            topic=plan.categories[0] if plan.categories and len(plan.categories[0]) <= LONGEST_TOPIC else "",
            created_at=now,
        )
    return known


def _by_name(session: Session, kind: type[Named], column: InstrumentedAttribute[str], names: Iterable[str]) -> dict[str, Named]:
    """What there is of these names, in small letters; of several with one name the oldest."""
    wanted = {name.lower() for name in names}
    found = session.scalars(select(kind).where(func.lower(column).in_(wanted)).order_by(kind.id.desc())) if wanted else ()
    return {getattr(row, column.key).lower(): row for row in found}


def _references(session: Session, plans: Sequence[EventPlan]) -> list[str]:
    """A public address for each event: its title and its first day, with a number where that is taken."""
    plain = [f"{slug(plan.seminar_title)}-{plan.sessions[0].starts_local:%Y-%m-%d}" for plan in plans]
    taken = _taken(session, Event.reference, plain)
    references = []
    for wanted in plain:
        references.append(next_free(wanted, taken))
        taken.add(references[-1])
    return references


def _taken(session: Session, column: InstrumentedAttribute[str], wanted: Iterable[str]) -> set[str]:
    """Which of these addresses are taken, and with which numbers behind them."""
    plain = sorted(set(wanted))
    if not plain:
        return set()
    taken = set(session.scalars(select(column).where(column.in_(plain))))
    numbered = [column.startswith(f"{name}-", autoescape=True) for name in sorted(taken)]
    return taken | set(session.scalars(select(column).where(or_(*numbered)))) if numbered else taken


def _format(plan: EventPlan) -> str:
    if not plan.join_url:
        return "in_person"
    online = not plan.location or plan.location.lower().startswith(("online", "virtual", "zoom", "teams", "webex", "http"))
    return "online" if online else "hybrid"


def _secure(address: str) -> str:
    """Every service for meetings answers under https, and we print no other."""
    return f"https://{address[7:]}" if address.lower().startswith("http://") else address


def _on_the_clock(row: SessionRow, zone: str) -> SessionRow:
    starts, ends = _existing(row.starts_local, zone), _existing(row.ends_local, zone)
    return row if (starts, ends) == (row.starts_local, row.ends_local) else replace(row, starts_local=starts, ends_local=ends)


def _existing(wall: datetime, zone: str) -> datetime:
    try:
        place_in_time(wall, zone)
    except NoSuchTime:
        where = ZoneInfo(zone)
        return wall.replace(tzinfo=where).astimezone(UTC).astimezone(where).replace(tzinfo=None, fold=0)
    return wall
