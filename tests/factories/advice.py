"""Builders of consulting: a consultant with hours, an offering on sale. Each sets only what a test speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Any

from sqlalchemy.orm import Session

from seminars.consulting import consultants, offerings
from seminars.consulting.consultants import ConsultantFacts, Stretch
from seminars.consulting.intake import Question
from seminars.consulting.models import Consultant, Offering
from seminars.consulting.offerings import OfferingFacts
from tests.clock import NOON

CHICAGO = "America/Chicago"
OFFICE = tuple(Stretch(weekday, time(9), time(17)) for weekday in range(5))


def a_consultant(
    session: Session, name: str = "Rosa Castellane", *, zone: str = CHICAGO, hours: Sequence[Stretch] = OFFICE, **facts: Any
) -> Consultant:
    """Somebody who works from 9 to 5, Monday to Friday, on their own clock."""
    address = f"{name.split()[0].lower()}@northfield.example"
    given = {"name": name, "email": address, "zone": zone, "video_link": "https://meet.example/{code}"} | facts
    made = consultants.create(session, ConsultantFacts(**given), now=NOON)
    return consultants.set_hours(session, made, hours)


def an_offering(
    session: Session,
    *people: Consultant,
    title: str = "Policy review",
    lengths: dict[int, int] | None = None,
    questions: Sequence[Question] = (),
    published: bool = True,
    **facts: Any,
) -> Offering:
    """A service on sale, an hour for $280.00, with a consultant of its own unless some are named; no buffers, a day's notice."""
    made = offerings.create(session, OfferingFacts(title=title, **facts), now=NOON)
    offerings.set_lengths(session, made, {60: 28_000} if lengths is None else lengths, now=NOON)
    offerings.set_consultants(session, made, people or [a_consultant(session)], now=NOON)
    offerings.set_questions(session, made, questions)
    return offerings.publish(session, made, now=NOON) if published else made
