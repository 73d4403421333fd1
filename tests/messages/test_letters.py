"""Every letter that the house posts has its words, and the ones that tell of money say so first."""

from importlib import import_module

import pytest
from sqlalchemy.orm import Session

from seminars.kit.money import Money
from seminars.messages.outbox import Letter
from seminars.messages.render import Press, Words
from seminars.orders import cancellation, letters
from seminars.orders.models import Order
from tests.clock import NOON
from tests.factories.seats import a_cart, an_event, an_order
from tests.messages.conftest import LETTERHEAD

PRESS = Press(LETTERHEAD, "a secret of this test")
AREAS = ("consulting", "engagements", "invoices", "orders", "people", "registration")
KINDS = sorted(
    {
        value
        for area in AREAS
        for name, value in vars(import_module(f"seminars.{area}.letters")).items()
        if name.isupper() and isinstance(value, str) and value.startswith(f"{area}/")
    }
)


def words(letter: Letter) -> Words:
    return PRESS.words(letter.kind, letter.facts, letter.name)


@pytest.fixture
def lapsed(session: Session) -> Order:
    order = an_order(session, a_cart(session, (an_event(session), 2)))
    cancellation.expire(session, order, now=NOON)
    return order


@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_has_a_subject_and_both_readings(kind: str) -> None:
    for part in ("subject.txt", "body.txt", "body.html"):
        assert PRESS._wordings.get_template(f"{kind}/en/{part}").name


def test_a_payment_that_failed_is_told_with_the_way_to_try_again(lapsed: Order) -> None:
    told = words(letters.payment_failed(lapsed, attempt_number=1, letterhead=LETTERHEAD))

    assert told.subject == f"Not paid: order {lapsed.number}, $1,000.00"
    assert told.text.startswith(f"Your payment of $1,000.00 for order {lapsed.number} did not go through")
    for reading in (told.text, told.html):
        assert "The 2 seats went back on sale" in reading and f"/orders/{lapsed.secret}" in reading


def test_money_that_came_too_late_is_said_to_go_back(lapsed: Order) -> None:
    told = words(letters.paid_without_seat(lapsed, Money(100_000, "USD"), letterhead=LETTERHEAD))

    assert told.subject == "$1,000.00 goes back to you: the seats were gone"
    assert told.text.startswith(f"Your $1,000.00 for order {lapsed.number} goes back to you")
    for reading in (told.text, told.html):
        assert "Nobody in this order is registered" in reading and f"/orders/{lapsed.secret}" in reading


def test_an_unpaid_order_leads_to_the_payment(session: Session) -> None:
    order = an_order(session, a_cart(session, (an_event(session), 2)))

    told = words(letters.order_received(order, letterhead=LETTERHEAD))

    assert ">Pay $1,000.00</a>" in told.html and "It is not paid yet: the 2 seats are yours as soon as it is." in told.text


@pytest.mark.parametrize(("price", "days_before", "promised"), [(50_000, 14, True), (0, 14, False), (50_000, 400, False)])
def test_a_refund_is_promised_only_where_there_is_one(session: Session, price: int, days_before: int, promised: bool) -> None:
    event = an_event(session, price=price)
    assert event.policy is not None
    event.policy.days_before = days_before
    session.flush()
    order = an_order(session, a_cart(session, (event, 1)))

    assert (event.id in letters.purchase_of(order, letterhead=LETTERHEAD).refunds) is promised
