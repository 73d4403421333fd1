"""Telling people about their seats: letters and calendar entries, with the same few statements for one person as for hundreds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from seminars.calendars.invites import Invitation, Withdrawal, Wording, entries_of, invite_all, withdraw_all
from seminars.catalog.models import Event, EventSession, TicketType
from seminars.catalog.occasions import live_sessions, occasion_of
from seminars.config import Letterhead
from seminars.kit.money import Money
from seminars.messages import outbox
from seminars.registration import letters
from seminars.registration.letters import Purchase
from seminars.registration.models import Registration

MOST_INVITATIONS = 6
"""Above so many sessions nobody wants a mail for each: the confirmation says where to subscribe instead (calendar-mail §1)."""
CALENDAR_NOTE = "Your registration, and how to give your seat to a colleague:"


def tell_confirmed(
    session: Session,
    registrations: Sequence[Registration],
    *,
    letterhead: Letterhead,
    purchase: Purchase | None = None,
    now: datetime,
) -> int:
    """Tell people that they are registered, with an invitation per session; returns how many people that were.

    A seat that nobody is named for tells nobody; naming it later comes here too. Done twice, it is done once.
    """
    posted: list[outbox.Letter] = []
    invitations: list[Invitation] = []
    named = [one for one in with_sessions(session, registrations) if one.named and one.state == "confirmed"]
    for registration in named:
        sessions = sessions_of(registration)
        facts = letters.seat_facts(registration, sessions, letterhead=letterhead)
        if purchase is not None:
            facts |= letters.purchase_facts(registration, purchase)
        if len(sessions) == 1:
            facts["calendar"] = letters.ATTACHED
            invitations.append(
                invitation_to(registration, sessions[0], letterhead=letterhead, first=Wording(kind=letters.CONFIRMED, facts=facts))
            )
            continue
        each = 0 < len(sessions) <= MOST_INVITATIONS
        facts["calendar"] = letters.EACH if each else letters.ON_PAGE
        posted.append(letters.place_confirmed(registration, facts, now=now))
        if each:
            invitations += [invitation_to(registration, one, letterhead=letterhead) for one in sessions]
    outbox.post_all(session, posted, now=now)
    if invitations:
        invite_all(session, invitations, now=now)
    return len(named)


def tell_cancelled(
    session: Session, registrations: Sequence[Registration], *, letterhead: Letterhead, refund: Money | None = None, now: datetime
) -> int:
    """Tell people that they are not registered any more and withdraw their calendar entries; returns how many people that were.

    Only those hear of it who had been confirmed by name. `refund` is what goes back for each of these seats, where that is known.
    """
    gone = [one for one in with_sessions(session, registrations) if one.named and one.confirmed_at is not None]
    standing: dict[str, list[str]] = {}
    for entry in entries_of(session, [one.reference for one in gone]):
        standing.setdefault(entry.holder, []).append(entry.occasion)
    posted: list[outbox.Letter] = []
    withdrawals: list[Withdrawal] = []
    facts_of: dict[str, dict[str, Any]] = {}
    for registration in gone:
        facts = letters.seat_facts(registration, sessions_of(registration), letterhead=letterhead) | letters.refund_facts(refund)
        facts_of[registration.reference] = facts
        occasions = standing.get(registration.reference, [])
        kind = letters.CANCELLED if len(occasions) == 1 else letters.SESSION_WITHDRAWN
        withdrawals += [
            Withdrawal(
                holder=registration.reference,
                occasion=one,
                wording=Wording(kind=kind, facts=facts | {"session": _facts_of_session(registration, one), "whole": True}),
                references=(registration.order_reference,),
            )
            for one in occasions
        ]
    told = withdraw_all(session, withdrawals, now=now) if withdrawals else set()
    for registration in gone:
        if registration.reference not in told or len(standing[registration.reference]) > 1:
            posted.append(letters.place_cancelled(registration, facts_of[registration.reference], now=now))
    outbox.post_all(session, posted, now=now)
    return len(gone)


def with_sessions(session: Session, registrations: Sequence[Registration]) -> list[Registration]:
    """The same registrations with event, place and sessions at hand, in one go."""
    if not registrations:
        return []
    return list(
        session.scalars(
            select(Registration)
            .where(Registration.id.in_([one.id for one in registrations]))
            .options(
                joinedload(Registration.event).options(joinedload(Event.venue), selectinload(Event.sessions)),
                joinedload(Registration.ticket_type).selectinload(TicketType.sessions),
            )
            .order_by(Registration.id)
        )
    )


def sessions_of(registration: Registration) -> list[EventSession]:
    """The sessions that a seat admits to: those of its ticket type, or all of the event; called-off ones left out."""
    return live_sessions(registration.ticket_type.sessions or registration.event.sessions)


def invitation_to(
    registration: Registration, event_session: EventSession, *, letterhead: Letterhead, first: Wording | None = None
) -> Invitation:
    """What one person's calendar should show for one session. `first` words the mail while nothing has been sent about it."""
    assert registration.attendee_email is not None
    page = letters.seat_page(letterhead, registration)
    sessions = sessions_of(registration)
    facts = letters.seat_facts(registration, sessions, letterhead=letterhead) | {"session": letters.session_facts(event_session)}
    return Invitation(
        holder=registration.reference,
        occasion=occasion_of(event_session, page=page, of=len(sessions), description=f"{CALENDAR_NOTE} {page}"),
        recipient=registration.attendee_email,
        name=registration.attendee_name or "",
        organizer=letterhead.mail_from,
        organizer_name=letterhead.center.name,
        first=first or Wording(kind=letters.INVITATION, facts=facts),
        change=Wording(kind=letters.SESSION_CHANGED, facts=facts),
        farewell=Wording(kind=letters.PASSED_ON, facts=facts),
        references=(registration.order_reference,),
    )


def _facts_of_session(registration: Registration, occasion: str) -> dict[str, Any] | None:
    number = int(occasion.partition("/")[2])
    return next((letters.session_facts(one) for one in registration.event.sessions if one.id == number), None)
