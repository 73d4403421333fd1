"""What a buyer collects: seats of one event or several, changed in one tab or two."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from seminars.kit.money import Money
from seminars.kit.refusals import BadInput, Conflict, NotFound
from seminars.orders import cart as carts
from seminars.orders.models import Cart
from seminars.registration.capacity import SoldOut
from seminars.registration.holds import HOLD_LASTS
from tests.clock import NOON
from tests.factories.seats import FIRST_DAY, a_cart, a_code, a_ticket_type, again, an_event, an_order, holds_of, taken


def lines(session: Session, cart: Cart) -> list[tuple[str, int]]:
    return [(line.ticket_type.name, line.places) for line in again(session, cart).lines]


def test_seats_of_two_events_are_held_together_or_not_at_all(session: Session) -> None:
    roomy, full = an_event(session, places=5), an_event(session, places=1)

    with pytest.raises(SoldOut), session.begin_nested():
        a_cart(session, (roomy, 2), (full, 2))
    cart = a_cart(session, (roomy, 2), (full, 1))

    assert (taken(session, roomy), taken(session, full)) == ([2], [1])
    assert carts.price(cart, currency="USD", now=NOON).total == Money(150_000, "USD")


def test_the_same_ticket_type_again_sets_the_new_number(session: Session) -> None:
    event = an_event(session)
    cart = a_cart(session, (event, 2))

    carts.add_places(session, cart, {event.ticket_types[0].id: 5}, now=NOON)

    assert (lines(session, cart), holds_of(session, cart), taken(session, event)) == (
        [("Standard", 5)],
        [("released", 2), ("active", 5)],
        [5],
    )


def test_none_takes_a_ticket_type_out_and_frees_its_seats(session: Session) -> None:
    event = an_event(session)
    workshop = a_ticket_type(session, event)
    cart = a_cart(session, (event, 2), (workshop, 1))

    carts.change_places(session, cart, {event.ticket_types[0].id: 0}, now=NOON)

    assert (lines(session, cart), taken(session, event)) == ([("Workshop", 1)], [1])


def test_the_cart_shows_what_was_changed_without_being_found_again(session: Session) -> None:
    event = an_event(session)
    cart = a_cart(session, (event, 2))

    carts.change_places(session, cart, {event.ticket_types[0].id: 3}, now=NOON + timedelta(minutes=5))

    assert [line.places for line in cart.lines] == [3]
    assert carts.held_until(cart) == NOON + timedelta(minutes=5) + HOLD_LASTS


def test_taking_out_works_after_the_event_was_closed(session: Session) -> None:
    event = an_event(session)
    cart = a_cart(session, (event, 2))
    event.state = "cancelled"

    carts.change_places(session, cart, {event.ticket_types[0].id: 0}, now=NOON)

    assert (lines(session, cart), taken(session, event)) == ([], [0])


@pytest.mark.parametrize("places", [-1, 21, 10**9])
def test_what_is_no_number_of_seats_is_refused_beside_its_field(session: Session, places: int) -> None:
    event = an_event(session)
    kind = event.ticket_types[0]

    with pytest.raises(BadInput, match="from 1 to 20") as refused:
        carts.start_cart(session, {kind.id: places}, now=NOON)

    assert (refused.value.field, taken(session, event)) == (f"places-{kind.id}", [0])


def test_no_seats_at_all_are_refused(session: Session) -> None:
    event = an_event(session)

    with pytest.raises(BadInput, match="at least one"):
        carts.start_cart(session, {event.ticket_types[0].id: 0}, now=NOON)
    with pytest.raises(BadInput, match="at least one"):
        carts.start_cart(session, {}, now=NOON)


def test_a_ticket_type_may_allow_fewer_seats_for_each_order(session: Session) -> None:
    event = an_event(session)
    event.ticket_types[0].most_per_order = 2
    session.flush()

    with pytest.raises(BadInput, match="from 1 to 2"):
        a_cart(session, (event, 3))


def test_one_order_is_for_twenty_people_in_all(session: Session) -> None:
    one, other = an_event(session, places=50), an_event(session, places=50)
    cart = a_cart(session, (one, 15))

    with pytest.raises(BadInput, match="at most 20 people"):
        carts.add_places(session, cart, {other.ticket_types[0].id: 6}, now=NOON)
    carts.add_places(session, cart, {other.ticket_types[0].id: 6, one.ticket_types[0].id: 14}, now=NOON)

    assert (taken(session, one), taken(session, other)) == ([14], [6])


def test_two_currencies_do_not_go_into_one_cart(session: Session) -> None:
    dollars, euros = an_event(session), an_event(session, currency="EUR")
    cart = a_cart(session, (dollars, 1))

    with pytest.raises(BadInput, match="different currencies"):
        carts.add_places(session, cart, {euros.ticket_types[0].id: 1}, now=NOON)


def test_a_ticket_type_that_does_not_exist(session: Session) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        carts.start_cart(session, {10**15: 1}, now=NOON)


@pytest.mark.parametrize("state", ["draft", "archived", "cancelled"])
def test_only_published_events_are_sold(session: Session, state: str) -> None:
    event = an_event(session)
    event.state = state

    with pytest.raises(Conflict, match="Social Media Residency is not on sale"):
        a_cart(session, (event, 1))


def test_seats_are_sold_until_the_event_begins_and_at_the_desk_until_it_ends(session: Session) -> None:
    event = an_event(session)
    kind = event.ticket_types[0].id
    carts.start_cart(session, {kind: 1}, now=FIRST_DAY - timedelta(seconds=1))

    with pytest.raises(Conflict, match="already started"):
        carts.start_cart(session, {kind: 1}, now=FIRST_DAY)
    carts.start_cart(session, {kind: 1}, now=FIRST_DAY + timedelta(hours=7), desk=True)
    with pytest.raises(Conflict, match="is over"):
        carts.start_cart(session, {kind: 1}, now=FIRST_DAY + timedelta(hours=8), desk=True)


def test_what_is_off_sale_can_be_had_at_the_desk_only(session: Session) -> None:
    event = an_event(session)
    event.ticket_types[0].on_sale = False

    with pytest.raises(Conflict, match="Standard is not on sale"):
        a_cart(session, (event, 1))
    carts.start_cart(session, {event.ticket_types[0].id: 1}, now=NOON, desk=True)


def test_a_cart_that_was_ordered_is_not_found_and_not_changed(session: Session) -> None:
    event = an_event(session)
    cart = a_cart(session, (event, 1))
    an_order(session, cart)

    assert carts.cart_by_secret(session, cart.secret) is None
    with pytest.raises(Conflict, match="ordered already"):
        carts.add_places(session, cart, {event.ticket_types[0].id: 2}, now=NOON)


def test_a_secret_that_nobody_gave_out_opens_nothing(session: Session) -> None:
    a_cart(session, (an_event(session), 1))

    assert [carts.cart_by_secret(session, secret) for secret in ("", "x", "' OR 1=1 --", "\u0130")] == [None] * 4


def test_a_code_changes_the_price_and_can_be_taken_off(session: Session) -> None:
    cart = a_cart(session, (an_event(session), 2))
    a_code(session, "SPRING", percent=20)

    priced = [carts.price(carts.use_code(session, cart, text, now=NOON), currency="USD", now=NOON) for text in (" spring ", "", "SPRING")]

    assert [one.total for one in priced] == [Money(80_000, "USD"), Money(100_000, "USD"), Money(80_000, "USD")]


def test_a_code_that_ended_meanwhile_is_not_counted(session: Session) -> None:
    cart = a_cart(session, (an_event(session), 1))
    code = a_code(session, percent=20)
    carts.use_code(session, cart, "SPRING", now=NOON)
    code.ends_at = NOON + timedelta(minutes=5)
    session.flush()

    totals = [carts.price(again(session, cart), currency="USD", now=NOON + timedelta(minutes=minute)).total.amount for minute in (4, 5)]

    assert totals == [40_000, 50_000]
