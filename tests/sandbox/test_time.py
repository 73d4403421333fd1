"""The sandbox's clock, and what comes with time."""

from typing import Any

import pytest
import requests
import stripe

from tests.payer import NotPaid, look, pay
from tests.sandbox.shop import Sandbox, a_session, event_types


def test_a_session_expires_by_the_clock_and_is_told_once(client: Any, sandbox: Sandbox) -> None:
    session = a_session(client, expires_at=sandbox.now() + 1860)
    sandbox.advance(minutes=30)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"

    sandbox.advance(minutes=2)

    expired = client.v1.checkout.sessions.retrieve(session.id)
    assert (expired.status, expired.payment_status, expired.url) == ("expired", "unpaid", None)
    assert event_types(client) == ["checkout.session.expired"]
    event = client.v1.events.list().data[0]
    assert event.created == session.expires_at


def test_an_expired_page_says_so_and_takes_no_money(client: Any, sandbox: Sandbox) -> None:
    session = a_session(client)
    client.v1.checkout.sessions.expire(session.id)

    assert look(session.url).heading == "This page has expired"
    with pytest.raises(NotPaid, match="expired"):
        pay(session.url)
    assert client.v1.charges.list().data == []


def test_a_page_opened_before_the_end_cannot_be_paid_after_it(client: Any, sandbox: Sandbox) -> None:
    session = a_session(client)
    typed = {"email": "a@example.org", "name": "Anna", "card_number": "4242424242424242", "card_expiry": "12/34", "card_cvc": "123"}
    sandbox.advance(days=1, seconds=1)

    answer = requests.post(session.url, data={"method": "card", **typed}, timeout=10)

    assert "This page has expired" in answer.text
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_only_an_open_session_can_be_expired(client: Any) -> None:
    session = a_session(client)
    pay(session.url)

    with pytest.raises(stripe.InvalidRequestError, match="This Session has a status of `complete`"):
        client.v1.checkout.sessions.expire(session.id)

    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_an_unanswered_3d_secure_ends_with_the_session(client: Any, sandbox: Sandbox) -> None:
    session = a_session(client)
    typed = {"email": "a@example.org", "name": "Anna", "card_number": "4000000000003220", "card_expiry": "12/34", "card_cvc": "123"}
    asked = requests.post(session.url, data={"method": "card", **typed}, timeout=10)
    assert asked.url.endswith("/authenticate")
    sandbox.advance(days=2)

    late = requests.post(asked.url, data={"answer": "complete"}, timeout=10)

    assert "This page has expired" in late.text
    assert client.v1.charges.list().data == []


def test_planned_things_happen_at_their_own_time_when_the_clock_jumps(client: Any, sandbox: Sandbox) -> None:
    start = sandbox.now()
    first = a_session(client, expires_at=start + 3600)
    second = a_session(client, expires_at=start + 7200)

    sandbox.advance(days=3)

    told = [(event.data.object.id, event.created) for event in client.v1.events.list().data][::-1]
    assert told == [(first.id, start + 3600), (second.id, start + 7200)]


def test_the_clock_can_stand_still_and_only_moves_forward(sandbox: Sandbox) -> None:
    sandbox.control("clock", {"still": True, "now": "2099-01-31T09:00:00Z"})
    assert sandbox.control("clock", method="GET")["now"] == "2099-01-31T09:00:00+00:00"

    back = requests.post(f"{sandbox.url}/_sandbox/clock", json={"now": "2098-01-01T00:00:00Z"}, timeout=10)

    assert back.status_code == 400 and "only moves forward" in back.json()["error"]
    sandbox.advance(seconds=90)
    assert sandbox.control("clock", method="GET")["now"] == "2099-01-31T09:01:30+00:00"


@pytest.mark.parametrize("wish", [{"advance": "soon"}, {"now": "yesterday"}, {"forward": 5}, [1]])
def test_a_wish_the_clock_does_not_understand_is_explained(sandbox: Sandbox, wish: Any) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox/clock", json=wish, timeout=10)

    assert answer.status_code == 400 and answer.json()["error"]
