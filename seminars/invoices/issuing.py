"""Issues invoices: number, frozen facts, what is deferred for which session, and the entry in the book, all at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from seminars.catalog.models import Event, EventSession, Venue, ticket_type_sessions
from seminars.config import Center
from seminars.db import ring
from seminars.invoices import numbering
from seminars.invoices.facts import Seat, hash_of, invoice_facts
from seminars.invoices.models import ISSUED, Invoice, InvoiceLine, RevenueShare
from seminars.kit import format as fmt
from seminars.kit.money import Money
from seminars.kit.references import reference
from seminars.ledger import journal, periods, postings
from seminars.orders.models import Order, OrderLine
from seminars.registration.models import Registration


def issue(session: Session, order: Order, *, center: Center, paid: Mapping[str, str] | None = None, now: datetime) -> Invoice:
    """Issue the invoice of an order and post it (rules 1, 5, 13). A free order has none: the database refuses an invoice over nothing.

    The date is the one in the center's zone; when its month is closed already, the entry is dated in the next open one. `paid` says
    how it was paid: `on` (ISO instant), `method`, `brand`, `last4`, and `amount` (minor units) where that is less than the whole. A
    seat is invoiced once: a second invoice for it breaks a constraint.
    """
    received = min(order.total, int(paid.get("amount", order.total))) if paid else 0
    lines = _lines_of(session, order)
    sessions = _Sessions(session, {line.event_id for line in lines}, {line.ticket_type_id for line in lines})
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
    by_session = _defer(session, invoice, lines, sessions)
    journal.post(
        session,
        source_kind=postings.INVOICE,
        source=number.text,
        effective_on=periods.open_day(session, issued_on),
        about=order.reference,
        lines=postings.invoice_issued(by_session, Money(order.tax, order.currency), owed_by=order.reference),
        memo=f"Invoice {number.text}, order {order.number}",
        now=now,
    )
    ring(session, ISSUED)
    return invoice


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the order with what it needs to know about its seat and its event."""

    registration_id: int
    event_id: int
    ticket_type_id: int
    description: str
    list_price: int
    early_reduction: int
    discount: int
    net: int
    tax_rate: Decimal
    tax: int
    person: str | None
    format: str
    zone: str
    venue: str | None
    city: str | None


def _lines_of(session: Session, order: Order) -> list[_Line]:
    found = session.execute(
        select(
            OrderLine.registration_id,
            OrderLine.event_id,
            OrderLine.ticket_type_id,
            OrderLine.description,
            OrderLine.list_price,
            OrderLine.early_reduction,
            OrderLine.discount,
            OrderLine.net,
            OrderLine.tax_rate,
            OrderLine.tax,
            Registration.attendee_name,
            Event.format,
            Event.zone,
            Venue.name,
            Venue.city,
        )
        .join(Registration, Registration.id == OrderLine.registration_id)
        .join(Event, Event.id == OrderLine.event_id)
        .outerjoin(Venue, Venue.id == Event.venue_id)
        .where(OrderLine.order_id == order.id)
        .order_by(OrderLine.position)
    )
    lines = [_Line(*row) for row in found]
    assert sum(line.net for line in lines) == order.net and sum(line.tax for line in lines) == order.tax, order.number
    return lines


class _Sessions:
    """The sessions of some events, and which of them each ticket type admits to (all of its event's when it names none)."""

    def __init__(self, session: Session, events: Iterable[int], ticket_types: Iterable[int]) -> None:
        self._of_event: dict[int, list[EventSession]] = defaultdict(list)
        for one in session.scalars(
            select(EventSession).where(EventSession.event_id.in_(events)).order_by(EventSession.starts_at, EventSession.id)
        ):
            self._of_event[one.event_id].append(one)
        named = select(ticket_type_sessions).where(ticket_type_sessions.c.ticket_type_id.in_(ticket_types))
        self._named: dict[int, set[int]] = defaultdict(set)
        for ticket_type_id, session_id in session.execute(named):
            self._named[ticket_type_id].add(session_id)

    def of(self, line: _Line) -> list[EventSession]:
        """Those the seat admits to and that are not cancelled, in order of time."""
        named = self._named.get(line.ticket_type_id)
        mine = [one for one in self._of_event[line.event_id] if named is None or one.id in named]
        return [one for one in mine if one.state != "cancelled"] or mine

    def to_be_delivered(self, line: _Line) -> list[EventSession]:
        """Those that the money is for: the sessions still to come, or all when the seat was sold after the last of them."""
        mine = self.of(line)
        return [one for one in mine if one.state == "planned"] or mine


def _seat(line: _Line, sessions: _Sessions) -> Seat:
    days = [fmt.local(at, line.zone).date() for one in sessions.of(line) for at in (one.starts_at, one.ends_at)]
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
    place = ", ".join(part for part in (line.venue, line.city) if part) if line.format != "online" else "Online"
    return ", ".join(part for part in (fmt.day_span(min(days), max(days)) if days else "", place) if part)


def _defer(session: Session, invoice: Invoice, lines: Sequence[_Line], sessions: _Sessions) -> dict[str, Money]:
    """Write what each seat costs and for which sessions it is deferred; returns the net by session (`session/7`).

    Equal parts per session, the last one takes the rest (rule 37). Raises ValueError for an event without any session.
    """
    rows = [
        {"invoice_id": invoice.id, "registration_id": line.registration_id, "currency": invoice.currency, "net": line.net, "tax": line.tax}
        for line in lines
    ]
    written = session.execute(insert(InvoiceLine).returning(InvoiceLine.registration_id, InvoiceLine.id), rows)
    ids = dict(written.all())
    shares: list[dict[str, Any]] = []
    by_session: dict[str, Money] = {}
    for line in lines:
        for one, part in _split(line, invoice.currency, sessions.to_be_delivered(line)):
            shares.append({"line_id": ids[line.registration_id], "session_id": one.id, "amount": part.amount})
            name = reference("session", one.id)
            by_session[name] = by_session.get(name, Money(0, part.currency)) + part
    session.execute(insert(RevenueShare), shares)
    return by_session


def _split(line: _Line, currency: str, sessions: Sequence[EventSession]) -> list[tuple[EventSession, Money]]:
    if not sessions:
        raise ValueError(f"Event {line.event_id} has no session: there is nothing that its revenue could be deferred for.")
    parts = zip(sessions, Money(line.net, currency).split(len(sessions)), strict=True)
    return [(one, part) for one, part in parts if part]
