"""What happened at the demo center: six weeks of people who found a seminar or a consultant, and paid."""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog.models import Event, TicketType
from seminars.demo import advice, catalogue, larger, meetings, staff
from seminars.demo.catalogue import MONDAY, THURSDAY, TUESDAY, WEDNESDAY, Shelf, at, next_weekday
from seminars.demo.customers import HOSPITALS, attendee, buyer
from seminars.demo.hands import Demo, Happening, business_hour, pay_back, pay_for
from seminars.finance import recognition
from seminars.kit.money import Money
from seminars.orders import cart as carts
from seminars.orders import checkout as placing
from seminars.orders import settlement
from seminars.orders.buyers import Party
from seminars.orders.models import DiscountCode, Order, OrderLine
from seminars.payments import cancelling, checkout
from seminars.people.models import User

WEEKS = 6
SEED = 2026
CODE = "AUTUMN10"


@dataclass(frozen=True)
class Wish:
    """One order: when, of which event and ticket, by which hospital, for whom (None for a seat not yet named)."""

    days_ago: int
    event: str
    ticket: str
    hospital: str
    people: tuple[int | None, ...]
    po: str = ""
    code: str = ""
    channel: str = "web"
    comp: str = ""
    pays: bool = True


def is_empty(session: Session) -> bool:
    """Whether nobody has a login yet: then the installation is new."""
    return session.scalar(select(User.id).limit(1)) is None


def is_demo(session: Session) -> bool:
    """Whether the logins of the demo world are those of this installation."""
    return session.scalar(select(User.id).where(User.email == staff.LOGINS[0].email)) is not None


def fill(demo: Demo, *, today: date) -> None:
    """Make the demo world of that day, from six weeks before it."""
    start = business_hour(today, WEEKS * 7)
    demo.time.go_to(start)
    with demo.work() as session:
        staff.hire(session, demo.hash_password, now=start)
        shelf = catalogue.stock(session, now=start)
        events = _programme(session, shelf, today, now=start)
        advice.offer(session, shelf, today, now=start)
        _discount(session, now=start)
        references = {key: event.id for key, event in events.items()}
    orders = [Happening(wish.days_ago, partial(_order, demo, wish, references[wish.event])) for wish in _wishes()]
    for one in sorted([*orders, *meetings.happenings(demo, today), *larger.happenings(demo, today)], key=lambda one: -one.days_ago):
        demo.time.go_to(business_hour(today, one.days_ago))
        one.act()
    _deliver(demo, references["answering past"])
    _cancel_one(demo, references["jacksonville"])


def _programme(session: Session, shelf: Shelf, today: date, *, now: datetime) -> dict[str, Event]:
    """The dates of the season. The past ones were planned when they still lay ahead."""
    full, small = ("malmstedt", "okonjo", "castellane"), ("malmstedt", "tanaka")
    later = next_weekday(today + timedelta(days=118), MONDAY)
    return {
        "answering past": catalogue.webinar(
            session, shelf, "answering", at(next_weekday(today - timedelta(days=22), THURSDAY), 12), 60, 45_00, seats=500,
            faculty=("bjornson",), now=now,
        ),
        "policy past": catalogue.webinar(
            session, shelf, "policy", at(today - timedelta(days=3), 10), 90, 180_00, seats=60, faculty=("castellane",), now=now
        ),
        "calm": catalogue.webinar(
            session, shelf, "calm", at(next_weekday(today + timedelta(days=2), WEDNESDAY), 12), 60, 0, seats=500,
            faculty=("okonjo",), now=now,
        ),
        "answering": catalogue.webinar(
            session, shelf, "answering", at(next_weekday(today + timedelta(days=8), THURSDAY), 12), 60, 45_00, seats=500,
            faculty=("bjornson",), now=now,
        ),
        "scottsdale": catalogue.residency(
            session, shelf, "scottsdale", next_weekday(today + timedelta(days=15), TUESDAY), faculty=small, early=None, now=now
        ),
        "policy": catalogue.webinar(
            session, shelf, "policy", at(next_weekday(today + timedelta(days=22), TUESDAY), 10), 90, 180_00, seats=60,
            faculty=("castellane",), now=now,
        ),
        "film": catalogue.webinar(
            session, shelf, "film", at(next_weekday(today + timedelta(days=50), THURSDAY), 12), 60, 45_00, seats=200, faculty=("tanaka",),
            now=now,
        ),
        "jacksonville": catalogue.residency(
            session, shelf, "jacksonville", next_weekday(today + timedelta(days=64), TUESDAY), faculty=full, early=None, now=now
        ),
        "film london": catalogue.webinar(
            session, shelf, "film", at(next_weekday(today + timedelta(days=78), WEDNESDAY), 9), 60, 45_00, seats=200, faculty=("tanaka",),
            zone="Europe/London", now=now,
        ),
        "rochester": catalogue.residency(
            session, shelf, "rochester", later, faculty=full, early=today + timedelta(days=54), now=now
        ),
        "summit": catalogue.summit(session, shelf, next_weekday(today + timedelta(days=156), WEDNESDAY), now=now),
        "executive": catalogue.at_the_client(session, shelf, next_weekday(today + timedelta(days=33), TUESDAY), now=now),
    }  # fmt: skip


def _discount(session: Session, *, now: datetime) -> None:
    session.add(DiscountCode(code=CODE, percent=10, currency="USD", most=40, created_at=now))


def _wishes() -> list[Wish]:
    """Six weeks of orders: some told, the rest drawn with a fixed seed."""
    dice = random.Random(SEED)  # noqa: S311  chance for a demo, not for a secret
    told = [
        Wish(40, "answering past", "Seat", "tarnwick", (0, 1, 2)),
        Wish(39, "answering past", "Seat", "ostervik", (0,)),
        Wish(36, "answering past", "Seat", "sandrift", (0, 1), po="SHS-20418"),
        Wish(33, "policy past", "Seat", "brackenmoor", (0, 1), po="BM/2026/771"),
        Wish(30, "policy past", "Seat", "kirrawell", (1,)),
        Wish(28, "scottsdale", "Two days", "sandrift", (2, 3, 4), po="SHS-20522"),
        Wish(27, "scottsdale", "Two days", "ostervik", (2, 3)),
        Wish(25, "scottsdale", "Two days", "brackenmoor", (2, 3, 4, None), po="BM/2026/802"),
        Wish(21, "scottsdale", "Two days", "tarnwick", (3,), code=CODE),
        Wish(20, "scottsdale", "First day only", "quillhaven", (2, 3)),
        Wish(18, "executive", "Place at the table", "brackenmoor", (0, 1, 2, 3, 4), po="BM/2026/815"),
        Wish(14, "jacksonville", "Two days", "sandrift", (0, None, None), po="SHS-20611"),
        Wish(12, "jacksonville", "Two days", "umlangeni", (0, 1)),
        Wish(9, "summit", "Three days", "ostervik", (0, 1, None)),
        Wish(8, "summit", "Workshop: Captions and sound", "ostervik", (0,)),
        Wish(6, "rochester", "Two days", "kirrawell", (0,), channel="desk"),
        Wish(4, "rochester", "Two days", "tarnwick", (0,), comp="Speaker’s guest"),
        Wish(1, "jacksonville", "First day only", "kirrawell", (2,), pays=False),
    ]
    drawn = []
    for _ in range(14):
        hospital = dice.choice(sorted(HOSPITALS))
        people = tuple(dice.sample(range(len(HOSPITALS[hospital].people)), k=dice.choice((1, 1, 2))))
        drawn.append(Wish(dice.randint(2, 26), dice.choice(("calm", "answering", "policy", "film")), "Seat", hospital, people))
    return told + drawn


def _order(demo: Demo, wish: Wish, event_id: int) -> None:
    """From the cart to the paid order, as the web does it."""
    now, desk = demo.time(), wish.channel == "desk" or bool(wish.comp)
    hospital = HOSPITALS[wish.hospital]
    names = [None if place is None else hospital.people[place] for place in wish.people]
    party = Party(
        buyer(next(name for name in names if name), hospital, po_number=wish.po),
        tuple(None if name is None else attendee(name, hospital) for name in names),
    )
    with demo.work() as session:
        ticket_type_id = session.scalar(select(TicketType.id).where(TicketType.event_id == event_id, TicketType.name == wish.ticket))
        assert ticket_type_id is not None, f"{wish.event} has no ticket type «{wish.ticket}»"
        cart = carts.open_cart(session, now=now)
        carts.add_places(session, cart, {ticket_type_id: len(names)}, now=now, desk=desk)
        cart_secret = cart.secret
    with demo.work() as session:
        found = carts.cart_by_secret(session, cart_secret)
        assert found is not None
        if wish.code:
            carts.use_code(session, found, wish.code, now=now)
        terms = placing.Terms(demo.letterhead.center.order_prefix, "desk" if desk else "web", wish.comp)
        order = placing.place_order(session, found, party, terms=terms, now=now)
        if order.total == 0:
            settlement.settle(session, order, letterhead=demo.letterhead, now=now)
            return
        attempt = checkout.begin(session, order, letterhead=demo.letterhead, now=now)
    pay_for(demo, attempt, pays=wish.pays)


def _deliver(demo: Demo, event_id: int) -> None:
    """The webinar of three weeks ago took place: its revenue is earned."""
    with demo.work() as session:
        event = session.get_one(Event, event_id)
        for part in event.sessions:
            recognition.deliver(session, part, now=demo.time())


def _cancel_one(demo: Demo, event_id: int) -> None:
    """One of two colleagues cannot come after all; her seat is refunded in full."""
    with demo.work() as session:
        of_event = select(Order).join(OrderLine).where(OrderLine.event_id == event_id, Order.buyer_name == "Nomvula Dlomo")
        order = session.scalars(of_event.distinct()).one()
        chosen = [order.seat_lines[0].seat.id]
        plan = cancelling.plan(session, order, chosen, refund=True)
        assert plan.refund == Money(1_190_00, "USD")
        cancelling.carry_out(
            session, order, chosen, refund=True, version=plan.version, reason="The flight was cancelled", letterhead=demo.letterhead,
            now=demo.time(),
        )  # fmt: skip
    pay_back(demo)
