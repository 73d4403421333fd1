"""Discount codes: when one may be used, and that its limit holds whoever comes at once."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.kit.refusals import BadInput, Conflict
from seminars.orders import cancellation
from seminars.orders import cart as carts
from seminars.orders.models import DiscountCode, OrderLine
from tests import cluster as clusters
from tests.clock import NOON
from tests.factories.seats import Rush, a_cart, a_code, a_ticket_type, an_event, an_order, taken

A_DAY = timedelta(days=1)


def used(session: Session) -> int:
    return session.scalars(select(DiscountCode.used)).one()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"active": False}, "do not know this code"),
        ({"starts_at": NOON + A_DAY}, "not valid yet"),
        ({"ends_at": NOON}, "not valid any more"),
        ({"used": 100}, "used up"),
    ],
)
def test_a_code_is_refused_with_the_reason(session: Session, change: dict[str, object], why: str) -> None:
    cart = a_cart(session, (an_event(session), 1))
    code = a_code(session, percent=10)
    for name, value in change.items():
        setattr(code, name, value)
    session.flush()

    with pytest.raises(BadInput, match=why) as refused:
        carts.use_code(session, cart, "SPRING", now=NOON)

    assert refused.value.field == "code"


@pytest.mark.parametrize("text", ["SPRIN", "SPRING%", "' OR 1=1 --", "x" * 5_000])
def test_a_code_that_does_not_exist(session: Session, text: str) -> None:
    cart = a_cart(session, (an_event(session), 1))
    a_code(session, percent=10)

    with pytest.raises(BadInput, match="do not know"):
        carts.use_code(session, cart, text, now=NOON)


def test_a_code_for_other_seats_says_so(session: Session) -> None:
    event = an_event(session)
    code = a_code(session, percent=10)
    code.ticket_types = [a_ticket_type(session, event)]
    session.flush()
    cart = a_cart(session, (event, 1))

    with pytest.raises(BadInput, match="other seats than those in your cart"):
        carts.use_code(session, cart, "SPRING", now=NOON)


def test_an_order_counts_each_seat_that_was_reduced(session: Session) -> None:
    event = an_event(session)
    workshop = a_ticket_type(session, event)
    a_code(session, percent=10).ticket_types = [workshop]
    cart = carts.use_code(session, a_cart(session, (event, 2), (workshop, 3)), "SPRING", now=NOON)

    order = an_order(session, cart)

    assert [line.discount for line in order.lines] == [0, 0, 5_000, 5_000, 5_000]
    assert used(session) == 3


def test_an_order_that_lapses_gives_its_uses_back_and_takes_them_again(session: Session) -> None:
    a_code(session, percent=10)
    order = an_order(session, carts.use_code(session, a_cart(session, (an_event(session), 2)), "SPRING", now=NOON))

    counts = [used(session)]
    cancellation.expire(session, order, now=NOON)
    counts.append(used(session))
    cancellation.revive(session, order, now=NOON)

    assert [*counts, used(session)] == [2, 0, 2]


def test_an_order_that_lapsed_is_not_revived_when_others_used_up_its_code(session: Session) -> None:
    event = an_event(session)
    a_code(session, percent=10, most=2)
    order = an_order(session, carts.use_code(session, a_cart(session, (event, 1)), "SPRING", now=NOON))
    cancellation.expire(session, order, now=NOON)
    an_order(session, carts.use_code(session, a_cart(session, (event, 2)), "SPRING", now=NOON))

    with pytest.raises(Conflict, match="used up by others"), session.begin_nested():
        cancellation.revive(session, order, now=NOON)

    assert (used(session), taken(session, event)) == (2, [2])


def test_fewer_uses_than_seats_are_told(session: Session) -> None:
    a_code(session, percent=10, most=2)
    cart = carts.use_code(session, a_cart(session, (an_event(session), 3)), "SPRING", now=NOON)

    with pytest.raises(BadInput, match=r"for 2\smore seats only"):
        an_order(session, cart)


def test_a_code_is_never_used_above_its_limit_by_people_who_come_at_once(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        event = an_event(session, places=100)
        a_code(session, "FEW", amount=5_000, most=7)
        secrets = [carts.use_code(session, a_cart(session, (event, 2)), "FEW", now=NOON).secret for _ in range(16)]

    def order(session: Session, number: int) -> int:
        cart = carts.cart_by_secret(session, secrets[number])
        assert cart is not None
        return an_order(session, cart).total

    answers = rush.at_once(16, order)

    assert [answer for answer in answers if not isinstance(answer, BadInput)] == [90_000] * 3
    with rush.work() as session:
        reduced = session.scalars(select(OrderLine.discount).where(OrderLine.discount > 0)).all()
        assert (used(session), reduced) == (6, [5_000] * 6)
