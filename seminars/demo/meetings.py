"""Who met a consultant of the demo center: booked and paid as the web does it, asked for, cancelled, delivered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.consulting import announcing, booking, intake, queries
from seminars.consulting.models import Appointment
from seminars.demo import advice
from seminars.demo.advice import DISCOVERY, JOINT, POLICY, STRATEGY
from seminars.demo.customers import HOSPITALS, buyer
from seminars.demo.hands import Demo, Happening, business_hour, pay_back, pay_for
from seminars.finance import recognition
from seminars.orders import cart as carts
from seminars.orders import checkout as placing
from seminars.orders import settlement
from seminars.orders.buyers import Party
from seminars.orders.cart import Meeting
from seminars.orders.models import Cart
from seminars.payments import checkout
from seminars.payments import meetings as selling

SOON = timedelta(days=14)


@dataclass(frozen=True)
class Wanted:
    """One appointment: booked when, of what, by whom, and in the first free slot from so many days after today (below nothing: before)."""

    days_ago: int
    offering: str
    minutes: int
    hospital: str
    person: int
    from_day: int
    consultant: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    po: str = ""


BOOKED = (
    Wanted(18, STRATEGY, 60, "quillhaven", 0, -13, "okonjo", {"about": "Our first year on four networks.\nWhich of them do we leave?"}),
    Wanted(12, STRATEGY, 90, "tarnwick", 1, -2, "okonjo", {"about": "A film about the new wing, and who is asked before it is shown."}),
    Wanted(11, STRATEGY, 30, "kirrawell", 0, 4, "halloway", {"about": "How to count what matters."}),
    Wanted(7, STRATEGY, 90, "ostervik", 0, 6, "halloway", {"about": "A dashboard that the board reads."}),
    Wanted(5, STRATEGY, 60, "sandrift", 1, 1, "okonjo", {"about": "The first hour of a bad day."}, "SHS-20699"),
    Wanted(4, JOINT, 60, "sandrift", 0, 12),
    Wanted(3, DISCOVERY, 20, "umlangeni", 0, 2, "okonjo"),
)
ASKED = Wanted(
    2, POLICY, 90, "brackenmoor", 0, 5, "castellane",
    {"kind": "Patients’ pictures", "first": "no", "missed": "Relatives who film in the corridor."},
)  # fmt: skip
DELIVERED, CANCELLED = BOOKED[0], BOOKED[2]


def happenings(demo: Demo, today: date) -> list[Happening]:
    """What came of the hours that can be booked."""
    return [
        *(Happening(one.days_ago, partial(_book, demo, one, today)) for one in BOOKED),
        Happening(ASKED.days_ago, partial(_ask, demo, ASKED, today)),
        Happening(5, partial(_deliver, demo, DELIVERED)),
        Happening(8, partial(_cancel, demo, CANCELLED)),
    ]


def _book(demo: Demo, wanted: Wanted, today: date) -> None:
    """A slot in the cart, the order, and the payment, where it costs something."""
    now, client = demo.time(), buyer(_name(wanted), HOSPITALS[wanted.hospital], po_number=wanted.po)
    with demo.work() as session:
        cart = carts.open_cart(session, now=now)
        _choose(session, cart, wanted, today, now=now)
        cart_secret = cart.secret
    with demo.work() as session:
        found = carts.cart_by_secret(session, cart_secret)
        assert found is not None
        terms = placing.Terms(demo.letterhead.center.order_prefix, "web", "")
        order = placing.place_order(session, found, Party(client, ()), terms=terms, now=now)
        if order.total == 0:
            settlement.settle(session, order, letterhead=demo.letterhead, now=now)
            return
        attempt = checkout.begin(session, order, letterhead=demo.letterhead, now=now)
    pay_for(demo, attempt)


def _ask(demo: Demo, wanted: Wanted, today: date) -> None:
    """Ask for a time that staff have to agree to; nobody has answered yet."""
    now, hospital = demo.time(), HOSPITALS[wanted.hospital]
    client = buyer(_name(wanted), hospital)
    with demo.work() as session:
        cart = carts.open_cart(session, now=now)
        asked = _choose(session, cart, wanted, today, now=now)
        booking.request(session, asked, client=booking.Client(client.name, client.email, hospital.name), now=now)
        carts.hand_over_meeting(session, cart, asked.id)
        announcing.tell_requested(session, [asked], letterhead=demo.letterhead, now=now)


def _choose(session: Session, cart: Cart, wanted: Wanted, today: date, *, now: datetime) -> Appointment:
    offering = advice.offering(session, wanted.offering)
    length = next(one for one in offering.lengths if one.minutes == wanted.minutes)
    chosen = (advice.consultant(session, wanted.consultant).id,) if wanted.consultant else None
    since = business_hour(today, -wanted.from_day)
    slots = queries.slots_of(session, offering, length, consultants=chosen, since=since, until=since + SOON, now=now)
    answers = intake.read(intake.questions_of(offering.questions), wanted.answers)
    meeting = Meeting(offering, length, slots[0].starts_at, chosen, HOSPITALS[wanted.hospital].zone, answers)
    return carts.add_meeting(session, cart, meeting, now=now)


def _deliver(demo: Demo, wanted: Wanted) -> None:
    """They met, so that it is earned."""
    with demo.work() as session:
        recognition.deliver_appointment(session, _appointment(session, wanted), now=demo.time())


def _cancel(demo: Demo, wanted: Wanted) -> None:
    """The client cancels in time: the money goes back."""
    with demo.work() as session:
        appointment = _appointment(session, wanted)
        plan = selling.plan(session, appointment, refunding="by_rule", now=demo.time())
        assert plan.refund == plan.price
        selling.carry_out(
            session, appointment, refunding="by_rule", version=plan.version, reason="Cancelled by the client", letterhead=demo.letterhead,
            now=demo.time(),
        )  # fmt: skip
    pay_back(demo)


def _appointment(session: Session, wanted: Wanted) -> Appointment:
    theirs = select(Appointment).where(Appointment.client_name == _name(wanted), Appointment.minutes == wanted.minutes)
    return session.scalars(theirs).one()


def _name(wanted: Wanted) -> str:
    return HOSPITALS[wanted.hospital].people[wanted.person]
