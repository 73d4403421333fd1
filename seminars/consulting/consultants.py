"""Consultants: who advises, in which hours, and when they are away."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.calendars.zones import known_zone
from seminars.catalog.seminars import next_free
from seminars.consulting import listings
from seminars.consulting.models import AvailabilityException, AvailabilityRule, Consultant, Offering, offering_consultants
from seminars.kit.format import day as day_words
from seminars.kit.references import secret, slug
from seminars.kit.refusals import BadInput, Conflict, NotFound
from seminars.kit.typed import Fields, email, one_line, web_address
from seminars.schedule import claims
from seminars.schedule.claims import Span
from seminars.schedule.models import Resource

MIDNIGHT = time(0, 0)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CODE = "{code}"
CODE_LETTERS = 16
"""Of a video link: 80 random bits, so that nobody finds the room of somebody else."""
MOST_STRETCHES = 70


@dataclass(frozen=True)
class ConsultantFacts:
    """What is said of a consultant. `video_link` may hold {code}, which is another random word for each appointment."""

    name: str
    email: str
    zone: str
    credentials: str = ""
    role: str = ""
    bio: str = ""
    video_link: str = ""
    listed: bool = True
    active: bool = True


@dataclass(frozen=True)
class Stretch:
    """Hours of one weekday (0 is Monday), on the clock of `zone` or else of the consultant. An end at midnight is the end of the day."""

    weekday: int
    starts: time
    ends: time
    zone: str = ""


def create(
    session: Session, facts: ConsultantFacts, *, resource: Resource | None = None, user_id: int | None = None, now: datetime
) -> Consultant:
    """Introduce somebody who advises. Who teaches too shares the speaker's resource. Raises BadInputs."""
    checked = _checked(facts)
    plain = slug(checked.name)
    taken = set(session.scalars(select(Consultant.slug).where(Consultant.slug.startswith(plain, autoescape=True))))
    consultant = Consultant(
        **vars(checked),
        slug=next_free(plain, taken),
        resource=resource or Resource(kind="person", name=checked.name),
        user_id=user_id,
        feed_secret=secret(),
        created_at=now,
    )
    session.add(consultant)
    session.flush()
    return consultant


def change(session: Session, consultant: Consultant, facts: ConsultantFacts, *, now: datetime) -> Consultant:
    """Introduce a consultant anew; the list follows, because people search it for names. Raises BadInputs."""
    checked = _checked(facts)
    for name, value in vars(checked).items():
        setattr(consultant, name, value)
    consultant.resource.name = checked.name
    session.flush()
    theirs = select(offering_consultants.c.offering_id).where(offering_consultants.c.consultant_id == consultant.id)
    listings.refresh_many(session, session.scalars(theirs), now=now)
    return consultant


def link_login(session: Session, consultant: Consultant, user_id: int | None) -> Consultant:
    """Say as whom a consultant signs in, or that they do not. Raises BadInput when that login is another consultant's."""
    others = select(Consultant.name).where(Consultant.user_id == user_id, Consultant.id != consultant.id)
    if user_id is not None and (name := session.scalar(others)):
        raise BadInput(f"This login is {name}'s.", "user")
    consultant.user_id = user_id
    session.flush()
    return consultant


def set_hours(session: Session, consultant: Consultant, hours: Sequence[Stretch]) -> Consultant:
    """Say anew in which hours of the week this consultant works. Raises BadInputs at `hours.<number>`."""
    fields = Fields()
    if len(hours) > MOST_STRETCHES:
        fields.wrong("hours", f"Please give at most {MOST_STRETCHES} stretches of hours.")
    for number, one in enumerate(hours, start=1):
        fields.read(lambda each=one, at=number: _assert_stretch(each, f"hours.{at}"), None)  # type: ignore[misc]
        for other in hours[: number - 1]:
            if other.weekday == one.weekday and (other.zone or consultant.zone) == (one.zone or consultant.zone) and _cross(one, other):
                fields.wrong(f"hours.{number}", f"These hours overlap others of {WEEKDAYS[one.weekday]}.")
    fields.finish()
    consultant.hours = [AvailabilityRule(weekday=one.weekday, starts=one.starts, ends=one.ends, zone=one.zone) for one in hours]
    session.flush()
    session.refresh(consultant, ["hours"])
    return consultant


def add_exception(
    session: Session,
    consultant: Consultant,
    day: date,
    *,
    starts: time | None = None,
    ends: time | None = None,
    zone: str = "",
    note: str = "",
) -> AvailabilityException:
    """On one day other hours than in other weeks, or, without hours, none. Several make several stretches. Raises BadInput, Conflict."""
    if (starts is None) != (ends is None):
        raise BadInput("Please give both ends of the hours, or neither.", "ends")
    if starts is not None and ends is not None:
        _assert_stretch(Stretch(day.weekday(), starts, ends, zone), "ends")
    note = one_line(note, field="note", most=200, required=False)
    session.refresh(consultant, with_for_update={"key_share": True})
    same_day = [one for one in consultant.exceptions if one.day == day]
    if (starts is None and same_day) or any(one.starts is None for one in same_day):
        raise Conflict(f"There are other hours for {day_words(day)} already. Remove them first.")
    if any(
        one.starts is not None and one.ends is not None and starts is not None and ends is not None
        and _cross(Stretch(0, starts, ends), Stretch(0, one.starts, one.ends))
        and (one.zone or consultant.zone) == (zone or consultant.zone)
        for one in same_day
    ):  # fmt: skip
        raise Conflict(f"These hours overlap others of {day_words(day)}.")
    exception = AvailabilityException(day=day, starts=starts, ends=ends, zone=zone, note=note)
    consultant.exceptions.append(exception)
    session.flush()
    return exception


def remove_exception(session: Session, consultant: Consultant, exception_id: int) -> None:
    """Let the weekly hours hold on that day again. Raises NotFound."""
    found = next((one for one in consultant.exceptions if one.id == exception_id), None)
    if found is None:
        raise NotFound("These hours are not there any more.")
    consultant.exceptions.remove(found)
    session.flush()


def take_leave(
    session: Session,
    consultant: Consultant,
    *,
    starts_at: datetime,
    ends_at: datetime,
    label: str = "",
    override_reason: str = "",
    now: datetime,
) -> str:
    """Take a consultant's time for leave or travel; the holder of the claim, by which it ends.

    Raises BadInput, and schedule's Taken where something stands in that time, unless staff give a reason to lay the leave over it.
    """
    if ends_at <= starts_at:
        raise BadInput("The leave ends before it begins.", "ends_at")
    label = one_line(label, field="label", most=200, required=False)
    holder = f"{consultant.reference}/leave/{secret()[:10]}"
    leave = Span(consultant.resource_id, starts_at, ends_at, "leave", label or "leave")
    claims.take(session, holder, [leave], override_reason=override_reason, now=now)
    return holder


def end_leave(session: Session, consultant: Consultant, holder: str) -> None:
    """Give the time of a leave back. Raises NotFound."""
    if not holder.startswith(f"{consultant.reference}/leave/") or not claims.release(session, [holder]):
        raise NotFound("This leave is not there any more.")


def renew_feed_secret(session: Session, consultant: Consultant) -> Consultant:
    """Give the private calendar feed another address; the old one shows nothing from now on."""
    consultant.feed_secret = secret()
    session.flush()
    return consultant


def set_busy_url(session: Session, consultant: Consultant, url: str, *, now: datetime) -> Consultant:
    """Subscribe to the consultant's own calendar, or, with nothing, give it up and forget what it said. Raises BadInput."""
    cleaned = web_address(url.strip().replace("webcal://", "https://", 1), field="busy_url")
    if cleaned == consultant.busy_url:
        return consultant
    consultant.busy_url, consultant.busy_etag, consultant.busy_trouble = cleaned, "", ""
    consultant.busy_tried_at = consultant.busy_read_at = None
    claims.replace_busy(session, busy_holder(consultant), consultant.resource_id, [], now=now)
    session.flush()
    return consultant


def busy_holder(consultant: Consultant) -> str:
    """Who holds the times that the consultant's own calendar names."""
    return f"busy/{consultant.reference}"


def offerings_of(session: Session, consultant: Consultant) -> Sequence[Offering]:
    """What this consultant delivers and can be booked now, by title."""
    found = select(Offering).join(offering_consultants).where(offering_consultants.c.consultant_id == consultant.id)
    return session.scalars(found.where(Offering.state == "published", Offering.listed).order_by(Offering.title, Offering.id)).all()


def _checked(facts: ConsultantFacts) -> ConsultantFacts:
    fields = Fields()
    if not known_zone(facts.zone):
        fields.wrong("zone", "Please choose a time zone.")
    checked = ConsultantFacts(
        name=fields.line("name", facts.name, most=200),
        email=fields.read(lambda: email(facts.email, field="email"), ""),
        zone=facts.zone,
        credentials=fields.line("credentials", facts.credentials, most=100, required=False),
        role=fields.line("role", facts.role, most=300, required=False),
        bio=fields.text("bio", facts.bio),
        video_link=fields.read(lambda: _link_template(facts.video_link), ""),
        listed=facts.listed,
        active=facts.active,
    )
    fields.finish()
    return checked


def _link_template(typed: str) -> str:
    link = web_address(typed, field="video_link")
    if re.search("[{}]", link.replace(CODE, "")):
        raise BadInput("The only thing in braces can be {code}, which is another word for each appointment.", "video_link")
    return link


def _assert_stretch(one: Stretch, field: str) -> None:
    """Raises BadInput."""
    if not 0 <= one.weekday <= 6:
        raise BadInput("Please choose a day of the week.", field)
    if one.starts.tzinfo or one.ends.tzinfo or not (one.ends > one.starts or one.ends == MIDNIGHT):
        raise BadInput("These hours end before they begin.", field)
    if one.zone and not known_zone(one.zone):
        raise BadInput("Please choose a time zone.", field)


def _cross(one: Stretch, other: Stretch) -> bool:
    return (other.ends == MIDNIGHT or one.starts < other.ends) and (one.ends == MIDNIGHT or other.starts < one.ends)
