"""Placing an order: from a held cart to an agreement with frozen prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Sequence as SqlSequence
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from seminars.audit import recording
from seminars.catalog.models import Event
from seminars.catalog.policies import refund_until
from seminars.kit import format as words
from seminars.kit.references import reference, secret
from seminars.kit.refusals import BadInput, Conflict
from seminars.orders import cart as carts
from seminars.orders import discounts, pricing
from seminars.orders.buyers import Party
from seminars.orders.models import Cart, Order, OrderLine
from seminars.registration import holds, places
from seminars.registration.models import Registration
from seminars.registration.places import Seat

ORDER_IDS = SqlSequence("orders_id_seq")


class PriceChanged(Conflict):
    """The price is not the one that the buyer saw. Carries the new total in words."""

    def __init__(self, total: str) -> None:
        super().__init__(f"The price has changed to {total} since you opened this page. Please look at it and press again.")


@dataclass(frozen=True)
class Terms:
    """How an order is placed: from the web or at the desk, free for a reason or priced, under which number prefix."""

    prefix: str
    channel: str = "web"
    comp_reason: str = ""


def place_order(session: Session, cart: Cart, party: Party, *, terms: Terms, agreed_total: int | None = None, now: datetime) -> Order:
    """Turn a held cart into an order whose prices and policies are frozen; its seats are held by registrations from here on.

    `agreed_total` is what the page showed, in minor units. Raises HoldLapsed, PriceChanged, BadInput, Conflict.
    The same cart places one order: the second caller waits for the first and is refused.
    """
    _check(cart, party, terms, now)
    _close(session, cart)
    wanted = carts.wanted_seats(cart)
    code = discounts.usable(cart.discount_code, now=now) if not terms.comp_reason else None
    priced = pricing.price_seats(
        wanted, currency=wanted[0].currency, reduction=discounts.reduction_of(code), free=bool(terms.comp_reason), now=now
    )
    if agreed_total is not None and agreed_total != priced.total.amount:
        raise PriceChanged(words.money(priced.total))
    holds.consume(session, [line.hold_id for line in cart.lines])
    if code is not None and priced.discounted:
        discounts.use(session, code.id, priced.discounted)
    order = _write_order(session, cart, party, priced, terms, code_id=code.id if code else None, now=now)
    seats = [Seat(s.event_id, s.ticket_type_id, attendee) for s, attendee in zip(priced.seats, party.attendees, strict=True)]
    registrations = places.place_seats(
        session,
        seats,
        order_reference=order.reference,
        organisation=party.buyer.organisation,
        zone=party.buyer.zone,
        comp_reason=terms.comp_reason,
        now=now,
    )
    _write_lines(session, order, priced.seats, registrations)
    return order


def _check(cart: Cart, party: Party, terms: Terms, now: datetime) -> None:
    if not cart.lines:
        raise BadInput("Your cart is empty. Choose at least one seat.", "places")
    if len(party.attendees) != sum(line.places for line in cart.lines):
        raise Conflict("The number of seats has changed since you opened this page. Please look at it and press again.")
    for line in cart.lines:
        carts.check_open(line.ticket_type.event, now=now, desk=terms.channel == "desk")


def _close(session: Session, cart: Cart) -> None:
    """Lock the cart and say that it is ordered. Raises Conflict when it was already."""
    closed = update(Cart).where(Cart.id == cart.id, Cart.state == "open").values(state="ordered")
    if not session.execute(closed.execution_options(synchronize_session=False)).rowcount:  # type: ignore[attr-defined]
        raise Conflict("These seats have been ordered already.")


def _write_order(
    session: Session, cart: Cart, party: Party, priced: pricing.Priced, terms: Terms, *, code_id: int | None, now: datetime
) -> Order:
    """Plain statements rather than an object graph: this is the path that a rush of buyers takes."""
    buyer = party.buyer
    order_id: int = session.scalar(select(ORDER_IDS.next_value()))  # type: ignore[assignment]
    values: dict[str, Any] = {
        "id": order_id,
        "number": f"{terms.prefix}-{now.year}-{order_id:04d}",
        "secret": secret(),
        "cart_id": cart.id,
        "state": "placed",
        "channel": terms.channel,
        "buyer_name": buyer.name,
        "buyer_email": buyer.email,
        "organisation": buyer.organisation,
        "address": buyer.address,
        "country": buyer.country,
        "po_number": buyer.po_number,
        "zone": buyer.zone,
        "currency": priced.currency,
        "net": priced.net.amount,
        "tax": priced.tax.amount,
        "total": priced.total.amount,
        "discount_code_id": code_id,
        "policies": [_policy(event) for event in {line.ticket_type.event.id: line.ticket_type.event for line in cart.lines}.values()],
        "placed_at": now,
    }
    order = session.scalars(insert(Order).returning(Order), [values]).one()
    recording.note(
        session,
        recording.CREATED,
        reference("order", order_id),
        after={
            name: values[name]
            for name in ("number", "state", "buyer_name", "buyer_email", "organisation", "po_number", "total", "currency")
        },
        now=now,
    )
    return order


def _policy(event: Event) -> dict[str, Any]:
    """The event's refund rule as it is today: what was agreed, whatever staff change later."""
    policy = event.policy
    if policy is None or event.starts_at is None:
        return {"event_id": event.id, "days_before": None, "fee": 0, "currency": "", "until": None}
    until = refund_until(policy.days_before, event.starts_at, event.zone)
    return {
        "event_id": event.id,
        "days_before": policy.days_before,
        "fee": policy.fee,
        "currency": policy.currency,
        "until": until.isoformat(),
    }


def _write_lines(session: Session, order: Order, seats: Sequence[pricing.PricedSeat], registrations: Sequence[Registration]) -> None:
    rows = [
        {
            "order_id": order.id,
            "position": position,
            "registration_id": registration.id,
            "event_id": seat.event_id,
            "ticket_type_id": seat.ticket_type_id,
            "description": seat.description,
            "list_price": seat.list_price,
            "early_reduction": seat.early_reduction,
            "discount": seat.discount,
            "net": seat.net,
            "tax_rate": 0,
            "tax": seat.tax,
        }
        for position, (seat, registration) in enumerate(zip(seats, registrations, strict=True), start=1)
    ]
    lines = list(session.scalars(insert(OrderLine).returning(OrderLine, sort_by_parameter_order=True), rows))
    # What has just been written need not be read again for the letter and the payment page.
    for line, registration in zip(lines, registrations, strict=True):
        set_committed_value(line, "registration", registration)
    set_committed_value(order, "lines", lines)
