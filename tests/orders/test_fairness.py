"""Nobody keeps an event from being sold by holding its seats: a client's share, and how long a hold lasts in all."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seminars.catalog.models import Event
from seminars.orders import cancellation, fairness, settlement
from seminars.orders import cart as carts
from seminars.orders.fairness import MOST_UNPAID, TooManyHeld, client_of
from seminars.orders.models import Cart, Order
from seminars.payments import checkout as payments
from seminars.registration.holds import HOLD_LASTS, LONGEST, REST, HeldLongEnough, HoldLapsed
from seminars.registration.models import Hold
from tests import cluster as clusters
from tests.clock import NOON
from tests.factories.seats import LETTERHEAD, Rush, a_ticket_type, again, an_event, an_order, holds_of, taken

QUILLHAVEN, OSTERVIK = "quillhaven", "ostervik"
A_MINUTE = timedelta(minutes=1)


def a_cart_from(session: Session, client: str, event: Event, places: int = 20, *, now: datetime = NOON) -> Cart:
    cart = carts.start_cart(session, {event.ticket_types[0].id: places}, client=client, now=now)
    return again(session, cart)


def test_a_client_holds_three_full_orders_of_an_event_and_no_seat_more(session: Session) -> None:
    event = an_event(session, places=200)
    for _ in range(3):
        a_cart_from(session, QUILLHAVEN, event)

    with pytest.raises(TooManyHeld, match=r"60\sseats are already held from your network and not paid yet"), session.begin_nested():
        a_cart_from(session, QUILLHAVEN, event, 1)

    assert taken(session, event) == [MOST_UNPAID]


def test_another_client_another_event_and_the_desk_are_not_limited_by_it(session: Session) -> None:
    event, other = an_event(session, places=200), an_event(session, places=200)
    for _ in range(3):
        a_cart_from(session, QUILLHAVEN, event)

    a_cart_from(session, OSTERVIK, event)
    a_cart_from(session, QUILLHAVEN, other)
    for _ in range(4):
        carts.start_cart(session, {event.ticket_types[0].id: 20}, now=NOON, desk=True)

    assert (taken(session, event), taken(session, other)) == ([160], [20])


def test_a_cart_that_grows_is_counted_as_it_will_be(session: Session) -> None:
    event = an_event(session, places=200)
    evening = a_ticket_type(session, event)
    for _ in range(2):
        a_cart_from(session, QUILLHAVEN, event)
    a_cart_from(session, QUILLHAVEN, event, 5)
    last = a_cart_from(session, QUILLHAVEN, event, 10)

    carts.add_places(session, last, {evening.id: 5}, now=NOON)
    with pytest.raises(TooManyHeld), session.begin_nested():
        carts.add_places(session, again(session, last), {evening.id: 6}, now=NOON)
    carts.change_places(session, again(session, last), {evening.id: 0, event.ticket_types[0].id: 15}, now=NOON)

    assert taken(session, event) == [MOST_UNPAID]


def test_what_lapsed_or_was_given_up_or_paid_counts_no_more(session: Session) -> None:
    event = an_event(session, places=200)
    first, second, third = (a_cart_from(session, QUILLHAVEN, event) for _ in range(3))
    carts.change_places(session, first, {event.ticket_types[0].id: 0}, now=NOON)
    order = an_order(session, second)
    settlement.settle(session, settlement.lock(session, order.id), letterhead=LETTERHEAD, now=NOON)

    a_cart_from(session, QUILLHAVEN, event)
    a_cart_from(session, QUILLHAVEN, event)
    for _ in range(3):
        a_cart_from(session, QUILLHAVEN, event, now=NOON + HOLD_LASTS)

    assert holds_of(session, third) == [("released", 20)]
    assert taken(session, event) == [20 + MOST_UNPAID]


def test_ordering_without_paying_frees_no_share(session: Session) -> None:
    event = an_event(session, places=200)
    orders = [an_order(session, a_cart_from(session, QUILLHAVEN, event)) for _ in range(3)]

    with pytest.raises(TooManyHeld), session.begin_nested():
        a_cart_from(session, QUILLHAVEN, event, 1, now=NOON + A_MINUTE)
    cancellation.expire(session, orders[0], now=NOON + A_MINUTE)
    a_cart_from(session, QUILLHAVEN, event, now=NOON + A_MINUTE)

    assert taken(session, event) == [MOST_UNPAID]


def test_a_cart_that_lapsed_cannot_be_ordered_on_top_of_a_full_share(session: Session) -> None:
    event = an_event(session, places=200)
    late = a_cart_from(session, QUILLHAVEN, event)
    for _ in range(3):
        a_cart_from(session, QUILLHAVEN, event, now=NOON + HOLD_LASTS)

    with pytest.raises(HoldLapsed), session.begin_nested():
        an_order(session, again(session, late), now=NOON + HOLD_LASTS)
    with pytest.raises(TooManyHeld), session.begin_nested():
        carts.hold_again(session, again(session, late), now=NOON + HOLD_LASTS)

    assert taken(session, event) == [MOST_UNPAID]


def test_lapsed_orders_are_not_taken_again_past_the_share(session: Session) -> None:
    event = an_event(session, places=200)
    lapsed = an_order(session, a_cart_from(session, QUILLHAVEN, event))
    cancellation.expire(session, lapsed, now=NOON)
    for _ in range(3):
        an_order(session, a_cart_from(session, QUILLHAVEN, event))

    with pytest.raises(TooManyHeld), session.begin_nested():
        payments.begin(session, session.get_one(Order, lapsed.id), letterhead=LETTERHEAD, now=NOON)

    assert (lapsed.state, taken(session, event)) == ("expired", [MOST_UNPAID])


def test_forty_carts_at_once_from_one_client_hold_its_share_and_no_more(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        kind = an_event(session, places=500).ticket_types[0].id

    answers = rush.at_once(40, lambda session, _: carts.start_cart(session, {kind: 7}, client=QUILLHAVEN, now=NOON).secret)

    refused = [answer for answer in answers if isinstance(answer, TooManyHeld)]
    with rush.work() as session:
        held = session.scalar(select(func.sum(Hold.places)).where(Hold.state == "active"))
    assert (len(refused), held) == (32, 56)


def test_a_client_is_remembered_for_a_day(session: Session) -> None:
    event = an_event(session, places=200)
    yesterday = a_cart_from(session, QUILLHAVEN, event, 1)
    today = a_cart_from(session, QUILLHAVEN, event, 1, now=NOON + A_MINUTE)

    forgotten = [fairness.forget_clients(session, now=NOON + timedelta(days=1)) for _ in range(2)]

    assert forgotten == [1, 0]
    assert [again(session, cart).client for cart in (yesterday, today)] == ["", QUILLHAVEN]


def test_what_stands_for_a_client_tells_nothing_of_its_address() -> None:
    one = client_of("203.0.113.7", key="k" * 32)

    assert len(one) == 32 and "203" not in one[:3]
    assert one == client_of("::ffff:203.0.113.7", key="k" * 32)
    assert len({one, client_of("203.0.113.8", key="k" * 32), client_of("203.0.113.7", key="l" * 32)}) == 3
    assert client_of("2001:db8::1", key="k" * 32) == client_of("2001:db8::ffff:2%eth0", key="k" * 32)
    assert client_of("2001:db8:0:1::1", key="k" * 32) != client_of("2001:db8::1", key="k" * 32)
    assert (client_of("", key="k"), client_of("unknown", key="k")) == ("", "")


@pytest.mark.parametrize("between", [0, 3])
def test_changing_the_cart_does_not_restart_its_hour(session: Session, between: int) -> None:
    event = an_event(session)
    kind = event.ticket_types[0].id
    cart = a_cart_from(session, QUILLHAVEN, event, 2)

    for minute in (15, 30, 45, 55):
        carts.change_places(session, again(session, cart), {kind: between}, now=NOON + minute * A_MINUTE)
        carts.change_places(session, again(session, cart), {kind: 2}, now=NOON + minute * A_MINUTE)

    assert carts.held_until(again(session, cart)) == NOON + LONGEST
    with pytest.raises(HeldLongEnough, match="Please finish"):
        carts.extend(session, again(session, cart), now=NOON + 58 * A_MINUTE)
    with pytest.raises(HeldLongEnough, match="Others may take them now"):
        carts.change_places(session, again(session, cart), {kind: 1}, now=NOON + LONGEST)


def test_after_a_rest_a_cart_begins_anew(session: Session) -> None:
    event = an_event(session)
    cart = a_cart_from(session, QUILLHAVEN, event, 2)
    for minute in (15, 30, 45):
        carts.extend(session, cart, now=NOON + minute * A_MINUTE)
    rested = NOON + LONGEST + REST

    with pytest.raises(HeldLongEnough):
        carts.hold_again(session, again(session, cart), now=rested - A_MINUTE)
    carts.hold_again(session, again(session, cart), now=rested)

    assert carts.held_until(again(session, cart)) == rested + HOLD_LASTS
