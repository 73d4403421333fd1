"""Telling people that a session of theirs has changed."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.calendars.invites import Invitation, Withdrawal, Wording, entries_of, invite_all, withdraw_all
from seminars.catalog.models import EventSession
from seminars.catalog.occasions import session_reference
from seminars.config import Letterhead
from seminars.messages import outbox
from seminars.registration import letters
from seminars.registration.announcing import invitation_to, sessions_of, with_sessions
from seminars.registration.models import Registration


def tell_everyone(session: Session, event_session: EventSession, *, letterhead: Letterhead, now: datetime) -> int:
    """Tell all confirmed people of a session what it is like now: time, place, link, or that it is called off.

    Who has a calendar entry that says so already hears nothing. Returns how many people were looked at; the number of statements
    does not depend on it.
    """
    session.flush()
    if event_session.state == "cancelled":
        return _call_off(session, event_session, letterhead=letterhead, now=now)
    occasion = session_reference(event_session)
    attending = [one for one in _confirmed(session, event_session) if event_session in sessions_of(one)]
    entered = {entry.holder for entry in entries_of(session, [one.reference for one in attending], occasion=occasion)}
    invitations: list[Invitation] = []
    posted: list[outbox.Letter] = []
    for registration in attending:
        sessions = sessions_of(registration)
        facts = letters.seat_facts(registration, sessions, letterhead=letterhead)
        if registration.reference not in entered:
            posted.append(
                letters.session_changed(registration, facts | {"session": letters.session_facts(event_session)}, occasion, now=now)
            )
            continue
        first = Wording(kind=letters.CONFIRMED, facts=facts | {"calendar": letters.ATTACHED}) if len(sessions) == 1 else None
        invitations.append(invitation_to(registration, event_session, letterhead=letterhead, first=first))
    if invitations:
        invite_all(session, invitations, now=now)
    outbox.post_all(session, posted, now=now)
    return len(attending)


def _call_off(session: Session, event_session: EventSession, *, letterhead: Letterhead, now: datetime) -> int:
    occasion = session_reference(event_session)
    attending = _confirmed(session, event_session)
    withdrawals = [
        Withdrawal(
            holder=registration.reference,
            occasion=occasion,
            wording=Wording(
                kind=letters.SESSION_WITHDRAWN,
                facts=letters.seat_facts(registration, sessions_of(registration), letterhead=letterhead)
                | {"session": letters.session_facts(event_session), "whole": False},
            ),
            references=(registration.order_reference,),
        )
        for registration in attending
    ]
    if withdrawals:
        withdraw_all(session, withdrawals, now=now)
    return len(attending)


def _confirmed(session: Session, event_session: EventSession) -> list[Registration]:
    """People with a seat, by name.

    An event's seats are locked in the order of their ids, so that a cancellation at the same moment comes before this or after it.
    """
    seats = (
        select(Registration)
        .where(
            Registration.event_id == event_session.event_id,
            Registration.state == "confirmed",
            Registration.attendee_email.is_not(None),
        )
        .order_by(Registration.id)
        .with_for_update(key_share=True)
    )
    return with_sessions(session, session.scalars(seats).all())
