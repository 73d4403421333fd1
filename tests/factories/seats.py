"""Builders of what people buy: an event with seats, a cart, an order. Each sets only what a test speaks of."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Barrier

from sqlalchemy import NullPool, create_engine, select
from sqlalchemy.orm import Session

from seminars import tables  # noqa: F401  every mapper must be known before the first query
from seminars.audit import recording
from seminars.catalog.models import Event, EventSession, Quota, RefundPolicy, Seminar, TicketType
from seminars.config import Center, Letterhead
from seminars.kit.references import secret
from seminars.kit.refusals import Refusal
from seminars.orders import cart as carts
from seminars.orders import checkout
from seminars.orders.buyers import Buyer, Party
from seminars.orders.models import Cart, DiscountCode, Order
from seminars.registration.models import Hold, Registration
from seminars.registration.places import Attendee
from tests.clock import NOON

FIRST_DAY = datetime.fromisoformat("2027-03-22T14:00+00:00")
ANNA = Attendee("Anna Vestergren", "anna.vestergren@quillhaven.example")
BUYER = Buyer(ANNA.name, ANNA.email, organisation="Quillhaven Regional Hospital")
LETTERHEAD = Letterhead(Center(), "https://seminars.northfield.example", "seminars@northfield.example")
TERMS = checkout.Terms("NC")


def an_event(
    session: Session, *, places: int = 10, price: int = 50_000, title: str = "Social Media Residency", currency: str = "USD"
) -> Event:
    """A published event on 22 March 2027 with one ticket type; full refund less $75.00 until fourteen days before."""
    ends = FIRST_DAY + timedelta(hours=8)
    event = Event(
        seminar=Seminar(slug=secret(), title=title, created_at=NOON),
        reference=secret(), title=title, state="published", format="online", zone="America/Chicago", preview_secret=secret(),
        created_at=NOON, starts_at=FIRST_DAY, ends_at=ends, policy=RefundPolicy(name="Usual", days_before=14, fee=7_500, currency="USD"),
    )  # fmt: skip
    event.sessions.append(
        EventSession(
            starts_local=FIRST_DAY.replace(tzinfo=None) - timedelta(hours=5), ends_local=ends.replace(tzinfo=None) - timedelta(hours=5),
            starts_at=FIRST_DAY, ends_at=ends,
        )
    )  # fmt: skip
    quota = Quota(size=places)
    event.quotas.append(quota)
    event.ticket_types.append(TicketType(name="Standard", price=price, currency=currency, quotas=[quota]))
    session.add(event)
    session.flush()
    return event


def a_ticket_type(
    session: Session, event: Event, *, quotas: Sequence[Quota] = (), price: int = 50_000, name: str = "Workshop"
) -> TicketType:
    """One more way to attend; it draws on the event's seats unless counters are named."""
    kind = TicketType(name=name, position=len(event.ticket_types), price=price, currency="USD", quotas=list(quotas or event.quotas[:1]))
    event.ticket_types.append(kind)
    session.flush()
    return kind


def a_quota(session: Session, event: Event, *, places: int) -> Quota:
    """Seats of their own kind."""
    quota = Quota(size=places, name="Workshop")
    event.quotas.append(quota)
    session.flush()
    return quota


def a_code(
    session: Session, code: str = "SPRING", *, percent: int | None = None, amount: int | None = None, most: int = 100
) -> DiscountCode:
    """A code that anybody may use for anything."""
    made = DiscountCode(code=code, percent=percent, amount=amount, currency="USD", most=most, used=0, active=True, created_at=NOON)
    session.add(made)
    session.flush()
    return made


def a_cart(session: Session, *wanted: tuple[TicketType | Event, int], now: datetime = NOON) -> Cart:
    """A cart that holds seats; for an event, of its first ticket type. As the browser finds it again."""
    places = {(one.ticket_types[0] if isinstance(one, Event) else one).id: number for one, number in wanted}
    return again(session, carts.start_cart(session, places, now=now))


def again(session: Session, cart: Cart) -> Cart:
    """The same cart in the next request."""
    found = carts.cart_by_secret(session, cart.secret)
    assert found is not None
    return found


def an_order(session: Session, cart: Cart, *, terms: checkout.Terms = TERMS, now: datetime = NOON) -> Order:
    """What Anna orders: a seat for each in the cart, without names."""
    nobody = (None,) * sum(line.places for line in cart.lines)
    return checkout.place_order(session, cart, Party(BUYER, nobody), terms=terms, now=now)


def taken(session: Session, event: Event) -> list[int]:
    """The event's counters."""
    return list(session.scalars(select(Quota.taken).where(Quota.event_id == event.id).order_by(Quota.id)))


def holds_of(session: Session, cart: Cart) -> list[tuple[str, int]]:
    """State and places of every hold that this cart has had, first to last."""
    found = select(Hold.state, Hold.places).where(Hold.holder == cart.reference).order_by(Hold.id)
    return [(state, places) for state, places in session.execute(found)]


def seats_of(session: Session, order: Order) -> list[str]:
    """The states of an order's registrations."""
    found = select(Registration.state).where(Registration.order_reference == order.reference).order_by(Registration.id)
    return list(session.scalars(found))


@dataclass
class Rush:
    """Many people at the same instant, each with a connection of their own, on a database that keeps what they do."""

    url: str

    def __post_init__(self) -> None:
        recording.listen()
        self.engine = create_engine(self.url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)

    @contextmanager
    def work(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def at_once(self, people: int, act: Callable[[Session, int], object]) -> list[object]:
        """What each of them got: what the act returned, or the refusal."""
        barrier = Barrier(people)

        def try_it(number: int) -> object:
            with Session(self.engine, expire_on_commit=False) as session:
                session.connection()
                barrier.wait(60)
                try:
                    found = act(session, number)
                    session.commit()
                except Refusal as refusal:
                    session.rollback()
                    return refusal
                return found

        with ThreadPoolExecutor(people) as pool:
            return list(pool.map(try_it, range(people)))
