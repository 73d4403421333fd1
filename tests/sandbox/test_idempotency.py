"""A key makes twice the same as once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.payer import pay
from tests.sandbox.shop import SHOP, Sandbox, a_session, event_types

PARAMS: dict[str, Any] = {
    "mode": "payment",
    "success_url": f"{SHOP}/thanks",
    "line_items": [{"price_data": {"currency": "usd", "product_data": {"name": "Residency"}, "unit_amount": 59_500}, "quantity": 1}],
}


def create(client: Any, *, key: str, **more: Any) -> Any:
    return client.v1.checkout.sessions.create({**PARAMS, **more}, {"idempotency_key": key})


def test_the_same_key_gives_the_same_session(client: Any) -> None:
    first = create(client, key="order:118:1")

    second = create(client, key="order:118:1")

    assert second.to_dict() == first.to_dict()
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert second.last_response.headers["Request-Id"] != first.last_response.headers["Request-Id"]
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_the_replay_shows_the_first_answer_even_after_things_changed(client: Any) -> None:
    first = create(client, key="order:118:1")
    pay(first.url)

    assert create(client, key="order:118:1").status == "open"
    assert client.v1.checkout.sessions.retrieve(first.id).status == "complete"


def test_other_parameters_under_the_same_key_are_an_idempotency_error(client: Any) -> None:
    create(client, key="order:118:1")

    with pytest.raises(stripe.IdempotencyError, match="same parameters they were first used with") as said:
        create(client, key="order:118:1", client_reference_id="order/119")

    assert said.value.http_status == 400
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_another_address_under_the_same_key_is_an_idempotency_error(client: Any) -> None:
    session = create(client, key="order:118:1")

    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.expire(session.id, {}, {"idempotency_key": "order:118:1"})


def test_a_request_that_failed_validation_does_not_use_up_its_key(client: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        create(client, key="order:118:1", mode="lease")

    assert create(client, key="order:118:1").status == "open"


def test_a_refusal_after_work_began_is_kept(client: Any) -> None:
    session = a_session(client)
    pay(session.url)
    said: list[Any] = []

    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as one:
            client.v1.checkout.sessions.expire(session.id, {}, {"idempotency_key": "expire:1"})
        said.append(one.value)

    assert said[1].json_body == said[0].json_body
    assert said[1].headers["Idempotent-Replayed"] == "true"


def test_a_stored_500_is_replayed_and_the_work_was_done(client: Any, sandbox: Sandbox) -> None:
    sandbox.chaos(error_after={"times": 1, "match": "/checkout/sessions"})

    for _ in range(3):
        with pytest.raises(stripe.APIError) as said:
            create(client, key="order:118:1")
        error: Any = said.value
        assert said.value.http_status == 500

    assert error.headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_a_500_before_the_work_began_is_not_kept(sandbox: Sandbox) -> None:
    sandbox.chaos(error_before={"times": 1})

    session = create(sandbox.client(retries=2), key="order:118:1")

    assert session.status == "open"


def test_an_answer_lost_on_the_way_is_replayed_by_the_librarys_own_retry(sandbox: Sandbox) -> None:
    client = sandbox.client(retries=2)
    sandbox.chaos(cut_after={"times": 1})

    session = create(client, key="order:118:1")

    assert session.last_response.headers["Idempotent-Replayed"] == "true"
    assert [one.id for one in client.v1.checkout.sessions.list().data] == [session.id]


def test_a_key_in_use_by_a_running_request_is_a_conflict(client: Any, sandbox: Sandbox) -> None:
    sandbox.chaos(slow={"times": 1, "seconds": 2.0})
    slow = threading.Thread(target=create, args=(client,), kwargs={"key": "order:118:1"})
    slow.start()
    sandbox.until(lambda: "slow" not in sandbox.control("chaos", method="GET")["on"])

    with pytest.raises(stripe.APIError) as said:
        create(sandbox.client(), key="order:118:1")
    slow.join()

    assert said.value.http_status == 409
    error: Any = said.value.json_body
    assert error["error"]["code"] == "idempotency_key_in_use"
    assert create(client, key="order:118:1").last_response.headers["Idempotent-Replayed"] == "true"


def test_a_day_later_the_same_key_executes_anew(client: Any, sandbox: Sandbox) -> None:
    first = create(client, key="order:118:1")
    sandbox.advance(hours=23)
    assert create(client, key="order:118:1").id == first.id

    sandbox.advance(hours=2)

    assert create(client, key="order:118:1").id != first.id


def test_two_refunds_without_a_key_are_two_refunds(client: Any) -> None:
    session = a_session(client)
    pay(session.url)
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent

    ids = {client.v1.refunds.create({"payment_intent": intent, "amount": 100}).id for _ in range(2)}

    assert len(ids) == 2


def test_events_name_the_request_and_key_that_caused_them(client: Any) -> None:
    session = create(client, key="order:118:1")

    expired = client.v1.checkout.sessions.expire(session.id, {}, {"idempotency_key": "expire:1"})

    event = client.v1.events.list({"type": "checkout.session.expired"}).data[0]
    assert event.request.to_dict() == {"id": expired.last_response.headers["Request-Id"], "idempotency_key": "expire:1"}
    assert event_types(client) == ["checkout.session.expired"]


def test_a_key_that_is_too_long_is_refused(client: Any) -> None:
    with pytest.raises(stripe.IdempotencyError):
        create(client, key="k" * 256)


def test_thirty_at_once_under_one_key_make_one_session(client: Any, sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(30) as crowd:
        answers = list(crowd.map(lambda _: create(sandbox.client(retries=5), key="order:118:1").id, range(30)))

    assert len(set(answers)) == 1
    assert len(client.v1.checkout.sessions.list({"limit": 100}).data) == 1
