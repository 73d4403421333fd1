"""The cart: what a buyer is collecting, held while it is being decided."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, joinedload, selectinload

from seminars.catalog.models import Event, TicketType
from seminars.kit.references import reference, secret
from seminars.kit.refusals import BadInput, Conflict, NotFound
from seminars.orders import discounts
from seminars.orders.models import Cart, CartLine
from seminars.orders.pricing import Priced, SeatWanted, price_seats
from seminars.registration import capacity, holds

MOST_PEOPLE = 20


def open_cart(session: Session, *, now: datetime) -> Cart:
    """A new, empty cart with a secret of its own."""
    cart = Cart(secret=secret(), created_at=now, ends_at=now + holds.HOLD_LASTS, lines=[])
    session.add(cart)
    session.flush()
    return cart


def cart_by_secret(session: Session, cart_secret: str) -> Cart | None:
    """The open cart that a browser knows by this secret, with all that its page shows."""
    return session.scalar(
        select(Cart)
        .where(Cart.secret == cart_secret, Cart.state == "open")
        .options(
            selectinload(Cart.lines).joinedload(CartLine.hold),
            selectinload(Cart.lines).joinedload(CartLine.ticket_type).joinedload(TicketType.event).joinedload(Event.venue),
            selectinload(Cart.lines).joinedload(CartLine.ticket_type).joinedload(TicketType.event).joinedload(Event.policy),
            joinedload(Cart.discount_code),
        )
        .execution_options(populate_existing=True)
    )


def ticket_types_on_sale(session: Session, ids: list[int], *, now: datetime, desk: bool = False) -> dict[int, TicketType]:
    """These ticket types with their events, if they can be sold at that instant. Raises NotFound or Conflict with the reason.

    The desk may also sell what is not on the public list, and until the event ends.
    """
    found = session.scalars(select(TicketType).where(TicketType.id.in_(ids)).options(joinedload(TicketType.event))).all()
    if len(found) != len(set(ids)):
        raise NotFound("This ticket does not exist.")
    for ticket_type in found:
        event = ticket_type.event
        if event.state != "published":
            raise Conflict(f"{event.title} is not on sale.")
        last = event.ends_at if desk else event.starts_at
        if last is None or now >= last:
            raise Conflict(f"{event.title} has already started.")
        if not ticket_type.on_sale and not desk:
            raise Conflict(f"{ticket_type.name} is not on sale.")
    return {ticket_type.id: ticket_type for ticket_type in found}


def add_places(session: Session, cart: Cart, wanted: Mapping[int, int], *, now: datetime, desk: bool = False) -> Cart:
    """Put so many seats of each ticket type into the cart and hold them. Raises SoldOut, BadInput, Conflict.

    A ticket type that is in the cart already is set to the new number.
    """
    wanted = {ticket_type_id: places for ticket_type_id, places in wanted.items() if places}
    if not wanted:
        raise BadInput("Choose at least one seat.", "places")
    ticket_types = ticket_types_on_sale(session, list(wanted), now=now, desk=desk)
    before = {line.ticket_type_id: line for line in cart.lines} if cart.lines else {}
    _check_numbers(wanted, ticket_types, before)
    again = [line for ticket_type_id, line in before.items() if ticket_type_id in wanted]
    holds.release_lapsed(session, [t.event_id for t in ticket_types.values()], now=now)
    holds.release(session, [line.hold_id for line in again])
    made = holds.hold_places(session, cart.reference, {ticket_types[i]: n for i, n in wanted.items()}, now=now)
    for line in again:
        line.places, line.hold_id = wanted[line.ticket_type_id], made[line.ticket_type_id]
    fresh = [i for i in wanted if i not in before]
    if fresh:
        session.execute(
            insert(CartLine), [{"cart_id": cart.id, "ticket_type_id": i, "places": wanted[i], "hold_id": made[i]} for i in fresh]
        )
    session.flush()
    session.expire(cart, ["lines"])
    return cart


def _check_numbers(wanted: Mapping[int, int], ticket_types: Mapping[int, TicketType], before: Mapping[int, CartLine]) -> None:
    for ticket_type_id, places in wanted.items():
        most = min(ticket_types[ticket_type_id].most_per_order, MOST_PEOPLE)
        if not 1 <= places <= most:
            raise BadInput(f"Choose from 1 to {most} seats.", f"places-{ticket_type_id}")
    people = sum(wanted.values()) + sum(line.places for i, line in before.items() if i not in wanted)
    if people > MOST_PEOPLE:
        raise BadInput(f"One order is for at most {MOST_PEOPLE} people. Place a second one for the others.", "places")
    if len({t.currency for t in ticket_types.values()} | {line.ticket_type.currency for line in before.values()}) > 1:
        raise BadInput("These seats are sold in different currencies. Order them one after the other.", "places")


def remove(session: Session, cart: Cart, ticket_type_id: int) -> Cart:
    """Take a ticket type out of the cart and free its seats."""
    for line in [line for line in cart.lines if line.ticket_type_id == ticket_type_id]:
        holds.release(session, [line.hold_id])
        cart.lines.remove(line)
    session.flush()
    return cart


def empty(session: Session, cart: Cart) -> None:
    """Give up the whole cart and free its seats."""
    holds.release(session, [line.hold_id for line in cart.lines])
    cart.state = "lapsed"
    session.flush()


def use_code(session: Session, cart: Cart, text: str, *, now: datetime) -> Cart:
    """Put a discount code on the cart; an empty text takes it off. Raises BadInput that says why not."""
    if text.strip():
        code = discounts.find_code(session, text, ticket_type_ids=[line.ticket_type_id for line in cart.lines], now=now)
        cart.discount_code = code
    else:
        cart.discount_code = None
    session.flush()
    return cart


def held_until(cart: Cart) -> datetime | None:
    """When the first of its holds ends; None when one is gone already."""
    if not cart.lines or any(line.hold.state != "active" for line in cart.lines):
        return None
    return min(line.hold.ends_at for line in cart.lines)


def hold_again(session: Session, cart: Cart, *, now: datetime) -> Cart:
    """Try to hold once more what lapsed while the buyer was away. Raises SoldOut when somebody else has it now."""
    return add_places(session, cart, {line.ticket_type_id: line.places for line in cart.lines}, now=now)


def extend(session: Session, cart: Cart, *, now: datetime) -> datetime:
    """Hold the cart's seats longer; the new end. Raises HoldLapsed or Conflict."""
    return holds.extend(session, reference("cart", cart.id), now=now)


def wanted_seats(cart: Cart) -> list[SeatWanted]:
    """One entry per seat, in the order of the lines."""
    seats: list[SeatWanted] = []
    for line in cart.lines:
        kind = line.ticket_type
        seat = SeatWanted(
            kind.event_id,
            kind.id,
            f"{kind.event.title}, {kind.name}",
            kind.price,
            kind.early_price,
            kind.early_until,
            kind.currency,
        )
        seats += [seat] * line.places
    return seats


def price(cart: Cart, *, currency: str, now: datetime) -> Priced:
    """What the cart costs at that instant, seat by seat; `currency` is the center's own, for an empty cart."""
    seats = wanted_seats(cart)
    code = discounts.usable(cart.discount_code, now=now)
    return price_seats(seats, currency=seats[0].currency if seats else currency, reduction=discounts.reduction_of(code), now=now)


def seats_left(session: Session, cart: Cart) -> dict[int, int]:
    """How many more seats of each ticket type in the cart could be had."""
    return capacity.left(session, [line.ticket_type_id for line in cart.lines])
