"""Telling clients and consultants about their appointments: letters, and an entry in the calendar of each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.calendars.invites import Invitation, Occasion, Withdrawal, Wording, invite_all, withdraw_all
from seminars.calendars.models import CalendarEntry
from seminars.config import Letterhead
from seminars.consulting import letters
from seminars.consulting.appointments import price_of
from seminars.consulting.models import Appointment, Consultant
from seminars.consulting.queries import appointments_of
from seminars.kit.money import Money
from seminars.messages import outbox
from seminars.messages.models import Message

CLIENT_NOTE = "Your appointment, and how to move it:"
CONSULTANT_NOTE = "Your week, with what the client has answered:"


def tell_confirmed(
    session: Session,
    appointments: Sequence[Appointment],
    *,
    letterhead: Letterhead,
    purchase_facts: Mapping[str, Any] | None = None,
    now: datetime,
) -> int:
    """Tell clients and consultants of confirmed appointments, each with an invitation; how many appointments. Twice is once.

    `purchase_facts` are `order`, `order_page` and `paid`, where the client is the buyer.
    """
    standing = [one for one in appointments_of(session, [one.id for one in appointments]) if one.state == "confirmed"]
    invitations = [
        each for one in standing for each in _invitations(one, letterhead=letterhead, purchase=purchase_facts, now=now)
    ]  # fmt: skip
    if invitations:
        invite_all(session, invitations, now=now)
    return len(standing)


def tell_moved(session: Session, appointments: Sequence[Appointment], *, letterhead: Letterhead, now: datetime) -> int:
    """Tell of another time, place or consultant; whoever is not in it any more has the entry withdrawn. How many appointments."""
    told = tell_confirmed(session, appointments, letterhead=letterhead, now=now)
    standing = [one for one in appointments if one.state == "confirmed"]
    holders = {holder for one in standing for holder in (one.reference, *(holder_of(one, each) for each in one.consultants))}
    by_occasion = {one.reference: one for one in standing}
    gone = [entry for entry in _entries(session, by_occasion) if entry.holder not in holders]
    left = _consultants(session, gone)
    withdraw_all(
        session,
        [
            _withdrawal(by_occasion[entry.occasion], left[entry.holder], letterhead=letterhead, reason="A colleague takes it over.")
            for entry in gone
        ],
        now=now,
    )
    return told


def tell_cancelled(
    session: Session, appointments: Sequence[Appointment], *, letterhead: Letterhead, refund: Money | None = None, now: datetime
) -> int:
    """Tell of appointments that are off, and withdraw every entry; how many clients that were.

    Only of what had been confirmed. `refund` is what goes back for each, where that is known.
    """
    gone = [one for one in appointments_of(session, [one.id for one in appointments]) if one.confirmed_at is not None]
    gone = [one for one in gone if one.state == "cancelled"]
    by_occasion = {one.reference: one for one in gone}
    money = {"refund_amount": letters.money_facts(refund)}
    facts = {one.reference: letters.client_facts(one, letterhead=letterhead, now=now) | money for one in gone}
    entries = _entries(session, by_occasion)
    people = _consultants(session, [entry for entry in entries if entry.holder not in by_occasion])
    withdrawals = []
    for entry in entries:
        appointment = by_occasion[entry.occasion]
        if entry.holder in people:
            withdrawals.append(_withdrawal(appointment, people[entry.holder], letterhead=letterhead, reason=appointment.cancel_reason))
        else:
            wording = Wording(kind=letters.CANCELLED, facts=facts[entry.holder])
            withdrawals.append(
                Withdrawal(holder=entry.holder, occasion=entry.occasion, wording=wording, references=letters.references_of(appointment)[1:])
            )
    told = _told_before(session, by_occasion) | (withdraw_all(session, withdrawals, now=now) if withdrawals else set())
    posted = [
        letters.to_client(letters.CANCELLED, one, facts[one.reference], one.cancelled_at or now)
        for one in gone
        if one.reference not in told
    ]  # fmt: skip
    outbox.post_all(session, posted, now=now)
    return len(gone)


def tell_requested(session: Session, appointments: Sequence[Appointment], *, letterhead: Letterhead, now: datetime) -> int:
    """Tell the client that the request is here, and the consultants that it waits; how many requests."""
    asked = [one for one in appointments_of(session, [one.id for one in appointments]) if one.state == "requested"]
    posted = []
    for one in asked:
        posted.append(letters.to_client(letters.REQUESTED, one, letters.client_facts(one, letterhead=letterhead, now=now), one.created_at))
        for consultant in one.consultants:
            facts = letters.consultant_facts(one, consultant, letterhead=letterhead)
            posted.append(letters.to_consultant(letters.REQUEST_WAITS, one, consultant, facts, one.created_at))
    outbox.post_all(session, posted, now=now)
    return len(asked)


def tell_approved(session: Session, appointments: Sequence[Appointment], *, letterhead: Letterhead, now: datetime) -> int:
    """Tell clients that their requests are granted: confirmed, or held until they are paid; how many."""
    granted = [one for one in appointments_of(session, [one.id for one in appointments]) if one.state in ("held", "confirmed")]
    posted = []
    for one in granted:
        if one.state == "held" and one.held_until is not None:
            facts = letters.client_facts(one, letterhead=letterhead, now=now)
            facts |= {"price": letters.money_facts(price_of(one)), "pay_until": one.held_until.isoformat()}
            posted.append(letters.to_client(letters.APPROVED, one, facts, one.held_until))
    outbox.post_all(session, posted, now=now)
    tell_confirmed(session, granted, letterhead=letterhead, now=now)
    return len(granted)


def tell_declined(session: Session, appointments: Sequence[Appointment], *, letterhead: Letterhead, now: datetime) -> int:
    """Tell clients that their requests cannot be granted, and why; how many."""
    refused = [one for one in appointments_of(session, [one.id for one in appointments]) if one.state == "cancelled" and one.client_email]
    posted = [
        letters.to_client(letters.DECLINED, one, letters.client_facts(one, letterhead=letterhead, now=now), one.cancelled_at or now)
        for one in refused
    ]  # fmt: skip
    outbox.post_all(session, posted, now=now)
    return len(refused)


def occasion_of(appointment: Appointment, *, zone: str, page: str, for_client: bool) -> Occasion:
    """A meeting as a calendar shows it, to the client or to those who deliver it."""
    who = letters.names(appointment.consultants) if for_client else appointment.client_name or ""
    return Occasion(
        reference=appointment.reference,
        summary=f"{appointment.offering.title}, {who}" if who else appointment.offering.title,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        zone=zone,
        location=letters.place_of(appointment, for_client=for_client),
        url=page,
        join_url=appointment.join_url,
        description=f"{CLIENT_NOTE if for_client else CONSULTANT_NOTE} {page}",
    )


def _invitations(
    appointment: Appointment, *, letterhead: Letterhead, purchase: Mapping[str, Any] | None, now: datetime
) -> list[Invitation]:
    """One for the client, and one for each who delivers it."""
    assert appointment.client_email is not None
    facts = letters.client_facts(appointment, letterhead=letterhead, purchase=purchase, now=now)
    page = letters.page_of(letterhead, appointment)
    references = letters.references_of(appointment)[1:]
    found = [
        Invitation(
            holder=appointment.reference,
            occasion=occasion_of(appointment, zone=appointment.zone, page=page, for_client=True),
            recipient=appointment.client_email,
            name=appointment.client_name or "",
            organizer=letterhead.mail_from,
            organizer_name=letterhead.center.name,
            first=Wording(kind=letters.CONFIRMED, facts=facts),
            change=Wording(kind=letters.MOVED, facts=facts),
            farewell=Wording(kind=letters.CANCELLED, facts=facts),
            references=references,
        )
    ]
    for consultant in appointment.consultants:
        theirs = letters.consultant_facts(appointment, consultant, letterhead=letterhead)
        found.append(
            Invitation(
                holder=holder_of(appointment, consultant),
                occasion=occasion_of(appointment, zone=consultant.zone, page=letters.week_page(letterhead), for_client=False),
                recipient=consultant.email,
                name=consultant.name,
                organizer=letterhead.mail_from,
                organizer_name=letterhead.center.name,
                first=Wording(kind=letters.MEETING, facts=theirs),
                change=Wording(kind=letters.MEETING_MOVED, facts=theirs),
                farewell=Wording(kind=letters.MEETING_OFF, facts=theirs),
                references=(*references, consultant.reference),
            )
        )
    return found


def _withdrawal(appointment: Appointment, consultant: Consultant, *, letterhead: Letterhead, reason: str) -> Withdrawal:
    facts = letters.consultant_facts(appointment, consultant, letterhead=letterhead) | {"reason": reason}
    return Withdrawal(
        holder=holder_of(appointment, consultant),
        occasion=appointment.reference,
        wording=Wording(kind=letters.MEETING_OFF, facts=facts),
        references=(*letters.references_of(appointment)[1:], consultant.reference),
    )


def _entries(session: Session, occasions: Mapping[str, Appointment]) -> Sequence[CalendarEntry]:
    """What stands in anybody's calendar about these appointments."""
    asked = select(CalendarEntry).where(CalendarEntry.occasion.in_(occasions), CalendarEntry.state != "cancelled")
    return session.scalars(asked.order_by(CalendarEntry.id)).all()


def _told_before(session: Session, occasions: Mapping[str, Appointment]) -> set[str]:
    """Those of whose end the client's calendar has heard already."""
    asked = select(CalendarEntry.holder).join(Message, Message.lane == CalendarEntry.uid)
    return set(session.scalars(asked.where(CalendarEntry.holder.in_(occasions), Message.kind == letters.CANCELLED)))


def _consultants(session: Session, entries: Sequence[CalendarEntry]) -> dict[str, Consultant]:
    """Whose entries these are, by holder."""
    numbers = {entry.holder: int(entry.holder.rpartition("/")[2]) for entry in entries}
    found = {one.id: one for one in session.scalars(select(Consultant).where(Consultant.id.in_(set(numbers.values()))))}
    return {holder: found[number] for holder, number in numbers.items()}


def holder_of(appointment: Appointment, consultant: Consultant) -> str:
    """Whose entry it is: the client's is the appointment's own."""
    return f"{appointment.reference}:{consultant.reference}"
