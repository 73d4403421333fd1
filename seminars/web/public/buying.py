"""From an event's page to a cart: seats are held by the first press."""

from collections.abc import Mapping

from flask import Blueprint, Response, make_response, redirect, render_template, request
from sqlalchemy.orm import Session

from seminars.db import db, transaction
from seminars.kit.refusals import BadInput, BadInputs, Refusal
from seminars.orders import cart as verbs
from seminars.orders.models import Cart
from seminars.orders.wording import meeting_people, meeting_when
from seminars.web.public import carts
from seminars.web.public.events import event_page, visible_event
from seminars.web.public.summary import Summary, summary_of, when_and_where
from seminars.web.shared import joined, now, request_id
from seminars.web.shared.errors import status_of
from seminars.web.shared.preferences import visitor_zone

blueprint = Blueprint("buying", __name__)


@blueprint.post("/events/<reference>/hold")
def hold(reference: str) -> Response:
    """Hold seats of this event and go on to the checkout; or the same page again, with what was wrong and what was typed."""
    try:
        places = carts.wanted(request.form)
        with transaction(by="visitor", why="hold seats", request_id=request_id()) as session:
            cart = _with_seats(session, reference, places)
    except Refusal as refusal:
        db.session().expire_all()
        event = visible_event(db.session(), reference)
        return make_response(event_page(event, typed=request.form, errors=errors_of(refusal)), status_of(refusal))
    return carts.remember(make_response(redirect("/checkout", 303)), cart)


def _with_seats(session: Session, reference: str, places: Mapping[int, int]) -> Cart:
    """This browser's cart, or a new one, with these seats in it. What it held before and lapsed is taken out."""
    instant = now()
    cart = carts.held(session)
    if cart is None:
        return verbs.start_cart(session, places, event=reference, client=carts.client(), now=instant)
    lapsed = {line.kind.id: 0 for line in cart.seat_lines if line.seats_held.state != "active" or line.seats_held.ends_at <= instant}
    return verbs.add_places(session, cart, lapsed | dict(places), event=reference, now=instant)


def errors_of(refusal: Refusal) -> dict[str, str]:
    """The refusal's sentences by field; under «places» when it names none."""
    match refusal:
        case BadInputs(errors=errors):
            return dict(errors)
        case BadInput(field=field):
            return {field or "places": str(refusal)}
        case _:
            return {"places": str(refusal)}


@blueprint.get("/cart")
def show() -> Response:
    """What this browser holds."""
    return _page(carts.held(db.session()))


@blueprint.post("/cart")
def change() -> Response:
    """Change how many seats are held (none frees them), or take an appointment out. Going on holds again what lapsed meanwhile."""
    cart = carts.held(db.session())
    if cart is None:
        return carts.forget(make_response(redirect("/cart", 303)))
    try:
        places = carts.wanted(request.form)
        with transaction(by="visitor", why="change seats", request_id=request_id()) as session:
            _change(session, cart, places)
    except Refusal as refusal:
        db.session().expire_all()
        return _page(carts.held(db.session()), errors=errors_of(refusal), status=status_of(refusal))
    return make_response(redirect("/checkout" if request.form.get("act") == "continue" else "/cart", 303))


def _change(session: Session, cart: Cart, places: Mapping[int, int]) -> None:
    instant = now()
    if (dropped := request.form.get("drop", "")).isdecimal() and len(dropped) < 19:
        verbs.remove_meeting(session, cart, int(dropped), now=instant)
        return
    until = verbs.held_until(cart)
    lapsed = until is None or until <= instant
    if lapsed and cart.meeting_lines:
        verbs.hold_meetings_again(session, cart, now=instant)
    known = {line.kind.id: line for line in cart.seat_lines}
    wanted = {i: number for i, number in places.items() if i in known and (lapsed or number != known[i].places)}
    if wanted:
        verbs.change_places(session, cart, wanted, now=instant)


def _page(cart: Cart | None, *, errors: Mapping[str, str] | None = None, status: int = 200) -> Response:
    summary: Summary | None = None
    if cart is not None and cart.lines:
        summary = summary_of(cart, currency=joined().settings.center.currency, visitor=visitor_zone(request), now=now())
    page = render_template(
        "public/cart.html",
        cart=cart,
        summary=summary,
        when_and_where=when_and_where,
        meeting_when=meeting_when,
        meeting_people=meeting_people,
        typed=request.form,
        errors=errors or {},
        most=carts.MOST,
    )
    return make_response(page, status)
