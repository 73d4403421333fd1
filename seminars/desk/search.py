"""Finds a person, an order, an invoice or an event from anywhere."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.consulting import queries as consulting
from seminars.desk.programme import find_events
from seminars.desk.roster import find_people
from seminars.engagements import queries as engagements
from seminars.invoices.models import Invoice
from seminars.kit import format as words
from seminars.kit.references import reference
from seminars.messages import queries as messages
from seminars.orders import queries as orders

EACH = 8
SHORTEST = 2


@dataclass(frozen=True)
class Found:
    """One thing that was found. `reference` names it, `kind` says under which heading it stands."""

    kind: str
    reference: str
    title: str
    detail: str


def find(
    session: Session, text: str, *, people: bool, orders_too: bool, letters: bool, meetings: bool = False, larger_work: bool = False
) -> list[Found]:
    """What the words fit, kind by kind, a few of each. What the person may not see is not looked for."""
    wanted = text.strip()
    if len(wanted) < SHORTEST:
        return []
    found = [Found("Events", reference("event", event.id), event.title, _when(event)) for event in find_events(session, wanted, most=EACH)]
    if people:
        for seat in find_people(session, wanted, most=EACH):
            detail = ", ".join(part for part in (seat.organisation, seat.event.title, seat.state.replace("_", " ")) if part)
            found.append(Found("People", seat.order_reference, seat.attendee_name or "Not named yet", detail))
    if orders_too:
        for order in orders.find(session, wanted, most=EACH):
            detail = ", ".join(part for part in (order.buyer_name, order.organisation, words.money(order.total_money)) if part)
            found.append(Found("Orders", order.reference, order.number, detail))
        for invoice in _invoices(session, wanted):
            detail = f"{invoice.order.buyer_name}, {words.money(invoice.total_money)}"
            found.append(Found("Invoices", invoice.order.reference, f"Invoice {invoice.number}", detail))
    if meetings:
        for one in consulting.find(session, wanted, most=EACH):
            when = words.moment(one.starts_at, one.zone)
            detail = ", ".join(part for part in (one.offering.title, when, one.state.replace("_", " ")) if part)
            found.append(Found("Appointments", one.reference, one.client_name or "", detail))
    if larger_work:
        for work in engagements.find(session, wanted, most=EACH):
            kind = {"proposal": "Proposals", "engagement": "Engagements", "retainer": "Retainers"}[work.reference.partition("/")[0]]
            found.append(Found(kind, work.reference, work.number, work.title))
    if letters:
        for message in messages.find(session, wanted, most=EACH):
            found.append(Found("Messages", reference("message", message.id), message.subject or message.kind, f"to {message.recipient}"))
    return found


def _invoices(session: Session, text: str) -> list[Invoice]:
    like = Invoice.number.icontains(text, autoescape=True)
    return list(session.scalars(select(Invoice).where(like).order_by(Invoice.id.desc()).limit(EACH)))


def _when(event: object) -> str:
    starts_at, zone = getattr(event, "starts_at", None), getattr(event, "zone", "UTC")
    return f"{words.day(words.local(starts_at, zone))}" if starts_at else "no date yet"
