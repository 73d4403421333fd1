"""How much one client may have set aside without paying, so that nobody can keep an event, or a consultant, from being sold.

A client is whoever shares an internet address. Each change that adds to its seats takes the client's lock and then counts: with two at
once, the second waits and counts what the first has committed, so that the sum cannot pass the limit. The lock is taken last, after
holds and quotas, so that nobody waits for those while having it; and what lapsed is released by then and cannot be ordered any more.
"""

import hashlib
import hmac
import ipaddress
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from seminars.consulting.models import Appointment
from seminars.kit import format as words
from seminars.kit.refusals import Conflict
from seminars.orders.models import Cart, CartLine, Order, OrderLine
from seminars.registration.models import Hold, Registration

MOST_UNPAID = 60
"""Seats of one event per client in open carts and unpaid orders: three full orders, because a hospital may sit behind one address."""
MOST_UNPAID_MEETINGS = 6
"""Appointments per client in open carts and unpaid orders."""
REMEMBERED = timedelta(days=1)
CLIENT_LOCK = 7308226


class TooManyHeld(Conflict):
    """This client has set aside as many seats of the event as one may without paying."""

    def __init__(self, beside: int) -> None:
        held = words.count(beside, "seat is", "seats are")
        super().__init__(
            f"{held} already held from your network and not paid yet, and we hold at most {MOST_UNPAID} of one event."
            " Pay for those first, or wait until they are free again."
        )


class TooManyMeetingsHeld(Conflict):
    """This client has set aside as many appointments as one may without paying."""

    def __init__(self) -> None:
        super().__init__(
            f"We hold at most {MOST_UNPAID_MEETINGS} appointments for one network that are not paid yet."
            " Pay for those first, or take one out."
        )


def client_of(address: str, *, key: str) -> str:
    """What stands for an internet address: a keyed hash, from which nobody without the key finds the address; empty for none.

    Of an IPv6 address the first 64 bits count, because one household has all that follow (RFC 6177).
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or ipaddress.IPv6Address(int(found) >> 64 << 64)
    return hmac.new(key.encode(), f"client {found}".encode(), hashlib.sha256).hexdigest()[:32]


def check_cart(session: Session, cart: Cart, places: Mapping[int, int]) -> None:
    """Raises TooManyHeld when the cart, holding these places of each event now, brings its client past the limit.

    The caller has taken the places and rolls back then. The desk's carts have no client and no limit.
    """
    if not cart.client or not places:
        return
    session.execute(select(func.pg_advisory_xact_lock(CLIENT_LOCK, func.hashtext(cart.client))))
    beside = _unpaid(session, cart, places)
    for event_id, number in places.items():
        if number + beside[event_id] > MOST_UNPAID:
            raise TooManyHeld(beside[event_id])


def check_meetings(session: Session, cart: Cart) -> None:
    """Raises TooManyMeetingsHeld when the cart, with the appointment that was just put in, brings its client past the limit."""
    if not cart.client:
        return
    session.execute(select(func.pg_advisory_xact_lock(CLIENT_LOCK, func.hashtext(cart.client))))
    held = (
        select(func.count())
        .select_from(Appointment)
        .join(CartLine, CartLine.appointment_id == Appointment.id)
        .join(Cart, Cart.id == CartLine.cart_id)
        .where(Cart.client == cart.client, Appointment.state == "held")
    )
    if (session.scalar(held) or 0) > MOST_UNPAID_MEETINGS:
        raise TooManyMeetingsHeld()


def check_order(session: Session, order: Order) -> None:
    """Raises TooManyHeld when a lapsed order, having its seats again, brings its client past the limit."""
    if order.cart is not None:
        check_cart(session, order.cart, Counter(line.seat.event_id for line in order.seat_lines))


def _unpaid(session: Session, cart: Cart, event_ids: Mapping[int, int]) -> Counter[int]:
    """What the client's other carts hold of these events, and what it ordered and has not paid."""
    others = (Cart.client == cart.client, Cart.id != cart.id)
    held = (
        select(Hold.event_id, func.sum(Hold.places))
        .join(CartLine, CartLine.hold_id == Hold.id)
        .join(Cart, Cart.id == CartLine.cart_id)
        .where(*others, Hold.event_id.in_(event_ids), Hold.state == "active")
        .group_by(Hold.event_id)
    )
    ordered = (
        select(OrderLine.event_id, func.count())
        .join(Order, Order.id == OrderLine.order_id)
        .join(Cart, Cart.id == Order.cart_id)
        .join(Registration, Registration.id == OrderLine.registration_id)
        .where(*others, OrderLine.event_id.in_(event_ids), Order.state == "placed", Registration.state == "held")
        .group_by(OrderLine.event_id)
    )
    found: Counter[int] = Counter()
    for event_id, number in session.execute(held.union_all(ordered)):
        found[event_id] += int(number)
    return found


def forget_clients(session: Session, *, now: datetime) -> int:
    """Forget of carts older than a day whose they were; how many."""
    old = update(Cart).where(Cart.client != "", Cart.created_at <= now - REMEMBERED).values(client="")
    return cast("CursorResult[object]", session.execute(old.execution_options(synchronize_session=False))).rowcount
