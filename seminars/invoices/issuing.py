"""Issues invoices: number, frozen facts, what is deferred for which session, and the entry in the book, all at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from seminars.catalog.models import Event, EventSession, Venue, ticket_type_sessions
from seminars.config import Center
from seminars.consulting.models import Appointment
from seminars.db import ring
from seminars.invoices import numbering
from seminars.invoices.facts import Seat, hash_of, invoice_facts
from seminars.invoices.models import ISSUED, Invoice, InvoiceLine, RevenueShare
from seminars.kit import format as fmt
from seminars.kit.money import Money
from seminars.kit.references import reference
from seminars.ledger import chart, journal, periods, postings
from seminars.orders.models import Order, OrderLine, thing_of
from seminars.registration.models import Registration


def issue(session: Session, order: Order, *, center: Center, paid: Mapping[str, str] | None = None, now: datetime) -> Invoice:
    """Issue the invoice of an order and post it (rules 1, 5, 13). A free order has none: the database refuses an invoice over nothing.

    The date is the one in the center's zone; when its month is closed already, the entry is dated in the next open one. `paid` says
    how it was paid: `on` (ISO instant), `method`, `brand`, `last4`, and `amount` (minor units) where that is less than the whole. A
    seat is invoiced once: a second invoice for it breaks a constraint.
    """
    received = min(order.total, int(paid.get("amount", order.total))) if paid else 0
    lines = _lines_of(session, order)
    sessions = _Sessions(session, {line.event_id for line in lines} - {None}, {line.ticket_type_id for line in lines} - {None})
    issued_on = fmt.local(now, center.zone).date()
    number = numbering.take(session, "invoice", issued_on)
    seats = [_seat(line, sessions) for line in lines]
    facts = invoice_facts(order, seats, number=number.text, issued_on=issued_on, center=center, paid=paid)
    invoice = Invoice(
        series_id=number.series_id,
        serial=number.serial,
        number=number.text,
        order_id=order.id,
        issued_on=issued_on,
        issued_at=now,
        state="paid" if received == order.total else "issued",
        currency=order.currency,
        net=order.net,
        tax=order.tax,
        total=order.total,
        paid=received,
        facts=facts,
        facts_hash=hash_of(facts),
    )
    session.add(invoice)
    session.flush()
    by_dimension = _defer(session, invoice, lines, sessions)
    journal.post(
        session,
        source_kind=postings.INVOICE,
        source=number.text,
        effective_on=periods.open_day(session, issued_on),
        about=order.reference,
        lines=postings.invoice_issued(by_dimension, Money(order.tax, order.currency), owed_by=order.reference),
        memo=f"Invoice {number.text}, order {order.number}",
        now=now,
    )
    ring(session, ISSUED)
    return invoice


def receive(session: Session, order: Order, amount: int) -> Invoice | None:
    """Note that the order's invoice, which was issued before anything was paid, has been paid by so much; None when there is none yet."""
    invoice = session.scalar(select(Invoice).where(Invoice.order_id == order.id).with_for_update(key_share=True))
    if invoice is not None:
        invoice.paid += amount
        invoice.state = "paid" if invoice.paid == invoice.total and invoice.state == "issued" else invoice.state
        session.flush()
    return invoice


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the order with what it needs to know about its seat and event, its appointment, or neither."""

    registration_id: int | None
    appointment_id: int | None
    subject: str | None
    event_id: int | None
    ticket_type_id: int | None
    description: str
    list_price: int
    early_reduction: int
    discount: int
    net: int
    tax_rate: Decimal
    tax: int
    person: str | None
    format: str | None
    zone: str | None
    venue: str | None
    city: str | None

    @property
    def thing(self) -> str:
        """What is invoiced, as other rooms name it."""
        return thing_of(self.registration_id, self.appointment_id, self.subject)


def _lines_of(session: Session, order: Order) -> list[_Line]:
    found = session.execute(
        select(
            OrderLine.registration_id,
            OrderLine.appointment_id,
            OrderLine.subject,
            OrderLine.event_id,
            OrderLine.ticket_type_id,
            OrderLine.description,
            OrderLine.list_price,
            OrderLine.early_reduction,
            OrderLine.discount,
            OrderLine.net,
            OrderLine.tax_rate,
            OrderLine.tax,
            func.coalesce(Registration.attendee_name, Appointment.client_name),
            Event.format,
            Event.zone,
            Venue.name,
            Venue.city,
        )
        .outerjoin(Registration, Registration.id == OrderLine.registration_id)
        .outerjoin(Event, Event.id == OrderLine.event_id)
        .outerjoin(Venue, Venue.id == Event.venue_id)
        .outerjoin(Appointment, Appointment.id == OrderLine.appointment_id)
        .where(OrderLine.order_id == order.id)
        .order_by(OrderLine.position)
    )
    rows: list[tuple[Any, ...]] = [tuple(row) for row in found]
    lines = [_Line(*row) for row in rows]
    assert sum(line.net for line in lines) == order.net and sum(line.tax for line in lines) == order.tax, order.number
    return lines


class _Sessions:
    """The sessions of some events, and which of them each ticket type admits to (all of its event's when it names none)."""

    def __init__(self, session: Session, events: Collection[int | None], ticket_types: Collection[int | None]) -> None:
        self._of_event: dict[int, list[EventSession]] = defaultdict(list)
        self._named: dict[int, set[int]] = defaultdict(set)
        if not events:
            return
        for one in session.scalars(
            select(EventSession).where(EventSession.event_id.in_(events)).order_by(EventSession.starts_at, EventSession.id)
        ):
            self._of_event[one.event_id].append(one)
        named = select(ticket_type_sessions).where(ticket_type_sessions.c.ticket_type_id.in_(ticket_types))
        for ticket_type_id, session_id in session.execute(named):
            self._named[ticket_type_id].add(session_id)

    def of(self, line: _Line) -> list[EventSession]:
        """Those the seat admits to and that are not cancelled, in order of time; none of what is no seat."""
        if line.event_id is None or line.ticket_type_id is None:
            return []
        named = self._named.get(line.ticket_type_id)
        mine = [one for one in self._of_event[line.event_id] if named is None or one.id in named]
        return [one for one in mine if one.state != "cancelled"] or mine

    def to_be_delivered(self, line: _Line) -> list[EventSession]:
        """Those that the money is for: the sessions still to come, or all when the seat was sold after the last of them."""
        mine = self.of(line)
        return [one for one in mine if one.state == "planned"] or mine


def _seat(line: _Line, sessions: _Sessions) -> Seat:
    days = [fmt.local(at, line.zone).date() for one in sessions.of(line) for at in (one.starts_at, one.ends_at)] if line.zone else []
    return Seat(
        description=line.description,
        details=_when_and_where(line, days),
        person=line.person,
        list_price=line.list_price,
        early_reduction=line.early_reduction,
        discount=line.discount,
        net=line.net,
        tax_rate=f"{line.tax_rate.normalize():f}",
        tax=line.tax,
    )


def _when_and_where(line: _Line, days: Sequence[date]) -> str:
    if line.event_id is None:
        return ""  # the description of an appointment names its time
    place = ", ".join(part for part in (line.venue, line.city) if part) if line.format != "online" else "Online"
    return ", ".join(part for part in (fmt.day_span(min(days), max(days)) if days else "", place) if part)


def _defer(session: Session, invoice: Invoice, lines: Sequence[_Line], sessions: _Sessions) -> dict[str, Money]:
    """Write what each line costs and what it is deferred for; returns the net by dimension (`session/7`, `appointment/3`).

    Equal parts per session, the last one takes the rest (rule 37). What was earned before it is billed (a milestone, logged hours) is
    deferred for nothing. Raises ValueError for an event without any session.
    """
    rows = [
        {
            "invoice_id": invoice.id,
            "registration_id": line.registration_id,
            "appointment_id": line.appointment_id,
            "subject": line.subject,
            "currency": invoice.currency,
            "net": line.net,
            "tax": line.tax,
        }
        for line in lines
    ]
    written = session.scalars(insert(InvoiceLine).returning(InvoiceLine.id, sort_by_parameter_order=True), rows).all()
    shares: list[dict[str, Any]] = []
    by_dimension: dict[str, Money] = {}
    for line_id, line in zip(written, lines, strict=True):
        for columns, dimension, part in _split(line, invoice.currency, sessions):
            if columns:
                shares.append({**NO_SHARE, **columns, "line_id": line_id, "amount": part.amount})
            by_dimension[dimension] = by_dimension.get(dimension, Money(0, part.currency)) + part
    if shares:
        session.execute(insert(RevenueShare), shares)
    return by_dimension


NO_SHARE: dict[str, Any] = {"session_id": None, "appointment_id": None, "subject": None}


def _split(line: _Line, currency: str, sessions: _Sessions) -> list[tuple[dict[str, Any], str, Money]]:
    """What a line's net is for: the columns of its share (none for what is earned already), the dimension, and the part."""
    net = Money(line.net, currency)
    if not net:
        return []
    if line.event_id is None:
        earned = postings.deferred_account(line.thing) == chart.UNBILLED_SERVICES
        columns = {} if earned else {"appointment_id": line.appointment_id, "subject": line.subject}
        return [(columns, line.thing, net)]
    theirs = sessions.to_be_delivered(line)
    if not theirs:
        raise ValueError(f"Event {line.event_id} has no session: there is nothing that its revenue could be deferred for.")
    parts = zip(theirs, net.split(len(theirs)), strict=True)
    return [({"session_id": one.id}, reference("session", one.id), part) for one, part in parts if part]
