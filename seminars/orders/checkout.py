"""Placing an order: from a held cart to an agreement with frozen prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from seminars.audit import recording
from seminars.catalog.models import RefundPolicy
from seminars.catalog.policies import refund_until
from seminars.consulting import booking
from seminars.consulting.models import Appointment
from seminars.kit import format as words
from seminars.kit.references import reference, secret
from seminars.kit.refusals import BadInput, Conflict
from seminars.orders import cart as carts
from seminars.orders import discounts, numbering, pricing
from seminars.orders.buyers import Party
from seminars.orders.models import Cart, CartLine, Order, OrderLine
from seminars.registration import holds, places
from seminars.registration.models import Hold, Registration
from seminars.registration.places import Seat


class PriceChanged(Conflict):
    """The price is not the one that the buyer saw. Carries the new total in words."""

    def __init__(self, total: str) -> None:
        super().__init__(f"The price has changed to {total} since you opened this page. Please look at it and press again.")


class SomethingLost(Conflict):
    """Part of a cart went to somebody else. Nothing was ordered; the door gives back what the cart still held, in a commit of its own."""

    def __init__(self, lost: Mapping[int, str]) -> None:
        self.lost = dict(lost)
        gone = "; ".join(self.lost.values())
        super().__init__(
            f"We could hold this no longer, and it is gone: {gone}. Nothing was ordered or charged, and we gave back the rest of your cart"
            " as well. Continue to hold the rest again, or choose another time first."
        )


@dataclass(frozen=True)
class Terms:
    """How an order is placed: from the web or at the desk, free for a reason or priced, under which number prefix."""

    prefix: str
    channel: str = "web"
    comp_reason: str = ""


def place_order(session: Session, cart: Cart, party: Party, *, terms: Terms, agreed_total: int | None = None, now: datetime) -> Order:
    """Turn a held cart into an order whose prices and policies are frozen; seats and slots are held without an end from here on.

    `agreed_total` is what the page showed, in minor units. Raises HoldLapsed, SomethingLost, PriceChanged, BadInput, Conflict.
    The same cart places one order: the second caller waits for the first and is refused.
    """
    _check(cart, party, terms, now)
    _close(session, cart)
    wanted = carts.wanted_lines(cart)
    code = discounts.usable(cart.discount_code, now=now) if not terms.comp_reason else None
    priced = pricing.price_lines(
        wanted, currency=wanted[0].currency, reduction=discounts.reduction_of(code), free=bool(terms.comp_reason), now=now
    )
    if agreed_total is not None and agreed_total != priced.total.amount:
        raise PriceChanged(words.money(priced.total))
    if lost := _lost(session, cart) if cart.meeting_lines else {}:
        raise SomethingLost(lost)
    holds.consume(session, [line.seats_held.id for line in cart.seat_lines])
    if code is not None and priced.discounted:
        discounts.use(session, code.id, priced.discounted)
    order = _write_order(session, cart, party, priced, terms, code_id=code.id if code else None, now=now)
    wanted_seats = [(line.event_id, line.ticket_type_id) for line in priced.lines if line.event_id and line.ticket_type_id]
    seats = [Seat(event_id, kind, attendee) for (event_id, kind), attendee in zip(wanted_seats, party.attendees, strict=True)]
    registrations = places.place_seats(
        session,
        seats,
        order_reference=order.reference,
        organisation=party.buyer.organisation,
        zone=party.buyer.zone,
        comp_reason=terms.comp_reason,
        now=now,
    )
    meetings = _keep_meetings(session, cart, order, party, now=now) if cart.meeting_lines else {}
    _write_lines(session, order, priced.lines, registrations, meetings)
    return order


def _lost(session: Session, cart: Cart) -> dict[int, str]:
    """What of the cart is not held any more, by cart line. What is still held is locked, so that it stays so until the commit."""
    ids = [line.seats_held.id for line in cart.seat_lines]
    standing = set(
        session.scalars(select(Hold.id).where(Hold.id.in_(ids), Hold.state == "active").order_by(Hold.id).with_for_update(key_share=True))
    )
    lost = {line.id: _seats_in_words(line) for line in cart.seat_lines if line.hold_id not in standing}
    meetings = {line.appointment_id: line for line in cart.meeting_lines}
    gone = booking.lost_of(session, [line.meeting for line in meetings.values()])
    return lost | {meetings[one.id].id: carts.described(one) for one in gone}


def _seats_in_words(line: CartLine) -> str:
    return f"{words.count(line.places, 'seat', 'seats')} in {line.kind.event.title}"


def _keep_meetings(session: Session, cart: Cart, order: Order, party: Party, *, now: datetime) -> dict[int, Appointment]:
    """The cart's appointments, kept for the order in the buyer's name."""
    meetings = [line.meeting for line in cart.meeting_lines]
    client = booking.Client(party.buyer.name, party.buyer.email, party.buyer.organisation)
    booking.keep(session, meetings, order_reference=order.reference, client=client, now=now)
    return {one.id: one for one in meetings}


def _check(cart: Cart, party: Party, terms: Terms, now: datetime) -> None:
    if not cart.lines:
        raise BadInput("Your cart is empty. Choose at least one seat or appointment.", "places")
    if len(party.attendees) != sum(line.places for line in cart.seat_lines):
        raise Conflict("The number of seats has changed since you opened this page. Please look at it and press again.")
    for line in cart.seat_lines:
        carts.check_open(line.kind.event, now=now, desk=terms.channel == "desk")
    for line in cart.meeting_lines:
        booking.check_open(line.meeting, now=now, desk=terms.channel == "desk")


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
    order_id, number = numbering.take(session, terms.prefix, now=now)
    values: dict[str, Any] = {
        "id": order_id,
        "number": number,
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
        "policies": _policies(cart),
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


def _policies(cart: Cart) -> list[dict[str, Any]]:
    """The refund rules of all that is in the cart, as they are today: what was agreed, whatever staff change later."""
    events = {line.kind.event.id: line.kind.event for line in cart.seat_lines}
    meetings = [line.meeting for line in cart.meeting_lines]
    return [_policy({"event_id": event.id}, event.policy, event.starts_at, event.zone) for event in events.values()] + [
        _policy({"appointment_id": one.id}, one.offering.policy, one.starts_at, one.zone) for one in meetings
    ]


def _policy(subject: dict[str, int], policy: RefundPolicy | None, starts_at: datetime | None, zone: str) -> dict[str, Any]:
    if policy is None or starts_at is None:
        return {**subject, "days_before": None, "fee": 0, "currency": "", "until": None}
    until = refund_until(policy.days_before, starts_at, zone)
    return {
        **subject,
        "days_before": policy.days_before,
        "fee": policy.fee,
        "currency": policy.currency,
        "until": until.isoformat(),
    }


def _write_lines(
    session: Session,
    order: Order,
    priced: Sequence[pricing.PricedLine],
    registrations: Sequence[Registration],
    meetings: Mapping[int, Appointment],
) -> None:
    seats = iter(registrations)
    sold: list[Registration | Appointment] = [meetings[one.appointment_id] if one.appointment_id else next(seats) for one in priced]
    rows = [
        {
            "order_id": order.id,
            "position": position,
            "registration_id": None if line.appointment_id else thing.id,
            "event_id": line.event_id,
            "ticket_type_id": line.ticket_type_id,
            "appointment_id": line.appointment_id,
            "description": line.description,
            "list_price": line.list_price,
            "early_reduction": line.early_reduction,
            "discount": line.discount,
            "net": line.net,
            "tax_rate": 0,
            "tax": line.tax,
        }
        for position, (line, thing) in enumerate(zip(priced, sold, strict=True), start=1)
    ]
    lines = list(session.scalars(insert(OrderLine).returning(OrderLine, sort_by_parameter_order=True), rows))
    # What has just been written need not be read again for the letter and the payment page.
    for line, thing in zip(lines, sold, strict=True):
        set_committed_value(line, "appointment" if line.appointment_id else "registration", thing)
    set_committed_value(order, "lines", lines)
