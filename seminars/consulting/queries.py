"""What pages read of consulting: what can be booked and when, what is booked, and a consultant's week."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, String, func, literal, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from seminars.catalog.models import Event, EventSession, Listing
from seminars.consulting import availability
from seminars.consulting.availability import MARGIN, DayHours, Diary, Hours, Slot, Taken, Terms
from seminars.consulting.models import Appointment, Consultant, Offering, OfferingLength, appointment_consultants
from seminars.schedule.queries import Busy, taken

MEETINGS = ("hold", "appointment")
LISTED = (
    "id", "subject", "path", "title", "summary", "people", "topic", "format", "place", "price_from", "several_prices", "currency",
    "changed_at",
)  # fmt: skip


@dataclass(frozen=True)
class WeekEntry:
    """One thing in a consultant's week: a session that they teach, an appointment, leave, or what their own calendar says."""

    kind: str
    starts_at: datetime
    ends_at: datetime
    title: str
    reference: str
    override_reason: str = ""
    appointment: Appointment | None = None
    session: EventSession | None = None


def offering_by_slug(session: Session, slug: str) -> Offering | None:
    """The offering at that address in whatever state, with its lengths and the people who deliver it."""
    return session.scalar(select(Offering).where(Offering.slug == slug).options(*_WITH_PEOPLE))


def offerings_on_sale(session: Session) -> Sequence[Offering]:
    """What can be booked now and stands on the list, by title, with lengths and people."""
    asked = select(Offering).where(Offering.state == "published", Offering.listed).options(*_WITH_PEOPLE)
    return session.scalars(asked.order_by(Offering.title, Offering.id)).all()


def every_offering(session: Session) -> Sequence[Offering]:
    """All offerings for staff, by state and title."""
    return session.scalars(select(Offering).options(*_WITH_PEOPLE).order_by(Offering.state.desc(), Offering.title, Offering.id)).all()


def offerings_listed(session: Session, *, q: str = "", topic: str = "", format: str = "") -> Sequence[Row[Any]]:
    """The rows of offerings on the public list, by title; searched and narrowed as the programme is."""
    listings = Listing.__table__
    asked = select(*(listings.c[name] for name in LISTED)).where(listings.c.kind == "offering", listings.c.listed)
    if topic:
        asked = asked.where(listings.c.topic == topic)
    if format:
        asked = asked.where(listings.c.format == format)
    words = q.split()
    if words:
        asked = asked.where(or_(*(listings.c.search.op("@@")(query) for query in _word_queries(q, words))))
    return session.execute(asked.order_by(listings.c.title, listings.c.id)).all()


def _word_queries(q: str, words: Sequence[str]) -> list[ColumnElement[Any]]:
    """The visitor's words as websearch reads them and, where they are nothing but words, with the last one open."""
    found: list[ColumnElement[Any]] = [func.websearch_to_tsquery("english", literal(q, String))]
    if all(word.isalnum() for word in words) and len(words[-1]) >= 3:
        found.append(func.to_tsquery("english", literal(" & ".join([*words[:-1], f"{words[-1]}:*"]), String)))
    return found


def consultant_by_slug(session: Session, slug: str) -> Consultant | None:
    """The consultant at that address, if there is a public page for them."""
    return session.scalar(select(Consultant).where(Consultant.slug == slug, Consultant.listed, Consultant.active))


def consultant_of_user(session: Session, user_id: int) -> Consultant | None:
    """The consultant who signs in as this user."""
    return session.scalar(select(Consultant).where(Consultant.user_id == user_id))


def consultant_by_feed(session: Session, secret: str) -> Consultant | None:
    """Whose private feed has this address."""
    return session.scalar(select(Consultant).where(Consultant.feed_secret == secret))


def every_consultant(session: Session) -> Sequence[Consultant]:
    """All consultants for staff, those who work first, by name."""
    asked = select(Consultant).options(selectinload(Consultant.hours), selectinload(Consultant.exceptions))
    return session.scalars(asked.order_by(Consultant.active.desc(), Consultant.name, Consultant.id)).all()


def diary_of(consultant: Consultant) -> Diary:
    """When a consultant works, as the calculation of slots reads it."""
    own = consultant.zone
    return Diary(
        consultant.id,
        consultant.resource_id,
        own,
        tuple(Hours(one.weekday, one.starts, one.ends, one.zone or own) for one in consultant.hours),
        tuple(DayHours(one.day, one.starts, one.ends, one.zone or own) for one in consultant.exceptions),
    )


def terms_of(offering: Offering, minutes: int, *, now: datetime) -> Terms:
    """What a meeting of that length needs, and from when until when it can be booked."""
    return Terms(
        minutes=minutes,
        step=offering.step,
        buffer_before=offering.buffer_before,
        buffer_after=offering.buffer_after,
        earliest=now + timedelta(hours=offering.notice_hours),
        latest=now + timedelta(days=offering.horizon_days),
        together=offering.together,
        daily_cap=offering.daily_cap,
    )


def slots_of(
    session: Session,
    offering: Offering,
    length: OfferingLength,
    *,
    consultants: Collection[int] | None = None,
    since: datetime,
    until: datetime,
    now: datetime,
) -> list[Slot]:
    """The slots that start in the window and can be booked now, earliest first; with `consultants` (ids), those where all of them can.

    The people of the offering, their hours and exceptions come with it; beyond that it asks the database once.
    """
    return slots_on(session, offering, terms_of(offering, length.minutes, now=now), consultants, since=since, until=until, now=now)


def slots_on(
    session: Session,
    offering: Offering,
    terms: Terms,
    consultants: Collection[int] | None = None,
    *,
    since: datetime,
    until: datetime,
    ignoring: str = "",
    now: datetime,
) -> list[Slot]:
    """The same on given terms; `ignoring` is a holder whose claims do not count, as when their meeting is moved."""
    wanted = set(consultants or ())
    people = [one for one in offering.consultants if one.active and (terms.together > 1 or not wanted or one.id in wanted)]
    diaries = [diary_of(one) for one in people]
    claims = taken(session, [diary.resource_id for diary in diaries], since - MARGIN, until + MARGIN, now=now)
    found = availability.slots(terms, diaries, as_taken(claims, ignoring=ignoring), since=since, until=until)
    return [slot for slot in found if wanted.issubset(slot.consultant_ids)] if wanted else found


def as_taken(claims: Sequence[Busy], *, ignoring: str = "") -> list[Taken]:
    """Claims as the calculation of slots reads them: meetings, held or agreed, count for the daily cap."""
    return [
        Taken(claim.resource_id, claim.starts_at, claim.ends_at, claim.holder if claim.kind in MEETINGS else "")
        for claim in claims
        if claim.holder != ignoring or not ignoring
    ]


def appointment_by_secret(session: Session, secret: str) -> Appointment | None:
    """The appointment that this secret link opens, with its offering and people."""
    return session.scalar(select(Appointment).where(Appointment.secret == secret).options(*_WITH_OFFERING))


def appointments_of(session: Session, ids: Collection[int]) -> list[Appointment]:
    """These appointments with offering and people, in one go, by id."""
    asked = select(Appointment).where(Appointment.id.in_(ids)).options(*_WITH_OFFERING)
    return list(session.scalars(asked.order_by(Appointment.id)))


def waiting(session: Session) -> Sequence[Appointment]:
    """Requests that staff have to answer, oldest first."""
    asked = select(Appointment).where(Appointment.state == "requested").options(*_WITH_OFFERING)
    return session.scalars(asked.order_by(Appointment.id)).all()


def find(session: Session, words: str, *, most: int = 20) -> Sequence[Appointment]:
    """Appointments of clients whose name, address or organisation holds these words, newest first."""
    text = words.strip()
    named = or_(*(
        column.icontains(text, autoescape=True) for column in (Appointment.client_name, Appointment.client_email, Appointment.organisation)
    ))  # fmt: skip
    asked = select(Appointment).where(Appointment.client_email.is_not(None), named).options(*_WITH_OFFERING)
    return session.scalars(asked.order_by(Appointment.starts_at.desc(), Appointment.id.desc()).limit(most)).all() if text else []


def history(session: Session, client_email: str, *, before: datetime, most: int = 50) -> Sequence[Appointment]:
    """What this client has met about until then, newest first; cancelled meetings among it."""
    asked = select(Appointment).where(Appointment.client_email == client_email, Appointment.starts_at < before).options(*_WITH_OFFERING)
    return session.scalars(asked.order_by(Appointment.starts_at.desc(), Appointment.id.desc()).limit(most)).all()


def leaves(session: Session, consultant: Consultant, *, since: datetime, until: datetime, now: datetime) -> list[Busy]:
    """A consultant's leave and travel in the window, earliest first."""
    return [claim for claim in taken(session, [consultant.resource_id], since, until, now=now) if claim.kind == "leave"]


def my_week(session: Session, consultant: Consultant, since: datetime, until: datetime, now: datetime) -> list[WeekEntry]:
    """All that a consultant's window holds, earliest first: what they teach, whom they meet, leave, and their own calendar."""
    claims = [claim for claim in taken(session, [consultant.resource_id], since, until, now=now) if claim.kind != "buffer"]
    numbers: dict[str, set[int]] = {"session": set(), "appointment": set()}
    for claim in claims:
        noun, _, number = claim.holder.partition("/")
        if noun in numbers and number.isdecimal():
            numbers[noun].add(int(number))
    meetings = {one.reference: one for one in appointments_of(session, numbers["appointment"])}
    asked = (
        select(EventSession).where(EventSession.id.in_(numbers["session"])).options(joinedload(EventSession.event).joinedload(Event.venue))
    )
    taught = {f"session/{one.id}": one for one in session.scalars(asked)}
    return [_week_entry(claim, meetings.get(claim.holder), taught.get(claim.holder)) for claim in claims]


def meetings_near(session: Session, consultant_ids: Collection[int], at: datetime) -> list[tuple[int, datetime]]:
    """(consultant, start) of the meetings that these people have within a week of that instant, held ones among them."""
    week = timedelta(days=7)
    asked = (
        select(appointment_consultants.c.consultant_id, Appointment.starts_at)
        .join(Appointment, Appointment.id == appointment_consultants.c.appointment_id)
        .where(
            appointment_consultants.c.consultant_id.in_(consultant_ids),
            Appointment.state != "cancelled",
            Appointment.starts_at.between(at - week, at + week),
        )
    )
    return [(row.consultant_id, row.starts_at) for row in session.execute(asked)]


def _week_entry(claim: Busy, meeting: Appointment | None, taught: EventSession | None) -> WeekEntry:
    title = claim.label
    if meeting is not None:
        title = f"{meeting.offering.title}: {meeting.client_name}" if meeting.client_name else meeting.offering.title
    elif taught is not None:
        title = f"{taught.event.title}: {taught.title}" if taught.title else taught.event.title
    return WeekEntry(claim.kind, claim.starts_at, claim.ends_at, title, claim.holder, claim.override_reason, meeting, taught)


_PEOPLE = selectinload(Offering.consultants).options(selectinload(Consultant.hours), selectinload(Consultant.exceptions))
_WITH_PEOPLE = (_PEOPLE, selectinload(Offering.lengths), joinedload(Offering.policy))
_WITH_OFFERING = (joinedload(Appointment.offering), selectinload(Appointment.consultants))
