"""Lists, expansion, and whole objects."""

import inspect
import re
from typing import Any

import pytest
import stripe

from tests.payer import NotPaid, pay
from tests.sandbox.shop import Sandbox, a_session

# Fields the API answers only when expanded, on deleted objects, under Connect, or on no object of ours.
ABSENT = {
    "checkout.session": {"line_items"},
    "charge": {"refunds", "level3"},
    "balance_transaction": set(),
    "event": {"account"},
    "customer": {"deleted", "sources", "subscriptions", "tax_ids"},
    "webhook_endpoint": {"deleted", "secret"},
    "account": {"deleted", "company", "individual", "future_requirements", "groups", "requirements", "tos_acceptance"},
    "price": {"deleted", "currency_options", "tiers"},
    "product": {"deleted"},
    "item": {"discounts", "taxes"},
}


def fields_of(kind: type) -> set[str]:
    return {name for name in inspect.get_annotations(kind) if not name.startswith("_") and name != "OBJECT_NAME"}


def test_every_field_of_the_library_is_there_and_none_besides(client: Any, sandbox: Sandbox) -> None:
    session = a_session(client, customer_creation="always")
    pay(session.url)
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items.data.price.product"]})
    intent = client.v1.payment_intents.retrieve(paid.payment_intent)
    item = paid.line_items.data[0]
    client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["charge.failed"]})
    objects = [
        (client.v1.checkout.sessions.retrieve(session.id), stripe.checkout.Session),
        (a_session(client), stripe.checkout.Session),
        (intent, stripe.PaymentIntent),
        (client.v1.charges.retrieve(intent.latest_charge), stripe.Charge),
        (client.v1.balance_transactions.list().data[0], stripe.BalanceTransaction),
        (client.v1.refunds.create({"payment_intent": intent.id}), stripe.Refund),
        (client.v1.events.list().data[0], stripe.Event),
        (client.v1.customers.retrieve(paid.customer), stripe.Customer),
        (client.v1.webhook_endpoints.list().data[0], stripe.WebhookEndpoint),
        (client.v1.balance.retrieve(), stripe.Balance),
        (client.v1.accounts.retrieve_current(), stripe.Account),
        (item, stripe.LineItem),
        (item.price, stripe.Price),
        (item.price.product, stripe.Product),
    ]

    for one, kind in objects:
        absent: set[str] = ABSENT.get(one.object, set())
        assert set(one.to_dict()) == fields_of(kind) - absent, one.object
        assert one.to_dict().get("livemode", False) is False


def test_a_bank_debit_has_every_field_too(client: Any) -> None:
    session = a_session(client)
    pay(session.url, account="000123456789")
    intent = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]}).payment_intent

    details = intent.latest_charge.payment_method_details

    assert set(details.us_bank_account.to_dict()) == fields_of(stripe.Charge.PaymentMethodDetails.UsBankAccount)


def test_a_card_has_every_field(client: Any) -> None:
    pay(a_session(client).url)

    details = client.v1.charges.list().data[0].payment_method_details.card

    assert set(details.to_dict()) == fields_of(stripe.Charge.PaymentMethodDetails.Card)
    assert (details.brand, details.last4, details.exp_month, details.exp_year) == ("visa", "4242", 12, 2034)


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("session", r"cs_test_[A-Za-z0-9]{60}"),
        ("intent", r"pi_[A-Za-z0-9]{25}"),
        ("charge", r"ch_[A-Za-z0-9]{25}"),
        ("row", r"txn_[A-Za-z0-9]{25}"),
        ("refund", r"re_[A-Za-z0-9]{25}"),
        ("event", r"evt_[A-Za-z0-9]{24}"),
    ],
)
def test_ids_look_like_the_real_ones(client: Any, kind: str, form: str) -> None:
    session = a_session(client)
    pay(session.url)
    intent = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]}).payment_intent
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    ids = {
        "session": session.id,
        "intent": intent.id,
        "charge": intent.latest_charge.id,
        "row": intent.latest_charge.balance_transaction,
        "refund": refund.id,
        "event": client.v1.events.list().data[0].id,
    }

    assert re.fullmatch(form, ids[kind]), ids[kind]


def test_lists_are_newest_first_and_cut_at_ten(client: Any) -> None:
    ids = [a_session(client).id for _ in range(12)]

    page = client.v1.checkout.sessions.list()

    assert [one.id for one in page.data] == ids[:1:-1]
    assert page.has_more is True and page.url == "/v1/checkout/sessions"


def test_pages_follow_each_other_in_both_directions(client: Any) -> None:
    ids = [a_session(client).id for _ in range(7)][::-1]
    everything = client.v1.checkout.sessions.list

    second = everything({"limit": 3, "starting_after": ids[2]})
    last = everything({"limit": 3, "starting_after": ids[5]})
    before = everything({"limit": 3, "ending_before": ids[5]})
    first = everything({"limit": 3, "ending_before": ids[2]})

    assert [one.id for one in second.data] == ids[3:6] and second.has_more
    assert [one.id for one in last.data] == ids[6:] and not last.has_more
    assert [one.id for one in before.data] == ids[2:5] and before.has_more
    assert [one.id for one in first.data] == ids[:2] and not first.has_more
    assert [one.id for one in everything({"limit": 2}).auto_paging_iter()] == ids


@pytest.mark.parametrize("limit", [0, 101, "many"])
def test_a_page_has_one_to_a_hundred_entries(client: Any, limit: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as said:
        client.v1.events.list({"limit": limit})

    assert said.value.param == "limit"


def test_a_cursor_that_is_none_is_refused(client: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as said:
        client.v1.events.list({"starting_after": "evt_none"})

    assert (said.value.code, said.value.param) == ("resource_missing", "starting_after")


def test_sessions_are_found_by_status_intent_email_and_time(client: Any, sandbox: Sandbox) -> None:
    sandbox.control("clock", {"still": True})
    old = a_session(client)
    pay(old.url, email="ben@example.org")
    sandbox.advance(minutes=10)
    new = a_session(client, customer_email="anna@example.org")
    sandbox.control("clock", {"still": False})
    intent = client.v1.checkout.sessions.retrieve(old.id).payment_intent

    def ids(**filters: Any) -> list[str]:
        return [one.id for one in client.v1.checkout.sessions.list(filters).data]

    assert ids(status="open") == [new.id] and ids(status="complete") == [old.id]
    assert ids(payment_intent=intent) == [old.id]
    assert ids(customer_details={"email": "ben@example.org"}) == [old.id]
    assert ids(created={"gte": new.created}) == [new.id]
    assert ids(created={"gt": old.created - 1, "lt": new.created}) == [old.id]
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: client_reference_id"):
        ids(client_reference_id="order/118")


def test_events_are_found_by_type_types_and_pattern(client: Any) -> None:
    pay(a_session(client).url)

    def types(**filters: Any) -> list[str]:
        return [one.type for one in client.v1.events.list(filters).data]

    assert types(type="charge.updated") == ["charge.updated"]
    assert types(types=["charge.succeeded", "checkout.session.completed"]) == ["checkout.session.completed", "charge.succeeded"]
    assert types(type="charge.*") == ["charge.updated", "charge.succeeded"]
    with pytest.raises(stripe.InvalidRequestError):
        types(types=[f"charge.{n}" for n in range(21)])


def test_events_are_kept_for_thirty_days(client: Any, sandbox: Sandbox) -> None:
    pay(a_session(client).url)

    sandbox.advance(days=31)

    assert client.v1.events.list().data == []


def test_charges_and_intents_are_listed_and_changed(client: Any) -> None:
    pay(a_session(client).url)
    pay(a_session(client).url)
    intent = client.v1.payment_intents.list({"limit": 1}).data[0]

    charges = client.v1.charges.list({"payment_intent": intent.id}).data
    assert [charge.id for charge in charges] == [intent.latest_charge]
    client.v1.charges.update(charges[0].id, {"description": "Order 118", "metadata": {"order": "118"}})
    client.v1.payment_intents.update(intent.id, {"metadata": {"seen": "yes"}})

    assert client.v1.charges.retrieve(charges[0].id).description == "Order 118"
    assert client.v1.payment_intents.retrieve(intent.id).metadata.to_dict() == {"seen": "yes"}
    event = client.v1.events.list({"type": "charge.updated"}).data[0]
    assert event.data.previous_attributes.to_dict() == {"description": None, "metadata": {"order": None}}


def test_line_items_are_a_list_of_their_own(client: Any) -> None:
    lines = [
        {"price_data": {"currency": "usd", "product_data": {"name": name}, "unit_amount": amount}, "quantity": quantity}
        for name, amount, quantity in (("Residency", 59_500, 2), ("Workbook", 2_500, 1))
    ]
    session = a_session(client, line_items=lines)

    page = client.v1.checkout.sessions.line_items.list(session.id, {"limit": 100})

    found = {(one.description, one.price.unit_amount, one.quantity, one.amount_total) for one in page.data}
    assert found == {("Residency", 59_500, 2, 119_000), ("Workbook", 2_500, 1, 2_500)}


def test_what_cannot_be_expanded_is_refused(client: Any) -> None:
    session = a_session(client)

    for path in ("status", "colour", "payment_intent.latest_charge.balance_transaction.source.refunds"):
        with pytest.raises(stripe.InvalidRequestError, match="expand"):
            client.v1.checkout.sessions.retrieve(session.id, {"expand": [path]})


def test_lists_are_expanded_by_data(client: Any) -> None:
    pay(a_session(client).url)

    page = client.v1.checkout.sessions.list({"expand": ["data.payment_intent.latest_charge"]})

    assert page.data[0].payment_intent.latest_charge.paid is True


def test_a_customer_is_kept_when_asked_for_and_can_be_used_again(client: Any) -> None:
    session = a_session(client, customer_creation="always")
    pay(session.url, email="anna@example.org")
    customer = client.v1.checkout.sessions.retrieve(session.id).customer

    again = a_session(client, customer=customer)

    assert again.customer_details.email == "anna@example.org"
    assert [one.id for one in client.v1.customers.list({"email": "anna@example.org"}).data] == [customer]
    assert client.v1.customers.update(customer, {"name": "Anna B."}).name == "Anna B."
    assert client.v1.customers.delete(customer).deleted is True


def test_an_intent_of_checkout_can_only_end_with_its_session(client: Any) -> None:
    session = a_session(client)
    with pytest.raises(NotPaid):
        pay(session.url, "4000 0000 0000 0002")
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    with pytest.raises(stripe.InvalidRequestError) as said:
        client.v1.payment_intents.cancel(intent)
    assert said.value.code == "payment_intent_unexpected_state"

    client.v1.checkout.sessions.expire(session.id)

    assert client.v1.payment_intents.retrieve(intent).status == "canceled"


def test_an_intent_made_by_api_can_be_confirmed_declined_and_canceled(client: Any) -> None:
    create = client.v1.payment_intents.create
    paid = create({"amount": 5_000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True})
    assert paid.status == "succeeded"
    waiting = create({"amount": 5_000, "currency": "usd"})

    with pytest.raises(stripe.CardError) as said:
        client.v1.payment_intents.confirm(waiting.id, {"payment_method": "pm_card_chargeDeclinedInsufficientFunds"})

    assert (said.value.http_status, said.value.code) == (402, "card_declined")
    refusal: Any = said.value.json_body
    assert refusal["error"]["decline_code"] == "insufficient_funds"
    after = client.v1.payment_intents.retrieve(waiting.id, {"expand": ["latest_charge"]})
    assert (after.status, after.latest_charge.status) == ("requires_payment_method", "failed")
    assert client.v1.payment_intents.cancel(waiting.id, {"cancellation_reason": "abandoned"}).status == "canceled"
