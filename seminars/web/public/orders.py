"""The order's page, which its secret link opens: how it stands, what happens next, who attends, and the documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from sqlalchemy.orm import Session

from seminars.calendars import ics
from seminars.catalog.models import Event, EventSession
from seminars.catalog.occasions import occasion_of, place
from seminars.db import db
from seminars.invoices import documents
from seminars.invoices import queries as invoices
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.refusals import NotFound, Refusal
from seminars.orders import letters, queries, settlement
from seminars.orders.buyers import read_attendee
from seminars.orders.models import Order
from seminars.orders.wording import meeting_people, meeting_when
from seminars.payments import checkout as payments
from seminars.payments import polling
from seminars.payments import queries as paid
from seminars.payments.models import Payment
from seminars.registration import announcing, places
from seminars.registration.announcing import sessions_of
from seminars.web.public import standing
from seminars.web.public.buying import errors_of
from seminars.web.public.checkout import pay_address, work
from seminars.web.public.feeds import calendar, entry_of
from seminars.web.public.summary import lines_of, when_and_where
from seminars.web.shared import joined, now
from seminars.web.shared.errors import status_of
from seminars.web.shared.preferences import visitor_zone

blueprint = Blueprint("orders", __name__)

KINDS = {"invoice": "Invoice", "credit_note": "Credit note"}


@dataclass(frozen=True)
class Step:
    """One line of what happens next."""

    when: str
    at: str
    text: str


@dataclass(frozen=True)
class Document:
    """A file that the buyer may fetch."""

    label: str
    path: str
    note: str


def the_order(session: Session, secret: str) -> Order:
    """The order that this link opens. Raises NotFound."""
    order = queries.order_by_secret(session, secret[:40])
    if order is None:
        raise NotFound("There is no order at this address. Open the link in our mail once more.")
    return order


@blueprint.get("/orders/<secret>")
def show(secret: str) -> Response:
    """How the order stands."""
    return _page(the_order(db.session(), secret))


@blueprint.get("/orders/<secret>/thanks")
def thanks(secret: str) -> Response:
    """The browser is back from the payment page. Only what Stripe says when asked counts; until it is known, the page asks again."""
    order = the_order(db.session(), secret)
    if order.state == "placed":
        _ask_stripe(order, request.args.get("session_id", ""))
        order = the_order(db.session(), secret)
    if order.state != "placed":
        return make_response(redirect(f"/orders/{order.secret}", 303))
    return _page(order, confirming=True)


@blueprint.get("/orders/<secret>/back")
def back(secret: str) -> Response:
    """The browser left the payment page without paying. Stripe is asked why, so that a declined card is told of at once."""
    order = the_order(db.session(), secret)
    attempt = payments.live_attempt(db.session(), order) if order.state == "placed" else None
    if attempt is not None and attempt.session_id:
        _ask_stripe(order, attempt.session_id)
    return make_response(redirect(f"/orders/{order.secret}", 303))


def _ask_stripe(order: Order, session_id: str) -> None:
    """Settle from a fresh look at the payment page, if that page is one of this order's; trouble there is the poller's to mend."""
    if not any(attempt.session_id == session_id for attempt in paid.attempts_of(db.session(), order)):
        return
    # No transaction may be open while Stripe is asked: what was read so far ends here.
    db.session().rollback()
    parts = joined()
    polling.could_ask(
        lambda: work(order, "back from the payment page"),
        parts.stripe,
        session_id,
        letterhead=parts.settings.letterhead,
        found_by="thanks",
        clock=parts.clock,
    )
    db.session().expire_all()


@blueprint.post("/orders/<secret>/pay")
def pay(secret: str) -> Response:
    """Go on to the payment page: the one that is open, or a new one. An order that lapsed takes its seats again first."""
    order = the_order(db.session(), secret)
    _close_old_page(order)
    try:
        with work(order, "pay") as session:
            locked = settlement.lock(session, order.id)
            attempt = payments.begin(session, locked, letterhead=joined().settings.letterhead, now=now())
    except Refusal as refusal:
        db.session().expire_all()
        return _page(the_order(db.session(), secret), refused=str(refusal), status=status_of(refusal))
    return make_response(redirect(pay_address(order, attempt), 303))


@blueprint.get("/orders/<secret>/payment-page")
def payment_page(secret: str) -> Response:
    """On to a payment page of another origin than Stripe's own (a custom domain): a form may not lead there, a page may."""
    order = the_order(db.session(), secret)
    attempt = payments.live_attempt(db.session(), order)
    if attempt is None or not attempt.url:
        return make_response(redirect(f"/orders/{order.secret}", 303))
    return make_response(render_template("public/payment_page.html", order=order, address=attempt.url))


def _close_old_page(order: Order) -> None:
    """A payment page whose time is over takes no money; Stripe says so, and then a new one can be made."""
    under_way = payments.live_attempt(db.session(), order)
    if under_way is not None and under_way.session_id and under_way.expires_at <= now():
        _ask_stripe(order, under_way.session_id)


@blueprint.post("/orders/<secret>/seats/<int:number>")
def name_seat(secret: str, number: int) -> Response:
    """Say who takes a seat that nobody was named for; the invitation goes out with it."""
    order = the_order(db.session(), secret)
    registration = next((line.seat for line in order.seat_lines if line.position == number), None)
    if registration is None:
        raise NotFound("There is no such seat in this order.")
    try:
        attendee = read_attendee(request.form)
        with work(order, "name a seat") as session:
            letterhead = joined().settings.letterhead
            places.name_seat(session, registration, attendee)
            purchase = letters.purchase_of(order, letterhead=letterhead)
            announcing.tell_confirmed(session, [registration], letterhead=letterhead, purchase=purchase, now=now())
    except Refusal as refusal:
        db.session().expire_all()
        return _page(the_order(db.session(), secret), naming=number, errors=errors_of(refusal), status=status_of(refusal))
    return make_response(redirect(f"/orders/{order.secret}#people", 303))


@blueprint.get("/orders/<secret>/calendar.ics")
def order_ics(secret: str) -> Response:
    """All that was booked, for the buyer's own calendar. Has no joining address: that is for who sits in the seat."""
    order = the_order(db.session(), secret)
    letterhead = joined().settings.letterhead
    booked, entries = _booked(order), []
    for event in events_of(order):
        sessions = [one for one in booked if one.event_id == event.id]
        page = f"{letterhead.base_url}/events/{event.reference}"
        occasions = [occasion_of(one, page=page, of=len(sessions), joinable=False) for one in sessions]
        off = event.state == "cancelled" or order.state in ("cancelled", "expired")
        entries += [entry_of(one, letterhead, stamp=order.placed_at, cancelled=off) for one in occasions]
    return calendar(entries, ics.Feed(name=f"{letterhead.center.name}, order {order.number}"), f"{order.number}.ics")


@blueprint.get("/orders/<secret>/documents/<kind>/<int:number>")
def document(secret: str, kind: str, number: int) -> Response:
    """An invoice or credit note of this order as PDF, at any time; of another order's, there is none."""
    order = the_order(db.session(), secret)
    wanted = f"{kind}/{number}"
    name = next((one.number for one in invoices.documents_of(db.session(), order) if one.reference == wanted), None)
    pdf = documents.pdf_of(db.session(), wanted) if name else None
    if pdf is None:
        raise NotFound("This document is not ready yet. It takes a minute; open the order again then.")
    response = Response(pdf, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return response


def events_of(order: Order) -> list[Event]:
    """The events of an order, in the order of its lines."""
    return list({line.event_id: line.seat.event for line in order.seat_lines}.values())


def _page(
    order: Order,
    *,
    confirming: bool = False,
    refused: str = "",
    naming: int = 0,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    session, instant = db.session(), now()
    attempts, payments_ = paid.attempts_of(session, order), paid.payments_of(session, order)
    events = events_of(order)
    home = next((zone for zone in _zones(order)), joined().settings.center.zone)
    page = render_template(
        "public/order.html",
        order=order,
        standing=standing.of(order, attempts, confirming=confirming, zone=visitor_zone(request) or home, now=instant),
        refused=refused,
        leads=[
            *(f"{event.title}, {when_and_where(event)}" for event in events),
            *(line.description for line in order.lines if line.registration_id is None),
        ],
        meetings=[(line.meeting, meeting_when(line.meeting), meeting_people(line.meeting)) for line in order.meeting_lines],
        steps=_steps(order, home, instant),
        unnamed=_unnamed(order),
        changes=_changes(order, events, instant),
        lines=lines_of(queries.lines_of(order), order.currency, order.discount_code.code if order.discount_code else ""),
        total=words.money(order.total_money) if order.total else "Free",
        paid_by=_paid_by(payments_),
        refunds=_refunds(payments_),
        documents=_documents(session, order),
        naming=naming,
        typed=request.form,
        errors=errors or {},
        people=sum(1 for line in order.seat_lines if line.seat.state != "cancelled"),
        refresh=confirming,
    )
    return make_response(page, status)


def _zones(order: Order) -> list[str]:
    """The zones of what was ordered, first to last."""
    return [line.seat.event.zone if line.registration_id else line.meeting.zone for line in order.lines if line.starts_at]


def _unnamed(order: Order) -> int:
    """How many seats are certain but have nobody in them."""
    return sum(1 for line in order.seat_lines if not line.seat.named and line.seat.state == "confirmed")


def _booked(order: Order) -> list[EventSession]:
    """The sessions that somebody in this order goes to, by time; where all seats are cancelled, those that they were for."""
    seats = [line.seat for line in order.seat_lines]
    seats = [seat for seat in seats if seat.state != "cancelled"] or seats
    found = {one.id: one for seat in seats for one in sessions_of(seat)}
    return sorted(found.values(), key=lambda one: (one.starts_at, one.id))


def _changes(order: Order, events: list[Event], instant: datetime) -> list[str]:
    """What can still be changed, in the words of the rule that was agreed."""
    if order.state != "paid" or not any(line.seat.state == "confirmed" for line in order.seat_lines):
        return []
    rules = {rule["event_id"]: rule for rule in order.policies if "event_id" in rule}
    ahead = [event for event in events if event.starts_at and event.starts_at > instant]
    return [_change(event, rules.get(event.id, {}), order, instant, name=len(events) > 1) for event in ahead]


def _change(event: Event, rule: Mapping[str, Any], order: Order, instant: datetime, *, name: bool) -> str:
    until = datetime.fromisoformat(rule["until"]) if rule.get("until") else None
    refund = "nothing is refunded any more"
    if not any(line.net for line in order.seat_lines if line.event_id == event.id):
        refund = "nothing was paid, so a seat can be given back at any time"
    elif until and until > instant:
        fee = f" less {words.money(Money(rule['fee'], rule['currency']))} for each person" if rule["fee"] else ""
        refund = f"full refund{fee} until {words.moment(until, event.zone)}"
    title = f"{event.title}: " if name else ""
    return f"{title}{refund}; a colleague may take a seat until the start."


def _steps(order: Order, home: str, instant: datetime) -> list[Step]:
    """What happens next for an order that stands."""
    if order.state != "paid":
        return []
    steps = []
    if order.paid_at:
        unnamed, named = _unnamed(order), any(line.seat.named for line in order.seat_lines)
        told = ["Confirmation and calendar entry sent to everybody who is named."] if named else []
        if not order.seat_lines:
            told = ["Confirmation and calendar entry sent to you."]
        if unnamed:
            told.append(f"{words.count(unnamed, 'seat has', 'seats have')} no name yet. Name them below; that sends the invitations.")
        steps.append(Step(words.day(words.local(order.paid_at, home).date()), order.paid_at.isoformat(), " ".join(told)))
    for line in order.meeting_lines:
        if line.meeting.ends_at > instant and line.meeting.state == "confirmed":
            text = f"{line.meeting.offering.title}, with {meeting_people(line.meeting)}. How to join stands in your invitation."
            steps.append(Step(meeting_when(line.meeting), line.meeting.starts_at.isoformat(), text))
    booked = _booked(order)
    several = len({one.event_id for one in booked}) > 1
    for one in booked:
        if one.ends_at > instant:
            zone = one.event.zone
            title = f"{one.event.title}. " if several else ""
            where = place(one) or "Online. The link is in each person’s invitation."
            local = words.local(one.starts_at, zone)
            when = words.weekday(local) if one.all_day else f"{words.weekday(local)}, {words.time_in(one.starts_at, zone)}"
            steps.append(Step(when, one.starts_at.isoformat(), f"{title}{f'{one.title}. ' if one.title else ''}{where}"))
    return sorted(steps, key=lambda step: datetime.fromisoformat(step.at))


def _paid_by(payments_: Sequence[Payment]) -> str:
    settled = next((payment for payment in payments_ if payment.role == "settles"), None)
    if settled is None:
        return ""
    return f"{(settled.brand or settled.method).capitalize()} ending {settled.last4}" if settled.last4 else settled.method.capitalize()


def _refunds(payments_: Sequence[Payment]) -> list[tuple[str, str]]:
    """What goes or went back: amount and how far it is."""
    told = {"succeeded": "sent back", "failed": "could not be sent; we will write to you", "needs_manual": "we will write to you"}
    return [
        (words.money(Money(refund.amount, refund.currency)), told.get(refund.state, "on its way"))
        for payment in payments_
        for refund in payment.refunds
        if refund.state != "canceled"
    ]


def _documents(session: Session, order: Order) -> list[Document]:
    return [
        Document(
            label=f"{KINDS[paper.kind]} {paper.number}",
            path=f"/orders/{order.secret}/documents/{paper.reference}",
            note=f"PDF, {max(1, paper.size // 1024)}{words.NBSP}KB" if paper.size else "",
        )
        for paper in invoices.documents_of(session, order)
    ]
