"""Events: planned as a draft, dated, published, copied, put away.

The wall-clock times of sessions and the zone of the event are what staff decide; instants are computed from them here and nowhere
else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seminars.calendars.zones import known_zone
from seminars.catalog import claims, listings
from seminars.catalog.models import (
    FORMATS,
    Event,
    EventSession,
    Quota,
    RefundPolicy,
    Room,
    Seminar,
    Speaker,
    TicketType,
    Venue,
    event_speakers,
)
from seminars.catalog.seminars import next_free
from seminars.catalog.timing import NoSuchTime, place_day, place_in_time, shift
from seminars.kit.format import day
from seminars.kit.references import secret, slug
from seminars.kit.refusals import BadInput, Conflict, Refusal
from seminars.kit.typed import Fields

__all__ = ["Block", "EventFacts", "NoSuchTime", "NotReady", "place_in_time"]

LONGEST_SESSION = timedelta(days=31)


@dataclass(frozen=True)
class EventFacts:
    """What an event says about itself."""

    title: str
    zone: str
    format: str = "in_person"
    venue: Venue | None = None
    join_url: str = ""
    notes: str = ""
    policy: RefundPolicy | None = None
    listed: bool = True
    speakers: Sequence[Speaker] = field(default_factory=tuple)


@dataclass(frozen=True)
class Block:
    """One session as staff plan it, on the clock of the event's zone. An all-day one ends at the midnight after its last day.

    `room` is what people read; `held_in` is a room of the event's venue, which says its own name and is taken meanwhile.
    """

    starts: datetime
    ends: datetime
    title: str = ""
    agenda: str = ""
    room: str = ""
    join_url: str = ""
    all_day: bool = False
    held_in: Room | None = None


class NotReady(Refusal):
    """The event cannot be published yet. Knows everything that is missing."""

    def __init__(self, missing: Sequence[str]) -> None:
        self.missing = list(missing)
        super().__init__(f"Before this event can be published: {'; '.join(missing)}.")


def create(session: Session, seminar: Seminar, facts: EventFacts, *, capacity: int, now: datetime, source_uid: str | None = None) -> Event:
    """Plan a run of a seminar, as a draft with one counter of seats. Raises BadInputs."""
    checked = _checked(facts)
    event = Event(
        seminar=seminar,
        reference=_free_reference(session, checked.title),
        state="draft",
        preview_secret=secret(),
        source_uid=source_uid,
        created_at=now,
        quotas=[Quota(name="Seats", size=capacity, taken=0)],
    )
    _write(event, checked)
    session.add(event)
    session.flush()
    _seat_speakers(session, event)
    return event


def change(session: Session, event: Event, facts: EventFacts, *, override_reason: str = "", now: datetime) -> Event:
    """Change what an event says about itself. In another zone its sessions keep their time on the clock, in another place not the room.

    Raises BadInputs, Conflict, Clashing.
    """
    claims.hold_still(session, event)
    _open(event)
    checked = _checked(facts)
    moved = checked.zone != event.zone
    if checked.venue is not event.venue:
        _leave_rooms(event)
    _write(event, checked)
    session.flush()
    _seat_speakers(session, event)
    if moved:
        for part in event.sessions:
            if part.state == "planned":
                _place(part, checked.zone)
    return _dated(session, event, override_reason=override_reason, now=now)


def add_session(session: Session, event: Event, block: Block, *, override_reason: str = "", now: datetime) -> EventSession:
    """Add a dated block. Raises BadInputs, NoSuchTime, Conflict, Clashing."""
    claims.hold_still(session, event)
    _open(event)
    part = EventSession(state="planned")
    _write_block(part, _checked_block(block, event), event.zone)
    event.sessions.append(part)
    _dated(session, event, override_reason=override_reason, now=now)
    return part


def change_session(session: Session, part: EventSession, block: Block, *, override_reason: str = "", now: datetime) -> EventSession:
    """Change a block that has not been delivered. Raises BadInputs, NoSuchTime, Conflict, Clashing."""
    event = _event_of(session, part)
    _open(event)
    _planned(part)
    _write_block(part, _checked_block(block, event), event.zone)
    _dated(session, event, override_reason=override_reason, now=now)
    return part


def remove_session(session: Session, part: EventSession, *, now: datetime) -> None:
    """Take a block out of an event in which nobody has a seat. Raises Conflict."""
    event = _event_of(session, part)
    _open(event)
    _planned(part)
    _locked(session, event)
    if _taken(event):
        raise Conflict("People have seats in this event. Change the session instead, or cancel their registrations first.")
    # What a session beside it shared with it falls to that one alone, over whatever it was laid.
    reason = next((one.reason for one in claims.laid_over(session, event)), "")
    try:
        with session.begin_nested():
            event.sessions.remove(part)
            session.flush()
    except IntegrityError as kept:
        session.refresh(event, ["sessions"])
        raise Conflict("This session stands in the books: a seat in it was sold once. Change it, or put the event away.") from kept
    _dated(session, event, gone=[part], override_reason=reason, now=now)


def clone(session: Session, event: Event, *, first_day: date, now: datetime) -> Event:
    """Plan the same event again from another day on, as a draft: same times on the clock, prices, counters and people who teach.

    Registrations, money and links to join stay where they are; early prices end as many days before the start. Raises NoSuchTime,
    Conflict.
    """
    if not event.sessions:
        raise Conflict("This event has no sessions yet, so there are no dates to shift.")
    days = (first_day - min(part.starts_local for part in event.sessions).date()).days
    sessions = {part.id: _shifted(part, event.zone, days) for part in event.sessions}
    quotas = {quota.id: Quota(name=quota.name, size=quota.size, taken=0) for quota in event.quotas}
    ticket_types = [_copied(ticket_type, event.zone, days, sessions, quotas) for ticket_type in event.ticket_types]
    copy = Event(
        seminar=event.seminar,
        reference=_free_reference(session, event.title),
        title=event.title,
        state="draft",
        format=event.format,
        zone=event.zone,
        venue=event.venue,
        join_url="",
        notes=event.notes,
        listed=event.listed,
        policy=event.policy,
        preview_secret=secret(),
        created_at=now,
        speakers=list(event.speakers),
    )
    copy.sessions, copy.quotas, copy.ticket_types = list(sessions.values()), list(quotas.values()), ticket_types
    session.add(copy)
    session.flush()
    _seat_speakers(session, copy)
    return _dated(session, copy, now=now)


def missing(event: Event, *, now: datetime) -> list[str]:
    """What an event still needs before it can be published."""
    wanted = []
    live = [part for part in event.sessions if part.state == "planned"]
    if not live:
        wanted.append("it needs a session")
    elif min(part.starts_at for part in live) <= now:
        wanted.append("its first session has to lie ahead")
    if not any(ticket_type.on_sale for ticket_type in event.ticket_types):
        wanted.append("it needs a ticket type on sale")
    if any(not ticket_type.quotas for ticket_type in event.ticket_types):
        wanted.append("every ticket type has to draw on a counter of seats")
    if not known_zone(event.zone):
        wanted.append("it needs a zone")
    if event.format != "online" and event.venue is None and not (live and all(part.room for part in live)):
        wanted.append("it needs a venue")
    return wanted


def publish(session: Session, event: Event, *, override_reason: str = "", now: datetime) -> Event:
    """Put an event on sale, and take the time of who teaches and of its rooms.

    Raises NotReady with all that is missing, Conflict, Clashing.
    """
    claims.hold_still(session, event)
    if event.state not in ("draft", "archived"):
        raise Conflict("This event is published already." if event.state == "published" else "This event is cancelled.")
    wanted = missing(event, now=now)
    if wanted:
        raise NotReady(wanted)
    event.state = "published"
    event.published_at = event.published_at or now
    claims.follow(session, event, override_reason=override_reason, now=now)
    listings.refresh(session, event, now=now)
    return event


def unpublish(session: Session, event: Event, *, now: datetime) -> Event:
    """Take an event back to draft while nobody has a seat. Raises Conflict."""
    claims.hold_still(session, event)
    if event.state != "published":
        raise Conflict("Only a published event can go back to draft.")
    _locked(session, event)
    if _taken(event):
        raise Conflict("People have seats in this event. Take its ticket types off sale instead.")
    event.state = "draft"
    claims.follow(session, event, now=now)
    listings.refresh(session, event, now=now)
    return event


def archive(session: Session, event: Event, *, now: datetime) -> Event:
    """Put an event away that is over, or in which nobody has a seat. Raises Conflict."""
    claims.hold_still(session, event)
    if event.state not in ("draft", "published"):
        raise Conflict("This event is put away already.")
    _locked(session, event)
    if _taken(event) and event.ends_at is not None and event.ends_at > now:
        raise Conflict(f"People have seats in this event, and it is not over before {day(event.ends_at)}.")
    event.state = "archived"
    claims.follow(session, event, now=now)
    listings.refresh(session, event, now=now)
    return event


def _checked(facts: EventFacts) -> EventFacts:
    fields = Fields()
    checked = EventFacts(
        title=fields.line("title", facts.title, most=300),
        zone=facts.zone.strip(),
        format=facts.format,
        venue=facts.venue,
        join_url=fields.address("join_url", facts.join_url),
        notes=fields.text("notes", facts.notes, most=5_000),
        policy=facts.policy,
        listed=facts.listed,
        speakers=facts.speakers,
    )
    if not known_zone(checked.zone):
        fields.wrong("zone", "Please choose a zone such as America/Chicago.")
    if checked.format not in FORMATS:
        fields.wrong("format", "Please choose how people take part.")
    fields.finish()
    return checked


def _write(event: Event, facts: EventFacts) -> None:
    for name in ("title", "zone", "format", "venue", "join_url", "notes", "policy", "listed"):
        setattr(event, name, getattr(facts, name))
    if list(event.speakers) != list(facts.speakers):
        event.speakers = list(facts.speakers)


def _seat_speakers(session: Session, event: Event) -> None:
    """Keep the order in which staff named the people who teach."""
    for position, speaker in enumerate(event.speakers):
        here = (event_speakers.c.event_id == event.id, event_speakers.c.speaker_id == speaker.id)
        session.execute(update(event_speakers).where(*here).values(position=position))


def _leave_rooms(event: Event) -> None:
    """A room stays in its house when the event moves to another."""
    for part in event.sessions:
        if part.held_in is not None and part.state == "planned":
            part.held_in, part.room = None, ""


def _checked_block(block: Block, event: Event) -> Block:
    fields = Fields()
    checked = Block(
        starts=block.starts,
        ends=block.ends,
        title=fields.line("title", block.title, most=300, required=False),
        agenda=fields.text("agenda", block.agenda),
        room=block.held_in.name if block.held_in else fields.line("room", block.room, most=300, required=False),
        join_url=fields.address("join_url", block.join_url),
        all_day=block.all_day,
        held_in=block.held_in,
    )
    if checked.held_in is not None and checked.held_in.venue_id != event.venue_id:
        fields.wrong("held_in", "Please choose a room of the event's place.")
    if checked.ends <= checked.starts:
        fields.wrong("ends", "A session has to end after it starts.")
    elif checked.ends - checked.starts > LONGEST_SESSION:
        fields.wrong("ends", f"A session can last at most {LONGEST_SESSION.days} days. Add one for each day instead.")
    fields.finish()
    return checked


def _write_block(part: EventSession, block: Block, zone: str) -> None:
    part.title, part.agenda, part.all_day = block.title, block.agenda, block.all_day
    part.room, part.held_in, part.join_url = block.room, block.held_in, block.join_url
    part.starts_local, part.ends_local = block.starts, block.ends
    _place(part, zone)


def _place(part: EventSession, zone: str) -> None:
    """Compute the instants. Raises NoSuchTime, and BadInput when clocks going back or forward turn the times round."""
    if part.all_day:
        starts, ends = place_day(part.starts_local.date(), zone), place_day(part.ends_local.date(), zone)
    else:
        starts, ends = place_in_time(part.starts_local, zone, field="starts"), place_in_time(part.ends_local, zone, field="ends")
    if ends <= starts:
        raise BadInput("Clocks change between these two times, and the session would end before it starts.", "ends")
    part.starts_at, part.ends_at = starts, ends


def _shifted(part: EventSession, zone: str, days: int) -> EventSession:
    moved = EventSession(
        title=part.title,
        agenda=part.agenda,
        room=part.room,
        held_in=part.held_in,
        join_url="",
        all_day=part.all_day,
        state="planned",
        starts_local=part.starts_local + timedelta(days=days),
        ends_local=part.ends_local + timedelta(days=days),
    )
    _place(moved, zone)
    return moved


def _copied(ticket_type: TicketType, zone: str, days: int, sessions: dict[int, EventSession], quotas: dict[int, Quota]) -> TicketType:
    return TicketType(
        name=ticket_type.name,
        position=ticket_type.position,
        price=ticket_type.price,
        currency=ticket_type.currency,
        early_price=ticket_type.early_price,
        early_until=shift(ticket_type.early_until, zone, days) if ticket_type.early_until else None,
        on_sale=ticket_type.on_sale,
        most_per_order=ticket_type.most_per_order,
        quotas=[quotas[quota.id] for quota in ticket_type.quotas],
        sessions=[sessions[part.id] for part in ticket_type.sessions],
    )


def _dated(session: Session, event: Event, *, gone: Sequence[EventSession] = (), override_reason: str = "", now: datetime) -> Event:
    """Let the event span its live sessions, and claims and list follow."""
    live = [part for part in event.sessions if part.state != "cancelled"]
    event.starts_at = min((part.starts_at for part in live), default=None)
    event.ends_at = max((part.ends_at for part in live), default=None)
    session.flush()
    session.refresh(event, ["sessions"])  # in the order of their times, which may just have changed
    claims.follow(session, event, gone=gone, override_reason=override_reason, now=now)
    listings.refresh(session, event, now=now)
    return event


def _event_of(session: Session, part: EventSession) -> Event:
    """The event of a block, held still. Raises Conflict for one that somebody took out a moment ago."""
    event = part.event
    claims.hold_still(session, event)
    if part not in event.sessions:
        raise Conflict("This session was taken out of the event a moment ago.")
    return event


def _open(event: Event) -> None:
    if event.state in ("archived", "cancelled"):
        raise Conflict(f"This event is {event.state}, so it stays as it is. Copy it to plan another.")


def _planned(part: EventSession) -> None:
    if part.state != "planned":
        raise Conflict(f"This session is {part.state}, so it stays as it is.")


def _locked(session: Session, event: Event) -> None:
    """Hold the counters still while we look whether a seat is taken."""
    for quota in event.quotas:
        session.refresh(quota, with_for_update=True)


def _taken(event: Event) -> int:
    return sum(quota.taken for quota in event.quotas)


def _free_reference(session: Session, title: str) -> str:
    plain = slug(title)
    taken = set(session.scalars(select(Event.reference).where(Event.reference.startswith(plain, autoescape=True))))
    return next_free(plain, taken)
