"""Seats and appointments in one cart: held together, ordered together, or not at all."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.consulting import booking
from seminars.consulting.assigning import SlotGone
from seminars.consulting.models import Appointment, Offering
from seminars.kit.refusals import BadInput
from seminars.messages.models import Message
from seminars.orders import cancellation, checkout, settlement
from seminars.orders import cart as carts
from seminars.orders.buyers import Party
from seminars.orders.cart import Meeting
from seminars.orders.models import Cart, Order
from seminars.registration.holds import HOLD_LASTS
from seminars.schedule.models import TimeClaim
from tests.clock import NOON
from tests.factories.advice import CHICAGO, a_consultant, an_offering
from tests.factories.meetings import NINE, a_held_one
from tests.factories.seats import BUYER, LETTERHEAD, TERMS, a_cart, a_code, again, an_event, seats_of, taken


def put(session: Session, cart: Cart, offering: Offering, starts_at=NINE, now=NOON) -> Appointment:
    meeting = Meeting(offering, offering.lengths[0], starts_at, None, CHICAGO, [])
    return carts.add_meeting(session, cart, meeting, now=now)


def mixed(session: Session, *, seats: int = 2) -> tuple[Cart, Appointment]:
    """Two seats of the residency and an hour with Rosa."""
    cart = a_cart(session, (an_event(session), seats))
    appointment = put(session, cart, an_offering(session))
    return again(session, cart), appointment


def order(session: Session, cart: Cart, now=NOON, **given) -> Order:
    nobody = (None,) * sum(line.places for line in cart.seat_lines)
    return checkout.place_order(session, cart, Party(BUYER, nobody), terms=TERMS, now=now, **given)


def claims(session: Session, appointment: Appointment) -> list[tuple[str, bool]]:
    found = select(TimeClaim.kind, TimeClaim.lapses_at).where(TimeClaim.holder == appointment.reference).order_by(TimeClaim.starts_at)
    return [(kind, lapses is not None) for kind, lapses in session.execute(found)]


def test_two_seats_and_an_hour_are_priced_and_held_together(session: Session) -> None:
    cart, appointment = mixed(session)

    priced = carts.price(cart, currency="USD", now=NOON)

    assert [line.net for line in priced.lines] == [50_000, 50_000, 28_000]
    assert priced.lines[2].description.startswith("Policy review, 60 minutes with Rosa Castellane, 3\u00a0March 2027")
    assert carts.held_until(cart) == NOON + HOLD_LASTS
    assert claims(session, appointment) == [("hold", True)]


def test_one_order_keeps_them_without_an_end(session: Session) -> None:
    cart, appointment = mixed(session)

    placed = order(session, cart)

    assert placed.total == 128_000
    assert seats_of(session, placed) == ["held", "held"]
    assert (appointment.state, appointment.held_until, appointment.order_reference) == ("held", None, placed.reference)
    assert (appointment.client_name, appointment.client_email) == (BUYER.name, BUYER.email)
    assert claims(session, appointment) == [("appointment", False)]


def test_when_it_is_paid_everybody_is_told_once(session: Session) -> None:
    cart, appointment = mixed(session)
    placed = order(session, cart)

    for _ in range(2):
        settlement.settle(session, settlement.lock(session, placed.id), letterhead=LETTERHEAD, now=NOON)

    assert appointment.state == "confirmed"
    assert seats_of(session, placed) == ["confirmed", "confirmed"]
    told = session.execute(select(Message.kind, Message.recipient).order_by(Message.id)).all()
    assert {tuple(one) for one in told} == {
        ("consulting/confirmed", BUYER.email),
        ("consulting/meeting", "rosa@northfield.example"),
        ("orders/confirmed", BUYER.email),
    }


def test_a_lost_slot_orders_nothing_and_names_what_was_lost(session: Session) -> None:
    cart, appointment = mixed(session)
    late = NOON + HOLD_LASTS + timedelta(seconds=1)
    booking.sweep_lapsed(session, now=late)
    a_held_one(session, appointment.offering, holder="cart/another", now=late)

    with pytest.raises(checkout.SomethingLost, match="Policy review, 60 minutes with Rosa") as lost, session.begin_nested():
        order(session, again(session, cart), now=late)
    carts.let_go(session, again(session, cart), lost=lost.value.lost, now=late)

    left = again(session, cart)
    assert [line.places for line in left.lines] == [2]
    assert carts.held_until(left) is None
    assert taken(session, left.seat_lines[0].kind.event) == [0]
    assert session.scalars(select(Order)).all() == []


def test_what_was_given_back_can_be_held_again(session: Session) -> None:
    cart, appointment = mixed(session)
    carts.let_go(session, cart, now=NOON)

    carts.hold_again(session, again(session, cart), now=NOON)

    assert carts.held_until(again(session, cart)) == NOON + HOLD_LASTS
    assert claims(session, appointment) == [("hold", True)]


def test_taking_the_appointment_out_frees_the_hour(session: Session) -> None:
    cart, appointment = mixed(session)

    carts.remove_meeting(session, cart, appointment.id, now=NOON)

    assert [line.places for line in again(session, cart).lines] == [2]
    assert claims(session, appointment) == []


def test_holding_longer_holds_both_longer(session: Session) -> None:
    cart, appointment = mixed(session)

    end = carts.extend(session, cart, now=NOON + timedelta(minutes=10))

    assert end == NOON + timedelta(minutes=35)
    assert appointment.held_until == end
    assert carts.held_until(again(session, cart)) == end


def test_a_free_discovery_call_needs_no_payment(session: Session) -> None:
    cart = carts.open_cart(session, now=NOON)
    call = put(session, cart, an_offering(session, title="Discovery call", lengths={20: 0}))

    placed = order(session, again(session, cart), agreed_total=0)
    settlement.settle(session, settlement.lock(session, placed.id), letterhead=LETTERHEAD, now=NOON)

    assert (placed.total, placed.state, call.state) == (0, "paid", "confirmed")


def test_a_code_without_ticket_types_takes_its_part_off_the_hour_too(session: Session) -> None:
    cart, _ = mixed(session, seats=1)
    a_code(session, percent=10)
    carts.use_code(session, cart, "SPRING", now=NOON)

    placed = order(session, again(session, cart))

    assert [line.discount for line in placed.lines] == [5_000, 2_800]


def test_a_price_that_changed_meanwhile_is_said_before_anything_is_ordered(session: Session) -> None:
    cart, appointment = mixed(session)
    appointment.offering.lengths[0].price = 30_000
    session.flush()

    with pytest.raises(checkout.PriceChanged, match=r"1,300\.00"):
        order(session, again(session, cart), agreed_total=128_000)


def test_two_currencies_are_ordered_one_after_the_other(session: Session) -> None:
    cart = a_cart(session, (an_event(session, currency="EUR"), 1))

    with pytest.raises(BadInput, match="different currencies"):
        put(session, cart, an_offering(session))


def test_nobody_sets_aside_more_than_six_hours_without_paying(session: Session) -> None:
    offering = an_offering(session, a_consultant(session), horizon_days=60)
    cart = carts.open_cart(session, client="somebody", now=NOON)
    for hours in range(6):
        put(session, cart, offering, NINE + timedelta(hours=hours))

    with pytest.raises(carts.fairness.TooManyMeetingsHeld), session.begin_nested():
        put(session, cart, offering, NINE + timedelta(hours=6))


def test_an_order_that_lapses_gives_the_hour_back_and_late_money_takes_it_again(session: Session) -> None:
    cart, appointment = mixed(session)
    placed = order(session, cart)

    cancellation.expire(session, settlement.lock(session, placed.id), now=NOON)
    assert (placed.state, appointment.state, claims(session, appointment)) == ("expired", "cancelled", [])

    cancellation.revive(session, settlement.lock(session, placed.id), now=NOON)
    assert (placed.state, appointment.state, claims(session, appointment)) == ("placed", "held", [("appointment", False)])


def test_late_money_for_an_hour_that_somebody_else_has_now_finds_it_gone(session: Session) -> None:
    cart, appointment = mixed(session)
    placed = order(session, cart)
    cancellation.expire(session, settlement.lock(session, placed.id), now=NOON)
    a_held_one(session, appointment.offering, holder="cart/another")

    with pytest.raises(SlotGone), session.begin_nested():
        cancellation.revive(session, settlement.lock(session, placed.id), now=NOON)
