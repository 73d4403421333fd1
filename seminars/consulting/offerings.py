"""Offerings: consulting services that can be booked, from the draft to the list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog.models import RefundPolicy
from seminars.catalog.seminars import next_free
from seminars.consulting import intake, listings
from seminars.consulting.intake import Question
from seminars.consulting.models import MODES, Consultant, Offering, OfferingLength
from seminars.kit.references import slug
from seminars.kit.refusals import BadInputs, Conflict, Refusal
from seminars.kit.typed import Fields

SHORTEST, LONGEST = 5, 1_440
MOST_LENGTHS = 10


@dataclass(frozen=True)
class OfferingFacts:
    """What an offering says about itself and its rules. Minutes for buffers and step, hours for notice and changes, days for horizon."""

    title: str
    summary: str = ""
    description: str = ""
    topic: str = ""
    mode: str = "video"
    place: str = ""
    currency: str = "USD"
    listed: bool = True
    needs_approval: bool = False
    together: int = 1
    notice_hours: int = 24
    horizon_days: int = 60
    daily_cap: int | None = None
    buffer_before: int = 0
    buffer_after: int = 0
    step: int = 30
    change_hours: int = 24
    policy: RefundPolicy | None = None


LIMITS = {
    "together": (1, 5),
    "notice_hours": (0, 8_760),
    "horizon_days": (1, 730),
    "buffer_before": (0, 480),
    "buffer_after": (0, 480),
    "step": (5, 480),
    "change_hours": (0, 8_760),
}


class NotReady(Refusal):
    """The offering cannot be published yet. Knows everything that is missing."""

    def __init__(self, missing: Sequence[str]) -> None:
        self.missing = list(missing)
        super().__init__(f"Before this offering can be published: {'; '.join(missing)}.")


def create(session: Session, facts: OfferingFacts, *, now: datetime) -> Offering:
    """Describe a new service, as a draft. Its address is made from its title and stays when the title changes. Raises BadInputs."""
    checked = _checked(facts)
    plain = slug(checked.title)
    taken = set(session.scalars(select(Offering.slug).where(Offering.slug.startswith(plain, autoescape=True))))
    offering = Offering(**vars(checked), slug=next_free(plain, taken), state="draft", questions=[], created_at=now)
    session.add(offering)
    session.flush()
    return offering


def change(session: Session, offering: Offering, facts: OfferingFacts, *, now: datetime) -> Offering:
    """Describe a service anew; what was booked keeps its time, and the list follows. Raises BadInputs, Conflict, NotReady."""
    checked = _checked(facts)
    if offering.published_at is not None and checked.currency != offering.currency:
        raise Conflict("This offering has been on sale. Make another one to sell it in another currency.")
    for name, value in vars(checked).items():
        setattr(offering, name, value)
    return _changed(session, offering, now=now)


def set_lengths(session: Session, offering: Offering, prices: Mapping[int, int], *, now: datetime) -> Offering:
    """Say anew how long a meeting may be (minutes) and what that costs (minor units). Raises BadInputs, NotReady.

    A length that is left out is withdrawn; who holds such a meeting keeps it.
    """
    errors = {}
    if not 1 <= len(prices) <= MOST_LENGTHS:
        errors["lengths"] = f"Please give from 1 to {MOST_LENGTHS} lengths."
    for minutes, price in prices.items():
        if not SHORTEST <= minutes <= LONGEST:
            errors[f"lengths.{minutes}"] = f"A meeting lasts from {SHORTEST} minutes to {LONGEST // 60} hours."
        elif not 0 <= price < 10**12:
            errors[f"lengths.{minutes}"] = "Please type a price of nothing or more."
    if errors:
        raise BadInputs(errors)
    known = {length.minutes: length for length in offering.lengths}
    for length in offering.lengths:
        length.offered = length.minutes in prices
    for minutes, price in prices.items():
        if minutes in known:
            known[minutes].price = price
        else:
            offering.lengths.append(OfferingLength(minutes=minutes, price=price, offered=True))
    offering.lengths.sort(key=lambda length: length.minutes)
    return _changed(session, offering, now=now)


def set_consultants(session: Session, offering: Offering, consultants: Sequence[Consultant], *, now: datetime) -> Offering:
    """Say anew who may deliver it; what was booked stays with whom it is booked. Raises NotReady."""
    offering.consultants = sorted(consultants, key=lambda consultant: consultant.name)
    return _changed(session, offering, now=now)


def set_questions(session: Session, offering: Offering, questions: Sequence[Question]) -> Offering:
    """Say anew what clients are asked before a meeting. Raises BadInputs."""
    offering.questions = intake.stored(questions)
    session.flush()
    return offering


def publish(session: Session, offering: Offering, *, now: datetime) -> Offering:
    """Put it on sale. Raises NotReady with everything that is missing, Conflict when it is on sale."""
    if offering.state == "published":
        raise Conflict("This offering is published already.")
    if gaps := missing(offering):
        raise NotReady(gaps)
    offering.state, offering.published_at = "published", offering.published_at or now
    listings.refresh(session, offering, now=now)
    return offering


def archive(session: Session, offering: Offering, *, now: datetime) -> Offering:
    """Take it off sale; what was booked stays. Raises Conflict."""
    if offering.state != "published":
        raise Conflict("Only a published offering can be put away.")
    offering.state = "archived"
    listings.refresh(session, offering, now=now)
    return offering


def missing(offering: Offering) -> list[str]:
    """What stands in the way of selling it."""
    people = [consultant for consultant in offering.consultants if consultant.active]
    found = []
    if not any(length.offered for length in offering.lengths):
        found.append("say how long a meeting is and what it costs")
    if len(people) < offering.together:
        found.append("name a consultant who delivers it" if offering.together == 1 else f"name {offering.together} consultants for it")
    if offering.mode == "in_person" and not offering.place:
        found.append("say where it takes place")
    if offering.mode == "video":
        found += [f"give {consultant.name} a video link" for consultant in people if not consultant.video_link]
    return found


def _changed(session: Session, offering: Offering, *, now: datetime) -> Offering:
    """What is on sale stays sellable, and the list follows. Raises NotReady; the caller rolls back."""
    if offering.state == "published" and (gaps := missing(offering)):
        raise NotReady(gaps)
    listings.refresh(session, offering, now=now)
    return offering


def _checked(facts: OfferingFacts) -> OfferingFacts:
    fields = Fields()
    if facts.mode not in MODES:
        fields.wrong("mode", "Please choose how the meeting takes place.")
    if not (len(facts.currency) == 3 and facts.currency.isascii() and facts.currency.isupper()):
        fields.wrong("currency", "Please type three capitals such as USD.")
    for name, (low, high) in LIMITS.items():
        if not low <= getattr(facts, name) <= high:
            fields.wrong(name, f"Please type a whole number from {low:,} to {high:,}.")
    if facts.daily_cap is not None and not 1 <= facts.daily_cap <= 100:
        fields.wrong("daily_cap", "Please type a whole number from 1 to 100, or nothing.")
    checked = OfferingFacts(
        **vars(facts)
        | {
            "title": fields.line("title", facts.title, most=300),
            "summary": fields.text("summary", facts.summary, most=600),
            "description": fields.text("description", facts.description),
            "topic": fields.line("topic", facts.topic, most=40, required=False),
            "place": fields.line("place", facts.place, most=300, required=False),
        }
    )
    fields.finish()
    return checked
