"""One timeline for an order, and one for an event: what happened, when, by whom and why, from every room."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.audit import queries as audit
from seminars.audit.models import AuditEntry
from seminars.calendars.models import CalendarEntry
from seminars.catalog.models import Event
from seminars.catalog.occasions import session_reference
from seminars.consulting.models import Appointment
from seminars.desk.naming import names_of
from seminars.invoices.models import CreditNote, Invoice
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.references import reference
from seminars.ledger import balances
from seminars.messages import queries as messages
from seminars.orders.models import Order
from seminars.payments import queries as payments
from seminars.payments.models import Payment, PaymentAttempt
from seminars.people import queries as people
from seminars.registration.models import Hold, Registration

MOST = 400
MAILED = {
    "pending": "Mail waiting to go",
    "sending": "Mail on its way",
    "sent": "Mail sent",
    "unknown": "Mail perhaps sent",
    "superseded": "Mail replaced by a newer one",
    "suppressed": "Mail held back",
    "failed": "Mail that could not be sent",
}
FOUND_BY = {
    "webhook": "Stripe's message",
    "thanks": "the buyer's return",
    "poll": "our own question to Stripe",
    "backfill": "Stripe's own list",
}
MADE = ("created", "insert")
SPAN = ("starts_at", "ends_at")
POINTS_AT = {"policy_id": "policy", "venue_id": "venue"}
"""Fields that hold the number of another row, and the kind of that row."""
FIELDS = {
    "policy_id": "refund policy",
    "venue_id": "venue",
    "join_url": "join link",
    "map_url": "map link",
    "starts_local": "begins",
    "ends_local": "ends",
    "listed": "on the public list",
    "size": "seats",
    "price": "price in minor units",
    "early_price": "early price in minor units",
    "early_until": "early price until",
    "most_per_order": "most seats per order",
    "days_before": "days before the start",
    "fee": "fee in minor units",
    "po_number": "purchase order",
    "needs_review": "needs a look",
    "paid_unplaced": "paid without a seat",
    "dispute_open": "disputed",
    "answer": "answered",
    "answer_reference": "found under",
    "attendee_name": "attendee",
    "attendee_email": "attendee's address",
    "buyer_email": "buyer's address",
    "buyer_name": "buyer",
    "client_name": "client",
    "client_email": "client's address",
    "cancel_reason": "why it was cancelled",
    "notice_hours": "notice in hours",
    "horizon_days": "bookable days ahead",
    "daily_cap": "most meetings a day",
    "change_hours": "hours before which it can be changed",
    "needs_approval": "asked for first",
    "together": "consultants in each meeting",
}
"""What people call a field whose name alone does not say it."""
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d)?")


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `reference` names what can be opened; `who` and `why` stand where a person was behind it.

    `machine` marks what only somebody who looks for a fault wants to read; `parts` are like things that happened in one minute.
    """

    at: datetime
    what: str
    detail: str = ""
    who: str = ""
    why: str = ""
    reference: str = ""
    money: bool = False
    machine: bool = False
    parts: tuple["Entry", ...] = ()


def of_order(session: Session, order: Order, *, zone: str) -> list[Entry]:
    """All that happened to an order, the latest first. Entries about the book are marked `money`."""
    registrations = session.scalars(
        select(Registration).where(Registration.order_reference == order.reference).order_by(Registration.id)
    ).all()
    found_payments = payments.payments_of(session, order)
    attempts = payments.attempts_of(session, order)
    invoices = session.scalars(select(Invoice).where(Invoice.order_id == order.id).order_by(Invoice.id)).all()
    notes = session.scalars(select(CreditNote).where(CreditNote.invoice_id.in_([one.id for one in invoices])).order_by(CreditNote.id)).all()
    references = [
        *_references(order, registrations, found_payments, invoices, notes),
        *(reference("appointment", line.appointment_id) for line in order.meeting_lines if line.appointment_id),
    ]
    entries = [
        *_placing(session, order),
        *_paying(attempts, found_payments),
        *_stripe(session, order),
        *_documents(invoices, notes),
        *_book(session, references),
        *_letters(session, references),
        *_calendars(session, [*(one.reference for one in registrations), *(line.thing for line in order.meeting_lines)]),
        *_changes(session, references, but=MADE, zone=zone),
    ]
    return _newest_first(entries)


def of_event(session: Session, event: Event) -> list[Entry]:
    """What staff did to an event and its sessions, the latest first."""
    references = [reference("event", event.id), *(session_reference(part) for part in event.sessions)]
    references += [reference("ticket_type", one.id) for one in event.ticket_types] + [reference("quota", one.id) for one in event.quotas]
    return _newest_first([Entry(event.created_at, "Planned"), *_changes(session, references, but=MADE, zone=event.zone)])


def of_appointment(session: Session, appointment: Appointment, *, zone: str) -> list[Entry]:
    """All that happened to an appointment since it was chosen, the latest first. What its order tells stands on the order's page."""
    entries = [Entry(appointment.created_at, "Time chosen", f"{appointment.offering.title}, {appointment.minutes} minutes")]
    letters = _letters(session, [appointment.reference])
    return _newest_first([*entries, *letters, *_changes(session, [appointment.reference], but=MADE, zone=zone)])


def changes_of(session: Session, references: Sequence[str], *, zone: str) -> list[Entry]:
    """What was changed about these things, by whom and why, the latest first."""
    return _newest_first(_changes(session, references, zone=zone))


def _references(
    order: Order,
    registrations: Sequence[Registration],
    found_payments: Sequence[Payment],
    invoices: Sequence[Invoice],
    notes: Sequence[CreditNote],
) -> list[str]:
    refunds = [refund.reference for payment in found_payments for refund in payment.refunds]
    return [order.reference, *refunds, *_named(registrations), *_named(found_payments), *_named(invoices), *_named(notes)]


def _named(rows: Sequence[Registration] | Sequence[Payment] | Sequence[Invoice] | Sequence[CreditNote]) -> list[str]:
    return [one.reference for one in rows]


def _placing(session: Session, order: Order) -> list[Entry]:
    where = "at the desk" if order.channel == "desk" else "on the web"
    entries = []
    if order.cart_id is not None:
        for hold in session.scalars(select(Hold).where(Hold.holder == reference("cart", order.cart_id)).order_by(Hold.id)):
            seats = words.count(hold.places, "seat", "seats")
            entries.append(Entry(hold.created_at, "Seats held", f"{seats}, {hold.ticket_type.name}"))
    entries.append(Entry(order.placed_at, "Order placed", f"{where}, {words.money(order.total_money)}", f"by {order.buyer_name}"))
    if order.closed_at is not None:
        entries.append(Entry(order.closed_at, f"Order {order.state}"))
    return entries


def _paying(attempts: Sequence[PaymentAttempt], found: Sequence[Payment]) -> list[Entry]:
    entries = []
    for attempt in attempts:
        name = f"attempt {attempt.number}" if len(attempts) > 1 else ""
        entries.append(Entry(attempt.created_at, "Payment page prepared", name, machine=True))
        if attempt.submitted_at:
            entries.append(Entry(attempt.submitted_at, "Buyer sent to Stripe", name))
        if attempt.settled_at:
            entries.append(_outcome(attempt, attempt.settled_at))
    for payment in found:
        card = f"{payment.brand or payment.method} {payment.last4}".strip()
        entries.append(Entry(payment.paid_at, f"Paid {words.money(payment.money)}", card, reference=payment.reference))
        for refund in payment.refunds:
            amount = words.money(refund.money)
            entries.append(Entry(refund.promised_at, f"Refund of {amount} promised", f"to {card}", why=refund.reason))
            if refund.settled_at:
                outcome = f"{refund.state.replace('_', ' ')}{', ' + refund.failure_reason if refund.failure_reason else ''}"
                entries.append(Entry(refund.settled_at, f"Refund of {amount}", outcome))
    return entries


def _outcome(attempt: PaymentAttempt, at: datetime) -> Entry:
    """How an attempt to pay ended. That it succeeded is told by the payment itself; how we learnt of it is for the curious."""
    found = f"attempt {attempt.number}, learnt from {FOUND_BY.get(attempt.found_by, attempt.found_by or 'our own check')}"
    if attempt.state == "succeeded":
        return Entry(at, "Payment settled", found, machine=True)
    trouble = f"{attempt.decline_reason}, " if attempt.decline_reason else ""
    return Entry(at, f"Attempt to pay {attempt.state.replace('_', ' ')}", f"{trouble}{found}")


def _stripe(session: Session, order: Order) -> list[Entry]:
    return [
        Entry(
            event.received_at,
            "Stripe told us",
            f"{event.type}, by {event.source}, {event.state}{', ' + event.reason if event.reason else ''}",
            machine=True,
        )
        for event in payments.events_about(session, order)
    ]


def _documents(invoices: Sequence[Invoice], notes: Sequence[CreditNote]) -> list[Entry]:
    entries = []
    for invoice in invoices:
        amount = words.money(invoice.total_money)
        entries.append(Entry(invoice.issued_at, f"Invoice {invoice.number}", amount, reference=invoice.reference))
    for note in notes:
        amount = words.money(Money(note.total, note.currency))
        entries.append(Entry(note.issued_at, f"Credit note {note.number}", amount, reference=note.reference))
    return entries


def _book(session: Session, references: Sequence[str]) -> list[Entry]:
    entries = []
    for entry in balances.entries_about(session, references):
        lines = "; ".join(_line(line) for line in entry.lines)
        entries.append(Entry(entry.posted_at, f"Entry {entry.id}", f"{entry.memo}: {lines}", reference=f"entry/{entry.id}", money=True))
    return entries


def _line(line: balances.EntryLine) -> str:
    side = "debit" if line.amount.amount > 0 else "credit"
    return f"{side} {line.account} {words.money(Money(abs(line.amount.amount), line.amount.currency))}"


def _letters(session: Session, references: Sequence[str]) -> list[Entry]:
    """Each mail; those that left in one minute as one entry that lists them."""
    together: dict[tuple[str, datetime], list[Entry]] = {}
    for message in messages.history(session, references):
        at = message.sent_at or message.created_at
        about = message.subject or message.kind.partition("/")[2].replace("_", " ").capitalize()
        changed = f", change {message.revision}" if message.revision else ""
        letter = Entry(at, MAILED[message.state], f"{about}, to {message.recipient}{changed}", reference=f"message/{message.id}")
        together.setdefault((message.state, at.replace(second=0, microsecond=0)), []).append(letter)
    return [_bundle(letters, state) for (state, _), letters in together.items()]


def _bundle(letters: list[Entry], state: str) -> Entry:
    if len(letters) == 1:
        return letters[0]
    what = f"{len(letters)} {MAILED[state].replace('Mail', 'mails')}"
    return Entry(max(one.at for one in letters), what, parts=tuple(letters))


def _calendars(session: Session, holders: Sequence[str]) -> list[Entry]:
    found = session.scalars(select(CalendarEntry).where(CalendarEntry.holder.in_(holders)).order_by(CalendarEntry.id))
    return [
        Entry(
            one.dtstamp,
            "Calendar entry " + ("withdrawn" if one.state == "cancelled" else "as it stands"),
            f"{one.recipient_name}, SEQUENCE {one.sequence}",
            machine=True,
        )
        for one in found
    ]


def _changes(session: Session, references: Sequence[str], *, zone: str, but: Iterable[str] = ()) -> list[Entry]:
    left_out = set(but)
    found = [one for one in reversed(audit.entries_about(session, references, most=MOST)) if one.action not in left_out]
    people_ = people.names(session, {number for one in found if (number := user_number(one.by)) is not None})
    things = names_of(session, {one.subject for one in found} | {named for one in found for named in _named_in(one)})
    entries = []
    for one in found:
        what, told = _what(one, things[one.subject]), _difference(one, things, zone)
        who = "" if one.action.startswith("sign") else actor(one.by, people_)
        if told or one.action != "changed":
            entries.append(Entry(one.at, what, told, who, one.why, machine=not _is_person(one.by)))
    return entries


def _is_person(by: str) -> bool:
    """Whether somebody did it. What a program changed follows from a payment, a refund or a mail that tells of itself."""
    return by.partition("/")[0] in ("user", "visitor", "buyer", "client")


def user_number(by: str) -> int | None:
    """The login behind an actor of the audit, if it was one of ours."""
    kind, _, number = by.partition("/")
    return int(number) if kind == "user" and number.isdecimal() else None


def actor(by: str, names: dict[int, str]) -> str:
    """Who did something, in words."""
    number = user_number(by)
    if number is not None:
        return f"by {names.get(number, by)}"
    kind, _, rest = by.partition("/")
    told = {"visitor": "by a visitor", "buyer": "by the buyer", "client": "by the client", "job": f"by the timetable ({rest})"}
    return told.get(kind, "by the system")


def _what(entry: AuditEntry, name: str) -> str:
    name = f"{name[:1].upper()}{name[1:]}"
    if entry.action == "changed" and entry.before and set(entry.after or {}) == {"state"}:
        return f"{name} is {(entry.after or {})['state']}"
    return f"{name} {entry.action}"


def _named_in(entry: AuditEntry) -> list[str]:
    """What the values of an entry point at: a rule or a place is told by its name, not by its number."""
    values = [(name, side.get(name)) for name in POINTS_AT for side in (entry.before or {}, entry.after or {})]
    return [reference(POINTS_AT[name], value) for name, value in values if isinstance(value, int)]


def _difference(entry: AuditEntry, names: Mapping[str, str], zone: str) -> str:
    """What it was and what it is. The span of an event follows from its sessions, which tell of themselves."""
    before, after = entry.before or {}, entry.after or {}
    derived = SPAN if entry.subject.startswith("event/") else ()
    told = [(name, before.get(name), value) for name, value in after.items() if name not in derived] if before else []
    if [name for name, _, _ in told] == ["state"]:
        return f"before: {_short(before.get('state'), zone)}"

    def value(name: str, of: Any) -> str:
        return names[reference(POINTS_AT[name], of)] if name in POINTS_AT and isinstance(of, int) else _short(of, zone)

    return "; ".join(
        f"{FIELDS.get(name, name.replace('_', ' '))}: {value(name, was)} → {value(name, is_now)}" for name, was, is_now in told
    )


def _short(value: Any, zone: str) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    named = [one.get("label", one) if isinstance(one, dict) else one for one in value] if isinstance(value, list) else [value]
    text = ", ".join(str(one) for one in named)
    if INSTANT.fullmatch(text):
        at = datetime.fromisoformat(text)
        return words.moment(at, zone) if at.tzinfo else f"{words.day(at)}, {words.clock_time(at)}"
    return text if len(text) <= 80 else f"{text[:77]}…"


def _newest_first(entries: list[Entry]) -> list[Entry]:
    # Of what happened at one instant, causes were listed first: so they stand below what followed from them.
    return sorted(entries, key=lambda entry: entry.at)[::-1][:MOST]
