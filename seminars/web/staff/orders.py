"""Orders at the desk: found, looked at with all that happened, registered by telephone, cancelled after the plan was seen."""

from datetime import datetime

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seminars.desk import programme as catalogue
from seminars.desk import timeline
from seminars.invoices import documents
from seminars.invoices import queries as invoices
from seminars.kit.refusals import BadInput, NotFound, Refusal
from seminars.orders import cart as carts
from seminars.orders import checkout as placing
from seminars.orders import queries, settlement
from seminars.orders.buyers import Party, read_party
from seminars.orders.models import Order
from seminars.payments import cancelling
from seminars.payments import checkout as payments
from seminars.payments import queries as paid
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.guards import needs, the_user
from seminars.web.staff.door import Typed, acting, again, page, positive, reading, staff
from seminars.web.staff.links import address_of

STATES = ("placed", "paid", "cancelled", "expired")
MOST_PEOPLE = 20
PAPERS = {"invoice": "Invoice", "credit_note": "Credit note"}


@staff.get("/orders")
@needs(may.see_orders)
def orders() -> ResponseReturnValue:
    """Orders, newest first, narrowed by what stands in the address."""
    asked = request.args
    wanted = queries.Filter(
        state=asked["state"] if asked.get("state") in STATES else "",
        words=asked.get("q", "")[:120],
        review=bool(asked.get("review")),
    )
    session, before = reading(), positive(asked.get("before"))
    rows = queries.orders_page(session, wanted, before=before)
    count, totals = queries.orders_total(session, wanted)
    return page(
        "orders/list.html",
        section="Orders",
        wanted=wanted,
        rows=rows[:50],
        more=len(rows) > 50,
        count=count,
        totals=totals,
        states=STATES,
        first=before is None,
    )


@staff.get("/orders/<int:order_id>")
@needs(may.see_orders)
def order(order_id: int) -> ResponseReturnValue:
    """One order and all that happened to it."""
    session = reading()
    found = _order(session, order_id)
    entries = [
        one for one in timeline.of_order(session, found, zone=joined().settings.center.zone) if not one.money or may.see_finance(the_user())
    ]
    return page(
        "orders/show.html",
        section="Orders",
        order=found,
        lines=queries.lines_of(found),
        papers=[(PAPERS[paper.kind], paper) for paper in invoices.documents_of(session, found)],
        payments=paid.payments_of(session, found),
        attempts=paid.attempts_of(session, found),
        public=f"{joined().settings.base_url}/orders/{found.secret}",
        entries=[(entry, address_of(entry.reference)) for entry in entries if not entry.machine and not entry.money],
        books=[(entry, address_of(entry.reference)) for entry in entries if entry.money],
        machinery=[(entry, address_of(entry.reference)) for entry in entries if entry.machine],
        address_of=address_of,
    )


@staff.get("/documents/<path:reference>")
@needs(may.see_orders)
def document(reference: str) -> ResponseReturnValue:
    """An invoice or a credit note as it was kept."""
    kind, _, number = reference.partition("/")
    kept = documents.pdf_of(reading(), reference) if kind in PAPERS and number.isdecimal() else None
    if kept is None:
        raise NotFound("There is no such document, or it is still being made.")
    headers = {"Content-Disposition": f'inline; filename="{kind}-{number}.pdf"'}
    return Response(kept, mimetype="application/pdf", headers=headers)


@staff.get("/events/<int:event_id>/register")
@needs(may.register_people)
def register_people(event_id: int) -> ResponseReturnValue:
    """The form to register somebody who telephones: first how many and which ticket, then who."""
    event = catalogue.event_by_id(reading(), event_id)
    places = min(positive(request.args.get("places")) or 1, MOST_PEOPLE)
    typed = {"ticket": positive(request.args.get("ticket")), "places": places}
    return page("orders/register.html", section="Programme", event=event, typed=typed, places=places, errors={})


@staff.post("/events/<int:event_id>/register")
@needs(may.register_people)
def take_registration(event_id: int) -> ResponseReturnValue:
    """Register people at the desk: free with a reason, or to be paid from the order's page."""
    typed = Typed(request.form)
    places = typed.whole("places", low=1, high=MOST_PEOPLE)
    try:
        ticket_type_id, comp_reason = typed.choice("ticket"), _comp_reason(typed)
        typed.finish()
        party = read_party(request.form, places)
        with acting("registered at the desk") as session:
            placed = _place(session, ticket_type_id or 0, places, party, comp_reason, now())
    except Refusal as refusal:
        event = catalogue.event_by_id(reading(), event_id)
        return again("orders/register.html", refusal, section="Programme", event=event, places=places)
    _prepare_page(placed)
    flash(
        f"Order {placed.number} is placed; the way to pay it goes out by mail."
        if placed.total
        else f"Order {placed.number} is settled; the mails are on their way."
    )
    return redirect(url_for("staff.order", order_id=placed.id), 303)


@staff.get("/orders/<int:order_id>/cancel")
@needs(may.cancel_registrations)
def plan_cancellation(order_id: int) -> ResponseReturnValue:
    """What cancelling these seats would do, to the cent. Nothing is changed."""
    session = reading()
    found = _order(session, order_id)
    chosen, refund = _chosen(request.args.getlist("seat")), request.args.get("refund", "1") == "1"
    if not chosen:
        raise BadInput("Choose at least one seat to cancel.", "seat")
    plan = cancelling.plan(session, found, chosen, refund=refund)
    return page("orders/cancel.html", section="Orders", order=found, plan=plan, chosen=chosen, refund=refund, errors={}, typed={})


@staff.post("/orders/<int:order_id>/cancel")
@needs(may.cancel_registrations)
def cancel(order_id: int) -> ResponseReturnValue:
    """Carry out the plan that was shown, and no other."""
    typed = Typed(request.form)
    chosen, refund = _chosen(request.form.getlist("seat")), typed.text("refund") == "1"
    try:
        reason = typed.text("reason").strip()
        if not reason:
            typed.wrong("reason", "Please say why. It stands on the credit note and on the timeline.")
        typed.finish()
        with acting(reason) as session:
            plan = cancelling.carry_out(
                session,
                _order(session, order_id),
                chosen,
                refund=refund,
                version=typed.text("version"),
                reason=reason[:300],
                letterhead=joined().settings.letterhead,
                now=now(),
            )
    except Refusal as refusal:
        return _planned_again(refusal, order_id, chosen, refund)
    flash(f"Cancelled: {len(plan.seats)} of the order's seats.")
    return redirect(url_for("staff.order", order_id=order_id), 303)


@staff.post("/orders/<int:order_id>/call-off")
@needs(may.cancel_registrations)
def call_off(order_id: int) -> ResponseReturnValue:
    """Cancel an order that nobody has paid; if it was paid in that second, paid wins."""
    parts = joined()
    found = cancelling.call_off(acting, parts.stripe, order_id, letterhead=parts.settings.letterhead, clock=parts.clock)
    flash(f"Order {found.number} is {found.state}.")
    return redirect(url_for("staff.order", order_id=order_id), 303)


def _place(session: Session, ticket_type_id: int, places: int, party: Party, comp_reason: str, instant: datetime) -> Order:
    letterhead = joined().settings.letterhead
    cart = carts.open_cart(session, now=instant)
    carts.add_places(session, cart, {ticket_type_id: places}, now=instant, desk=True)
    terms = placing.Terms(prefix=letterhead.center.order_prefix, channel="desk", comp_reason=comp_reason)
    placed = placing.place_order(session, cart, party, terms=terms, now=instant)
    if placed.total:
        payments.begin(session, settlement.lock(session, placed.id), letterhead=letterhead, now=instant)
        return placed
    return settlement.settle(session, settlement.lock(session, placed.id), letterhead=letterhead, now=instant)


def _prepare_page(placed: Order) -> None:
    """Have the payment page made while the caller is on the telephone; if Stripe is silent, the timetable goes on trying."""
    attempt = payments.live_attempt(reading(), placed)
    if attempt is not None:
        reading().rollback()
        payments.hand_over(acting, joined().stripe, attempt.id, clock=joined().clock)


def _comp_reason(typed: Typed) -> str:
    if not typed.ticked("comp"):
        return ""
    reason = " ".join(typed.text("comp_reason").split())[:300]
    if not may.comp_seats(the_user()):
        typed.wrong("comp", "Your role cannot give seats away. Ask somebody of the program.")
    elif not reason:
        typed.wrong("comp_reason", "Please say why these seats are free.")
    return reason


def _planned_again(refusal: Refusal, order_id: int, chosen: list[int], refund: bool) -> ResponseReturnValue:
    """The plan as it is now, with what was wrong; the order's page when these seats cannot be cancelled any more at all."""
    found = _order(reading(), order_id)
    try:
        plan = cancelling.plan(reading(), found, chosen, refund=refund)
    except Refusal as gone:
        flash(f"Nothing was cancelled. {gone}", "error")
        return redirect(url_for("staff.order", order_id=order_id), 303)
    return again("orders/cancel.html", refusal, section="Orders", order=found, plan=plan, chosen=chosen, refund=refund)


def _chosen(values: list[str]) -> list[int]:
    return [number for text in values if (number := positive(text))]


def _order(session: Session, order_id: int) -> Order:
    found = session.get(Order, order_id)
    whole = queries.order_by_number(session, found.number) if found else None
    if whole is None:
        raise NotFound("There is no such order.")
    return whole
