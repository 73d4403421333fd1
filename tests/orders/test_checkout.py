"""From a held cart to an order whose prices and rules stay as they were agreed."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seminars.kit.refusals import BadInput, Conflict
from seminars.orders import cancellation, checkout, settlement
from seminars.orders import cart as carts
from seminars.orders.buyers import Party
from seminars.orders.models import Order, OrderLine
from seminars.registration import holds
from seminars.registration.holds import HOLD_LASTS, HoldLapsed
from seminars.registration.models import Registration
from tests import cluster as clusters
from tests.clock import NOON
from tests.factories.seats import (
    ANNA,
    BUYER,
    FIRST_DAY,
    LETTERHEAD,
    TERMS,
    Rush,
    a_cart,
    again,
    an_event,
    an_order,
    seats_of,
    taken,
)


def test_an_order_holds_its_seats_for_the_people_it_names(session: Session) -> None:
    event = an_event(session)
    cart = a_cart(session, (event, 2))

    order = checkout.place_order(session, cart, Party(BUYER, (ANNA, None)), terms=TERMS, now=NOON)

    seats = [(line.position, line.registration.attendee_name, line.registration.state, line.net) for line in order.lines]
    assert seats == [(1, "Anna Vestergren", "held", 50_000), (2, None, "held", 50_000)]
    assert (order.state, order.number, order.total, taken(session, event)) == ("placed", f"NC-2027-{order.id:04d}", 100_000, [2])


def test_an_order_is_the_same_when_it_is_read_again(session: Session) -> None:
    def told(order: Order) -> list[tuple[object, ...]]:
        return [(one.position, one.description, one.net, one.registration.secret, one.registration.event.title) for one in order.lines]

    order = an_order(session, a_cart(session, (an_event(session), 2)))
    written = told(order)

    session.expire_all()

    assert told(order) == written


def test_prices_and_refund_rules_stay_as_agreed_whatever_staff_change_later(session: Session) -> None:
    event = an_event(session)
    order = an_order(session, a_cart(session, (event, 1)))

    event.ticket_types[0].price = 99_900
    assert event.policy is not None
    event.policy.days_before, event.policy.fee = 60, 50_000
    session.flush()
    session.refresh(order)

    assert [line.net for line in order.lines] == [50_000]
    assert order.policies == [
        {"event_id": event.id, "days_before": 14, "fee": 7_500, "currency": "USD", "until": "2027-03-08T15:00:00+00:00"}
    ]


def test_an_event_without_a_rule_promises_no_refund(session: Session) -> None:
    event = an_event(session)
    event.policy = None
    session.flush()

    order = an_order(session, a_cart(session, (event, 1)))

    assert order.policies == [{"event_id": event.id, "days_before": None, "fee": 0, "currency": "", "until": None}]


def test_an_order_of_two_events_keeps_both_rules(session: Session) -> None:
    one, other = an_event(session), an_event(session, title="Grant Writing", price=10_000)

    order = an_order(session, a_cart(session, (one, 1), (other, 2)))

    assert [line.description for line in order.lines] == ["Social Media Residency, Standard", *["Grant Writing, Standard"] * 2]
    assert (order.total, [rule["event_id"] for rule in order.policies]) == (70_000, [one.id, other.id])


def test_a_price_that_changed_between_page_and_press_is_asked_about_again(session: Session) -> None:
    event = an_event(session)
    cart = a_cart(session, (event, 1))
    event.ticket_types[0].price = 60_000
    session.flush()
    party = Party(BUYER, (ANNA,))

    with pytest.raises(checkout.PriceChanged, match=r"changed to \$600\.00"), session.begin_nested():
        checkout.place_order(session, again(session, cart), party, terms=TERMS, agreed_total=50_000, now=NOON)
    order = checkout.place_order(session, again(session, cart), party, terms=TERMS, agreed_total=60_000, now=NOON)

    assert order.total == 60_000


def test_the_early_price_that_ended_between_page_and_press_is_asked_about_again(session: Session) -> None:
    event = an_event(session)
    event.ticket_types[0].early_price, event.ticket_types[0].early_until = 40_000, NOON + timedelta(minutes=10)
    session.flush()
    cart = a_cart(session, (event, 1))

    with pytest.raises(checkout.PriceChanged):
        checkout.place_order(session, cart, Party(BUYER, (ANNA,)), terms=TERMS, agreed_total=40_000, now=NOON + timedelta(minutes=10))


@pytest.mark.parametrize("agreed", [0, -1, 49_999, 1])
def test_a_total_that_the_browser_made_up_buys_nothing(session: Session, agreed: int) -> None:
    cart = a_cart(session, (an_event(session), 1))

    with pytest.raises(checkout.PriceChanged):
        checkout.place_order(session, cart, Party(BUYER, (ANNA,)), terms=TERMS, agreed_total=agreed, now=NOON)


def test_seats_that_another_tab_changed_are_asked_about_again(session: Session) -> None:
    event = an_event(session)
    cart = a_cart(session, (event, 1))
    carts.change_places(session, cart, {event.ticket_types[0].id: 2}, now=NOON)

    with pytest.raises(Conflict, match="number of seats has changed"):
        checkout.place_order(session, again(session, cart), Party(BUYER, (ANNA,)), terms=TERMS, now=NOON)


def test_an_empty_cart_is_no_order(session: Session) -> None:
    with pytest.raises(BadInput, match="cart is empty"):
        checkout.place_order(session, carts.open_cart(session, now=NOON), Party(BUYER, ()), terms=TERMS, now=NOON)


def test_seats_that_went_back_on_sale_are_not_ordered(session: Session) -> None:
    event = an_event(session, places=1)
    cart = a_cart(session, (event, 1))
    holds.sweep_lapsed(session, now=NOON + HOLD_LASTS)

    with pytest.raises(HoldLapsed), session.begin_nested():
        an_order(session, cart, now=NOON + HOLD_LASTS)

    assert (taken(session, event), session.scalar(select(func.count()).select_from(Registration))) == ([0], 0)


def test_an_event_that_was_cancelled_while_seats_were_held_is_not_ordered(session: Session) -> None:
    event = an_event(session)
    cart = a_cart(session, (event, 1))
    event.state = "cancelled"

    with pytest.raises(Conflict, match="not on sale"):
        an_order(session, cart)


def test_an_event_that_began_while_seats_were_held_is_not_ordered(session: Session) -> None:
    event = an_event(session)
    cart = a_cart(session, (event, 1), now=FIRST_DAY - timedelta(minutes=1))

    with pytest.raises(Conflict, match="already started"):
        an_order(session, cart, now=FIRST_DAY)


def test_a_comped_order_is_free_and_says_why(session: Session) -> None:
    order = an_order(session, a_cart(session, (an_event(session), 1)), terms=checkout.Terms("NC", "desk", "Speaker's guest"))

    [line] = order.lines
    assert (order.total, order.channel, line.discount) == (0, "desk", 50_000)
    assert (line.registration.comp, line.registration.comp_reason) == (True, "Speaker's guest")


def test_an_order_is_settled_once(session: Session) -> None:
    order = an_order(session, a_cart(session, (an_event(session, price=0), 1)))

    settled = [settlement.settle(session, order, letterhead=LETTERHEAD, now=NOON + timedelta(minutes=n)).paid_at for n in range(2)]

    assert (settled, seats_of(session, order)) == ([NOON, NOON], ["confirmed"])


def test_an_unpaid_order_is_cancelled_or_lapses_once_and_frees_its_seats(session: Session) -> None:
    event = an_event(session)
    lapsing, cancelled = (an_order(session, a_cart(session, (event, 2))) for _ in range(2))

    cancellation.expire(session, lapsing, now=NOON)
    cancellation.expire(session, lapsing, now=NOON)
    cancellation.cancel_unpaid(session, cancelled, now=NOON)

    assert (lapsing.state, cancelled.state, taken(session, event)) == ("expired", "cancelled", [0])
    with pytest.raises(Conflict, match="waits for its payment"):
        cancellation.cancel_unpaid(session, cancelled, now=NOON)
    with pytest.raises(Conflict, match="was cancelled"):
        cancellation.revive(session, cancelled, now=NOON)


def test_one_cart_pressed_ten_times_at_once_gives_one_order(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        event = an_event(session)
        secret = a_cart(session, (event, 2)).secret

    def press(session: Session, _: int) -> str:
        cart = carts.cart_by_secret(session, secret)
        if cart is None:
            raise Conflict("These seats have been ordered already.")
        return an_order(session, cart).number

    answers = rush.at_once(10, press)

    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict"] * 9 + ["str"]
    with rush.work() as session:
        orders, lines = (session.scalar(select(func.count()).select_from(table)) for table in (Order, OrderLine))
        assert (orders, lines, taken(session, event)) == (1, 2, [2])


def test_the_same_form_sent_ten_times_at_once_gives_one_order_and_ten_equal_answers(
    fresh_database: clusters.Database, app: Flask
) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        event = an_event(session, price=0)
        path, kind = f"/events/{event.reference}", event.ticket_types[0].id
    browser = app.test_client()
    token = re.findall(r'name="csrf_token" value="([^"]+)"', browser.get(path).text)[0]
    assert browser.post(f"{path}/hold", data={"csrf_token": token, f"places-{kind}": "1"}).location == "/checkout"
    cookies = "; ".join(f"{name}={cookie.value}" for name in ("seminars", "cart") if (cookie := browser.get_cookie(name)))
    form = {"csrf_token": token, "act": "order", "total": "0", "self": "1", "name": "Anna Vestergren", "mail": ANNA.email}

    def press(_session: Session, _: int) -> tuple[int, str]:
        answer = app.test_client(use_cookies=False).post("/checkout", data=form, headers={"Cookie": cookies})
        return answer.status_code, answer.location

    answers = rush.at_once(10, press)

    with rush.work() as session:
        order = session.scalars(select(Order)).one()
        assert (seats_of(session, order), taken(session, event)) == (["confirmed"], [1])
    assert answers == [(303, f"/orders/{order.secret}")] * 10


@pytest.mark.parametrize("places", ["-1", "0", "1e9", "1000000000", "1.5", "٣", "1; DROP TABLE holds", "²", "", " ", "0x1", "1\r\n2"])
def test_what_is_no_number_of_seats_holds_nothing(app: Flask, session: Session, places: str) -> None:
    event = an_event(session)
    path, kind = f"/events/{event.reference}", event.ticket_types[0].id
    browser = app.test_client()
    token = re.findall(r'name="csrf_token" value="([^"]+)"', browser.get(path).text)[0]

    answer = browser.post(f"{path}/hold", data={"csrf_token": token, f"places-{kind}": places})

    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers or "cart=" not in answer.headers["Set-Cookie"]
    assert taken(session, event) == [0]


def test_ticket_types_of_another_event_are_not_held_from_this_page(app: Flask, session: Session) -> None:
    event, other = an_event(session), an_event(session)
    path = f"/events/{event.reference}"
    browser = app.test_client()
    token = re.findall(r'name="csrf_token" value="([^"]+)"', browser.get(path).text)[0]

    answer = browser.post(f"{path}/hold", data={"csrf_token": token, f"places-{other.ticket_types[0].id}": "1"})

    assert (answer.status_code, taken(session, other)) == (404, [0])


def test_an_event_that_does_not_exist_is_not_found(app: Flask, session: Session) -> None:
    event = an_event(session)
    browser = app.test_client()
    token = re.findall(r'name="csrf_token" value="([^"]+)"', browser.get(f"/events/{event.reference}").text)[0]

    answer = browser.post("/events/nowhere/hold", data={"csrf_token": token, f"places-{event.ticket_types[0].id}": "1"})

    assert (answer.status_code, taken(session, event)) == (404, [0])
