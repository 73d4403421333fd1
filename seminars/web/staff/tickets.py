"""Ticket types and counters of seats, changed at the desk."""

from datetime import datetime, time
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seminars.catalog import tickets
from seminars.catalog.models import Event, Quota, TicketType
from seminars.catalog.tickets import Ticket
from seminars.catalog.timing import place_in_time
from seminars.desk import programme as catalogue
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.refusals import NotFound, Refusal
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.guards import needs
from seminars.web.staff.door import Typed, acting, again, page, positive, reading, staff


@staff.get("/events/<int:event_id>/tickets/new")
@needs(may.change_programme)
def new_ticket_type(event_id: int) -> ResponseReturnValue:
    """The form of one more ticket type."""
    event = catalogue.event_by_id(reading(), event_id)
    typed = {
        "on_sale": True,
        "most_per_order": tickets.MOST_PER_ORDER,
        "quotas": [quota.id for quota in event.quotas[:1]],
        "sessions": [],
    }
    return page(
        "events/ticket.html",
        section="Programme",
        event=event,
        ticket_type=None,
        typed=typed,
        errors={},
        currency=_currency(event),
    )


@staff.post("/events/<int:event_id>/tickets/new")
@needs(may.change_programme)
def create_ticket_type(event_id: int) -> ResponseReturnValue:
    """Offer one more way to attend."""
    typed = Typed(request.form)
    try:
        with acting() as session:
            event = catalogue.event_by_id(session, event_id)
            ticket = _ticket(typed, event)
            typed.finish()
            tickets.add_ticket_type(session, event, ticket, now=now())
    except Refusal as refusal:
        return _again(refusal, catalogue.event_by_id(reading(), event_id), None)
    flash(f"{ticket.name} is offered.")
    return redirect(url_for("staff.event", event_id=event_id), 303)


@staff.get("/tickets/<int:ticket_type_id>")
@needs(may.change_programme)
def edit_ticket_type(ticket_type_id: int) -> ResponseReturnValue:
    """The form of a ticket type."""
    ticket_type = _ticket_type(reading(), ticket_type_id)
    event = catalogue.event_by_id(reading(), ticket_type.event_id)
    early = Money(ticket_type.early_price, ticket_type.currency) if ticket_type.early_price is not None else None
    until = words.local(ticket_type.early_until, event.zone) if ticket_type.early_until else None
    typed: dict[str, Any] = {
        "name": ticket_type.name,
        "price": words.amount(ticket_type.list_price),
        "early_price": words.amount(early) if early else "",
        "early_until": f"{until:%Y-%m-%dT%H:%M}" if until else "",
        "on_sale": ticket_type.on_sale,
        "most_per_order": ticket_type.most_per_order,
        "quotas": [quota.id for quota in ticket_type.quotas],
        "sessions": [part.id for part in ticket_type.sessions],
    }
    return page(
        "events/ticket.html",
        section="Programme",
        event=event,
        ticket_type=ticket_type,
        typed=typed,
        errors={},
        currency=_currency(event),
    )


@staff.post("/tickets/<int:ticket_type_id>")
@needs(may.change_programme)
def change_ticket_type(ticket_type_id: int) -> ResponseReturnValue:
    """Change a ticket type."""
    typed = Typed(request.form)
    try:
        with acting() as session:
            ticket_type = _ticket_type(session, ticket_type_id)
            event = catalogue.event_by_id(session, ticket_type.event_id)
            ticket = _ticket(typed, event)
            typed.finish()
            tickets.change_ticket_type(session, ticket_type, ticket, now=now())
    except Refusal as refusal:
        ticket_type = _ticket_type(reading(), ticket_type_id)
        return _again(refusal, catalogue.event_by_id(reading(), ticket_type.event_id), ticket_type)
    flash(f"{ticket.name} is changed. Orders that were placed keep their price.")
    return redirect(url_for("staff.event", event_id=event.id), 303)


@staff.post("/tickets/<int:ticket_type_id>/remove")
@needs(may.change_programme)
def remove_ticket_type(ticket_type_id: int) -> ResponseReturnValue:
    """Take a ticket type out of a draft."""
    with acting() as session:
        ticket_type = _ticket_type(session, ticket_type_id)
        event_id, name = ticket_type.event_id, ticket_type.name
        tickets.remove_ticket_type(session, ticket_type, now=now())
    flash(f"{name} is taken out.")
    return redirect(url_for("staff.event", event_id=event_id), 303)


@staff.get("/events/<int:event_id>/seats/new")
@needs(may.change_programme)
def new_quota(event_id: int) -> ResponseReturnValue:
    """The form of one more counter."""
    event = catalogue.event_by_id(reading(), event_id)
    return page("events/quota.html", section="Programme", event=event, quota=None, typed={}, errors={})


@staff.post("/events/<int:event_id>/seats/new")
@needs(may.change_programme)
def create_quota(event_id: int) -> ResponseReturnValue:
    """Count seats of their own kind."""
    typed = Typed(request.form)
    try:
        with acting() as session:
            event = catalogue.event_by_id(session, event_id)
            size = typed.whole("size", low=0, high=tickets.MOST_SEATS)
            typed.finish()
            quota = tickets.add_quota(session, event, name=typed.text("name"), size=size)
    except Refusal as refusal:
        event = catalogue.event_by_id(reading(), event_id)
        return again("events/quota.html", refusal, section="Programme", event=event, quota=None)
    flash(f"{quota.name} are counted. Let a ticket type draw on them.")
    return redirect(url_for("staff.event", event_id=event_id), 303)


@staff.get("/seats/<int:quota_id>")
@needs(may.change_programme)
def edit_quota(quota_id: int) -> ResponseReturnValue:
    """The form of a counter."""
    quota = _quota(reading(), quota_id)
    return page("events/quota.html", section="Programme", event=quota.event, quota=quota, typed={"size": quota.size}, errors={})


@staff.post("/seats/<int:quota_id>")
@needs(may.change_programme)
def change_quota(quota_id: int) -> ResponseReturnValue:
    """Change how many seats there are."""
    typed = Typed(request.form)
    try:
        with acting(typed.text("why")) as session:
            quota = _quota(session, quota_id)
            size = typed.whole("size", low=0, high=tickets.MOST_SEATS)
            typed.finish()
            tickets.set_capacity(session, quota, size, now=now())
    except Refusal as refusal:
        quota = _quota(reading(), quota_id)
        return again("events/quota.html", refusal, section="Programme", event=quota.event, quota=quota)
    flash(f"There are {quota.size:,} {quota.name.lower()} now.")
    return redirect(url_for("staff.event", event_id=quota.event_id), 303)


def _again(refusal: Refusal, event: Event, ticket_type: TicketType | None) -> ResponseReturnValue:
    return again("events/ticket.html", refusal, section="Programme", event=event, ticket_type=ticket_type, currency=_currency(event))


def _ticket(typed: Typed, event: Event) -> Ticket:
    currency = _currency(event)
    early_price = typed.some_money("early_price", currency)
    return Ticket(
        name=typed.text("name"),
        price=typed.money("price", currency),
        early_price=early_price,
        early_until=_until(typed, event),
        on_sale=typed.ticked("on_sale"),
        most_per_order=typed.whole("most_per_order", low=1, high=tickets.MOST_PER_ORDER),
        quotas=[quota for quota in event.quotas if quota.id in _numbers("quotas")],
        sessions=[part for part in event.sessions if part.id in _numbers("sessions")],
    )


def _until(typed: Typed, event: Event) -> datetime | None:
    """The end of the early price on the clock of the event's zone; a day alone means its last minute."""
    text = typed.text("early_until").strip()
    if not text:
        return None
    wall = typed.clock("early_until") if len(text) > len("2027-03-22") else datetime.combine(typed.day("early_until"), time(23, 59))
    return None if "early_until" in typed.errors else place_in_time(wall, event.zone, field="early_until")


def _numbers(name: str) -> set[int]:
    return {number for text in request.form.getlist(name) if (number := positive(text))}


def _currency(event: Event) -> str:
    return event.ticket_types[0].currency if event.ticket_types else joined().settings.center.currency


def _ticket_type(session: Session, ticket_type_id: int) -> TicketType:
    found = session.get(TicketType, ticket_type_id)
    if found is None:
        raise NotFound("There is no such ticket type.")
    return found


def _quota(session: Session, quota_id: int) -> Quota:
    found = session.get(Quota, quota_id)
    if found is None:
        raise NotFound("There is no such counter of seats.")
    return found
