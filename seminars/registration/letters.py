"""The facts of letters to the people who take part. Their wording lies under templates/mail/registration/."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog.models import Event, EventSession
from seminars.catalog.occasions import join_address, place
from seminars.config import Letterhead
from seminars.kit.money import Money
from seminars.kit.references import fingerprint
from seminars.messages.outbox import Letter
from seminars.messages.render import Posted
from seminars.registration.models import Registration

CONFIRMED = "registration/confirmed"
INVITATION = "registration/invitation"
SESSION_CHANGED = "registration/session_changed"
CANCELLED = "registration/cancelled"
SESSION_WITHDRAWN = "registration/session_withdrawn"
PASSED_ON = "registration/passed_on"

ATTACHED, EACH, ON_PAGE = "attached", "each", "page"
"""How the calendar entries come: with this letter, one mail per session, or from the person's page."""


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """What a letter about a seat says of the order behind it.

    `refunds` says for each event (by id) until when it can be cancelled, and at what fee.
    """

    number: str
    buyer_name: str
    buyer_email: str
    page: str
    paid: bool
    refunds: dict[int, dict[str, Any]]


def seat_page(letterhead: Letterhead, registration: Registration) -> str:
    """The address of a person's own page."""
    return f"{letterhead.base_url}/registrations/{registration.secret}"


def event_page(letterhead: Letterhead, event: Event) -> str:
    """The public address of an event."""
    return f"{letterhead.base_url}/events/{event.reference}"


def session_facts(event_session: EventSession) -> dict[str, Any]:
    """When and where one session is."""
    return {
        "title": event_session.title,
        "starts_at": event_session.starts_at.isoformat(),
        "ends_at": event_session.ends_at.isoformat(),
        "zone": event_session.event.zone,
        "all_day": event_session.all_day,
        "place": place(event_session),
        "join_url": join_address(event_session),
    }


def seat_facts(registration: Registration, sessions: Sequence[EventSession], *, letterhead: Letterhead) -> dict[str, Any]:
    """Who takes part in what, when and where: what every letter about a seat says."""
    event = registration.event
    venue = event.venue
    return {
        "name": registration.attendee_name or "",
        "event": event.title,
        "ticket": registration.ticket_type.name if registration.ticket_type.sessions else "",
        "event_page": event_page(letterhead, event),
        "page": seat_page(letterhead, registration),
        "sessions": [session_facts(one) for one in sessions],
        "home_zone": registration.zone,
        "map_url": venue.map_url if venue else "",
        "access_notes": venue.access_notes if venue else "",
    }


def purchase_facts(registration: Registration, purchase: Purchase) -> dict[str, Any]:
    """What a letter about this seat says of its order. Only the buyer gets the address of the order's page."""
    own = registration.attendee_email is not None and registration.attendee_email.casefold() == purchase.buyer_email.casefold()
    return {
        "order": purchase.number,
        "order_page": purchase.page if own else "",
        "bought_by": "" if own else purchase.buyer_name,
        "paid": purchase.paid,
        "refund": purchase.refunds.get(registration.event_id, {}),
    }


def place_confirmed(registration: Registration, facts: dict[str, Any], *, now: datetime) -> Letter:
    """You are registered: for somebody whose calendar entries come separately or not at all."""
    since = registration.confirmed_at or now
    assert registration.attendee_email is not None
    return Letter(
        kind=CONFIRMED,
        key=f"registration.confirmed:{registration.id}:{since:%Y%m%dT%H%M%S}:{fingerprint(registration.attendee_email.casefold())[:12]}",
        to=registration.attendee_email,
        name=registration.attendee_name or "",
        facts=facts,
        references=references_of(registration),
    )


def place_cancelled(registration: Registration, facts: dict[str, Any], *, now: datetime) -> Letter:
    """You are not registered any more: for somebody whose calendar has nothing to forget, or forgets it by other letters."""
    since = registration.cancelled_at or now
    assert registration.attendee_email is not None
    return Letter(
        kind=CANCELLED,
        key=f"registration.cancelled:{registration.id}:{since:%Y%m%dT%H%M%S}",
        to=registration.attendee_email,
        name=registration.attendee_name or "",
        facts=facts,
        references=references_of(registration),
    )


def session_changed(registration: Registration, facts: dict[str, Any], occasion: str, *, now: datetime) -> Letter:
    """Something about a session is different: for somebody who has no calendar entry of it."""
    assert registration.attendee_email is not None
    return Letter(
        kind=SESSION_CHANGED,
        key=f"session.changed:{occasion}:{registration.id}:{now:%Y%m%dT%H%M%S.%f}",
        to=registration.attendee_email,
        name=registration.attendee_name or "",
        facts=facts,
        references=(*references_of(registration), occasion),
    )


def refund_facts(refund: Money | None) -> dict[str, Any]:
    """What goes back to the person who paid, where anything does."""
    return {"refund_amount": {"amount": refund.amount, "currency": refund.currency} if refund else None}


def references_of(registration: Registration) -> tuple[str, ...]:
    """What a letter about a seat is about."""
    return registration.reference, registration.order_reference


def still_wanted(session: Session, messages: Sequence[Posted]) -> Collection[int]:
    """The ids of those whose reader still has the seat that they speak of. News of an end is always wanted."""
    about = {message.id: _registration_id(message) for message in messages}
    asked = select(Registration.id).where(Registration.id.in_(set(about.values())), Registration.state != "cancelled")
    live = set(session.scalars(asked))
    return [message_id for message_id, registration_id in about.items() if registration_id in live]


def _registration_id(message: Posted) -> int:
    return next((int(one.partition("/")[2]) for one in message.references if one.startswith("registration/")), 0)
