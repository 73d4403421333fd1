"""Larger work of the demo center: proposals in every state, an engagement with a part accepted and billed, a retainer half drawn."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog.timing import place_in_time
from seminars.demo import advice
from seminars.demo.advice import ON_SITE
from seminars.demo.catalogue import THURSDAY, TUESDAY, at, next_weekday
from seminars.demo.customers import HOSPITALS, Hospital, email_of
from seminars.demo.hands import Demo, Happening, pay_for
from seminars.engagements import acceptance, drafting, milestones, proposals, retainers, timesheets
from seminars.engagements.drafting import LineFacts, MilestoneFacts, ProposalFacts
from seminars.engagements.models import Engagement, Proposal, Retainer
from seminars.engagements.retainers import RetainerFacts
from seminars.engagements.timesheets import Work
from seminars.orders.models import Order
from seminars.payments import checkout

SERIES, READINESS, LANGUAGE = "Speaking first: a series for your leaders", "Ready for the worst week", "A policy in four languages"
FROM = "192.0.2.41"
"""An address for documentation (RFC 5737): from where the clients of this world answer."""
TERMS = (
    "Travel is billed at cost, without a fee. Days can be moved until 14 days before. Each part is billed when you accept it, "
    "payable within 30 days."
)
Parts = tuple[Sequence[LineFacts], Sequence[MilestoneFacts]]
WORKED = ((29, 90, "Read the crisis plan, notes in the margin"), (22, 120, "Call with the night supervisors"), (10, 90, "Three statements"))


def happenings(demo: Demo, today: date) -> list[Happening]:
    """What is agreed by proposal and retainer."""
    return [
        Happening(38, partial(_sell_hours, demo, today)),
        *(Happening(days, partial(_work, demo, today - timedelta(days=days), minutes, note)) for days, minutes, note in WORKED),
        Happening(36, partial(_propose, demo, "brackenmoor", SERIES, lambda session: _series(session, today), sends=True)),
        Happening(33, partial(_accept, demo, SERIES)),
        Happening(15, partial(_submit_first, demo, SERIES)),
        Happening(13, partial(_accept_first, demo, SERIES)),
        Happening(5, partial(_propose, demo, "sandrift", READINESS, lambda session: _readiness(session, today), sends=True)),
        Happening(2, partial(_propose, demo, "ostervik", LANGUAGE, lambda session: _language(), sends=False)),
    ]


def _propose(demo: Demo, hospital: str, title: str, parts: Callable[[Session], Parts], *, sends: bool) -> None:
    """Write a proposal, and send it or not."""
    client, now = HOSPITALS[hospital], demo.time()
    with demo.work() as session:
        lines, billed = parts(session)
        facts = ProposalFacts(
            title=title,
            client_name=client.people[0],
            client_email=email_of(client.people[0], client),
            organisation=client.name,
            address=client.address,
            country=client.country,
            zone=client.zone,
            valid_until=now + timedelta(days=30),
            intro="As we discussed, this is what we would do together, when, and what it costs.",
            terms=TERMS,
            lines=lines,
            milestones=billed,
        )
        center = demo.letterhead.center
        proposal = drafting.draft(session, facts, currency=center.currency, prefix=center.order_prefix, now=now)
        if sends:
            proposals.send(session, proposal, letterhead=demo.letterhead, now=now)


def _series(session: Session, today: date) -> Parts:
    """Two days at the client's table, one of them behind us, and a handbook; billed in three parts."""
    held, ahead = next_weekday(today - timedelta(days=23), THURSDAY), next_weekday(today + timedelta(days=40), THURSDAY)
    lines = [
        _day(session, 1, "halloway", held, "First day: who speaks in the first hour"),
        _day(session, 2, "halloway", ahead, "Second day: rehearsed twice"),
        LineFacts(row=3, kind="material", description="Handbook for the leaders on call", quantity=Decimal(1), unit_price=1_400_00),
    ]
    return lines, [
        MilestoneFacts(row=1, title="First day held", amount=2_900_00, due_on=held + timedelta(days=7)),
        MilestoneFacts(row=2, title="Second day held", amount=2_900_00, due_on=ahead + timedelta(days=7)),
        MilestoneFacts(row=3, title="Handbook delivered", amount=1_400_00, due_on=ahead + timedelta(days=30)),
    ]


def _readiness(session: Session, today: date) -> Parts:
    """A day on site and twelve hours at the desk; billed in two parts."""
    when = next_weekday(today + timedelta(days=29), TUESDAY)
    lines = [
        _day(session, 1, "okonjo", when, "A day with your team: the drill"),
        LineFacts(
            row=2, kind="other", description="Rewriting the plan after it", quantity=Decimal(12), unit="hour", unit_price=180_00
        ),
    ]  # fmt: skip
    return lines, [
        MilestoneFacts(row=1, title="Drill held", amount=2_900_00, due_on=when + timedelta(days=7)),
        MilestoneFacts(row=2, title="Plan delivered", amount=2_160_00, due_on=when + timedelta(days=45)),
    ]


def _language() -> Parts:
    """Still being written: the hours are a guess, and nothing is said of how it is billed."""
    line = LineFacts(
        row=1, kind="other", description="Plain language, four times", quantity=Decimal("22.5"), unit="hour", unit_price=180_00
    )
    return [line], []


def _day(session: Session, row: int, key: str, day: date, description: str) -> LineFacts:
    """A consultant's day on site, from nine to five on their own clock."""
    who = advice.consultant(session, key)
    return LineFacts(
        row=row, kind="day", description=description, quantity=Decimal(1), unit="day", unit_price=2_900_00, consultant=who,
        offering=advice.offering(session, ON_SITE), starts_at=place_in_time(at(day, 9), who.zone),
        ends_at=place_in_time(at(day, 17), who.zone),
    )  # fmt: skip


def _accept(demo: Demo, title: str) -> None:
    """The client agrees, with a purchase order."""
    with demo.work() as session:
        proposal = session.scalars(select(Proposal).where(Proposal.title == title)).one()
        acceptance.accept(
            session, proposal, name=proposal.client_name, address=FROM, po_number="BM/2026/844", letterhead=demo.letterhead, now=demo.time()
        )


def _submit_first(demo: Demo, title: str) -> None:
    """The first part is done."""
    with demo.work() as session:
        first = _engagement(session, title).milestones[0]
        note = "Eleven leaders came; the list of who speaks is with your office."
        milestones.submit(session, first, note=note, letterhead=demo.letterhead, now=demo.time())


def _accept_first(demo: Demo, title: str) -> None:
    """The client accepts it: it is earned and billed, and not paid yet."""
    with demo.work() as session:
        engagement = _engagement(session, title)
        name = engagement.proposal.client_name
        milestones.accept(session, engagement.milestones[0], name=name, address=FROM, letterhead=demo.letterhead, now=demo.time())


def _engagement(session: Session, title: str) -> Engagement:
    return session.scalars(select(Engagement).where(Engagement.title == title)).one()


def _sell_hours(demo: Demo, today: date) -> None:
    """Ten hours, paid on the same day."""
    client, now = HOSPITALS["quillhaven"], demo.time()
    with demo.work() as session:
        sold = retainers.sell(session, _ten_hours(client, today), currency="USD", letterhead=demo.letterhead, now=now)
        order_id = sold.order_id
    with demo.work() as session:
        attempt = checkout.begin(session, session.get_one(Order, order_id), letterhead=demo.letterhead, now=now)
    pay_for(demo, attempt)
    with demo.work() as session:
        retainers.settle_paid(session, letterhead=demo.letterhead, now=demo.time())


def _ten_hours(client: Hospital, today: date) -> RetainerFacts:
    return RetainerFacts(
        title="Advice by telephone",
        client_name=client.people[0],
        client_email=email_of(client.people[0], client),
        zone=client.zone,
        minutes=600,
        rate=180_00,
        low_minutes=120,
        expires_on=today + timedelta(days=180),
        organisation=client.name,
        address=client.address,
        country=client.country,
    )


def _work(demo: Demo, day: date, minutes: int, note: str) -> None:
    """Time that was logged on the day it was worked."""
    with demo.work() as session:
        retainer = session.scalars(select(Retainer)).one()
        who = advice.consultant(session, "okonjo")
        work = Work(key=f"demo:{day.isoformat()}", consultant=who, worked_on=day, minutes=minutes, note=note)
        timesheets.log_time(session, retainer, work, letterhead=demo.letterhead, now=demo.time())
