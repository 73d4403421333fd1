"""A session is made, paid on the hosted page, and told."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.payer import NotPaid, look, pay
from tests.sandbox.shop import SHOP, Post, Sandbox, Shop, a_session, event_types, listening


def test_a_paid_session_sends_the_payer_to_the_thank_you_page_with_its_id(client: Any) -> None:
    session = a_session(client)

    there = pay(session.url)

    assert there.startswith(f"{SHOP}/thanks?")
    assert parse_qs(urlsplit(there).query) == {"session": [session.id]}


def test_a_paid_session_is_complete_and_says_who_paid(client: Any) -> None:
    session = a_session(client, client_reference_id="order/118", metadata={"order": "118"})

    pay(session.url, email="anna.berg@example.org", name="Anna Berg")

    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert (paid.status, paid.payment_status, paid.amount_total, paid.currency) == ("complete", "paid", 119_000, "usd")
    assert (paid.client_reference_id, paid.metadata.to_dict()) == ("order/118", {"order": "118"})
    assert (paid.customer_details.email, paid.customer_details.name) == ("anna.berg@example.org", "Anna Berg")
    assert paid.url is None and paid.livemode is False


def test_success_happens_in_the_order_of_the_real_api(client: Any) -> None:
    pay(a_session(client).url)

    assert event_types(client) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "charge.updated",
    ]


def test_the_fee_is_only_known_with_charge_updated(client: Any) -> None:
    pay(a_session(client).url)

    events = {event.type: event for event in client.v1.events.list({"limit": 100}).data}
    assert events["charge.succeeded"].data.object["balance_transaction"] is None
    assert events["charge.updated"].data.object["balance_transaction"].startswith("txn_")
    assert events["charge.updated"].data.previous_attributes.to_dict() == {"balance_transaction": None}


def test_one_retrieve_shows_intent_charge_and_fee(client: Any) -> None:
    session = a_session(client)
    pay(session.url)

    expand = ["payment_intent.latest_charge.balance_transaction", "line_items"]
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": expand})

    charge = paid.payment_intent.latest_charge
    row = charge.balance_transaction
    assert (paid.payment_intent.status, paid.payment_intent.amount_received) == ("succeeded", 119_000)
    assert (charge.status, charge.paid, charge.amount_captured) == ("succeeded", True, 119_000)
    assert (row.amount, row.fee, row.net, row.type) == (119_000, 3_481, 115_519, "charge")
    assert [(line.description, line.quantity, line.amount_total) for line in paid.line_items.data] == [
        ("Social Media Residency", 2, 119_000)
    ]


def test_metadata_of_the_intent_is_given_with_the_session_and_reaches_the_charge(client: Any) -> None:
    data = {"metadata": {"attempt": "7"}, "description": "Order 118"}
    session = a_session(client, metadata={"order": "118"}, payment_intent_data=data)
    pay(session.url)

    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})

    assert paid.payment_intent.metadata.to_dict() == {"attempt": "7"}
    assert paid.payment_intent.latest_charge.metadata.to_dict() == {"attempt": "7"}
    assert paid.payment_intent.description == "Order 118"


@pytest.mark.parametrize(
    ("card", "code", "decline_code", "words"),
    [
        ("4000 0000 0000 0002", "card_declined", "generic_decline", "Your card was declined."),
        ("4000 0000 0000 9995", "card_declined", "insufficient_funds", "Your card has insufficient funds."),
        ("4000 0000 0000 9987", "card_declined", "lost_card", "Your card was declined."),
        ("4000 0000 0000 9979", "card_declined", "stolen_card", "Your card was declined."),
        ("4000 0000 0000 0069", "expired_card", "expired_card", "Your card has expired."),
        ("4000 0000 0000 0127", "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
        ("4000 0000 0000 0119", "processing_error", "processing_error", "An error occurred while processing your card."),
    ],
)
def test_a_declined_card_leaves_the_session_open(client: Any, card: str, code: str, decline_code: str, words: str) -> None:
    session = a_session(client)

    with pytest.raises(NotPaid, match=words) as said:
        pay(session.url, card)

    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    error = after.payment_intent.last_payment_error
    assert said.value.status == 402
    assert (after.status, after.payment_status, after.payment_intent.status) == ("open", "unpaid", "requires_payment_method")
    assert (error.type, error.code, error.decline_code) == ("card_error", code, decline_code)
    assert (after.payment_intent.latest_charge.status, after.payment_intent.latest_charge.failure_code) == ("failed", code)
    assert event_types(client) == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]


def test_who_was_declined_may_try_another_card_on_the_same_page(client: Any) -> None:
    session = a_session(client)
    with pytest.raises(NotPaid):
        pay(session.url, "4000 0000 0000 0002")
    declined = client.v1.checkout.sessions.retrieve(session.id)

    pay(session.url)

    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert paid.payment_status == "paid" and paid.payment_intent == declined.payment_intent
    charges = client.v1.charges.list({"payment_intent": paid.payment_intent})
    assert [charge.status for charge in charges.data] == ["succeeded", "failed"]


@pytest.mark.parametrize("card", ["4000 0027 6000 3184", "4000 0000 0000 3220"])
def test_3d_secure_asks_first(client: Any, card: str) -> None:
    session = a_session(client)

    pay(session.url, card)

    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    secure = paid.payment_intent.latest_charge.payment_method_details.card.three_d_secure
    assert paid.payment_status == "paid" and secure.result == "authenticated"
    assert event_types(client)[:3] == ["payment_intent.created", "payment_intent.requires_action", "charge.succeeded"]


def test_a_failed_3d_secure_asks_for_another_card(client: Any) -> None:
    session = a_session(client)

    with pytest.raises(NotPaid, match="unable to authenticate"):
        pay(session.url, "4000 0000 0000 3220", complete_3ds=False)

    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (after.status, after.payment_intent.status) == ("open", "requires_payment_method")
    assert after.payment_intent.last_payment_error.code == "payment_intent_authentication_failure"


def test_a_card_may_be_declined_after_3d_secure(client: Any) -> None:
    session = a_session(client)

    with pytest.raises(NotPaid, match="Your card was declined"):
        pay(session.url, "4000 0084 0000 1629")

    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_a_number_outside_the_test_table_is_refused_beside_its_field(client: Any) -> None:
    session = a_session(client)

    with pytest.raises(NotPaid, match="not one of the test cards") as said:
        pay(session.url, "4111 1111 1111 1111")

    assert said.value.status == 422
    assert event_types(client) == []


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"email": "anna"}, "Enter an e-mail address"),
        ({"name": " "}, "Enter the name"),
        ({"expiry": "13 / 34"}, "Enter a month and a year to come"),
        ({"expiry": "01 / 20"}, "Enter a month and a year to come"),
        ({"cvc": "12"}, "three or four digits"),
    ],
)
def test_what_is_typed_wrongly_is_named_and_nothing_happens(client: Any, typed: dict[str, Any], words: str) -> None:
    session = a_session(client)

    with pytest.raises(NotPaid, match=words):
        pay(session.url, **typed)

    assert event_types(client) == []


def test_the_page_shows_lines_total_and_the_way_back(client: Any) -> None:
    session = a_session(client, customer_email="anna.berg@example.org", submit_type="book")

    page = look(session.url)

    assert page.heading == "Book $1,190.00"
    for words in ("Social Media Residency 2 × $595.00", "anna.berg@example.org", "Back to Sandbox", "4000 0000 0000 9995"):
        assert words in page.text


def test_a_paid_page_says_so_and_cannot_be_paid_again(client: Any) -> None:
    session = a_session(client)
    pay(session.url)

    with pytest.raises(NotPaid, match="Already paid"):
        pay(session.url)

    assert len(client.v1.charges.list().data) == 1


def test_a_session_about_nothing_needs_no_card(client: Any) -> None:
    session = a_session(client, amount=0)

    pay(session.url)

    after = client.v1.checkout.sessions.retrieve(session.id)
    assert (after.status, after.payment_status, after.payment_intent) == ("complete", "no_payment_required", None)


def test_the_shop_hears_of_the_payment_before_the_payer_returns(client: Any, sandbox: Sandbox, shop: Shop) -> None:
    listening(client, shop, "checkout.session.completed")
    seen: list[str] = []

    def answer(post: Post) -> int:
        seen.append("told")
        return 200

    shop.answer = answer
    session = a_session(client)

    pay(session.url)
    seen.append("returned")

    assert seen == ["told", "returned"]


def test_an_endpoint_that_fails_does_not_hold_the_payer_up(client: Any, shop: Shop) -> None:
    listening(client, shop)
    shop.answer = lambda post: 500

    there = pay(a_session(client).url)

    assert there.startswith(SHOP)


def test_twenty_impatient_presses_pay_once(client: Any) -> None:
    session = a_session(client)

    def press(_: int) -> str:
        try:
            return pay(session.url)
        except NotPaid as said:
            return str(said)

    with ThreadPoolExecutor(20) as presses:
        outcomes = list(presses.map(press, range(20)))

    assert sum(there.startswith(SHOP) for there in outcomes) >= 1
    assert len(client.v1.charges.list({"limit": 100}).data) == 1
    assert len(client.v1.events.list({"type": "checkout.session.completed"}).data) == 1


def test_a_placeholder_with_escaped_braces_is_not_one(client: Any) -> None:
    session = a_session(client, success_url=f"{SHOP}/thanks?session=%7BCHECKOUT_SESSION_ID%7D")

    assert pay(session.url) == f"{SHOP}/thanks?session=%7BCHECKOUT_SESSION_ID%7D"


def test_names_are_shown_as_text(client: Any, sandbox: Sandbox) -> None:
    line = {"price_data": {"currency": "usd", "product_data": {"name": "<script>x</script>"}, "unit_amount": 5_000}, "quantity": 1}
    session = a_session(client, line_items=[line])

    answer = requests.get(session.url, timeout=10)

    assert "&lt;script&gt;x&lt;/script&gt;" in answer.text and "<script" not in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")


def test_a_payment_page_that_is_none_says_so(sandbox: Sandbox) -> None:
    page = look(f"{sandbox.url}/c/pay/cs_test_none")

    assert (page.status, page.heading) == (404, "No such page")


def test_the_receipt_names_card_and_amount(client: Any) -> None:
    pay(a_session(client).url)

    page = look(client.v1.charges.list().data[0].receipt_url)

    assert page.heading == "Receipt over $1,190.00" and "visa ending in 4242" in page.text
