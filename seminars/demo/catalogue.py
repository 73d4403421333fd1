"""What the demo center teaches, where, and when: dates are counted from the day on which the world is made."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from seminars.catalog import events, seminars, speakers, terms, tickets, venues
from seminars.catalog.events import Block, EventFacts
from seminars.catalog.models import Event, RefundPolicy, Seminar, Speaker, Venue
from seminars.catalog.seminars import SeminarFacts
from seminars.catalog.speakers import SpeakerFacts
from seminars.catalog.tickets import Ticket
from seminars.catalog.timing import place_in_time
from seminars.catalog.venues import VenueFacts
from seminars.kit.money import Money

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = range(5)

SEMINARS = {
    "residency": SeminarFacts(
        title="Social Media Residency",
        summary="Two days on rounds with people who run a hospital’s voice every day. You leave with a plan that your legal counsel has "
        "already seen.",
        outcomes="- decide within an hour whether a post needs an answer, and who gives it;\n"
        "- write a plan for one service line, with a number you will be judged by;\n"
        "- coach a clinician who would rather not;\n- defend all of it to legal, privacy and the board.",
        abstract="You work in groups of eight with one faculty member, on real accounts and on your own plan.",
        audience="Communication teams, clinicians who write, service-line leaders. Beginners are in the right place after the "
        "pre-study module.",
        credits="12.5 hours, claimed after the evaluation. One day counts 6.25.",
        topic="strategy",
    ),
    "answering": SeminarFacts(
        title="Answering patients in public",
        summary="What to say, what to take to a quiet room, what never to type.",
        outcomes="- tell a complaint from a clinical question in one reading;\n- answer the first in public and move the second;\n"
        "- write the three sentences that work at two in the morning.",
        audience="Everyone who holds a hospital’s account, and their deputies.",
        credits="1 hour.",
        topic="clinical",
    ),
    "policy": SeminarFacts(
        title="A policy people will read",
        summary="Rewrite two pages of your own policy with a lawyer in the room.",
        outcomes="- cut your policy to what people must know;\n- say what is allowed before what is not;\n- have it signed off.",
        audience="Policy owners, human resources, counsel.",
        credits="1.5 hours.",
        topic="policy",
    ),
    "film": SeminarFacts(
        title="Short film on a hospital budget",
        summary="One phone, one clinician, one afternoon.",
        outcomes="- plan three shots;\n- record sound that can be used;\n- caption it before lunch.",
        audience="Whoever is handed the phone.",
        credits="1 hour.",
        topic="media",
    ),
    "calm": SeminarFacts(
        title="Words that calm",
        summary="An hour on the first statement, the second, and the silence between them.",
        outcomes="- write a holding statement in ten minutes;\n- know who must see it before it goes.",
        audience="People on call for communication.",
        credits="1 hour.",
        topic="crisis",
    ),
    "summit": SeminarFacts(
        title="Northfield Summit on Health and Social Media",
        summary="Three days, three tracks, and four workshops on the day before.",
        outcomes="- hear what forty hospitals tried this year, and what they stopped doing;\n- take home one thing to try on Monday.",
        audience="Everyone who speaks for a hospital, from first post to boardroom.",
        credits="18 hours, claimed by session.",
        topic="crisis",
    ),
    "executive": SeminarFacts(
        title="Executive workshop: speaking first",
        summary="Half a day with one leadership team, at their table.",
        outcomes="- agree who speaks in the first hour;\n- rehearse it twice.",
        audience="One leadership team.",
        topic="strategy",
    ),
}

VENUES = {
    "rochester": VenueFacts(
        "Alder Hall", "America/Chicago", "210 Second Street", "Rochester", "Minnesota", "US",
        "https://www.openstreetmap.org/search?query=Rochester%20Minnesota", "Step-free, hearing loop.",
    ),
    "scottsdale": VenueFacts(
        "Saguaro Room", "America/Phoenix", "44 Mesa Drive", "Scottsdale", "Arizona", "US",
        "https://www.openstreetmap.org/search?query=Scottsdale%20Arizona", "Step-free from the garden side.",
    ),
    "jacksonville": VenueFacts(
        "Live Oak House", "America/New_York", "9 Harbor Row", "Jacksonville", "Florida", "US",
        "https://www.openstreetmap.org/search?query=Jacksonville%20Florida", "Lift to the second floor; hearing loop.",
    ),
    "brackenmoor": VenueFacts("Brackenmoor Health, board room", "Europe/London", "Moor Lane", "Leeds", "", "GB"),
}  # fmt: skip

SPEAKERS = {
    "malmstedt": SpeakerFacts("Ingrid Malmstedt", "MD", "Chief resident. Internal medicine, Northfield Clinic"),
    "okonjo": SpeakerFacts("Teddy Okonjo-Hale", "", "Leads the newsroom of the center"),
    "castellane": SpeakerFacts("Rosa Castellane", "JD", "Privacy counsel"),
    "tanaka": SpeakerFacts("Yuki Tanaka-Reyes", "RN", "Nurse educator and film maker"),
    "bjornson": SpeakerFacts("Elias Bjornson", "MPH", "Answers the night shift’s questions"),
}

RESIDENCY_DAYS = (
    "9:00 am Morning report. What happened overnight, and what we did about it\n"
    "10:30 am Rotation one. Strategy, clinical voice or content; you state a preference\n"
    "12:30 pm Lunch with your faculty member, included\n1:30 pm Rotation two\n"
    "4:00 pm Case conference. One resident’s real problem, eight colleagues",
    "9:00 am Grand rounds. Law, privacy and the patient who names herself\n"
    "10:30 am Writing time. With faculty at your table\n2:00 pm Your plan, read aloud, and questions\n5:00 pm Goodbye",
)
WORKSHOPS = ("Crisis desk in one morning", "Captions and sound", "Writing for the waiting room", "Measuring what matters")


@dataclass(frozen=True)
class Shelf:
    """What the events are made from."""

    seminars: dict[str, Seminar]
    venues: dict[str, Venue]
    speakers: dict[str, Speaker]
    policy: RefundPolicy
    online_policy: RefundPolicy


def stock(session: Session, *, now: datetime) -> Shelf:
    """Describe seminars, places and people, and the refund rules: 14 days, less $75.00; online, the day before."""
    return Shelf(
        {key: seminars.create(session, facts, now=now) for key, facts in SEMINARS.items()},
        {key: venues.create(session, facts) for key, facts in VENUES.items()},
        {key: speakers.create(session, facts) for key, facts in SPEAKERS.items()},
        terms.create(session, name="14 days, less $75.00", days_before=14, fee=Money(75_00, "USD")),
        terms.create(session, name="Online: the day before, in full", days_before=1, fee=Money(0, "USD")),
    )


def next_weekday(day: date, weekday: int) -> date:
    """The first such weekday on or after a day."""
    return day + timedelta(days=(weekday - day.weekday()) % 7)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A wall-clock time on a day."""
    return datetime.combine(day, time(hour, minute))


def residency(
    session: Session, shelf: Shelf, city: str, first: date, *, faculty: Sequence[str], early: date | None, now: datetime
) -> Event:
    """Two days in person; eight residents to each faculty member."""
    venue = shelf.venues[city]
    blocks = [
        Block(at(first + timedelta(days=n), 9), at(first + timedelta(days=n), 17), title=f"Day {n + 1}", agenda=RESIDENCY_DAYS[n])
        for n in range(2)
    ]
    event = _event(session, shelf, "residency", blocks, zone=venue.zone, venue=venue, faculty=faculty, capacity=8 * len(faculty), now=now)
    both = Ticket("Two days", Money(1_190_00, "USD"))
    if early is not None:
        both = replace(both, early_price=Money(1_095_00, "USD"), early_until=place_in_time(at(early, 23, 59), venue.zone))
    one = Ticket("First day only", Money(640_00, "USD"), sessions=(event.sessions[0],))
    return _on_sale(session, event, [both, one], now=now)


def webinar(
    session: Session, shelf: Shelf, key: str, starts: datetime, minutes: int, price: int, *, seats: int, faculty: Sequence[str],
    zone: str = "America/Chicago", now: datetime,
) -> Event:  # fmt: skip
    """Online, with a join link that only registrants see."""
    block = Block(starts, starts + timedelta(minutes=minutes))
    join_url = f"https://meet.northfield.example/{key}-{starts:%d%b}".lower()
    event = _event(session, shelf, key, [block], zone=zone, join_url=join_url, faculty=faculty, format="online", capacity=seats, now=now)
    return _on_sale(session, event, [Ticket("Seat", Money(price, "USD"))], now=now)


def summit(session: Session, shelf: Shelf, first: date, *, now: datetime) -> Event:
    """Three days that share one capacity, and four workshops on the day before, each with its own limit and price."""
    venue = shelf.venues["rochester"]
    before = first - timedelta(days=1)
    workshops = [Block(at(before, 9 + 4 * (n % 2)), at(before, 12 + 4 * (n % 2)), title=title) for n, title in enumerate(WORKSHOPS)]
    days = [
        Block(at(first + timedelta(days=n), 8, 30), at(first + timedelta(days=n), 16, 30), title=f"Summit, day {n + 1}") for n in range(3)
    ]
    event = _event(
        session, shelf, "summit", [*workshops, *days], zone=venue.zone, venue=venue, faculty=("malmstedt", "castellane", "tanaka"),
        capacity=240, now=now,
    )  # fmt: skip
    by_title = {part.title: part for part in event.sessions}
    main = tuple(by_title[day.title] for day in days)
    kinds = [
        Ticket("Three days", Money(860_00, "USD"), sessions=main),
        Ticket("One day, the first", Money(390_00, "USD"), sessions=main[:1]),
    ]
    _on_sale(session, event, kinds, publish=False, now=now)
    for title in WORKSHOPS:
        quota = tickets.add_quota(session, event, name=title, size=30)
        workshop = Ticket(f"Workshop: {title}", Money(120_00, "USD"), quotas=(quota,), sessions=(by_title[title],))
        tickets.add_ticket_type(session, event, workshop, now=now)
    return events.publish(session, event, now=now)


def at_the_client(session: Session, shelf: Shelf, day: date, *, now: datetime) -> Event:
    """Sold to one organisation; not on the public list."""
    venue = shelf.venues["brackenmoor"]
    event = _event(
        session, shelf, "executive", [Block(at(day, 13), at(day, 17))], zone=venue.zone, venue=venue, faculty=("castellane",), listed=False,
        capacity=12, now=now,
    )  # fmt: skip
    return _on_sale(session, event, [Ticket("Place at the table", Money(450_00, "USD"))], now=now)


def _event(
    session: Session, shelf: Shelf, key: str, blocks: Sequence[Block], *, zone: str, venue: Venue | None = None, join_url: str = "",
    faculty: Sequence[str], format: str = "in_person", listed: bool = True, capacity: int, now: datetime,
) -> Event:  # fmt: skip
    seminar = shelf.seminars[key]
    policy = shelf.online_policy if format == "online" else shelf.policy
    facts = EventFacts(
        title=seminar.title, zone=zone, format=format, venue=venue, join_url=join_url, policy=policy, listed=listed,
        speakers=[shelf.speakers[name] for name in faculty],
    )  # fmt: skip
    event = events.create(session, seminar, facts, capacity=capacity, now=now)
    for block in blocks:
        events.add_session(session, event, block, now=now)
    session.refresh(event)
    return event


def _on_sale(session: Session, event: Event, kinds: Sequence[Ticket], *, publish: bool = True, now: datetime) -> Event:
    for kind in kinds:
        tickets.add_ticket_type(session, event, kind, now=now)
    return events.publish(session, event, now=now) if publish else event
