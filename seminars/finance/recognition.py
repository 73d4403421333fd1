"""Turns deferred revenue into revenue when a session has been delivered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from seminars.catalog.models import Event, EventSession
from seminars.consulting import appointments
from seminars.consulting.models import Appointment
from seminars.invoices import earning
from seminars.invoices.models import Invoice, InvoiceLine, RevenueShare
from seminars.kit import format as fmt
from seminars.kit.money import Money
from seminars.kit.references import reference
from seminars.kit.refusals import Conflict
from seminars.ledger import journal, periods, postings
from seminars.registration.models import Registration

TOOK_PLACE = ("confirmed", "attended", "no_show")
"""Seats whose price is earned by delivery: a no-show without a right to a refund is delivered (rule 36)."""


class NotYetDelivered(Conflict):
    """The session has not ended, so that nothing of it is earned yet."""


class NotHeld(Conflict):
    """The session was cancelled, so that it cannot have been delivered."""


def deliver(session: Session, event_session: EventSession, *, now: datetime) -> EventSession:
    """Mark a session delivered and earn what was deferred for it (rules 35 to 37). Done twice, it is done once.

    Raises NotYetDelivered before its end, NotHeld when it was cancelled.
    """
    session.refresh(event_session, with_for_update={"key_share": True})
    if event_session.state == "cancelled":
        raise NotHeld("This session was cancelled. What was paid for it is given back by a credit note.")
    zone = event_session.event.zone
    if now < event_session.ends_at:
        raise NotYetDelivered(f"This session ends on {fmt.moment(event_session.ends_at, zone)}. It can be marked delivered after that.")
    if event_session.state == "planned":
        event_session.state, event_session.delivered_at = "delivered", now
        session.flush()
    _recognise(session, event_session, fmt.local(event_session.ends_at, zone).date(), now)
    return event_session


def deliver_appointment(session: Session, appointment: Appointment, *, came: bool = True, now: datetime) -> Appointment:
    """Mark an appointment delivered, or that nobody came, and earn what was deferred for it (rule 55). Done twice, it is done once.

    A no-show without a right to a refund is delivered. Raises NotYetDelivered before it begins, NotHeld when it was cancelled, Conflict
    when it is not confirmed.
    """
    session.refresh(appointment, with_for_update={"of": Appointment, "key_share": True})
    if appointment.state == "cancelled":
        raise NotHeld("This appointment was cancelled.")
    if now < appointment.starts_at:
        zone = appointment.consultants[0].zone
        raise NotYetDelivered(f"This appointment begins on {fmt.moment(appointment.starts_at, zone)}. Mark it after that.")
    if appointment.state not in ("delivered", "no_show"):
        mark = appointments.mark_delivered if came else appointments.mark_no_show
        mark(session, appointment, now=now)
    earning.earn(session, appointment, on=fmt.local(appointment.ends_at, appointment.consultants[0].zone).date(), now=now)
    return appointment


def recognise_late_sales(session: Session, *, now: datetime) -> int:
    """Earn what was sold after its session had been marked delivered; returns for how many sessions."""
    waiting = session.scalars(
        select(EventSession)
        .join(RevenueShare, RevenueShare.session_id == EventSession.id)
        .join(InvoiceLine)
        .join(Registration, Registration.id == InvoiceLine.registration_id)
        .where(
            EventSession.state == "delivered",
            RevenueShare.recognised == 0,
            RevenueShare.credited < RevenueShare.amount,
            Registration.state != "held",
        )
        .distinct()
        .order_by(EventSession.id)
    ).all()
    for event_session in waiting:
        deliver(session, event_session, now=now)
    return len(waiting)


@dataclass(frozen=True, slots=True)
class _Earned:
    """What one seat has earned with one session."""

    amount: Money
    registration_id: int
    state: str
    order_reference: str
    invoiced_on: date


def _recognise(session: Session, event_session: EventSession, held_on: date, now: datetime) -> None:
    earned = _mark_recognised(session, event_session)
    # Dated when it was held, but never before the sale it belongs to, nor in a closed month.
    days = {day: periods.open_day(session, day) for day in {max(held_on, one.invoiced_on) for one in earned}}
    name = reference("session", event_session.id)
    event: Event = event_session.event
    facts = [
        journal.Fact(
            source_kind=postings.DELIVERY,
            source=f"{one.registration_id}:{event_session.id}",
            effective_on=days[max(held_on, one.invoiced_on)],
            about=one.order_reference,
            lines=_lines(one, name),
            memo=f"{event.title}, {event_session.title or fmt.day(held_on)}",
        )
        for one in earned
    ]
    journal.post_all(session, facts, now=now)


def _lines(one: _Earned, name: str) -> list[postings.Line]:
    rule = postings.delivered if one.state in TOOK_PLACE else postings.fee_kept
    return rule(one.amount, dimension=name)


def _mark_recognised(session: Session, event_session: EventSession) -> Sequence[_Earned]:
    """Mark every open share of the session, in id order, so that two who touch the same seats wait for each other."""
    seats = (
        select(RevenueShare.id)
        .join(InvoiceLine)
        .join(Registration, Registration.id == InvoiceLine.registration_id)
        .where(
            RevenueShare.session_id == event_session.id,
            RevenueShare.recognised == 0,
            RevenueShare.credited < RevenueShare.amount,
            Registration.state != "held",
        )
        .order_by(RevenueShare.id)
        .with_for_update(of=RevenueShare)
        .cte("seats")
    )
    marked = (
        update(RevenueShare)
        .where(RevenueShare.id.in_(select(seats.c.id)))
        .values(recognised=RevenueShare.amount - RevenueShare.credited)
        .returning(RevenueShare.line_id, RevenueShare.recognised)
        .execution_options(synchronize_session=False)
    )
    recognised = dict(session.execute(marked).all())
    found = session.execute(
        select(InvoiceLine.id, InvoiceLine.currency, Registration.id, Registration.state, Registration.order_reference, Invoice.issued_on)
        .join(Registration, Registration.id == InvoiceLine.registration_id)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(InvoiceLine.id.in_(recognised))
        .order_by(InvoiceLine.id)
    )
    return [
        _Earned(Money(recognised[line_id], currency), registration_id, state, order_reference, issued_on)
        for line_id, currency, registration_id, state, order_reference, issued_on in found
    ]
