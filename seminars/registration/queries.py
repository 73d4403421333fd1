"""Registrations as pages ask for them."""

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from seminars.catalog.models import Event, EventSession, TicketType, ticket_type_sessions
from seminars.registration.models import Registration


def registration_by_secret(session: Session, secret: str) -> Registration | None:
    """The registration that this secret link opens, with its event, place, sessions and rules."""
    return session.scalar(
        select(Registration)
        .where(Registration.secret == secret)
        .options(
            joinedload(Registration.event).options(
                joinedload(Event.venue), joinedload(Event.policy), joinedload(Event.seminar), selectinload(Event.sessions)
            ),
            joinedload(Registration.ticket_type).selectinload(TicketType.sessions),
        )
    )


def told_of(session: Session, event_session: EventSession) -> int:
    """How many confirmed people would hear of a change of this session: those whose ticket admits to it."""
    confirmed = (
        Registration.event_id == event_session.event_id,
        Registration.state == "confirmed",
        Registration.attendee_email.is_not(None),
    )
    named = select(ticket_type_sessions.c.ticket_type_id).where(ticket_type_sessions.c.ticket_type_id == Registration.ticket_type_id)
    admitted = or_(~named.exists(), named.where(ticket_type_sessions.c.session_id == event_session.id).exists())
    return session.scalar(select(func.count()).select_from(Registration).where(*confirmed, admitted)) or 0
