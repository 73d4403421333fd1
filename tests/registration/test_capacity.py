"""The gate: seats are taken by counters that several ticket types may share."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seminars.catalog import tickets
from seminars.catalog.models import Quota
from seminars.kit.refusals import BadInput
from seminars.orders import cart as carts
from seminars.registration import capacity
from seminars.registration.capacity import SoldOut
from tests import cluster as clusters
from tests.clock import NOON
from tests.factories.seats import Rush, a_cart, a_quota, a_ticket_type, an_event, taken


def test_the_last_seat_goes_to_exactly_one_of_100_parallel_buyers(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        event = an_event(session, places=1)
        kind = event.ticket_types[0].id

    answers = rush.at_once(100, lambda session, _: carts.start_cart(session, {kind: 1}, now=NOON).secret)

    assert sorted(type(answer).__name__ for answer in answers) == ["SoldOut"] * 99 + ["str"]
    assert {str(answer) for answer in answers if isinstance(answer, SoldOut)} == {"There are no seats left."}
    with rush.work() as session:
        assert taken(session, event) == [1]


def test_parallel_groups_fill_what_is_there_and_no_more(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        event = an_event(session, places=20)
        kind = event.ticket_types[0].id

    answers = rush.at_once(16, lambda session, number: bool(carts.start_cart(session, {kind: 3 - number % 2}, now=NOON)))

    with rush.work() as session:
        [given] = taken(session, event)
        active = session.scalar(text("SELECT sum(places) FROM holds WHERE state = 'active'"))
    assert given == active
    assert 18 <= given <= 20
    assert all(answer is True or isinstance(answer, SoldOut) for answer in answers)


def test_people_who_want_two_counters_in_opposite_order_do_not_wait_for_each_other(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        event = an_event(session, places=200)
        workshop = a_quota(session, event, places=200)
        day, evening = (
            a_ticket_type(session, event, quotas=order, name=str(order)).id for order in ([event.quotas[0], workshop], [workshop])
        )
        first = event.ticket_types[0].id

    def change_often(session: Session, number: int) -> str:
        cart = carts.start_cart(session, {day: 1} if number % 2 else {evening: 1, first: 1}, now=NOON)
        for round_ in range(4):
            session.commit()
            carts.change_places(session, cart, {day: round_ % 3, evening: 2 - round_ % 3, first: 1}, now=NOON)
        return "done"

    assert rush.at_once(12, change_often) == ["done"] * 12
    with rush.work() as session:
        places = dict(session.execute(text("SELECT ticket_type_id, sum(places) FROM holds WHERE state = 'active' GROUP BY 1")).all())
        assert taken(session, event) == [places.get(day, 0) + places.get(first, 0), places.get(day, 0) + places.get(evening, 0)]


def test_a_group_gets_all_its_seats_or_none(session: Session) -> None:
    event = an_event(session, places=5)

    with pytest.raises(SoldOut, match=r"^Only 5\sseats are left\.$"), session.begin_nested():
        a_cart(session, (event, 6))

    assert taken(session, event) == [0]


def test_the_refusal_counts_one_seat_in_the_singular(session: Session) -> None:
    event = an_event(session, places=1)

    with pytest.raises(SoldOut, match=r"^Only 1\sseat is left\.$"):
        a_cart(session, (event, 2))


def test_a_ticket_type_takes_from_each_of_its_counters_and_the_scarcest_decides(session: Session) -> None:
    event = an_event(session, places=10)
    workshop = a_ticket_type(session, event, quotas=[event.quotas[0], a_quota(session, event, places=2)])

    a_cart(session, (workshop, 2), (event, 3))

    assert taken(session, event) == [5, 2]
    assert capacity.left(session, [event.ticket_types[0].id, workshop.id]) == {event.ticket_types[0].id: 5, workshop.id: 0}


def test_two_ticket_types_share_the_last_seats(session: Session) -> None:
    event = an_event(session, places=3)
    late = a_ticket_type(session, event, name="At the door")
    a_cart(session, (event, 2))

    with pytest.raises(SoldOut, match=r"Only 1\sseat"):
        a_cart(session, (late, 2))


def test_changing_from_a_full_ticket_type_to_another_counts_ones_own_seats_as_free(session: Session) -> None:
    event = an_event(session, places=2)
    other = a_ticket_type(session, event)
    cart = a_cart(session, (event, 2))

    carts.change_places(session, cart, {event.ticket_types[0].id: 0, other.id: 2}, now=NOON)

    assert taken(session, event) == [2]


def test_who_asks_for_more_than_there_are_hears_a_number_that_includes_their_own_seats(session: Session) -> None:
    event = an_event(session, places=5)
    cart = a_cart(session, (event, 3))

    with pytest.raises(SoldOut, match=r"Only 5\sseats"):
        carts.change_places(session, cart, {event.ticket_types[0].id: 6}, now=NOON)


@pytest.mark.parametrize("change", ["taken = size + 1", "taken = -1", "size = taken - 1"])
def test_the_database_itself_keeps_counters_within_their_limits(session: Session, change: str) -> None:
    a_cart(session, (an_event(session, places=3), 2))

    with pytest.raises(IntegrityError, match="ck_quotas_taken"), session.begin_nested():
        session.execute(text(f"UPDATE quotas SET {change}"))


def test_capacity_below_what_is_taken_is_refused_with_the_numbers(session: Session) -> None:
    event = an_event(session, places=10)
    a_cart(session, (event, 4))

    with pytest.raises(tickets.BelowTaken, match=r"^4\sseats are taken, so there cannot be only 3\. Cancel registrations first\.$"):
        tickets.set_capacity(session, event.quotas[0], 3, now=NOON)


def test_capacity_may_be_lowered_to_what_is_taken_and_then_nobody_gets_in(session: Session) -> None:
    event = an_event(session, places=10)
    a_cart(session, (event, 4))

    tickets.set_capacity(session, event.quotas[0], 4, now=NOON)

    with pytest.raises(SoldOut, match="no seats left"):
        a_cart(session, (event, 1))


@pytest.mark.parametrize("size", [-1, 1_000_001, 10**9])
def test_a_capacity_that_is_no_number_of_seats_is_refused(session: Session, size: int) -> None:
    event = an_event(session)

    with pytest.raises(BadInput, match="from 0 to 1,000,000"):
        tickets.set_capacity(session, event.quotas[0], size, now=NOON)


def test_a_seat_sold_while_capacity_is_lowered_is_counted(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        event = an_event(session, places=8)
        kind, quota = event.ticket_types[0].id, event.quotas[0].id

    def sell_or_lower(session: Session, number: int) -> bool:
        if number % 4 == 0:
            tickets.set_capacity(session, session.get_one(Quota, quota), 4, now=NOON)
        else:
            carts.start_cart(session, {kind: 1}, now=NOON)
        return True

    rush.at_once(12, sell_or_lower)

    with rush.work() as session:
        size, given = session.execute(text("SELECT size, taken FROM quotas")).one()
    assert given <= size
    assert size in (4, 8)
