"""The cart: what a buyer is collecting, held while it is being decided."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from seminars.catalog.models import Event, TicketType
from seminars.consulting import appointments, booking
from seminars.consulting.models import Appointment, Offering, OfferingLength
from seminars.kit import format as words
from seminars.kit.references import secret
from seminars.kit.refusals import BadInput, Conflict, NotFound
from seminars.orders import discounts, fairness
from seminars.orders.models import Cart, CartLine
from seminars.orders.pricing import LineWanted, Priced, price_lines
from seminars.registration import holds

LINES = cast(Table, CartLine.__table__)
MOST_PEOPLE = 20


def open_cart(session: Session, *, client: str = "", now: datetime) -> Cart:
    """A new, empty cart with a secret of its own; `client` stands for whoever opens it (fairness.client_of), empty for the desk."""
    new = {"secret": secret(), "state": "open", "client": client, "created_at": now, "ends_at": now + holds.HOLD_LASTS}
    cart = session.scalars(insert(Cart).returning(Cart), [new]).one()
    set_committed_value(cart, "lines", [])
    return cart


def start_cart(
    session: Session, wanted: Mapping[int, int], *, event: str = "", client: str = "", now: datetime, desk: bool = False
) -> Cart:
    """A new cart with so many seats of each ticket type in it, held. Raises SoldOut, TooManyHeld, BadInput, Conflict, NotFound.

    `event` is the address of the only event that they may be of, where the form stands on the page of one.
    """
    _some(wanted)
    return _put(session, open_cart(session, client=client, now=now), {}, wanted, event=event, now=now, desk=desk)


def cart_by_secret(session: Session, cart_secret: str) -> Cart | None:
    """The open cart that a browser knows by this secret, with all that its page shows."""
    return (
        session.scalars(
            select(Cart)
            .where(Cart.secret == cart_secret, Cart.state == "open")
            .options(
                joinedload(Cart.lines).options(
                    joinedload(CartLine.hold),
                    joinedload(CartLine.ticket_type)
                    .joinedload(TicketType.event)
                    .options(joinedload(Event.venue), joinedload(Event.policy)),
                ),
                joinedload(Cart.discount_code),
            )
            .execution_options(populate_existing=True)
        )
        .unique()
        .one_or_none()
    )


def ticket_types_on_sale(session: Session, ids: list[int], *, now: datetime, desk: bool = False) -> dict[int, TicketType]:
    """These ticket types with their events, if they can be sold at that instant. Raises NotFound or Conflict with the reason.

    The desk may also sell what is not on the public list, and until the event ends.
    """
    found = session.scalars(select(TicketType).where(TicketType.id.in_(ids)).options(joinedload(TicketType.event))).all()
    if len(found) != len(set(ids)):
        raise NotFound("This ticket does not exist.")
    for ticket_type in found:
        check_open(ticket_type.event, now=now, desk=desk)
        if not ticket_type.on_sale and not desk:
            raise Conflict(f"{ticket_type.name} is not on sale.")
    return {ticket_type.id: ticket_type for ticket_type in found}


def check_open(event: Event, *, now: datetime, desk: bool = False) -> None:
    """Raises Conflict unless one can register for this event at that instant; the desk may until it ends."""
    if event.state != "published":
        raise Conflict(f"{event.title} is not on sale.")
    last = event.ends_at if desk else event.starts_at
    if last is None or now >= last:
        raise Conflict(f"{event.title} is over." if desk else f"{event.title} has already started.")


def add_places(session: Session, cart: Cart, wanted: Mapping[int, int], *, event: str = "", now: datetime, desk: bool = False) -> Cart:
    """Put so many seats of each ticket type into the cart and hold them. Raises SoldOut, BadInput, Conflict, NotFound.

    A ticket type that is in the cart already is set to the new number. `event` as in `start_cart`.
    """
    _some(wanted)
    return _put(session, cart, _lines_now(session, cart), wanted, event=event, now=now, desk=desk)


def change_places(session: Session, cart: Cart, wanted: Mapping[int, int], *, now: datetime, desk: bool = False) -> Cart:
    """Set how many seats of these ticket types the cart holds; none takes a ticket type out. Raises SoldOut, BadInput, Conflict."""
    return _put(session, cart, _lines_now(session, cart), wanted, event="", now=now, desk=desk)


@dataclass(frozen=True)
class Meeting:
    """The slot that a visitor chose: what, how long, when, with whom (anyone when nobody is named), and what was asked before."""

    offering: Offering
    length: OfferingLength
    starts_at: datetime
    consultant_ids: tuple[int, ...] | None
    zone: str
    answers: list[dict[str, str]]


def add_meeting(session: Session, cart: Cart, meeting: Meeting, *, now: datetime) -> Appointment:
    """Put an appointment into the cart and hold its slot. Raises SlotGone, TooManyMeetingsHeld, BadInput, Conflict."""
    _check_one_currency(cart, meeting.offering.currency, _lines_now(session, cart))
    appointment = booking.hold_slot(
        session,
        meeting.offering,
        meeting.length,
        starts_at=meeting.starts_at,
        consultant_ids=meeting.consultant_ids,
        holder=cart.reference,
        zone=meeting.zone,
        answers=meeting.answers,
        now=now,
    )
    line = {"cart_id": cart.id, "places": 1, "appointment_id": appointment.id, "length_id": meeting.length.id}
    # The same slot chosen again, in another tab or by the back button, is in the cart already.
    session.execute(insert(LINES).on_conflict_do_nothing(index_elements=[LINES.c.appointment_id]), [line])
    fairness.check_meetings(session, cart)
    _forget_lines(session, cart)
    return appointment


def adopt_meeting(session: Session, cart: Cart, appointment: Appointment, *, now: datetime) -> Cart:
    """Lay an appointment to which staff have agreed into the cart, where it is paid. Raises Conflict, SlotLapsed, BadInput."""
    _check_one_currency(cart, appointment.offering.currency, _lines_now(session, cart))
    appointments.adopt(session, appointment, cart.reference, now=now)
    length = next(one for one in appointment.offering.lengths if one.minutes == appointment.minutes)
    session.execute(delete(LINES).where(LINES.c.appointment_id == appointment.id))
    line = {"cart_id": cart.id, "places": 1, "appointment_id": appointment.id, "length_id": length.id}
    session.execute(insert(LINES), [line])
    _forget_lines(session, cart)
    return cart


def remove_meeting(session: Session, cart: Cart, appointment_id: int, *, now: datetime) -> Cart:
    """Take an appointment out of the cart and give its slot back. Raises NotFound, Conflict."""
    _lines_now(session, cart)
    line = next((one for one in cart.meeting_lines if one.appointment_id == appointment_id), None)
    if line is None:
        raise NotFound("This appointment is not in your cart.")
    session.execute(delete(LINES).where(LINES.c.id == line.id))
    booking.drop(session, line.meeting, now=now)
    _forget_lines(session, cart)
    return cart


def hand_over_meeting(session: Session, cart: Cart, appointment_id: int) -> None:
    """Take an appointment out of the cart that lives on by itself, because staff have to agree to it first."""
    session.execute(delete(LINES).where(LINES.c.cart_id == cart.id, LINES.c.appointment_id == appointment_id))
    _forget_lines(session, cart)


def let_go(session: Session, cart: Cart, *, lost: Collection[int] = (), now: datetime) -> Cart:
    """Give back everything that the cart holds; what was lost to others (cart lines by id) leaves it, the rest can be held again."""
    _lines_now(session, cart)
    holds.release(session, [line.seats_held.id for line in cart.seat_lines])
    for line in cart.meeting_lines:
        booking.drop(session, line.meeting, now=now)
    if lost:
        session.execute(delete(LINES).where(LINES.c.cart_id == cart.id, LINES.c.id.in_(lost)))
    _forget_lines(session, cart)
    return cart


def _check_one_currency(cart: Cart, currency: str, seats: Mapping[int, "_Held"]) -> None:
    theirs = {held.currency for held in seats.values()} | {line.meeting.offering.currency for line in cart.meeting_lines}
    if theirs - {currency}:
        raise BadInput("These are sold in different currencies. Order them one after the other.", "slot")


def _some(wanted: Mapping[int, int]) -> None:
    if not any(wanted.values()):
        raise BadInput("Choose at least one seat.", "places")


def _put(
    session: Session, cart: Cart, before: Mapping[int, "_Held"], wanted: Mapping[int, int], *, event: str, now: datetime, desk: bool
) -> Cart:
    """Hold what is wanted instead of what was held, as one change of the counters.

    A second one in the same transaction could wait for somebody who waits for the first.
    """
    seats = {ticket_type_id: places for ticket_type_id, places in wanted.items() if places}
    ticket_types = ticket_types_on_sale(session, list(seats), now=now, desk=desk)
    if event and any(ticket_type.event.reference != event for ticket_type in ticket_types.values()):
        raise NotFound("This ticket does not exist.")
    others = {i: line for i, line in before.items() if i not in wanted}
    _check_numbers(seats, ticket_types, others)
    given_up = [line.hold_id for i, line in before.items() if i in wanted]
    made = holds.hold_places(session, cart.reference, {ticket_types[i]: n for i, n in seats.items()}, instead_of=given_up, now=now)
    if gone := [i for i in before if i in wanted and i not in seats]:
        session.execute(delete(LINES).where(LINES.c.cart_id == cart.id, LINES.c.ticket_type_id.in_(gone)))
    if seats:
        put = insert(LINES)
        new = {"places": put.excluded.places, "hold_id": put.excluded.hold_id}
        put = put.on_conflict_do_update(index_elements=[LINES.c.cart_id, LINES.c.ticket_type_id], set_=new)
        session.execute(put, [{"cart_id": cart.id, "ticket_type_id": i, "places": n, "hold_id": made[i]} for i, n in seats.items()])
    fairness.check_cart(session, cart, _of_each_event(seats, ticket_types, others))
    _forget_lines(session, cart)
    return cart


@dataclass(frozen=True)
class _Held:
    """What a cart has of one ticket type."""

    places: int
    hold_id: int
    event_id: int
    currency: str


def _of_each_event(seats: Mapping[int, int], ticket_types: Mapping[int, TicketType], others: Mapping[int, _Held]) -> Counter[int]:
    """How many places the cart has now of each event of which some were asked for."""
    found = Counter[int]()
    for ticket_type_id, places in seats.items():
        found[ticket_types[ticket_type_id].event_id] += places
    for line in others.values():
        if line.event_id in found:
            found[line.event_id] += line.places
    return found


def _lines_now(session: Session, cart: Cart) -> dict[int, _Held]:
    """The cart's lines by ticket type, read after locking the cart: another tab may have changed it. Raises Conflict."""
    state = session.scalar(select(Cart.state).where(Cart.id == cart.id).with_for_update(key_share=True))
    if state != "open":
        raise Conflict("These seats have been ordered already.")
    lines = select(LINES.c.ticket_type_id, LINES.c.places, LINES.c.hold_id, TicketType.event_id, TicketType.currency)
    rows = session.execute(lines.join(TicketType, TicketType.id == LINES.c.ticket_type_id).where(LINES.c.cart_id == cart.id))
    return {row.ticket_type_id: _Held(row.places, row.hold_id, row.event_id, row.currency) for row in rows}


def _forget_lines(session: Session, cart: Cart) -> None:
    """Let what was loaded of the lines be loaded anew: they were changed by plain statements."""
    if "lines" in cart.__dict__:
        for line in cart.lines:
            session.expire(line)
        session.expire(cart, ["lines"])


def _check_numbers(wanted: Mapping[int, int], ticket_types: Mapping[int, TicketType], others: Mapping[int, _Held]) -> None:
    for ticket_type_id, places in wanted.items():
        most = min(ticket_types[ticket_type_id].most_per_order, MOST_PEOPLE)
        if not 1 <= places <= most:
            raise BadInput(f"Choose from 1 to {most} seats.", f"places-{ticket_type_id}")
    if sum(wanted.values()) + sum(line.places for line in others.values()) > MOST_PEOPLE:
        raise BadInput(f"One order is for at most {MOST_PEOPLE} people. Place a second one for the others.", "places")
    if len({t.currency for t in ticket_types.values()} | {line.currency for line in others.values()}) > 1:
        raise BadInput("These seats are sold in different currencies. Order them one after the other.", "places")


def use_code(session: Session, cart: Cart, text: str, *, now: datetime) -> Cart:
    """Put a discount code on the cart; an empty text takes it off. Raises BadInput that says why not."""
    if text.strip():
        kinds = [line.ticket_type_id for line in cart.lines]
        code = discounts.find_code(session, text, ticket_type_ids=kinds, now=now)
        cart.discount_code = code
    else:
        cart.discount_code = None
    session.flush()
    return cart


def held_until(cart: Cart) -> datetime | None:
    """When the first of its holds ends; None when one is gone already."""
    ends = [line.seats_held.ends_at if line.seats_held.state == "active" else None for line in cart.seat_lines]
    ends += [line.meeting.held_until for line in cart.meeting_lines]
    standing = [end for end in ends if end is not None]
    return min(standing) if standing and len(standing) == len(ends) else None


def hold_again(session: Session, cart: Cart, *, now: datetime) -> Cart:
    """Try to hold once more what lapsed while the buyer was away. Raises SoldOut or SlotGone when somebody else has it now."""
    if seats := {line.kind.id: line.places for line in cart.seat_lines}:
        add_places(session, cart, seats, now=now)
    return hold_meetings_again(session, cart, now=now)


def hold_meetings_again(session: Session, cart: Cart, *, now: datetime) -> Cart:
    """Hold the appointments of a cart once more. Raises SlotGone."""
    booking.hold_all_again(session, [line.meeting for line in cart.meeting_lines], now=now)
    _forget_lines(session, cart)
    return cart


def extend(session: Session, cart: Cart, *, now: datetime) -> datetime:
    """Hold longer what the cart holds; the new end. Raises HoldLapsed, SlotLapsed or Conflict."""
    until = holds.extend(session, cart.reference, now=now) if cart.seat_lines else (held_until(cart) or now) + holds.LONGER_BY
    if not cart.meeting_lines:
        return until
    before = held_until(cart)
    kept = booking.extend_holds(session, cart.reference, until, now=now)
    if lost := [line.meeting for line in cart.meeting_lines if line.appointment_id not in {one.id for one in kept}]:
        raise booking.SlotLapsed(lost)
    ends = [one.held_until for one in kept if one.held_until is not None]
    if before is not None and min(ends) <= before:
        raise booking.HeldLongEnough()
    return min(until, *ends)


def wanted_lines(cart: Cart) -> list[LineWanted]:
    """One entry per seat and per appointment, in the order of the lines."""
    found: list[LineWanted] = []
    for line in cart.lines:
        if line.ticket_type_id is not None:
            kind = line.kind
            title = f"{kind.event.title}, {kind.name}"
            seat = LineWanted(kind.event_id, kind.id, title, kind.price, kind.early_price, kind.early_until, kind.currency)
            found += [seat] * line.places
        else:
            price, currency = line.price_list.price, line.meeting.offering.currency
            found.append(LineWanted(None, None, described(line.meeting), price, None, None, currency, line.meeting.id))
    return found


def described(meeting: Appointment) -> str:
    """An appointment as it stands on the order and the invoice, in the client's zone."""
    people = words.listed([one.name for one in meeting.consultants])
    return f"{meeting.offering.title}, {meeting.minutes} minutes with {people}, {words.moment(meeting.starts_at, meeting.zone)}"


def price(cart: Cart, *, currency: str, now: datetime) -> Priced:
    """What the cart costs at that instant, line by line; `currency` is the center's own, for an empty cart."""
    wanted = wanted_lines(cart)
    code = discounts.usable(cart.discount_code, now=now)
    return price_lines(wanted, currency=wanted[0].currency if wanted else currency, reduction=discounts.reduction_of(code), now=now)
