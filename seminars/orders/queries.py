"""Orders as people look for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from seminars.catalog.models import Event, TicketType
from seminars.kit.money import Money
from seminars.orders.models import Cart, Order, OrderLine
from seminars.orders.pricing import PricedLine, SummaryLine, summary
from seminars.registration.models import Registration


def _whole() -> tuple:  # type: ignore[type-arg]
    registration = selectinload(Order.lines).joinedload(OrderLine.registration)
    return (
        registration.joinedload(Registration.event).options(
            joinedload(Event.venue), selectinload(Event.sessions), joinedload(Event.seminar)
        ),
        registration.joinedload(Registration.ticket_type).selectinload(TicketType.sessions),
        joinedload(Order.discount_code),
    )


def order_by_secret(session: Session, order_secret: str) -> Order | None:
    """The order that this secret link opens, with its people and events."""
    return session.scalar(select(Order).where(Order.secret == order_secret).options(*_whole()))


def order_of_cart(session: Session, cart_secret: str) -> Order | None:
    """The order that was placed with this cart: who presses twice is led to the first one's."""
    return session.scalar(select(Order).join(Cart, Cart.id == Order.cart_id).where(Cart.secret == cart_secret))


def order_by_number(session: Session, number: str) -> Order | None:
    """The order with this number, with its people and events."""
    return session.scalar(select(Order).where(Order.number == number).options(*_whole()))


def lines_of(order: Order) -> list[SummaryLine]:
    """The order's lines, equal seats together, as they stand on the page and on the invoice."""
    return summary(
        [
            PricedLine(
                line.event_id,
                line.ticket_type_id,
                line.description,
                line.list_price,
                line.early_reduction,
                line.discount,
                line.net,
                line.tax,
            )
            for line in order.lines
        ]
    )


@dataclass(frozen=True)
class Filter:
    """What staff narrow the list of orders by."""

    state: str = ""
    words: str = ""
    event_id: int | None = None
    review: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class OrderRow:
    """One order in a list."""

    id: int
    number: str
    buyer_name: str
    organisation: str
    state: str
    needs_review: str
    paid_unplaced: bool
    total: Money
    places: int
    placed_at: datetime


def orders_page(session: Session, wanted: Filter, *, before: int | None = None, most: int = 50) -> list[OrderRow]:
    """Orders newest first, below the id `before`; one more than `most` tells that there are others."""
    places = select(func.count()).where(OrderLine.order_id == Order.id).correlate(Order).scalar_subquery()
    query = select(
        Order.id,
        Order.number,
        Order.buyer_name,
        Order.organisation,
        Order.state,
        Order.needs_review,
        Order.paid_unplaced,
        Order.total,
        Order.currency,
        places.label("places"),
        Order.placed_at,
    ).where(*_conditions(wanted))
    if before is not None:
        query = query.where(Order.id < before)
    rows = session.execute(query.order_by(Order.id.desc()).limit(most + 1))
    return [
        OrderRow(
            r.id,
            r.number,
            r.buyer_name,
            r.organisation,
            r.state,
            r.needs_review,
            r.paid_unplaced,
            Money(r.total, r.currency),
            r.places,
            r.placed_at,
        )
        for r in rows
    ]


def orders_total(session: Session, wanted: Filter) -> tuple[int, list[Money]]:
    """How many orders the filter finds, and their sum per currency."""
    rows = session.execute(
        select(Order.currency, func.count(), func.sum(Order.total))
        .where(*_conditions(wanted))
        .group_by(Order.currency)
        .order_by(Order.currency)
    ).all()
    return sum(r[1] for r in rows), [Money(int(r[2]), r[0]) for r in rows]


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.state:
        found.append(Order.state == wanted.state)
    if wanted.review:
        found.append(or_(Order.needs_review != "", Order.paid_unplaced, Order.dispute_open))
    if wanted.since:
        found.append(Order.placed_at >= wanted.since)
    if wanted.until:
        found.append(Order.placed_at < wanted.until)
    if wanted.event_id:
        found.append(Order.id.in_(select(OrderLine.order_id).where(OrderLine.event_id == wanted.event_id)))
    for word in wanted.words.split()[:6]:
        found.append(_matches(word))
    return found


def _matches(word: str) -> ColumnElement[bool]:
    like = f"%{word.replace('%', '').replace('_', '')}%"
    return or_(
        Order.number.ilike(like),
        Order.buyer_name.ilike(like),
        Order.buyer_email.ilike(like),
        Order.organisation.ilike(like),
        Order.po_number.ilike(like),
    )


def find(session: Session, words: str, *, most: int = 8) -> Sequence[Order]:
    """Orders that the desk's search finds by number, buyer, organisation or purchase order."""
    return session.scalars(select(Order).where(*_conditions(Filter(words=words))).order_by(Order.id.desc()).limit(most)).all()


def waiting(session: Session, *, most: int = 50) -> Sequence[Order]:
    """Orders that need a person, oldest first."""
    return session.scalars(
        select(Order).where(or_(Order.needs_review != "", Order.paid_unplaced, Order.dispute_open)).order_by(Order.id).limit(most)
    ).all()
