"""Builders of appointments: held, confirmed, asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from seminars.consulting import appointments, booking
from seminars.consulting.booking import Client
from seminars.consulting.intake import Question
from seminars.consulting.models import Appointment, Offering
from tests.clock import NOON
from tests.factories.advice import CHICAGO, a_consultant, an_offering

NINE = datetime(2027, 3, 3, 15, tzinfo=UTC)
"""9:00 on Wednesday in Chicago, two days ahead."""
ANNA = Client("Anna Vestergren", "anna.vestergren@quillhaven.example", "Quillhaven Regional Hospital")


def a_held_one(session: Session, offering: Offering, starts_at: datetime = NINE, **given: Any) -> Appointment:
    """A slot in cart/1."""
    asked = {"holder": "cart/1", "zone": CHICAGO, "now": NOON} | given
    return booking.hold_slot(session, offering, asked.pop("length", offering.lengths[0]), starts_at=starts_at, **asked)


def a_confirmed_one(
    session: Session, offering: Offering, starts_at: datetime = NINE, *, order: str = "order/7", **given: Any
) -> Appointment:
    """One that Anna ordered and paid."""
    held = a_held_one(session, offering, starts_at, **given)
    booking.keep(session, [held], order_reference=order, client=ANNA, now=NOON)
    appointments.confirm(session, order, now=NOON)
    return held


def a_requested_one(session: Session, offering: Offering, starts_at: datetime = NINE, **given: Any) -> Appointment:
    """One that Anna asks for."""
    return booking.request(session, a_held_one(session, offering, starts_at, **given), client=ANNA, now=NOON)


def some_consulting(session: Session) -> dict[str, Any]:
    """An hour that Anna has booked, and one that she has chosen of what needs an answer and an approval; what leads to all of it."""
    rosa = a_consultant(session)
    booked = a_confirmed_one(session, an_offering(session, rosa))
    asked = an_offering(session, rosa, title="Workshop", needs_approval=True, questions=[Question("what", "What about?", required=True)])
    chosen = a_held_one(session, asked, NINE + timedelta(days=1))
    return {
        "consultant_id": rosa.id,
        "consultant_slug": rosa.slug,
        "feed_secret": rosa.feed_secret,
        "offering_id": asked.id,
        "offering_slug": asked.slug,
        "appointment_id": booked.id,
        "appointment_secret": booked.secret,
        "chosen_secret": chosen.secret,
    }
