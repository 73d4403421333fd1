"""The checkout: one page from held seats to an order, and on to Stripe."""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from flask import Blueprint, Response, make_response, redirect, render_template, request
from sqlalchemy.orm import Session

from seminars.catalog.policies import refund_sentence
from seminars.db import db, transaction
from seminars.kit.refusals import NotFound, Refusal
from seminars.orders import cart as verbs
from seminars.orders import checkout as placing
from seminars.orders import queries, settlement
from seminars.orders.buyers import read_party, twins_of
from seminars.orders.models import Cart, Order
from seminars.orders.wording import meeting_people, meeting_when
from seminars.payments import checkout as payments
from seminars.payments.models import PaymentAttempt
from seminars.web.public import carts
from seminars.web.public.buying import errors_of
from seminars.web.public.summary import summary_of, when_and_where
from seminars.web.shared import joined, now, request_id
from seminars.web.shared.errors import status_of
from seminars.web.shared.headers import form_may_lead_to
from seminars.web.shared.preferences import visitor_zone

blueprint = Blueprint("checkout", __name__)


@blueprint.get("/checkout")
def show() -> Response:
    """Who registers, who attends, how it is paid."""
    cart = carts.held(db.session())
    if cart is None or not cart.lines:
        return make_response(redirect("/cart", 303))
    return _page(cart)


@blueprint.post("/checkout")
def submit() -> Response:
    """Use a code, hold longer, or place the order; whatever was typed stays."""
    cart = carts.held(db.session())
    if cart is None or not cart.lines:
        return _pressed_twice()
    act = request.form.get("act", "order")
    code = request.form.get("code", "").strip()
    try:
        if act == "longer":
            return _hold_longer(cart)
        if act == "code" or code.casefold() != (cart.discount_code.code if cart.discount_code else "").casefold():
            return _use_code(cart, code)
        order, attempt = _place(cart)
    except placing.SomethingLost as lost:
        with transaction(by="visitor", why="give back the rest", request_id=request_id()) as session:
            if (held := carts.held(session)) is not None:
                verbs.let_go(session, held, lost=lost.lost, now=now())
        return _refused(lost)
    except Refusal as refusal:
        return _refused(refusal)
    return carts.forget(make_response(redirect(pay_address(order, attempt), 303)))


def _hold_longer(cart: Cart) -> Response:
    with transaction(by="visitor", why="hold longer", request_id=request_id()) as session:
        if _lapsed(cart):
            verbs.hold_again(session, cart, now=now())
        else:
            verbs.extend(session, cart, now=now())
    return _again()


def _lapsed(cart: Cart) -> bool:
    until = verbs.held_until(cart)
    return until is None or until <= now()


def _use_code(cart: Cart, code: str) -> Response:
    with transaction(by="visitor", why="use a code", request_id=request_id()) as session:
        verbs.use_code(session, cart, code, now=now())
    return _again(told="The code is in your order now. Look at the new total, then register." if code else "The code is taken off.")


def _place(cart: Cart) -> tuple[Order, PaymentAttempt | None]:
    """The order with its first payment attempt, in one commit; a free one is settled in the same."""
    letterhead = joined().settings.letterhead
    seats = [line.kind.event_id for line in cart.seat_lines for _ in range(line.places)]
    party = read_party(request.form, len(seats), twins=twins_of(seats))
    with transaction(by="visitor", why="register", request_id=request_id()) as session:
        terms = placing.Terms(prefix=letterhead.center.order_prefix)
        order = placing.place_order(session, cart, party, terms=terms, agreed_total=_agreed(), now=now())
        if order.total:
            return order, payments.begin(session, order, letterhead=letterhead, now=now())
        return settlement.settle(session, settlement.lock(session, order.id), letterhead=letterhead, now=now()), None


def _agreed() -> int:
    """The total that the page showed; what is no number agrees to nothing."""
    text = request.form.get("total", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else -1


def pay_address(order: Order, attempt: PaymentAttempt | None) -> str:
    """Where the browser goes now: to the payment page if it could be made, else to the order's page, which says how things stand."""
    if attempt is not None:
        parts = joined()
        attempt = payments.hand_over(lambda: work(order, "pay"), parts.stripe, attempt.id, clock=parts.clock)
        if attempt.state == "open" and attempt.url:
            return attempt.url if form_may_lead_to(parts.settings, attempt.url) else f"/orders/{order.secret}/payment-page"
    return f"/orders/{order.secret}"


def work(order: Order, why: str) -> AbstractContextManager[Session]:
    """A transaction in the name of the order's buyer."""
    return transaction(by=f"buyer/{order.number}", why=why, request_id=request_id())


def _refused(refusal: Refusal) -> Response:
    """The page again with the reason; or the order, when the same press came a moment earlier."""
    db.session().expire_all()
    cart = carts.held(db.session())
    if cart is None:
        return _pressed_twice(refusal)
    if not cart.lines:
        raise refusal
    return _page(cart, typed=request.form, errors=errors_of(refusal), status=status_of(refusal))


def _again(told: str = "") -> Response:
    db.session().expire_all()
    cart = carts.held(db.session())
    if cart is None:
        raise NotFound("The seats are not held any more.")
    return _page(cart, typed=request.form, told=told)


def _pressed_twice(refusal: Refusal | None = None) -> Response:
    """Lead a second press of the button to the order that the first one placed."""
    order = queries.order_of_cart(db.session(), carts.cookie()) if carts.cookie() else None
    if order is not None:
        return carts.forget(make_response(redirect(f"/orders/{order.secret}", 303)))
    if refusal is not None:
        raise refusal
    return make_response(redirect("/cart", 303))


def _page(
    cart: Cart, *, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None, status: int = 200, told: str = ""
) -> Response:
    settings, instant = joined().settings, now()
    summary = summary_of(cart, currency=settings.center.currency, visitor=visitor_zone(request), now=instant)
    people = [line.kind for line in cart.seat_lines for _ in range(line.places)]
    events = list({line.kind.event.id: line.kind.event for line in cart.seat_lines}.values())
    twins = twins_of([kind.event_id for kind in people])
    meetings = [line.meeting for line in cart.meeting_lines]
    page = render_template(
        "public/checkout.html",
        summary=summary,
        people=people,
        twins=twins,
        several=len({kind.id for kind in people}) > 1,
        leads=[
            *(f"{event.title}, {when_and_where(event)}" for event in events),
            *(f"{one.offering.title}, {meeting_when(one)}" for one in meetings),
        ],
        meetings=[(one, meeting_when(one), meeting_people(one)) for one in meetings],
        typed=typed if typed is not None else {"self": "1"} | {f"p{number}-same": "1" for number in twins},
        code=cart.discount_code.code if cart.discount_code else "",
        errors=errors or {},
        labels=_labels(len(people)),
        told=told,
        zone=visitor_zone(request),
        refunds=[
            (
                event.title if len(events) + len(meetings) > 1 else "",
                refund_sentence(event.policy, event.starts_at, event.zone, now=instant, each=" for each person"),
            )
            for event in events
            if event.starts_at and summary.total and any(kind.price for kind in people if kind.event_id == event.id)
        ]
        + [
            (one.offering.title, refund_sentence(one.offering.policy, one.starts_at, one.zone, now=instant, seat=False))
            for one, line in zip(meetings, cart.meeting_lines, strict=True)
            if summary.total and line.price_list.price
        ],
        test_mode=settings.stripe_test_mode,
    )
    return make_response(page, status)


def _labels(people: int) -> dict[str, str]:
    """What each field is called in the list of errors at the top."""
    labels = {
        "name": "Your name",
        "mail": "Your email",
        "org": "Organisation",
        "address": "Address",
        "po": "Purchase order number",
        "code": "Code",
    }
    for number in range(1, people + 1):
        for field, label in (("name", "name"), ("mail", "email"), ("prof", "profession"), ("need", "needs")):
            labels[f"p{number}-{field}"] = f"Person {number}, {label}"
    return labels
