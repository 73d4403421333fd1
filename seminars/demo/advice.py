"""Who advises at the demo center, in which hours, and what can be booked."""

from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog.timing import place_in_time
from seminars.consulting import consultants, offerings
from seminars.consulting.consultants import ConsultantFacts, Stretch
from seminars.consulting.intake import Question
from seminars.consulting.models import Consultant, Offering
from seminars.consulting.offerings import OfferingFacts
from seminars.demo import staff
from seminars.demo.catalogue import FRIDAY, MONDAY, THURSDAY, TUESDAY, WEDNESDAY, Shelf, at, next_weekday
from seminars.people.models import User

ROOM = "https://meet.northfield.example/room-{code}"
SIGNS_IN = "consultant@northfield.example"

CONSULTANTS = {
    "okonjo": ConsultantFacts(
        "Teddy Okonjo-Hale", SIGNS_IN, "America/Chicago", "", "Strategy, crisis, newsrooms",
        "He has led the newsroom of the center since its first day, and three hospitals through a week that they would rather forget.",
        ROOM,
    ),
    "castellane": ConsultantFacts(
        "Rosa Castellane", "rosa.castellane@northfield.example", "America/New_York", "JD", "Privacy, policy, consent",
        "Twelve years as counsel of a hospital. She reads policies aloud until they are short.", ROOM,
    ),
    "halloway": ConsultantFacts(
        "Maren Halloway", "maren.halloway@northfield.example", "Europe/London", "PhD", "Research, measuring, teaching hospitals",
        "She asks what you would do differently if the number were twice as large, and then helps you to measure it.", ROOM,
    ),
}  # fmt: skip
"""By the name under which the first two teach."""

BEFORE_NOON, AFTERNOON = (time(9), time(12)), (time(13), time(17))
HOURS = {
    "okonjo": [*(Stretch(day, *part) for day in range(4) for part in (BEFORE_NOON, AFTERNOON)), Stretch(FRIDAY, *BEFORE_NOON)],
    "castellane": [Stretch(day, time(10), time(16)) for day in (MONDAY, TUESDAY, THURSDAY)],
    "halloway": [Stretch(day, *part) for day in (TUESDAY, WEDNESDAY, THURSDAY, FRIDAY) for part in (BEFORE_NOON, AFTERNOON)],
}

STRATEGY, POLICY, DISCOVERY, JOINT, ON_SITE = (
    "Strategy session",
    "Policy review",
    "Discovery call",
    "Law and voice, together",
    "A day with your team",
)

OFFERINGS: dict[str, tuple[OfferingFacts, dict[int, int], tuple[str, ...]]] = {
    STRATEGY: (
        OfferingFacts(
            STRATEGY, "One question, one consultant, and a page of next steps by the end of the call.",
            "Bring a plan, an account or a problem. You leave with three things to do, in order.",
            topic="strategy", step=30, buffer_after=15, daily_cap=4,
        ),
        {30: 160_00, 60: 280_00, 90: 390_00},
        ("okonjo", "castellane", "halloway"),
    ),
    POLICY: (
        OfferingFacts(
            POLICY, "Counsel reads your policy before you meet, and goes through it with you line by line.",
            "We look at what you send before we agree to a time: two working days are enough.",
            topic="policy", needs_approval=True, notice_hours=72, step=60, buffer_before=30,
        ),
        {90: 420_00},
        ("castellane",),
    ),
    DISCOVERY: (
        OfferingFacts(
            DISCOVERY, "Twenty minutes, free: what you need, and whether we are the right people for it.", topic="strategy", step=20,
            daily_cap=3, horizon_days=30,
        ),
        {20: 0},
        ("okonjo", "halloway"),
    ),
    JOINT: (
        OfferingFacts(
            JOINT, "Counsel and newsroom at one table, for the answer that has to be right and readable.", topic="crisis", together=2,
            notice_hours=48, step=60,
        ),
        {60: 520_00},
        ("castellane", "okonjo"),
    ),
    ON_SITE: (
        OfferingFacts(ON_SITE, "Part of larger work, at your table.", mode="client_site", listed=False, step=60),
        {480: 2_900_00},
        ("okonjo", "halloway"),
    ),
}  # fmt: skip

QUESTIONS = {
    STRATEGY: (Question("about", "What shall we talk about?", "text", required=True),),
    POLICY: (
        Question(
            "kind", "What kind of policy is it?", "choice", ("Staff accounts", "Patients’ pictures", "Crisis", "Something else"), True
        ),
        Question("other", "What is it about?", required=True, when_key="kind", when_equals="Something else"),
        Question("first", "Is it your first one?", "yes_no", required=True),
        Question("missed", "What did the old one miss?", "text", when_key="first", when_equals="no"),
    ),
}


def offer(session: Session, shelf: Shelf, today: date, *, now: datetime) -> None:
    """Introduce the consultants with their hours and days away, and put on sale what they offer.

    Who teaches as well is one person: the events of the programme take the same time.
    """
    people = {key: _introduce(session, shelf, key, now=now) for key in CONSULTANTS}
    _days_away(session, people, today, now=now)
    for title, (facts, prices, names) in OFFERINGS.items():
        offering = offerings.create(session, OfferingFacts(**vars(facts) | {"policy": shelf.online_policy}), now=now)
        offerings.set_lengths(session, offering, prices, now=now)
        offerings.set_consultants(session, offering, [people[name] for name in names], now=now)
        offerings.set_questions(session, offering, QUESTIONS.get(title, ()))
        offerings.publish(session, offering, now=now)


def offering(session: Session, title: str) -> Offering:
    """The offering of that title."""
    return session.scalars(select(Offering).where(Offering.title == title)).one()


def consultant(session: Session, key: str) -> Consultant:
    """One of the consultants."""
    return session.scalars(select(Consultant).where(Consultant.name == CONSULTANTS[key].name)).one()


def _introduce(session: Session, shelf: Shelf, key: str, *, now: datetime) -> Consultant:
    teaches = shelf.speakers.get(key)
    made = consultants.create(session, CONSULTANTS[key], resource=teaches.resource if teaches else None, now=now)
    if made.email in {login.email for login in staff.LOGINS}:
        consultants.link_login(session, made, session.scalars(select(User.id).where(User.email == made.email)).one())
    return consultants.set_hours(session, made, HOURS[key])


def _days_away(session: Session, people: dict[str, Consultant], today: date, *, now: datetime) -> None:
    """A holiday, one day without a lunch break that ends early, and one on which nobody can be had."""
    away = next_weekday(today + timedelta(days=20), MONDAY)
    maren = people["halloway"]
    until = away + timedelta(days=5)
    consultants.take_leave(
        session, maren, starts_at=place_in_time(at(away, 0), maren.zone), ends_at=place_in_time(at(until, 0), maren.zone), label="Holiday",
        now=now,
    )  # fmt: skip
    early = next_weekday(today + timedelta(days=9), WEDNESDAY)
    consultants.add_exception(session, people["okonjo"], early, starts=time(9), ends=time(14), note="No lunch break, home early")
    consultants.add_exception(session, people["castellane"], next_weekday(today + timedelta(days=10), TUESDAY), note="In court")
