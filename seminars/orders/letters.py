"""The facts of letters to the person who ordered. Their wording lies under templates/mail/orders/."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog.models import Event
from seminars.config import Letterhead
from seminars.consulting.models import Appointment
from seminars.kit.format import time_range
from seminars.kit.money import Money
from seminars.kit.references import reference
from seminars.messages.outbox import Letter
from seminars.messages.render import Posted
from seminars.orders.models import Order
from seminars.orders.queries import lines_of
from seminars.orders.wording import meeting_people, things
from seminars.registration.letters import Purchase
from seminars.registration.models import Registration

RECEIVED = "orders/received"
CONFIRMED = "orders/confirmed"
FAILED = "orders/payment_failed"
UNPLACED = "orders/paid_without_seat"


def order_page(order: Order, letterhead: Letterhead) -> str:
    """The secret address of an order's page."""
    return f"{letterhead.base_url}/orders/{order.secret}"


def order_received(order: Order, *, letterhead: Letterhead) -> Letter:
    """What was ordered, for whom, what is to be paid, and the address under which all of it can be found again."""
    return _letter(order, RECEIVED, f"order.received:{order.id}", _facts(order, _seats_of(order), letterhead))


def order_confirmed(order: Order, confirmed: Sequence[Registration], *, letterhead: Letterhead) -> list[Letter]:
    """The seats are certain: who takes them, who has been written to, which are still without a name.

    None for a buyer who took one seat and sits in it, or one who only has appointments: the letters about those say it all.
    """
    if not confirmed:
        return []
    if len(order.lines) == 1 and (confirmed[0].attendee_email or "").casefold() == order.buyer_email.casefold():
        return []
    since = f"{order.paid_at:%Y%m%dT%H%M%S}" if order.paid_at else ""
    return [_letter(order, CONFIRMED, f"order.confirmed:{order.id}:{since}", _facts(order, confirmed, letterhead))]


def payment_failed(order: Order, *, attempt_number: int, letterhead: Letterhead) -> Letter:
    """The bank did not pay: the seats went back, and how to try another way."""
    facts = _facts(order, _seats_of(order), letterhead)
    return _letter(order, FAILED, f"order.payment-failed:{order.id}:{attempt_number}", facts)


def paid_without_seat(order: Order, came: Money, *, letterhead: Letterhead) -> Letter:
    """The money came when the seats were gone: it goes back, and what can be had instead."""
    facts = _facts(order, _seats_of(order), letterhead)
    return _letter(order, UNPLACED, f"order.paid-unplaced:{order.id}", facts | {"came": {"amount": came.amount, "currency": came.currency}})


def purchase_of(order: Order, *, letterhead: Letterhead) -> Purchase:
    """What letters about the seats of this order say of it."""
    return Purchase(
        number=order.number,
        buyer_name=order.buyer_name,
        buyer_email=order.buyer_email,
        page=order_page(order, letterhead),
        paid=order.total > 0 and order.state == "paid",
        refunds={
            rule["event_id"]: _refund(rule) for rule in order.policies if "event_id" in rule and order.total and _in_time(rule, order)
        },
    )


def still_unpaid(session: Session, messages: Sequence[Posted]) -> Collection[int]:
    """The ids of those whose order waits for its payment: who has paid meanwhile has a better letter."""
    return _whose_order_is(session, messages, ("placed",))


def still_standing(session: Session, messages: Sequence[Posted]) -> Collection[int]:
    """The ids of those whose order has not been cancelled since."""
    return _whose_order_is(session, messages, ("placed", "paid"))


def _whose_order_is(session: Session, messages: Sequence[Posted], states: Sequence[str]) -> Collection[int]:
    about = {message.id: message.references[0] for message in messages}
    numbers = [int(one.partition("/")[2]) for one in about.values()]
    asked = select(Order.id).where(Order.id.in_(numbers), Order.state.in_(states))
    found = {reference("order", order_id) for order_id in session.scalars(asked)}
    return [message_id for message_id, one in about.items() if one in found]


def _letter(order: Order, kind: str, key: str, facts: dict[str, Any]) -> Letter:
    return Letter(kind=kind, key=key, to=order.buyer_email, name=order.buyer_name, facts=facts, references=(order.reference,))


def _seats_of(order: Order) -> list[Registration]:
    return [line.seat for line in order.seat_lines]


def _meetings_of(order: Order) -> list[Appointment]:
    return [line.meeting for line in order.meeting_lines]


def _facts(order: Order, registrations: Sequence[Registration], letterhead: Letterhead) -> dict[str, Any]:
    people = [
        {"name": one.attendee_name, "email": one.attendee_email, "event": one.event.title, "buyer": _same(one, order)}
        for one in registrations
        if one.named
    ]
    return {
        "number": order.number,
        "page": order_page(order, letterhead),
        "buyer": order.buyer_name,
        "po_number": order.po_number,
        "organisation": order.organisation,
        "lines": [{"description": line.description, "places": line.places, "each": _money(line.net, order)} for line in lines_of(order)],
        "total": _money(order.total, order),
        "tax": _money(order.tax, order),
        "free": order.total == 0,
        "people": people,
        "unnamed": len(registrations) - len(people),
        "places": len(registrations),
        "things": things(len(registrations), len(order.meeting_lines)),
        "several": len(registrations) + len(order.meeting_lines) > 1,
        "events": [*_events(_seats_of(order)), *(_meeting(one) for one in _meetings_of(order))],
    }


def _meeting(appointment: Appointment) -> dict[str, Any]:
    return {
        "title": appointment.offering.title,
        "starts_at": appointment.starts_at.isoformat(),
        "ends_at": appointment.ends_at.isoformat(),
        "zone": appointment.zone,
        "place": f"{time_range(appointment.starts_at, appointment.ends_at, appointment.zone)}, with {meeting_people(appointment)}",
    }


def _events(seats: Sequence[Registration]) -> list[dict[str, Any]]:
    events = {seat.event.id: seat.event for seat in seats}
    return [
        {
            "title": event.title,
            "starts_at": event.starts_at.isoformat() if event.starts_at else None,
            "ends_at": event.ends_at.isoformat() if event.ends_at else None,
            "zone": event.zone,
            "place": _place(event),
        }
        for event in events.values()
    ]


def _place(event: Event) -> str:
    if event.format == "online":
        return "Online"
    if event.venue is None:
        return "place to be announced"
    return ", ".join(part for part in (event.venue.city or event.venue.name, event.venue.region) if part)


def _same(registration: Registration, order: Order) -> bool:
    return (registration.attendee_email or "").casefold() == order.buyer_email.casefold()


def _in_time(rule: dict[str, Any], order: Order) -> bool:
    """Whether there was still time to cancel for a refund when the order was placed."""
    return bool(rule.get("until")) and datetime.fromisoformat(rule["until"]) > order.placed_at


def _refund(rule: dict[str, Any]) -> dict[str, Any]:
    return {"until": rule["until"], "fee": {"amount": rule["fee"], "currency": rule["currency"]}}


def _money(amount: int, order: Order) -> dict[str, Any]:
    money = Money(amount, order.currency)
    return {"amount": money.amount, "currency": money.currency}
