"""How the API is spoken: keys, versions, parameters, errors."""

import base64
from typing import Any

import pytest
import stripe

from tests.payer import look
from tests.sandbox.shop import SHOP, Sandbox, a_session

LINE = {
    "line_items[0][price_data][currency]": "usd",
    "line_items[0][price_data][product_data][name]": "Residency",
    "line_items[0][price_data][unit_amount]": "59500",
    "line_items[0][quantity]": "1",
}
GOOD = {"mode": "payment", "success_url": f"{SHOP}/thanks", **LINE}


def refused(sandbox: Sandbox, **changes: str | None) -> dict[str, Any]:
    """The error of creating a session with the good parameters changed."""
    wanted = {name: value for name, value in (GOOD | changes).items() if value is not None}
    answer = sandbox.raw("POST", "/v1/checkout/sessions", data=wanted)
    assert answer.status_code == 400, answer.text
    error: dict[str, Any] = answer.json()["error"]
    return error


def test_no_key_is_refused(sandbox: Sandbox) -> None:
    answer = sandbox.raw("GET", "/v1/events", headers={"Authorization": ""})

    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("You did not provide an API key.")


@pytest.mark.parametrize("key", ["sk_live_51abcdefghijklmnop", "pk_test_abcdefghijklmnop", "nonsense"])
def test_other_than_secret_test_keys_are_refused_and_not_repeated(sandbox: Sandbox, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError) as said:
        sandbox.client(key=key).v1.events.list()

    assert said.value.http_status == 401 and key not in str(said.value)


def test_restricted_keys_and_basic_authorisation_are_accepted(sandbox: Sandbox) -> None:
    sandbox.client(key="rk_test_sandbox").v1.events.list()
    basic = base64.b64encode(b"sk_test_sandbox:").decode()

    assert sandbox.raw("GET", "/v1/events", headers={"Authorization": f"Basic {basic}"}).status_code == 200


def test_a_restricted_key_can_be_forbidden_something(sandbox: Sandbox) -> None:
    sandbox.chaos(forbid={"match": "/v1/refunds"})

    with pytest.raises(stripe.PermissionError):
        sandbox.client(key="rk_test_sandbox").v1.refunds.list()
    sandbox.client(key="rk_test_sandbox").v1.charges.list()


def test_another_api_version_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"Invalid Stripe API version: 2025-03-31.basil"):
        sandbox.client().v1.events.list({}, {"stripe_version": "2025-03-31.basil"})


def test_an_address_that_is_none_is_refused(sandbox: Sandbox) -> None:
    answer = sandbox.raw("POST", "/v1/subscriptions", data={"customer": "cus_1"})

    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("Unrecognized request URL (POST: /v1/subscriptions).")


def test_every_answer_has_a_request_id_and_the_version(client: Any, sandbox: Sandbox) -> None:
    session = a_session(client)

    assert session.last_response.headers["Request-Id"].startswith("req_")
    assert session.last_response.headers["Stripe-Version"] == "2026-10-28.endive"
    assert session.last_response.headers["Idempotency-Key"]
    assert sandbox.raw("GET", "/v1/nothing").headers["Request-Id"].startswith("req_")


def test_an_unknown_parameter_is_named(sandbox: Sandbox) -> None:
    error = refused(sandbox, **{"line_items[0][price_data][colour]": "red"})

    assert (error["code"], error["param"]) == ("parameter_unknown", "line_items[0][price_data][colour]")
    assert error["message"] == "Received unknown parameter: line_items[0][price_data][colour]"
    assert error["type"] == "invalid_request_error"
    assert error["doc_url"].endswith("/parameter-unknown")
    assert "/logs/req_" in error["request_log_url"]


@pytest.mark.parametrize(
    "name",
    [
        "mode",
        "success_url",
        "line_items[0][price_data][currency]",
        "line_items[0][price_data][unit_amount]",
        "line_items[0][quantity]",
    ],
)
def test_a_missing_parameter_is_named(sandbox: Sandbox, name: str) -> None:
    error = refused(sandbox, **{name: None})

    assert (error["code"], error["param"]) == ("parameter_missing", name)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("line_items[0][quantity]", "two", "parameter_invalid_integer"),
        ("line_items[0][quantity]", "1.5", "parameter_invalid_integer"),
        ("line_items[0][quantity]", "0", "parameter_invalid_integer"),
        ("line_items[0][quantity]", "1000000", "parameter_invalid_integer"),
        ("line_items[0][price_data][unit_amount]", "-5", "parameter_invalid_integer"),
        ("success_url", "", "parameter_invalid_empty"),
        ("success_url", "thanks", "url_invalid"),
        ("success_url", "javascript:alert(1)", "url_invalid"),
        ("customer_email", "anna", "email_invalid"),
        ("mode", "lease", None),
        ("line_items[0][price_data][currency]", "xyz", None),
        ("client_reference_id", "x" * 201, None),
        ("payment_intent_data[statement_descriptor_suffix]", "x" * 23, None),
        ("locale", "klingon", None),
        ("mode[deep]", "payment", None),
        ("customer", "cus_of_nobody", "resource_missing"),
        ("line_items[0][price]", "price_of_nothing", "resource_missing"),
        ("payment_method_types[0]", "card", "payment_method_types_no_longer_supported"),
        ("excluded_payment_method_types[0]", "pebbles", None),
    ],
)
def test_a_wrong_value_is_refused_by_name(sandbox: Sandbox, name: str, value: str, code: str | None) -> None:
    error = refused(sandbox, **{name: value})

    assert error.get("code") == code
    assert error["type"] == "invalid_request_error" and error["message"]


def test_what_the_sandbox_does_not_imitate_is_said_rather_than_ignored(sandbox: Sandbox) -> None:
    for name, value in (
        ("discounts[0][coupon]", "SPRING"),
        ("ui_mode", "elements"),
        ("automatic_tax[enabled]", "true"),
        ("invoice_creation[enabled]", "true"),
        ("allow_promotion_codes", "true"),
    ):
        assert "sandbox does not imitate" in (text := refused(sandbox, **{name: value})["message"]) or "imitates" in text


def test_a_refused_request_leaves_nothing(client: Any, sandbox: Sandbox) -> None:
    refused(sandbox, **{"line_items[0][price_data][unit_amount]": "20"})

    assert client.v1.checkout.sessions.list().data == []


@pytest.mark.parametrize(("amount", "code"), [(49, "amount_too_small"), (100_000_000, "amount_too_large")])
def test_a_total_outside_the_limits_is_refused(client: Any, amount: int, code: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as said:
        a_session(client, amount=amount, quantity=1)

    assert said.value.code == code


def test_lines_of_two_currencies_are_refused(sandbox: Sandbox) -> None:
    other = {name.replace("[0]", "[1]"): value for name, value in LINE.items()}

    error = refused(sandbox, **other | {"line_items[1][price_data][currency]": "eur"})

    assert "same currency" in error["message"]


@pytest.mark.parametrize(
    ("currency", "amount", "heading"),
    [
        ("jpy", 50_000, "Pay ¥50,000"),
        ("kwd", 12_340, "Pay 12.340 KWD"),
        ("eur", 50_000, "Pay €500.00"),
        ("chf", 5, None),
        ("kwd", 12_345, None),
    ],
)
def test_amounts_are_in_the_smallest_unit_of_their_currency(
    client: Any, sandbox: Sandbox, currency: str, amount: int, heading: str | None
) -> None:
    wanted = GOOD | {"line_items[0][price_data][currency]": currency, "line_items[0][price_data][unit_amount]": str(amount)}

    answer = sandbox.raw("POST", "/v1/checkout/sessions", data=wanted)

    if heading is None:
        assert answer.status_code == 400
    else:
        assert look(answer.json()["url"]).heading == heading


@pytest.mark.parametrize(("minutes", "fine"), [(29, False), (31, True), (60 * 24 - 1, True), (60 * 24 + 1, False)])
def test_a_session_may_be_open_for_thirty_minutes_to_a_day(client: Any, sandbox: Sandbox, minutes: int, fine: bool) -> None:
    ends = sandbox.now() + minutes * 60

    if fine:
        assert a_session(client, expires_at=ends).expires_at == ends
    else:
        with pytest.raises(stripe.InvalidRequestError) as said:
            a_session(client, expires_at=ends)
        assert said.value.param == "expires_at"


def test_without_a_wish_a_session_is_open_for_a_day(client: Any) -> None:
    session = a_session(client)

    assert session.expires_at - session.created == 24 * 3600


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (lambda v1: v1.checkout.sessions.retrieve("cs_test_none"), "checkout.session"),
        (lambda v1: v1.checkout.sessions.expire("cs_test_none"), "checkout.session"),
        (lambda v1: v1.payment_intents.retrieve("pi_none"), "payment_intent"),
        (lambda v1: v1.charges.retrieve("ch_none"), "charge"),
        (lambda v1: v1.refunds.retrieve("re_none"), "refund"),
        (lambda v1: v1.events.retrieve("evt_none"), "event"),
        (lambda v1: v1.webhook_endpoints.retrieve("we_none"), "webhook endpoint"),
        (lambda v1: v1.refunds.create({"charge": "ch_none"}), "charge"),
    ],
)
def test_what_does_not_exist_is_missing(client: Any, act: Any, what: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=f"No such {what}: '") as said:
        act(client.v1)

    assert (said.value.http_status, said.value.code) == (404, "resource_missing")


def test_an_object_of_another_kind_does_not_exist_at_this_address(client: Any) -> None:
    session = a_session(client)

    with pytest.raises(stripe.InvalidRequestError, match="No such payment_intent"):
        client.v1.payment_intents.retrieve(session.id)


def test_json_bodies_are_refused(sandbox: Sandbox) -> None:
    answer = sandbox.raw("POST", "/v1/checkout/sessions", json=GOOD)

    assert answer.status_code == 400 and "application/x-www-form-urlencoded" in answer.json()["error"]["message"]


@pytest.mark.parametrize("text", ["a[b=1", "[a]=1", "a=1&a[b]=2", "a[b]=2&a=1", "]]=1"])
def test_names_that_make_no_sense_are_refused(sandbox: Sandbox, text: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    assert sandbox.raw("POST", "/v1/refunds", data=text, headers=headers).status_code == 400


def test_metadata_has_limits(client: Any) -> None:
    for metadata in ({f"k{n}": "x" for n in range(51)}, {"k" * 41: "x"}, {"k": "x" * 501}):
        with pytest.raises(stripe.InvalidRequestError):
            a_session(client, metadata=metadata)


def test_metadata_is_merged_deleted_and_cleared(client: Any) -> None:
    session = a_session(client, metadata={"order": "118", "1": "one", "gone": "soon"})
    change = client.v1.checkout.sessions.update

    assert change(session.id, {"metadata": {"gone": "", "new": "x"}}).metadata.to_dict() == {"order": "118", "1": "one", "new": "x"}
    assert change(session.id, {"metadata": ""}).metadata.to_dict() == {}


def test_only_metadata_of_a_session_can_be_changed(client: Any) -> None:
    session = a_session(client)

    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: success_url"):
        client.v1.checkout.sessions.update(session.id, {"success_url": SHOP})
