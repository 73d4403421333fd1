"""Who comes to an event, read so that a page of 50 costs the same with a hundred registrations as with a hundred thousand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, tuple_, union_all
from sqlalchemy.orm import Session

from seminars.catalog.models import TicketType
from seminars.kit.money import Money
from seminars.orders.models import Order, OrderLine
from seminars.registration.models import Registration

STATES = ("confirmed", "held", "attended", "no_show", "cancelled")
PER_PAGE = 50
COUNT_UP_TO = 500
LIVE = ("confirmed", "held", "attended", "no_show")


@dataclass(frozen=True)
class Filter:
    """What staff narrow the roster to. `live` is everybody who has not cancelled."""

    state: str = "live"
    words: str = ""
    ticket_type_id: int | None = None

    @property
    def states(self) -> tuple[str, ...]:
        """The states that the filter lets through."""
        if self.state == "live":
            return LIVE
        return (self.state,) if self.state in STATES else STATES


@dataclass(frozen=True)
class Place:
    """Where a page ended: the name (nothing for a seat without one) and the id of its last row."""

    name: str | None
    id: int


@dataclass(frozen=True)
class Row:
    """One seat on the roster. Amounts in the order's currency."""

    id: int
    name: str | None
    email: str | None
    organisation: str
    profession: str
    needs: str
    ticket: str
    state: str
    comp: bool
    order_id: int
    order_number: str
    price: Money
    paid: Money
    open: Money


@dataclass(frozen=True)
class RosterPage:
    """A page of the roster by name, seats without a name last. `after` begins the next one. `count` stops at COUNT_UP_TO + 1."""

    rows: Sequence[Row]
    after: Place | None
    count: int

    @property
    def totals(self) -> list[tuple[Money, Money]]:
        """Paid and open of these rows, by currency."""
        return totals(self.rows)


def roster_page(session: Session, event_id: int, wanted: Filter, *, after: Place | None = None, most: int = PER_PAGE) -> RosterPage:
    """One page, and how many rows the filter lets through as far as we count."""
    ids = [row.id for row in session.execute(_page(event_id, wanted, after, most + 1))]
    rows = _rows(session, ids[:most])
    more = Place(rows[-1].name, rows[-1].id) if len(ids) > most and rows else None
    counted = select(Registration.id).where(*_conditions(event_id, wanted), Registration.state.in_(wanted.states)).limit(COUNT_UP_TO + 1)
    return RosterPage(rows, more, session.scalar(select(func.count()).select_from(counted.subquery())) or 0)


def all_rows(session: Session, event_id: int, wanted: Filter, *, at_once: int = 1_000) -> Iterator[Row]:
    """Every row that the filter lets through, in the order of the pages, without holding all of them in memory."""
    after: Place | None = None
    while True:
        ids = [row.id for row in session.execute(_page(event_id, wanted, after, at_once))]
        rows = _rows(session, ids)
        yield from rows
        if len(ids) < at_once:
            return
        after = Place(rows[-1].name, rows[-1].id)


def totals(rows: Sequence[Row]) -> list[tuple[Money, Money]]:
    """Paid and open of some rows, by currency."""
    found: dict[str, tuple[Money, Money]] = {}
    for row in rows:
        paid, left = found.get(row.price.currency, (Money(0, row.price.currency), Money(0, row.price.currency)))
        found[row.price.currency] = (paid + row.paid, left + row.open)
    return [found[currency] for currency in sorted(found)]


def find_people(session: Session, words: str, *, most: int = 8) -> Sequence[Registration]:
    """Registrations of a person, by name or address, the latest first."""
    if not words.strip():
        return []
    return session.scalars(select(Registration).where(*_named(words)).order_by(Registration.id.desc()).limit(most)).all()


def ticket_types(session: Session, event_id: int) -> Sequence[Any]:
    """Ids and names of the event's ticket types."""
    return session.execute(
        select(TicketType.id, TicketType.name).where(TicketType.event_id == event_id).order_by(TicketType.position, TicketType.id)
    ).all()


def _page(event_id: int, wanted: Filter, after: Place | None, most: int) -> Select[Any]:
    """The ids of one page. Each state is a range of its own in the index (event, state, name, id); the ranges are merged."""
    parts = []
    for state in wanted.states:
        base = [*_conditions(event_id, wanted), Registration.state == state]
        if after is None or after.name is not None:
            later = (
                []
                if after is None
                else [tuple_(Registration.attendee_name, Registration.id) > tuple_(literal(after.name), literal(after.id))]
            )
            named = [*base, Registration.attendee_name.is_not(None), *later]
            parts.append(_part(named, (Registration.attendee_name, Registration.id), most))
        beyond = [Registration.id > after.id] if after is not None and after.name is None else []
        parts.append(_part([*base, Registration.attendee_name.is_(None), *beyond], (Registration.id,), most))
    every = union_all(*parts).subquery()
    return select(every.c.id).order_by(every.c.attendee_name.asc().nulls_last(), every.c.id).limit(most)


def _part(conditions: Sequence[ColumnElement[bool]], order: Sequence[Any], most: int) -> Select[Any]:
    ranged = select(Registration.id, Registration.attendee_name).where(*conditions).order_by(*order).limit(most).subquery()
    return select(ranged.c.id, ranged.c.attendee_name)


def _rows(session: Session, ids: Sequence[int]) -> list[Row]:
    if not ids:
        return []
    found = session.execute(
        select(
            Registration.id,
            Registration.attendee_name,
            Registration.attendee_email,
            Registration.organisation,
            Registration.profession,
            Registration.needs,
            Registration.state,
            Registration.comp,
            TicketType.name.label("ticket"),
            Order.id.label("order_id"),
            Order.number,
            Order.state.label("order_state"),
            Order.currency,
            (OrderLine.net + OrderLine.tax).label("price"),
        )
        .join(TicketType, TicketType.id == Registration.ticket_type_id)
        .join(OrderLine, OrderLine.registration_id == Registration.id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Registration.id.in_(ids))
    )
    rows = {row.id: _row(row) for row in found}
    return [rows[one] for one in ids if one in rows]


def _row(row: Any) -> Row:
    price, nothing = Money(row.price, row.currency), Money(0, row.currency)
    live = row.state in LIVE
    return Row(
        id=row.id,
        name=row.attendee_name,
        email=row.attendee_email,
        organisation=row.organisation,
        profession=row.profession,
        needs=row.needs,
        ticket=row.ticket,
        state=row.state,
        comp=row.comp,
        order_id=row.order_id,
        order_number=row.number,
        price=price,
        paid=price if live and row.order_state == "paid" else nothing,
        open=price if live and row.order_state == "placed" else nothing,
    )


def _conditions(event_id: int, wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Registration.event_id == event_id]
    if wanted.ticket_type_id is not None:
        found.append(Registration.ticket_type_id == wanted.ticket_type_id)
    return [*found, *_named(wanted.words)]


def _named(words: str) -> list[ColumnElement[bool]]:
    columns = (Registration.attendee_name, Registration.attendee_email, Registration.organisation)
    return [or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in words.split()[:6]]
