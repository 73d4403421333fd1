"""What the public pages read: the programme with its filters, a seminar, an event, and what feeds and the sitemap list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    FromClause,
    Integer,
    Row,
    ScalarSelect,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.sql.elements import ColumnElement

from seminars.catalog.models import Event, EventSession, Listing, Quota, RefundPolicy, Seminar, TicketType, ticket_type_quotas

listings = Listing.__table__
quotas = Quota.__table__
ticket_types = TicketType.__table__

Listed = Row[*tuple[Any, ...]]
Rows = Sequence[Listed]

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
    """How many upcoming rows share topic, format, city, month and being free. An offering stands for itself: it has no city or month, but
    the id and the version of its row."""

    topic: str
    format: str
    city: str
    month: str
    free: bool
    rows: int
    id: int | None = None
    version: str = ""


def programme(
    connection: Connection, narrowed: Narrowed, *, now: datetime, since: datetime | None, after: Cursor | None, most: int
) -> Rows:
    """What is going on or to come, by start: one row more than `most` when there is more. Past events are not in it.

    (id, version, starts_at, size, left) of each: what can change every second, and a mark that changes with all the rest, so that who
    remembers how a row reads need not fetch it again (`rows_of`). Two ranges of two indexes: it reads as many rows as it shows,
    however many lie behind or ahead.
    """
    shape, values = _filters(narrowed)
    values |= {"now": now, "from_": since or now}
    if after is not None:
        values |= {"after_at": after.starts_at, "after_id": after.id}
    begins = "after" if after is not None else "since" if since is not None else "now"
    return connection.execute(_programme(shape, begins, most + 1), values).all()


@cache
def _programme(shape: tuple[str, ...], begins: str, most: int) -> Select[*tuple[Any, ...]]:
    """The statement for one combination of filters, made once: to build it costs more than to run it.

    The limit stands in it as a number: with a parameter there, PostgreSQL would plan every execution anew.
    """
    limit = literal_column(str(int(most)), Integer)
    columns = (listings.c.id, _VERSION, type_coerce(listings.c.starts_at, PLAIN).label("starts_at"), listings.c.quota_id, _SEVERAL)
    in_order = (listings.c.starts_at, listings.c.id)
    wanted = select(*columns).where(listings.c.listed, *_clauses(shape))
    if begins == "after":
        ahead = wanted.where(tuple_(*in_order) > tuple_(bindparam("after_at", type_=PLAIN), bindparam("after_id", type_=BigInteger)))
    else:
        ahead = wanted.where(listings.c.starts_at > bindparam("from_", type_=PLAIN))
    parts = [ahead.order_by(*in_order).limit(limit)]
    if begins == "now":
        # Few at any time; were they asked for in order, the planner would walk through all that is over instead.
        parts.append(wanted.where(func.tstzrange(listings.c.starts_at, listings.c.ends_at).op("@>")(bindparam("now", type_=PLAIN))))
    return _with_seats(union_all(*(part.subquery().select() for part in parts)).subquery("upcoming"), ("id", "version", "starts_at"), limit)


PLAIN = DateTime(timezone=True)
_VERSION = literal_column("listings.xmin::text || listings.ctid::text", String).label("version")


_ONE = literal_column("1", Integer)
_EVENT_ID = cast(func.split_part(listings.c.subject, "/", 2), BigInteger)
_SEVERAL = case((and_(listings.c.quota_id.is_(None), listings.c.price_from.is_not(None)), _EVENT_ID)).label("event_id")
"""The event whose seats several counters hold; empty for all others."""


def _with_seats(upcoming: FromClause, shown: Sequence[str], limit: ColumnElement[int]) -> Select[*tuple[Any, ...]]:
    """The first of these rows by start, with (size, left) of their seats.

    The counters are fetched all at once by their numbers: row by row, the planner would read a small table from end to end for each of
    them; and joined without the numbers, a big one as a whole.
    """
    several = case((upcoming.c.event_id.is_not(None), _best_of(upcoming.c.event_id)))
    columns = [upcoming.c[name] for name in (*shown, "quota_id")]
    first = select(*columns, several.label("best")).order_by(upcoming.c.starts_at, upcoming.c.id).limit(limit).cte("first")
    numbers = func.array(select(first.c.quota_id).scalar_subquery(), type_=ARRAY(BigInteger))
    one = select(quotas.c.id, quotas.c.size, quotas.c.taken).where(quotas.c.id == func.any(numbers)).subquery("one")
    return (
        select(
            *(first.c[name] for name in shown),
            func.coalesce(one.c.size, first.c.best[1]).label("size"),
            func.coalesce(one.c.size - one.c.taken, first.c.best[2]).label("left"),
        )
        .select_from(first.outerjoin(one, one.c.id == first.c.quota_id))
        .order_by(first.c.starts_at, first.c.id)
    )


def _best_of(event_id: ColumnElement[int]) -> ScalarSelect[list[int]]:
    """[size, left] of an event whose ticket types draw on several counters: the best ticket type, and of its counters the scarcest."""
    left = func.min(quotas.c.size - quotas.c.taken)
    drawn = ticket_types.join(ticket_type_quotas, ticket_type_quotas.c.ticket_type_id == ticket_types.c.id)
    return (
        select(array([func.min(quotas.c.size), left]))
        .select_from(drawn.join(quotas, quotas.c.id == ticket_type_quotas.c.quota_id))
        .where(ticket_types.c.event_id == event_id, ticket_types.c.on_sale)
        .group_by(ticket_types.c.id)
        .order_by(left.desc())
        .limit(_ONE)
        .scalar_subquery()
    )


def rows_of(session: Session, ids: Sequence[int]) -> dict[int, Listed]:
    """What the list prints of these rows, by id."""
    found = session.execute(select(*(listings.c[name] for name in SHOWN)).where(listings.c.id.in_(ids)))
    return {row.id: row for row in found.all()}


def kinds(session: Session, *, now: datetime, q: str = "") -> list[Kind]:
    """How many upcoming rows there are of each kind: what the numbers beside the filters are added up from; then the offerings by title."""
    shape, values = _filters(Narrowed(q=q))
    free = case((listings.c.price_from == 0, True), else_=False)
    nothing = literal_column("''", String)
    dated = (
        select(
            listings.c.topic, listings.c.format, listings.c.city, _LOCAL_MONTH.label("month"), free.label("free"),
            func.count().label("rows"), literal_column("NULL", BigInteger).label("id"), nothing.label("version"), nothing.label("title"),
        )
        .where(listings.c.listed, listings.c.ends_at > now, *_clauses(shape))
        .group_by(listings.c.topic, listings.c.format, listings.c.city, _LOCAL_MONTH, free)
    )  # fmt: skip
    offered = select(
        listings.c.topic, listings.c.format, nothing, nothing, free, _ONE, listings.c.id, _VERSION, listings.c.title
    ).where(listings.c.listed, listings.c.kind == "offering", *_clauses(shape))  # fmt: skip
    found = union_all(dated, offered).subquery()
    return [Kind(*row[:-1]) for row in session.execute(select(found).order_by(found.c.title, found.c.id), values)]


_LOCAL_MONTH = func.to_char(func.timezone(listings.c.zone, listings.c.starts_at), literal_column("'YYYY-MM'"))


def _filters(narrowed: Narrowed) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Which filters are set, and their values by name of parameter."""
    shape = [name for name in ("topic", "city", "month") if getattr(narrowed, name)]
    values: dict[str, Any] = {name: getattr(narrowed, name) for name in shape}
    if narrowed.month:
        first = datetime.strptime(narrowed.month, "%Y-%m").replace(tzinfo=UTC)
        # The range is for the index, a day wider at both ends because a month begins at another instant in every zone.
        values |= {"month_from": first - timedelta(days=1), "month_to": first + timedelta(days=32)}
    if narrowed.format:
        shape.append("online" if narrowed.format == "online" else "in_person")
    if narrowed.price:
        shape.append("free" if narrowed.price == "free" else "paid")
    if narrowed.q:
        shape.append("unfinished" if (unfinished := _unfinished(narrowed.q)) else "words")
        values |= {"q": narrowed.q, "unfinished": unfinished}
    return tuple(shape), values


def _unfinished(q: str) -> str:
    """The visitor's words with the last one open («resid» finds the residency), where they are nothing but words."""
    words = q.split()
    if not words or not all(word.isalnum() for word in words) or len(words[-1]) < 3:
        return ""
    return " & ".join([*words[:-1], f"{words[-1]}:*"])


def _clauses(shape: tuple[str, ...]) -> list[ColumnElement[bool]]:
    """The filters by name. A word search reads quotes, OR and - as websearch does."""
    found = func.websearch_to_tsquery("english", bindparam("q", type_=String))
    open_ended = found.op("||")(func.to_tsquery("english", bindparam("unfinished", type_=String)))
    month = listings.c.starts_at.between(bindparam("month_from", type_=PLAIN), bindparam("month_to", type_=PLAIN))
    known: dict[str, ColumnElement[bool]] = {
        "topic": listings.c.topic == bindparam("topic"),
        "city": listings.c.city == bindparam("city"),
        "month": and_(month, bindparam("month", type_=String) == _LOCAL_MONTH),
        "online": listings.c.format.in_(("online", "hybrid")),
        "in_person": listings.c.format.in_(("in_person", "hybrid")),
        "free": listings.c.price_from == 0,
        "paid": or_(listings.c.price_from > 0, listings.c.price_from.is_(None)),
        "words": listings.c.search.op("@@")(found),
        "unfinished": listings.c.search.op("@@")(open_ended),
    }
    return [known[name] for name in shape]


def seminar_by_slug(session: Session, slug: str) -> Seminar | None:
    """The seminar at that address, if any of its events was ever published."""
    published = select(Event.id).where(Event.seminar_id == Seminar.id, Event.state.in_(("published", "archived"))).exists()
    return session.scalar(select(Seminar).where(Seminar.slug == slug, published))


def upcoming_of(session: Session, slug: str, *, now: datetime, most: int = 100) -> Rows:
    """The upcoming dates of one seminar, by start, with (size, left) of their seats."""
    dates = select(*(listings.c[name] for name in SHOWN), _SEVERAL).where(
        listings.c.listed, listings.c.seminar_slug == slug, listings.c.ends_at > now
    )
    return session.execute(_with_seats(dates.subquery("upcoming"), SHOWN, literal_column(str(int(most)), Integer))).all()


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


def calendar_sessions(session: Session, narrowed: Narrowed, *, now: datetime, most: int = 1_000) -> Rows:
    """Every session of the upcoming events, for a calendar feed; those of cancelled events too, so that subscribers see the withdrawal."""
    shape, values = _filters(narrowed)
    return session.execute(
        select(
            EventSession.id, EventSession.title.label("part"), EventSession.starts_at, EventSession.ends_at, EventSession.all_day,
            EventSession.state, EventSession.room, listings.c.title, listings.c.summary, listings.c.path, listings.c.place, listings.c.zone,
            listings.c.listed, listings.c.changed_at,
        )
        .join(listings, EventSession.event_id == _EVENT_ID)
        .where(listings.c.ends_at > now, *_clauses(shape))
        .order_by(EventSession.starts_at, EventSession.id)
        .limit(most),
        values,
    ).all()  # fmt: skip


class RuleOnSale(NamedTuple):
    """A refund rule and the titles of what is on sale under it; None stands for no refund."""

    policy: RefundPolicy | None
    titles: Sequence[str]


def policies_on_sale(session: Session, *, now: datetime) -> list[RuleOnSale]:
    """The refund rules of upcoming events that cost something, the most generous first."""
    paid = exists().where(TicketType.event_id == Event.id, TicketType.price > 0)
    titles = func.array_agg(func.distinct(Event.title)).label("titles")
    rows = session.execute(
        select(RefundPolicy, titles)
        .select_from(Event)
        .outerjoin(RefundPolicy, RefundPolicy.id == Event.policy_id)
        .where(Event.state == "published", Event.listed, Event.starts_at > now, paid)
        .group_by(RefundPolicy.id)
        .order_by(RefundPolicy.days_before.nulls_last(), RefundPolicy.fee, RefundPolicy.id)
    )
    return [RuleOnSale(policy, found) for policy, found in rows]


def addresses(session: Session, *, now: datetime, most: int = 45_000) -> Rows:
    """(path, seminar_slug, changed_at) of everything that can be bought, for the sitemap (sitemaps.org: at most 50,000 addresses)."""
    return session.execute(
        select(listings.c.path, listings.c.seminar_slug, listings.c.changed_at)
        .where(listings.c.listed, or_(listings.c.ends_at > now, listings.c.kind == "offering"))
        .order_by(listings.c.starts_at, listings.c.id)
        .limit(most)
    ).all()
