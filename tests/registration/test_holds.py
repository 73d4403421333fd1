"""Seats set aside for a cart, and what becomes of them."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.kit.refusals import Conflict
from seminars.orders import cancellation
from seminars.orders import cart as carts
from seminars.registration import holds
from seminars.registration.capacity import SoldOut
from seminars.registration.holds import HOLD_LASTS, HoldLapsed
from seminars.registration.models import Hold
from tests import cluster as clusters
from tests.clock import NOON
from tests.factories.seats import Rush, a_cart, again, an_event, an_order, holds_of, seats_of, taken

A_SECOND = timedelta(seconds=1)


def test_a_lapsed_hold_frees_its_places(session: Session) -> None:
    tiny = an_event(session, places=1)
    annas = a_cart(session, (tiny, 1))

    bens = a_cart(session, (tiny, 1), now=NOON + HOLD_LASTS)

    assert (holds_of(session, annas), holds_of(session, bens)) == ([("released", 1)], [("active", 1)])
    assert taken(session, tiny) == [1]


def test_until_the_last_second_nobody_else_gets_the_seats(session: Session) -> None:
    tiny = an_event(session, places=1)
    a_cart(session, (tiny, 1))

    with pytest.raises(SoldOut):
        a_cart(session, (tiny, 1), now=NOON + HOLD_LASTS - A_SECOND)


def test_the_sweep_frees_what_lapsed_and_a_second_sweep_finds_nothing(session: Session) -> None:
    event, other = an_event(session), an_event(session)
    a_cart(session, (event, 3), (other, 2))
    later = a_cart(session, (event, 1), now=NOON + A_SECOND)

    freed = [holds.sweep_lapsed(session, now=NOON + HOLD_LASTS) for _ in range(2)]

    assert freed == [5, 0]
    assert (taken(session, event), taken(session, other), holds_of(session, later)) == ([1], [0], [("active", 1)])


def test_two_sweeps_at_once_free_each_seat_once(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        event = an_event(session, places=40)
        for _ in range(20):
            a_cart(session, (event, 2))

    freed = rush.at_once(6, lambda session, _: holds.sweep_lapsed(session, now=NOON + HOLD_LASTS, most=7))

    with rush.work() as session:
        assert taken(session, event) == [40 - sum(int(str(number)) for number in freed)]
        while holds.sweep_lapsed(session, now=NOON + HOLD_LASTS):
            pass
        assert taken(session, event) == [0]


def test_a_hold_can_be_made_longer_until_an_hour_has_passed(session: Session) -> None:
    cart = a_cart(session, (an_event(session), 1))

    ends = [carts.extend(session, cart, now=NOON + timedelta(minutes=minute)) - NOON for minute in (10, 30, 45)]

    assert ends == [timedelta(minutes=35), timedelta(minutes=50), timedelta(minutes=60)]
    with pytest.raises(Conflict, match="as long as we can"):
        carts.extend(session, cart, now=NOON + timedelta(minutes=59))


def test_making_it_longer_too_late_is_refused(session: Session) -> None:
    cart = a_cart(session, (an_event(session), 1))
    holds.sweep_lapsed(session, now=NOON + HOLD_LASTS)

    with pytest.raises(HoldLapsed, match="went back on sale"):
        carts.extend(session, cart, now=NOON + HOLD_LASTS)


def test_who_comes_back_late_holds_the_same_seats_again_if_they_are_there(session: Session) -> None:
    event = an_event(session, places=2)
    cart = a_cart(session, (event, 2))
    holds.sweep_lapsed(session, now=NOON + HOLD_LASTS)
    late = NOON + timedelta(hours=3)

    carts.hold_again(session, again(session, cart), now=late)

    assert carts.held_until(again(session, cart)) == late + HOLD_LASTS
    assert (holds_of(session, cart), taken(session, event)) == ([("released", 2), ("active", 2)], [2])


def test_who_comes_back_late_is_told_when_somebody_else_has_them(session: Session) -> None:
    event = an_event(session, places=2)
    cart = a_cart(session, (event, 2))
    a_cart(session, (event, 1), now=NOON + HOLD_LASTS)

    with pytest.raises(SoldOut, match=r"Only 1\sseat"):
        carts.hold_again(session, again(session, cart), now=NOON + HOLD_LASTS)


def test_a_hold_that_lapsed_still_serves_its_buyer_while_nobody_else_came(session: Session) -> None:
    event = an_event(session, places=1)
    cart = a_cart(session, (event, 1))

    order = an_order(session, cart, now=NOON + HOLD_LASTS + A_SECOND)

    assert (seats_of(session, order), taken(session, event)) == (["held"], [1])


def test_ordered_seats_never_lapse(session: Session) -> None:
    event = an_event(session, places=1)
    cart = a_cart(session, (event, 1))
    an_order(session, cart)

    swept = holds.sweep_lapsed(session, now=NOON + timedelta(days=30))

    assert (swept, taken(session, event), holds_of(session, cart)) == (0, [1], [("consumed", 1)])


def test_an_order_that_lapsed_gets_seats_that_lapsed_since(session: Session) -> None:
    event = an_event(session, places=1)
    order = an_order(session, a_cart(session, (event, 1)))
    cancellation.expire(session, order, now=NOON)
    bens = a_cart(session, (event, 1))

    with pytest.raises(SoldOut), session.begin_nested():
        cancellation.revive(session, order, now=NOON + HOLD_LASTS - A_SECOND)
    cancellation.revive(session, order, now=NOON + HOLD_LASTS)

    assert (seats_of(session, order), holds_of(session, bens), taken(session, event)) == (["held"], [("released", 1)], [1])


def test_no_hold_is_left_without_a_cart_when_two_tabs_change_the_same_seats(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        event = an_event(session, places=50)
        kind = event.ticket_types[0].id
        secret = a_cart(session, (event, 1)).secret

    def change(session: Session, number: int) -> bool:
        cart = carts.cart_by_secret(session, secret)
        assert cart is not None
        carts.change_places(session, cart, {kind: 1 + number % 4}, now=NOON)
        return True

    assert rush.at_once(8, change) == [True] * 8

    with rush.work() as session:
        cart = carts.cart_by_secret(session, secret)
        assert cart is not None
        [line] = cart.lines
        active = session.execute(select(Hold.id, Hold.places).where(Hold.state == "active")).all()
        assert [tuple(row) for row in active] == [(line.hold_id, line.places)]
        assert taken(session, event) == [line.places]
