"""Giving back what an order held: because it was never paid, or because it was cancelled."""

from datetime import datetime

from sqlalchemy.orm import Session

from seminars.consulting import appointments
from seminars.kit.refusals import BadInput, Conflict
from seminars.orders import discounts
from seminars.orders.models import Order
from seminars.registration import places


def expire(session: Session, order: Order, *, now: datetime) -> Order:
    """Let an unpaid order lapse: its seats go back on sale. The caller has it locked and knows that no money is coming."""
    if order.state != "placed" or billed(order):
        return order
    _free_unpaid(session, order, "expired", now=now)
    return order


def cancel_unpaid(session: Session, order: Order, *, now: datetime) -> Order:
    """Cancel an order that nobody has paid. Raises Conflict when it is paid or gone."""
    if order.state != "placed":
        raise Conflict("Only an order that waits for its payment can be cancelled this way.")
    if billed(order):
        raise Conflict("This order is billed by an invoice for work that was done or agreed. It is credited, not cancelled.")
    _free_unpaid(session, order, "cancelled", now=now)
    return order


def billed(order: Order) -> bool:
    """Whether it holds nothing that could go back on sale: it was placed with its invoice, which stays owed until it is paid."""
    return not order.seat_lines and not order.meeting_lines


def revive(session: Session, order: Order, *, now: datetime) -> Order:
    """Take what a lapsed order held again, for a buyer who comes back or money that came late.

    Raises SoldOut or SlotGone; Conflict when it did not lapse, or when its discount code was used up by others meanwhile. The caller
    opens a savepoint if it means to go on after that.
    """
    if order.state != "expired":
        raise Conflict("This order was cancelled.")
    places.retake(session, places.of_order(session, order.reference), now=now)
    if order.meeting_lines:
        appointments.retake(session, appointments.of_order(session, order.reference), now=now)
    if order.discount_code_id is not None:
        _use_code_again(session, order.discount_code_id, _discounted(order))
    order.state, order.closed_at = "placed", None
    session.flush()
    return order


def close_if_empty(session: Session, order: Order, *, now: datetime) -> None:
    """Cancel an order in which nothing is left: every seat and appointment of it was cancelled."""
    seats = any(seat.state != "cancelled" for seat in places.of_order(session, order.reference))
    if not seats and all(one.state == "cancelled" for one in appointments.of_order(session, order.reference)):
        order.state, order.closed_at = "cancelled", now
    session.flush()


def _free_unpaid(session: Session, order: Order, state: str, *, now: datetime) -> None:
    places.cancel(session, places.of_order(session, order.reference), now=now)
    if order.meeting_lines:
        meetings = appointments.of_order(session, order.reference)
        appointments.cancel(session, meetings, reason="The order was not paid.", now=now)
    if order.discount_code_id is not None:
        discounts.return_uses(session, order.discount_code_id, _discounted(order))
    order.state, order.closed_at = state, now
    session.flush()


def _use_code_again(session: Session, code_id: int, seats: int) -> None:
    try:
        discounts.use(session, code_id, seats)
    except BadInput as used_up:
        raise Conflict("The discount code of this order was used up by others meanwhile. Please order anew.") from used_up


def _discounted(order: Order) -> int:
    return sum(1 for line in order.lines if line.discount)
