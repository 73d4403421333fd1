"""Misbehaviour on demand."""

import time
from typing import Any

import pytest
import requests
import stripe

from tests.payer import pay
from tests.sandbox.shop import Sandbox, Shop, a_session, event_types, listening

DONE = "checkout.session.completed"


def test_a_delivery_can_come_twice(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    listening(client, shop, DONE)
    sandbox.chaos(duplicate={"match": DONE})

    pay(a_session(client).url)
    sandbox.flush()

    assert len(shop.posts) == 2 and len({post.event["id"] for post in shop.posts}) == 1


def test_one_happening_can_make_two_events(client: Any, sandbox: Sandbox) -> None:
    sandbox.chaos(double_event={"times": 1, "match": DONE})

    pay(a_session(client).url)

    twins = client.v1.events.list({"type": DONE}).data
    assert len({event.id for event in twins}) == 2
    assert twins[0].data.object.id == twins[1].data.object.id


def test_deliveries_can_overtake_each_other(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    listening(client, shop)
    sandbox.chaos(reorder={"match": "payment_intent.created", "seconds": 0.5})

    pay(a_session(client).url)
    sandbox.flush()

    assert shop.types()[-1] == "payment_intent.created"


def test_a_delivery_can_be_late(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    listening(client, shop, DONE)
    sandbox.chaos(delay={"times": 1, "seconds": 1.5})
    started = time.time()

    pay(a_session(client).url)

    assert shop.wait_for(DONE)[0].at - started > 1.4


def test_deliveries_can_be_lost_and_come_again_by_the_clock(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    listening(client, shop)
    sandbox.chaos(drop=True)
    pay(a_session(client).url)
    sandbox.flush()
    assert shop.posts == []
    assert len(client.v1.events.list({"delivery_success": False}).data) == 5

    sandbox.control("chaos", method="DELETE")
    sandbox.advance(minutes=2)
    sandbox.flush()

    assert len(shop.posts) == 5


def test_a_delivery_can_be_signed_by_somebody_else(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    endpoint = listening(client, shop, DONE)
    sandbox.chaos(wrong_signature={"times": 1})
    pay(a_session(client).url)
    post = shop.wait_for(DONE)[0]

    with pytest.raises(stripe.SignatureVerificationError):
        client.construct_event(post.body, post.signature, endpoint.secret)


def test_a_delivery_can_be_in_an_old_version(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    listening(client, shop, DONE)
    sandbox.chaos(old_version={"times": 1})

    pay(a_session(client).url)

    assert shop.wait_for(DONE)[0].event["api_version"] == "2024-06-20"


def test_requests_can_come_too_quickly(client: Any, sandbox: Sandbox) -> None:
    sandbox.chaos(too_many={"times": 3})

    for _ in range(3):
        with pytest.raises(stripe.RateLimitError):
            client.v1.events.list()

    assert client.v1.events.list().data == []


def test_answers_can_be_slow(client: Any, sandbox: Sandbox) -> None:
    sandbox.chaos(slow={"times": 1, "seconds": 0.7, "match": "/events"})
    started = time.monotonic()

    client.v1.charges.list()
    assert time.monotonic() - started < 0.6
    client.v1.events.list()

    assert time.monotonic() - started > 0.7


def test_a_connection_can_be_cut_after_the_work_was_done(client: Any, sandbox: Sandbox) -> None:
    sandbox.chaos(cut_after={"times": 1})

    with pytest.raises(stripe.APIConnectionError):
        a_session(client)

    assert len(client.v1.checkout.sessions.list().data) == 1


def test_a_payment_can_win_against_expire(client: Any, sandbox: Sandbox) -> None:
    session = a_session(client)
    sandbox.chaos(pay_during_expire={"times": 1})

    with pytest.raises(stripe.InvalidRequestError, match="status of `complete`"):
        client.v1.checkout.sessions.expire(session.id)

    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    sandbox.until(lambda: "charge.updated" in event_types(client))


def test_chance_falls_alike_with_the_same_seed(sandbox: Sandbox, own_sandbox: Any) -> None:
    def fates(one: Sandbox) -> list[int]:
        one.chaos(too_many={"chance": 0.5})
        return [one.raw("GET", "/v1/events").status_code for _ in range(20)]

    first, second = fates(own_sandbox("--seed", "7")), fates(own_sandbox("--seed", "7"))

    assert first == second and set(first) == {200, 429}


@pytest.mark.parametrize("wish", [{"earthquake": True}, {"drop": {"often": 3}}, {"drop": 5}])
def test_a_switch_that_is_none_is_explained(sandbox: Sandbox, wish: dict[str, Any]) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox/chaos", json=wish, timeout=10)

    assert answer.status_code == 400 and answer.json()["error"]
    assert sandbox.control("chaos", method="GET")["on"] == {}


def test_what_was_asked_and_told_is_in_the_log(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    listening(client, shop, DONE)
    session = a_session(client)
    pay(session.url)
    sandbox.flush()

    asked = [line for line in sandbox.log("request") if line["path"] == "/v1/checkout/sessions"]
    told = sandbox.log("delivery")
    assert asked[0]["params"]["line_items"]["0"]["price_data"]["unit_amount"] == "59500"
    assert [(line["type"], line["status"]) for line in told] == [(DONE, 200)]


def test_a_page_of_another_site_cannot_reach_the_controls(sandbox: Sandbox) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox/reset", headers={"Origin": "https://elsewhere.example"}, timeout=10)

    assert answer.status_code == 403
