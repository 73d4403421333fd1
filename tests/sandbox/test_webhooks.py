"""What happened is told to endpoints: signed, at least once, again when it failed."""

import json
import time
from typing import Any

import pytest
import stripe

from tests.payer import pay
from tests.sandbox.shop import Sandbox, Shop, a_session, listening

SUCCESS = {
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
    "charge.updated",
}


def test_the_secret_is_shown_once_and_signs_what_is_delivered(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    endpoint = listening(client, shop)
    assert endpoint.secret.startswith("whsec_")
    assert "secret" not in client.v1.webhook_endpoints.retrieve(endpoint.id)

    pay(a_session(client).url)
    sandbox.flush()

    assert set(shop.types()) == SUCCESS
    for post in shop.posts:
        event = client.construct_event(post.body, post.signature, endpoint.secret)
        assert event.id == post.event["id"] and event.livemode is False
        assert event.api_version == "2026-10-28.endive" == endpoint.api_version


def test_a_wrong_secret_or_a_changed_body_is_seen(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    endpoint = listening(client, shop, "checkout.session.completed")
    pay(a_session(client).url)
    post = shop.wait_for("checkout.session.completed")[0]

    with pytest.raises(stripe.SignatureVerificationError):
        client.construct_event(post.body, post.signature, "whsec_of_somebody_else")
    with pytest.raises(stripe.SignatureVerificationError):
        client.construct_event(json.dumps(post.event).encode(), post.signature, endpoint.secret)


def test_only_what_was_asked_for_is_told(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    listening(client, shop, "checkout.session.completed", "checkout.session.expired")

    pay(a_session(client).url)
    sandbox.flush()

    assert shop.types() == ["checkout.session.completed"]


def test_a_disabled_endpoint_is_not_told(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    endpoint = listening(client, shop)
    assert client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True}).status == "disabled"

    pay(a_session(client).url)
    sandbox.flush()

    assert shop.types() == []


def test_endpoints_are_changed_and_deleted(client: Any, shop: Shop) -> None:
    endpoint = listening(client, shop)
    changed = client.v1.webhook_endpoints.update(endpoint.id, {"enabled_events": ["charge.failed"], "metadata": {"a": "b"}})
    assert (changed.enabled_events, changed.metadata.to_dict()) == (["charge.failed"], {"a": "b"})

    assert client.v1.webhook_endpoints.delete(endpoint.id).deleted is True

    assert client.v1.webhook_endpoints.list().data == []


def test_there_are_at_most_sixteen_endpoints(client: Any, shop: Shop) -> None:
    for _ in range(16):
        listening(client, shop)

    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16"):
        listening(client, shop)


@pytest.mark.parametrize("status", [500, 400, 404, 302])
def test_anything_but_2xx_is_a_failure_and_tried_again_by_the_clock(client: Any, sandbox: Sandbox, shop: Shop, status: int) -> None:
    listening(client, shop, "checkout.session.completed")
    shop.answer = lambda post: status
    pay(a_session(client).url)
    sandbox.flush()
    assert len(shop.posts) == 1

    shop.answer = lambda post: 200
    sandbox.advance(minutes=2)
    sandbox.flush()
    sandbox.advance(days=1)
    sandbox.flush()

    first, second = shop.posts
    assert first.event["id"] == second.event["id"]


def test_a_retry_is_signed_anew(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    endpoint = listening(client, shop, "checkout.session.completed")
    shop.answer = lambda post: 500
    pay(a_session(client).url)
    sandbox.flush()
    time.sleep(1.1)

    sandbox.advance(minutes=2)
    sandbox.flush()

    first, second = shop.posts
    assert first.signature != second.signature
    moments = [int(post.signature.split(",")[0].removeprefix("t=")) for post in shop.posts]
    assert moments[0] < moments[1] <= time.time() + 1  # real seconds: the receiver judges age by its own clock
    for post in shop.posts:
        client.construct_event(post.body, post.signature, endpoint.secret)


def test_after_three_days_it_is_given_up(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    listening(client, shop, "checkout.session.completed")
    shop.answer = lambda post: 500
    pay(a_session(client).url)
    for _ in range(20):
        sandbox.advance(hours=12)
        sandbox.flush()
    tries = len(shop.posts)
    shop.answer = lambda post: 200

    sandbox.advance(days=2)
    sandbox.flush()

    assert len(shop.posts) == tries <= 12
    missed = client.v1.events.list({"delivery_success": False}).data
    assert [event.type for event in missed] == ["checkout.session.completed"]


def test_an_endpoint_that_is_away_is_told_when_it_is_back(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/webhook", "enabled_events": ["checkout.session.completed"]})
    pay(a_session(client).url)
    endpoint = client.v1.webhook_endpoints.list().data[0]
    client.v1.webhook_endpoints.update(endpoint.id, {"url": shop.url})

    sandbox.advance(minutes=2)

    shop.wait_for("checkout.session.completed")


def test_undelivered_events_can_be_listed_and_count_their_endpoints(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    listening(client, shop)
    listening(client, shop, "charge.updated")
    shop.answer = lambda post: 500 if post.event["type"] == "charge.updated" else 200
    pay(a_session(client).url)
    sandbox.flush()

    failed = client.v1.events.list({"delivery_success": False}).data
    assert [(event.type, event.pending_webhooks) for event in failed] == [("charge.updated", 2)]
    good = client.v1.events.list({"delivery_success": True}).data
    assert {event.type for event in good} == SUCCESS - {"charge.updated"}
    assert all(event.pending_webhooks == 0 for event in good)


def test_a_rolled_secret_signs_beside_the_old_one_for_a_day(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    endpoint = listening(client, shop, "checkout.session.completed")
    new = sandbox.control(f"webhook_endpoints/{endpoint.id}/roll")["secret"]

    pay(a_session(client).url)
    sandbox.advance(hours=25)
    pay(a_session(client).url)

    both, only_new = shop.wait_for("checkout.session.completed", times=2)
    for secret in (endpoint.secret, new):
        client.construct_event(both.body, both.signature, secret)
    client.construct_event(only_new.body, only_new.signature, new)
    with pytest.raises(stripe.SignatureVerificationError):
        client.construct_event(only_new.body, only_new.signature, endpoint.secret)


def test_an_event_can_be_sent_again_by_hand(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    listening(client, shop, "checkout.session.completed")
    pay(a_session(client).url)
    event = shop.wait_for("checkout.session.completed")[0].event

    sandbox.control(f"events/{event['id']}/resend")
    sandbox.flush()

    assert [post.event["id"] for post in shop.posts] == [event["id"]] * 2


def test_the_event_shows_the_object_as_it_was_then(client: Any, sandbox: Sandbox) -> None:
    session = a_session(client)
    pay(session.url)
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent

    created = client.v1.events.list({"type": "payment_intent.created"}).data[0]

    assert created.data.object.id == intent
    assert (created.data.object.status, created.data.object.latest_charge) == ("requires_payment_method", None)


def test_the_payer_waits_ten_seconds_at_most_for_a_silent_shop(client: Any, shop: Shop) -> None:
    def silent(post: Any) -> int:
        time.sleep(12)
        return 200

    listening(client, shop, "checkout.session.completed")
    shop.answer = silent
    session = a_session(client)
    started = time.monotonic()

    pay(session.url)

    assert 9 < time.monotonic() - started < 12
