"""The page of an event with its tickets, and the page of a seminar with all its dates."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy.orm import Session

from seminars.catalog import queries
from seminars.catalog.models import Event, TicketType
from seminars.catalog.occasions import live_sessions
from seminars.catalog.policies import refund_sentence
from seminars.db import db
from seminars.kit import format as words
from seminars.kit.refusals import NotFound
from seminars.registration import capacity
from seminars.web.public import agenda, markup, programme, wording
from seminars.web.shared import joined, now
from seminars.web.shared.preferences import visitor_zone

blueprint = Blueprint("events", __name__)

OTHER_DATES = 12


@dataclass(frozen=True)
class Ticket:
    """One way to attend, as the panel offers it."""

    id: int
    name: str
    price: str
    note: str
    seats: wording.Seats
    most: int
    value: str
    error: str = ""


@blueprint.get("/seminars/<slug>")
def seminar(slug: str) -> Response:
    """What is taught, and every upcoming date."""
    found = queries.seminar_by_slug(db.session(), slug)
    if found is None:
        raise NotFound("There is no seminar at this address.")
    instant, zone, center = now(), visitor_zone(request), joined().settings.center
    rows = queries.upcoming_of(db.session(), slug, now=instant)
    topics = dict(center.topics)
    dates = programme.lines(rows, zone, topics)
    return programme.public(
        make_response(render_template("public/seminar.html", seminar=found, topic=topics.get(found.topic, ""), dates=dates))
    )


@blueprint.get("/events/<reference>")
def show(reference: str) -> Response:
    """One date: what, when, where, who, and the form that holds seats. A draft opens to whoever has its preview link."""
    event = visible_event(db.session(), reference)
    return make_response(event_page(event))


def visible_event(session: Session, reference: str) -> Event:
    """The event at this address if the visitor may see it. Raises NotFound: a draft without its link does not exist."""
    event = queries.event_by_reference(session, reference)
    if event is None or (event.state == "draft" and not _may_preview(event)):
        raise NotFound("There is no event at this address.")
    return event


def _may_preview(event: Event) -> bool:
    return hmac.compare_digest(request.args.get("preview", "").encode(), event.preview_secret.encode())


def event_page(event: Event, *, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None) -> str:
    """The page, with what was typed and what was wrong with it when the form comes back."""
    session, instant, settings = db.session(), now(), joined().settings
    left = capacity.left(session, [kind.id for kind in event.ticket_types])
    sessions = [one for one in event.sessions if one.state != "cancelled" or event.state != "cancelled"]
    topics = dict(settings.center.topics)
    return render_template(
        "public/event.html",
        event=event,
        topic=topics.get(event.seminar.topic, ""),
        span=agenda.span(event.sessions, event.zone),
        elsewhere=_elsewhere(event),
        days=agenda.days(sessions, event.zone),
        tickets=tickets(event.ticket_types, left, typed or {}, errors or {}, instant),
        standing=standing(event, left, instant),
        errors=errors or {},
        refund=_refund(event, instant),
        others=_others(session, event, instant, topics),
        data=markup.event_data(event, center=settings.center, base_url=settings.base_url, left=left, now=instant),
        preview=request.args.get("preview", "") if event.state == "draft" else "",
        day_span=_day_span(event),
    )


def standing(event: Event, left: Mapping[int, int], instant: datetime) -> str:
    """Why no seats can be had: draft, cancelled, over, started, full, closed; empty while they can."""
    if event.state in ("draft", "cancelled"):
        return event.state
    if event.ends_at is None or event.starts_at is None or event.state == "archived" or event.ends_at <= instant:
        return "over"
    if event.starts_at <= instant:
        return "started"
    on_sale = [kind for kind in event.ticket_types if kind.on_sale]
    if not on_sale:
        return "closed"
    return "" if any(left.get(kind.id, 0) > 0 for kind in on_sale) else "full"


def tickets(
    kinds: list[TicketType], left: Mapping[int, int], typed: Mapping[str, str], errors: Mapping[str, str], instant: datetime
) -> list[Ticket]:
    """The ticket types on sale. One seat is filled in beforehand where there is only one kind; of several, the visitor says which."""
    shown: list[Ticket] = []
    alone = sum(1 for kind in kinds if kind.on_sale) == 1
    for kind in (kind for kind in kinds if kind.on_sale):
        field, free = f"places-{kind.id}", left.get(kind.id, 0)
        usual = "1" if alone and free > 0 else "0"
        size = min((quota.size for quota in kind.quotas), default=0)
        shown.append(
            Ticket(
                id=kind.id,
                name=kind.name,
                price=price_text(kind, instant),
                note=_price_note(kind, instant),
                seats=wording.seats(free, size),
                most=max(0, min(free, kind.most_per_order)),
                value=typed.get(field, usual) if typed else usual,
                error=errors.get(field, ""),
            )
        )
    return shown


def price_text(kind: TicketType, instant: datetime) -> str:
    """What one seat costs now."""
    price = kind.price_at(instant)
    return words.money(price) if price else "Free"


def _price_note(kind: TicketType, instant: datetime) -> str:
    """«until 15 January 2027, then $1,190.00»: the day is that of the event's zone, as staff set it."""
    if kind.early_until is None or kind.price_at(instant) == kind.list_price:
        return ""
    return f"until {words.moment(kind.early_until, kind.event.zone)}, then {words.money(kind.list_price)}"


def _free(event: Event) -> bool:
    return all(kind.price == 0 for kind in event.ticket_types)


def _refund(event: Event, instant: datetime) -> str:
    """The rule for who still thinks of coming; nothing where nothing is paid, or where it has begun."""
    if event.starts_at is None or event.starts_at <= instant or _free(event):
        return ""
    return refund_sentence(event.policy, event.starts_at, event.zone, now=instant)


def _elsewhere(event: Event) -> str:
    visitor = visitor_zone(request)
    if not visitor or not event.online or event.starts_at is None:
        return ""
    return wording.elsewhere(event.starts_at, event.zone, visitor)


def _day_span(event: Event) -> str:
    sessions = live_sessions(event.sessions)
    if not sessions:
        return ""
    first, last = words.local(sessions[0].starts_at, event.zone), words.local(sessions[-1].starts_at, event.zone)
    return words.day_span(first.date(), last.date())


def _others(session: Session, event: Event, instant: datetime, topics: dict[str, str]) -> list[programme.Line]:
    """The other upcoming dates of the seminar."""
    rows = [
        row
        for row in queries.upcoming_of(session, event.seminar.slug, now=instant, most=OTHER_DATES + 1)
        if row.subject != f"event/{event.id}"
    ]
    return programme.lines(rows[:OTHER_DATES], visitor_zone(request), topics)
