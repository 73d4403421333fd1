"""Seats with people in them."""

import pytest
from sqlalchemy.orm import Session

from seminars.kit.refusals import Conflict
from seminars.orders import cancellation
from seminars.registration import places
from seminars.registration.places import Attendee
from tests import cluster as clusters
from tests.clock import NOON
from tests.factories.seats import ANNA, Rush, a_cart, an_event, an_order, seats_of, taken

SAMIR = Attendee("Samir Belhadj-Roux", "samir.belhadj@quillhaven.example", "Nurse educator", "A seat at the front")


def test_a_seat_is_named_once(session: Session) -> None:
    order = an_order(session, a_cart(session, (an_event(session), 1)))
    [seat] = places.of_order(session, order.reference)

    places.name_seat(session, seat, SAMIR)

    assert Attendee(str(seat.attendee_name), str(seat.attendee_email), seat.profession, seat.needs) == SAMIR
    with pytest.raises(Conflict, match=r"already in the name of Samir Belhadj-Roux"):
        places.name_seat(session, seat, ANNA)


def test_two_who_name_the_same_seat_at_once(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        order = an_order(session, a_cart(session, (an_event(session), 1)))

    def name(session: Session, number: int) -> str:
        [seat] = session.query(places.Registration).filter_by(order_reference=order.reference)
        return str(places.name_seat(session, seat, (ANNA, SAMIR)[number]).attendee_name)

    answers = rush.at_once(2, name)

    [winner] = [answer for answer in answers if isinstance(answer, str)]
    [refused] = [answer for answer in answers if isinstance(answer, Conflict)]
    assert str(refused) == f"This seat is already in the name of {winner}."


def test_a_seat_of_a_cancelled_order_cannot_be_named(session: Session) -> None:
    order = an_order(session, a_cart(session, (an_event(session), 1)))
    [seat] = places.of_order(session, order.reference)
    cancellation.cancel_unpaid(session, order, now=NOON)

    with pytest.raises(Conflict, match="not open any more"):
        places.name_seat(session, seat, ANNA)


def test_seats_are_confirmed_once(session: Session) -> None:
    order = an_order(session, a_cart(session, (an_event(session), 2)))

    confirmed = [len(places.confirm(session, order.reference, now=NOON)) for _ in range(2)]

    assert (confirmed, seats_of(session, order)) == ([2, 0], ["confirmed", "confirmed"])


def test_seats_are_given_back_once(session: Session) -> None:
    event = an_event(session)
    order = an_order(session, a_cart(session, (event, 3)))
    seats = places.of_order(session, order.reference)

    given = [len(places.cancel(session, seats[:2], now=NOON)) for _ in range(2)]

    assert (given, taken(session, event), seats_of(session, order)) == ([2, 0], [1], ["cancelled", "cancelled", "held"])
