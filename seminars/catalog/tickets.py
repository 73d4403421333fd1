"""Ticket types and the counters they draw on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from seminars.catalog import listings
from seminars.catalog.models import Event, EventSession, Quota, TicketType
from seminars.kit.format import count
from seminars.kit.money import Money
from seminars.kit.refusals import BadInput, Conflict
from seminars.kit.typed import Fields, one_line

MOST_SEATS = 1_000_000
MOST_PER_ORDER = 20


@dataclass(frozen=True)
class Ticket:
    """A priced way to attend. Draws on the event's own seats and admits to all sessions, unless some are named."""

    name: str
    price: Money
    early_price: Money | None = None
    early_until: datetime | None = None
    on_sale: bool = True
    most_per_order: int = MOST_PER_ORDER
    quotas: Sequence[Quota] = field(default_factory=tuple)
    sessions: Sequence[EventSession] = field(default_factory=tuple)


class BelowTaken(BadInput):
    """More seats are taken than there would be."""

    def __init__(self, size: int, taken: int) -> None:
        self.size = size
        self.taken = taken
        held = count(taken, "seat is", "seats are")
        super().__init__(f"{held} taken, so there cannot be only {size:,}. Cancel registrations first.", "size")


def add_quota(session: Session, event: Event, *, name: str, size: int) -> Quota:
    """Count seats of their own kind, such as places in a workshop. Raises BadInput."""
    quota = Quota(event=event, name=one_line(name, field="name", most=120), size=_size(size), taken=0)
    session.add(quota)
    session.flush()
    return quota


def set_capacity(session: Session, quota: Quota, size: int, *, now: datetime) -> Quota:
    """Change how many seats there are. Raises BelowTaken with the numbers, BadInput.

    The row is locked first: a seat sold between our look and our change would let the database refuse with less kind words.
    """
    session.refresh(quota, with_for_update=True)
    if _size(size) < quota.taken:
        raise BelowTaken(size, quota.taken)
    quota.size = size
    listings.refresh(session, quota.event, now=now)
    return quota


def add_ticket_type(session: Session, event: Event, ticket: Ticket, *, now: datetime) -> TicketType:
    """Offer one more way to attend. Raises BadInputs."""
    _check(event, ticket)
    position = max((other.position for other in event.ticket_types), default=-1) + 1
    quotas = list(ticket.quotas or event.quotas[:1])
    ticket_type = TicketType(event=event, position=position, quotas=quotas, sessions=list(ticket.sessions), **_columns(ticket))
    session.add(ticket_type)
    listings.refresh(session, event, now=now)
    return ticket_type


def change_ticket_type(session: Session, ticket_type: TicketType, ticket: Ticket, *, now: datetime) -> TicketType:
    """Change a way to attend; orders placed keep their price.

    Raises BadInputs, and Conflict for counters that have given seats away.
    """
    event = ticket_type.event
    _check(event, ticket)
    quotas = sorted(ticket.quotas or event.quotas[:1], key=lambda quota: quota.id)
    if quotas != ticket_type.quotas and any(quota.taken for quota in {*quotas, *ticket_type.quotas}):
        raise Conflict("Seats are taken already, so this ticket type has to keep the counters it draws on.")
    for name, value in _columns(ticket).items():
        setattr(ticket_type, name, value)
    if quotas != ticket_type.quotas:
        ticket_type.quotas = quotas
    if list(ticket.sessions) != ticket_type.sessions:
        ticket_type.sessions = list(ticket.sessions)
    listings.refresh(session, event, now=now)
    return ticket_type


def remove_ticket_type(session: Session, ticket_type: TicketType, *, now: datetime) -> None:
    """Take a way to attend out of a draft that was never on sale. Raises Conflict: later it can only be taken off sale."""
    event = ticket_type.event
    if event.state != "draft" or event.published_at is not None:
        raise Conflict("This event has been on sale. Take the ticket type off sale instead; what was bought stays.")
    event.ticket_types.remove(ticket_type)
    listings.refresh(session, event, now=now)


def _columns(ticket: Ticket) -> dict[str, object]:
    return {
        "name": " ".join(ticket.name.split()),
        "price": ticket.price.amount,
        "currency": ticket.price.currency,
        "early_price": ticket.early_price.amount if ticket.early_price else None,
        "early_until": ticket.early_until if ticket.early_price else None,
        "on_sale": ticket.on_sale,
        "most_per_order": ticket.most_per_order,
    }


def _check(event: Event, ticket: Ticket) -> None:
    fields = Fields()
    fields.line("name", ticket.name, most=200)
    if ticket.price.amount < 0:
        fields.wrong("price", "Please type a price of 0.00 or more.")
    if any(other.currency != ticket.price.currency for other in event.ticket_types):
        fields.wrong("price", "All ticket types of an event are sold in the same currency.")
    if (ticket.early_price is None) != (ticket.early_until is None):
        fields.wrong("early_price", "An early price and the day it ends belong together. Fill in both or none.")
    if ticket.early_price is not None and not 0 <= ticket.early_price.amount <= ticket.price.amount:
        fields.wrong("early_price", "The early price cannot be higher than the price.")
    if not 1 <= ticket.most_per_order <= MOST_PER_ORDER:
        fields.wrong("most_per_order", f"Please type a whole number from 1 to {MOST_PER_ORDER}.")
    if any(quota.event_id != event.id for quota in ticket.quotas) or any(part.event_id != event.id for part in ticket.sessions):
        fields.wrong("quotas", "Counters and sessions have to be those of this event.")
    fields.finish()


def _size(size: int) -> int:
    if not 0 <= size <= MOST_SEATS:
        raise BadInput(f"Please type a number of seats from 0 to {MOST_SEATS:,}.", "size")
    return size
