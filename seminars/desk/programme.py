"""The catalogue as staff look at it: drafts, past and cancelled events included."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select, union_all
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from seminars.catalog.models import Event, EventSession, RefundPolicy, Seminar, Speaker, TicketType, Venue, ticket_type_quotas
from seminars.kit.refusals import NotFound
from seminars.registration.models import Hold, Registration

PER_PAGE = 50
COMING, PAST, ALL = "coming", "past", "all"


@dataclass(frozen=True)
class Filter:
    """What staff narrow the programme to."""

    when: str = COMING
    state: str = ""
    format: str = ""
    words: str = ""


@dataclass(frozen=True)
class EventsPage:
    """Some events with their counters; `total` respects the filter."""

    events: Sequence[Event]
    total: int
    page: int
    pages: int


def events_page(session: Session, wanted: Filter, *, page: int = 1, now: datetime) -> EventsPage:
    """Events by their start, undated drafts first; past ones from the latest backwards."""
    conditions = _conditions(wanted, now)
    total = session.scalar(select(func.count()).select_from(Event).where(*conditions)) or 0
    pages = max(1, -(-total // PER_PAGE))
    page = min(max(page, 1), pages)
    order = (Event.starts_at.desc(), Event.id.desc()) if wanted.when == PAST else (Event.starts_at.asc().nulls_first(), Event.id)
    found = select(Event).where(*conditions).options(joinedload(Event.venue), selectinload(Event.quotas)).order_by(*order)
    return EventsPage(session.scalars(found.limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all(), total, page, pages)


def next_events(session: Session, *, now: datetime, most: int = 6) -> Sequence[Event]:
    """The published events that come next, with their counters."""
    coming = select(Event).where(Event.state == "published", Event.starts_at > now)
    return session.scalars(
        coming.options(joinedload(Event.venue), selectinload(Event.quotas)).order_by(Event.starts_at, Event.id).limit(most)
    ).all()


def seats_held(session: Session, events: Sequence[Event]) -> dict[int, int]:
    """How many seats of each counter are held and not registered yet: in carts, or by orders that nobody has paid.

    The seats that are held are counted and taken from those that are taken: there are few of them, however many people come.
    """
    ids = [event.id for event in events]
    drawn = ticket_type_quotas.c
    in_carts = (
        select(drawn.quota_id, func.sum(Hold.places).label("places"))
        .join_from(Hold, ticket_type_quotas, drawn.ticket_type_id == Hold.ticket_type_id)
        .where(Hold.event_id.in_(ids), Hold.state == "active")
        .group_by(drawn.quota_id)
    )
    in_orders = (
        select(drawn.quota_id, func.count().label("places"))
        .join_from(Registration, ticket_type_quotas, drawn.ticket_type_id == Registration.ticket_type_id)
        .where(Registration.event_id.in_(ids), Registration.state == "held")
        .group_by(drawn.quota_id)
    )
    both = union_all(in_carts, in_orders).subquery()
    held = session.execute(select(both.c.quota_id, func.sum(both.c.places)).group_by(both.c.quota_id))
    return {quota_id: int(places) for quota_id, places in held}


def sessions_between(session: Session, first: datetime, last: datetime, *, most: int = 20) -> Sequence[EventSession]:
    """Sessions of published events that run in that time, by their start."""
    return session.scalars(_live_sessions().where(EventSession.ends_at > first, EventSession.starts_at < last).limit(most)).all()


def sessions_to_deliver(session: Session, *, now: datetime, most: int = 50) -> Sequence[EventSession]:
    """Sessions that are over and not marked delivered, oldest first."""
    return session.scalars(_live_sessions().where(EventSession.state == "planned", EventSession.ends_at < now).limit(most)).all()


def links_missing(session: Session, *, until: datetime, now: datetime, most: int = 50) -> Sequence[EventSession]:
    """Online sessions that start soon and that nobody could join, oldest first."""
    nowhere = (EventSession.join_url == "", Event.join_url == "", Event.format.in_(("online", "hybrid")))
    soon = (EventSession.state == "planned", EventSession.starts_at > now, EventSession.starts_at < until)
    return session.scalars(_live_sessions().where(*nowhere, *soon).limit(most)).all()


def event_by_id(session: Session, event_id: int) -> Event:
    """One event with all that its page shows. Raises NotFound."""
    found = session.scalar(
        select(Event)
        .where(Event.id == event_id)
        .options(
            joinedload(Event.seminar),
            joinedload(Event.venue),
            joinedload(Event.policy),
            selectinload(Event.sessions),
            selectinload(Event.quotas),
            selectinload(Event.speakers),
            selectinload(Event.ticket_types).options(selectinload(TicketType.quotas), selectinload(TicketType.sessions)),
        )
    )
    if found is None:
        raise NotFound("There is no such event.")
    return found


def find_events(session: Session, words: str, *, most: int = 8) -> Sequence[Event]:
    """Events whose title holds all of these words, the latest first."""
    return session.scalars(select(Event).where(*_titled(words)).order_by(Event.starts_at.desc().nulls_last(), Event.id).limit(most)).all()


def seminars(session: Session) -> Sequence[Seminar]:
    """All seminars by title."""
    return session.scalars(select(Seminar).order_by(func.lower(Seminar.title), Seminar.id)).all()


def events_of(session: Session, seminar: Seminar) -> Sequence[Event]:
    """The runs of a seminar, the latest first."""
    return session.scalars(
        select(Event).where(Event.seminar_id == seminar.id).order_by(Event.starts_at.desc().nulls_first(), Event.id)
    ).all()


def venues(session: Session) -> Sequence[Venue]:
    """All places by name."""
    return session.scalars(select(Venue).order_by(func.lower(Venue.name), Venue.id)).all()


def speakers(session: Session) -> Sequence[Speaker]:
    """All who teach, by name."""
    return session.scalars(select(Speaker).order_by(func.lower(Speaker.name), Speaker.id)).all()


def policies(session: Session) -> Sequence[RefundPolicy]:
    """All refund rules by name."""
    return session.scalars(select(RefundPolicy).order_by(RefundPolicy.name, RefundPolicy.id)).all()


def sessions_at(session: Session, venue: Venue, *, now: datetime) -> Sequence[EventSession]:
    """Sessions of published events that are to take place there, by their start."""
    return session.scalars(
        _live_sessions().where(Event.venue_id == venue.id, EventSession.state == "planned", EventSession.ends_at > now)
    ).all()


def _live_sessions() -> Select[EventSession]:
    return (
        select(EventSession)
        .join(Event, Event.id == EventSession.event_id)
        .options(contains_eager(EventSession.event).joinedload(Event.venue))
        .where(Event.state == "published", EventSession.state != "cancelled")
        .order_by(EventSession.starts_at, EventSession.id)
    )


def _conditions(wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    found = _titled(wanted.words)
    if wanted.when == COMING:
        found.append(or_(Event.ends_at.is_(None), Event.ends_at >= now))
        if not wanted.state:
            found.append(Event.state.in_(("draft", "published")))
    elif wanted.when == PAST:
        found.append(Event.ends_at < now)
    if wanted.state:
        found.append(Event.state == wanted.state)
    if wanted.format:
        found.append(Event.format == wanted.format)
    return found


def _titled(words: str) -> list[ColumnElement[bool]]:
    return [Event.title.icontains(word, autoescape=True) for word in words.split()[:6]]


def ticket_types_coming(session: Session, *, now: datetime, most: int = 200) -> Sequence[TicketType]:
    """Ticket types of events that are not over, by the start of their event."""
    coming = or_(Event.ends_at.is_(None), Event.ends_at > now)
    found = (
        select(TicketType)
        .join(TicketType.event)
        .options(contains_eager(TicketType.event))
        .where(coming, Event.state.in_(("draft", "published")))
    )
    return session.scalars(found.order_by(Event.starts_at.nulls_first(), Event.id, TicketType.position, TicketType.id).limit(most)).all()
