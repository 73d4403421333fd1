"""Registrations as pages ask for them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, or_, select
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
    return session.scalar(select(func.count()).select_from(Registration).where(_hears_of(event_session))) or 0


def people_told_of(session: Session, event_sessions: Sequence[EventSession]) -> int:
    """How many people would hear of a change of any of these sessions, each counted once however many seats they have."""
    if not event_sessions:
        return 0
    heard = select(func.count(Registration.attendee_email.distinct()))
    return session.scalar(heard.where(or_(*(_hears_of(one) for one in event_sessions)))) or 0


def _hears_of(event_session: EventSession) -> ColumnElement[bool]:
    named = select(ticket_type_sessions.c.ticket_type_id).where(ticket_type_sessions.c.ticket_type_id == Registration.ticket_type_id)
    return and_(
        Registration.event_id == event_session.event_id,
        Registration.state == "confirmed",
        Registration.attendee_email.is_not(None),
        or_(~named.exists(), named.where(ticket_type_sessions.c.session_id == event_session.id).exists()),
    )
