"""What the public pages read: the programme with its filters, a seminar, an event, and what feeds and the sitemap list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Row, Select, and_, case, cast, func, or_, select, union_all
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.sql.elements import ColumnElement

from seminars.catalog.models import Event, EventSession, Listing, Quota, Seminar, TicketType, ticket_type_quotas

listings = Listing.__table__
quotas = Quota.__table__

SHOWN = (
    "id", "subject", "path", "title", "summary", "topic", "format", "place", "zone", "all_day",
    "starts_at", "first_ends_at", "ends_at", "price_from", "several_prices", "currency", "quota_id",
)  # fmt: skip


@dataclass(frozen=True)
class Narrowed:
    """What the visitor narrowed the list to; an empty value narrows nothing. `month` is «2027-03», of the event's own zone."""

    topic: str = ""
    format: str = ""
    city: str = ""
    month: str = ""
    price: str = ""
    q: str = ""


class Cursor(NamedTuple):
    """Where a page of the list ended: the start and the id of its last row."""

    starts_at: datetime
    id: int


class Kind(NamedTuple):
    """How many upcoming rows share topic, format, city, month and being free."""

    topic: str
    format: str
    city: str
    month: str
    free: bool
    rows: int


def programme(session: Session, narrowed: Narrowed, *, now: datetime, since: datetime | None, after: Cursor | None, most: int) -> Sequence[Row[Any]]:
    """What is going on or to come, by start: one row more than `most` when there is more. Past events are not in it.

    Two ranges of two indexes, so that it reads as many rows as it shows, however many lie behind or ahead.
    """
    wanted = [listings.c.listed, *_matching(narrowed)]
    columns = [listings.c[name] for name in SHOWN]
    if after is not None:
        begins = or_(listings.c.starts_at > after.starts_at, and_(listings.c.starts_at == after.starts_at, listings.c.id > after.id))
        ahead: Select[Any] = select(*columns).where(*wanted, begins, listings.c.starts_at >= after.starts_at)
    else:
        ahead = select(*columns).where(*wanted, listings.c.starts_at > (since or now))
    parts = [ahead.order_by(listings.c.starts_at, listings.c.id).limit(most + 1)]
    if after is None and since is None:
        going_on = func.tstzrange(listings.c.starts_at, listings.c.ends_at).op("@>")(now)
        parts.append(select(*columns).where(*wanted, going_on).order_by(listings.c.starts_at, listings.c.id).limit(most + 1))
    found = union_all(*(part.subquery().select() for part in parts)).subquery("found")
    return session.execute(
        select(found, quotas.c.size, (quotas.c.size - quotas.c.taken).label("left"))
        .select_from(found.outerjoin(quotas, quotas.c.id == found.c.quota_id))
        .order_by(found.c.starts_at, found.c.id)
        .limit(most + 1)
    ).all()


def seats_of(session: Session, event_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """(left, size) of events whose ticket types draw on several counters: the best ticket type, and of its counters the scarcest."""
    if not event_ids:
        return {}
    per_type = (
        select(TicketType.event_id, func.min(Quota.size - Quota.taken).label("left"), func.min(Quota.size).label("size"))
        .join(ticket_type_quotas, ticket_type_quotas.c.ticket_type_id == TicketType.id)
        .join(Quota, Quota.id == ticket_type_quotas.c.quota_id)
        .where(TicketType.event_id.in_(event_ids), TicketType.on_sale)
        .group_by(TicketType.event_id, TicketType.id)
        .subquery()
    )
    rows = session.execute(select(per_type.c.event_id, func.max(per_type.c.left), func.max(per_type.c.size)).group_by(per_type.c.event_id))
    return {event_id: (left, size) for event_id, left, size in rows}


def kinds(session: Session, *, now: datetime, q: str = "") -> list[Kind]:
    """How many upcoming rows there are of each kind: what the numbers beside the filters are added up from."""
    month = _local_month()
    free = case((listings.c.price_from == 0, True), else_=False)
    statement = (
        select(listings.c.topic, listings.c.format, listings.c.city, month, free, func.count())
        .where(listings.c.listed, listings.c.ends_at > now, *_matching(Narrowed(q=q)))
        .group_by(listings.c.topic, listings.c.format, listings.c.city, month, free)
    )
    return [Kind(*row) for row in session.execute(statement)]


def _local_month() -> ColumnElement[str]:
    return func.to_char(func.timezone(listings.c.zone, listings.c.starts_at), "YYYY-MM")


def _matching(narrowed: Narrowed) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if narrowed.topic:
        clauses.append(listings.c.topic == narrowed.topic)
    if narrowed.format == "online":
        clauses.append(listings.c.format.in_(("online", "hybrid")))
    elif narrowed.format:
        clauses.append(listings.c.format.in_(("in_person", "hybrid")))
    if narrowed.city:
        clauses.append(listings.c.city == narrowed.city)
    if narrowed.month:
        first = datetime.strptime(narrowed.month, "%Y-%m").replace(tzinfo=UTC)
        # The range is for the index, a day wider at both ends because a month begins at another instant in every zone.
        clauses.append(listings.c.starts_at.between(first - timedelta(days=1), first + timedelta(days=32)))
        clauses.append(_local_month() == narrowed.month)
    if narrowed.price:
        clauses.append(listings.c.price_from == 0 if narrowed.price == "free" else or_(listings.c.price_from > 0, listings.c.price_from.is_(None)))
    if narrowed.q:
        clauses.append(listings.c.search.op("@@")(_words(narrowed.q)))
    return clauses


def _words(q: str) -> ColumnElement[Any]:
    """The visitor's words as websearch reads them (quotes, OR, -); the last one may be unfinished."""
    whole = func.websearch_to_tsquery("english", q)
    plain = [word for word in q.split() if word.isalnum()]
    if not plain or len(plain) != len(q.split()) or len(plain[-1]) < 3:
        return whole
    return whole.op("||")(func.to_tsquery("english", " & ".join([*plain[:-1], f"{plain[-1]}:*"])))


def seminar_by_slug(session: Session, slug: str) -> Seminar | None:
    """The seminar at that address, if any of its events was ever published."""
    published = select(Event.id).where(Event.seminar_id == Seminar.id, Event.state.in_(("published", "archived"))).exists()
    return session.scalar(select(Seminar).where(Seminar.slug == slug, published))


def upcoming_of(session: Session, slug: str, *, now: datetime, most: int = 100) -> Sequence[Row[Any]]:
    """The upcoming dates of one seminar, by start, with the seats left of each."""
    columns = [listings.c[name] for name in SHOWN]
    return session.execute(
        select(*columns, quotas.c.size, (quotas.c.size - quotas.c.taken).label("left"))
        .select_from(listings.outerjoin(quotas, quotas.c.id == listings.c.quota_id))
        .where(listings.c.listed, listings.c.seminar_slug == slug, listings.c.ends_at > now)
        .order_by(listings.c.starts_at, listings.c.id)
        .limit(most)
    ).all()


def event_by_reference(session: Session, reference: str) -> Event | None:
    """The event at that address in whatever state, with all that its page shows."""
    return session.scalar(
        select(Event)
        .where(Event.reference == reference)
        .options(
            joinedload(Event.seminar),
            joinedload(Event.venue),
            joinedload(Event.policy),
            selectinload(Event.sessions),
            selectinload(Event.speakers),
            selectinload(Event.ticket_types).selectinload(TicketType.quotas),
            selectinload(Event.ticket_types).selectinload(TicketType.sessions),
        )
    )


def calendar_sessions(session: Session, narrowed: Narrowed, *, now: datetime, most: int = 1_000) -> Sequence[Row[Any]]:
    """Every session of the upcoming events, for a calendar feed; those of cancelled events too, so that subscribers see the withdrawal."""
    event_id = cast(func.split_part(listings.c.subject, "/", 2), BigInteger)
    return session.execute(
        select(
            EventSession.id, EventSession.title.label("part"), EventSession.starts_at, EventSession.ends_at, EventSession.all_day,
            EventSession.state, EventSession.room, listings.c.title, listings.c.summary, listings.c.path, listings.c.place, listings.c.zone,
            listings.c.listed, listings.c.changed_at,
        )
        .join(listings, event_id == EventSession.event_id)
        .where(listings.c.ends_at > now, *_matching(narrowed))
        .order_by(EventSession.starts_at, EventSession.id)
        .limit(most)
    ).all()  # fmt: skip


def addresses(session: Session, *, now: datetime, most: int = 45_000) -> Sequence[Row[Any]]:
    """(path, seminar_slug, changed_at) of everything upcoming, for the sitemap (sitemaps.org: at most 50,000 addresses)."""
    return session.execute(
        select(listings.c.path, listings.c.seminar_slug, listings.c.changed_at)
        .where(listings.c.listed, listings.c.ends_at > now)
        .order_by(listings.c.starts_at, listings.c.id)
        .limit(most)
    ).all()
