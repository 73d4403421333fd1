"""Seats with people in them: placed, confirmed, named, given back."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from seminars.kit.references import secret
from seminars.kit.refusals import Conflict
from seminars.registration import capacity, holds
from seminars.registration.models import Registration


@dataclass(frozen=True)
class Attendee:
    """Who takes a seat."""

    name: str
    email: str
    profession: str = ""
    needs: str = ""


@dataclass(frozen=True)
class Seat:
    """A seat to be registered, and who takes it (nobody yet when `attendee` is None)."""

    event_id: int
    ticket_type_id: int
    attendee: Attendee | None


def place_seats(
    session: Session,
    seats: Sequence[Seat],
    *,
    order_reference: str,
    organisation: str,
    zone: str,
    comp_reason: str = "",
    now: datetime,
) -> list[Registration]:
    """Register seats whose places are taken already; the registrations, in the order of the seats."""
    rows = [
        {
            "secret": secret(),
            "event_id": seat.event_id,
            "ticket_type_id": seat.ticket_type_id,
            "order_reference": order_reference,
            "state": "held",
            "attendee_name": seat.attendee.name if seat.attendee else None,
            "attendee_email": seat.attendee.email if seat.attendee else None,
            "profession": seat.attendee.profession if seat.attendee else "",
            "needs": seat.attendee.needs if seat.attendee else "",
            "organisation": organisation,
            "zone": zone,
            "comp": bool(comp_reason),
            "comp_reason": comp_reason,
            "created_at": now,
        }
        for seat in seats
    ]
    if not rows:
        return []
    return list(session.scalars(insert(Registration).returning(Registration, sort_by_parameter_order=True), rows))


def of_order(session: Session, order_reference: str) -> list[Registration]:
    """The registrations of an order, locked, oldest first."""
    return list(
        session.scalars(
            select(Registration)
            .where(Registration.order_reference == order_reference)
            .order_by(Registration.id)
            .with_for_update(of=Registration)
        )
    )


def confirm(session: Session, order_reference: str, *, now: datetime) -> list[Registration]:
    """Confirm the held seats of an order; those that were confirmed by this call."""
    held = [registration for registration in of_order(session, order_reference) if registration.state == "held"]
    for registration in held:
        registration.state, registration.confirmed_at = "confirmed", now
    session.flush()
    return held


def name_seat(session: Session, registration: Registration, attendee: Attendee) -> Registration:
    """Say who takes a seat that nobody was named for. Raises Conflict when it is named or gone."""
    session.refresh(registration, with_for_update={"of": Registration, "key_share": True})
    if registration.state not in ("held", "confirmed"):
        raise Conflict("This seat is not open any more.")
    if registration.named:
        raise Conflict(f"This seat is already in the name of {registration.attendee_name}.")
    registration.attendee_name, registration.attendee_email = attendee.name, attendee.email
    registration.profession, registration.needs = attendee.profession, attendee.needs
    session.flush()
    return registration


def cancel(session: Session, registrations: Sequence[Registration], *, now: datetime) -> list[Registration]:
    """Give seats back to be sold again; those that were live until now. The caller holds the rows locked."""
    live = [r for r in registrations if r.state in ("held", "confirmed")]
    for registration in live:
        registration.state, registration.cancelled_at = "cancelled", now
    session.flush()
    capacity.give_back(session, Counter(r.ticket_type_id for r in live))
    return live


def retake(session: Session, registrations: Sequence[Registration], *, now: datetime) -> list[Registration]:
    """Take back seats that were given up, for money that came late. Raises SoldOut; the caller rolls back to where it was."""
    gone = [r for r in registrations if r.state == "cancelled"]
    holds.take(session, Counter(r.ticket_type_id for r in gone), {r.event_id for r in gone}, now=now)
    for registration in gone:
        registration.state, registration.cancelled_at = "held", None
    session.flush()
    return gone
