"""Fees, bank debits and the balance."""

from typing import Any

import pytest

from tests.payer import NotPaid, look, pay
from tests.sandbox.shop import Sandbox, a_session, event_types


def rows(client: Any, **filters: Any) -> list[tuple[str, int, int, int]]:
    return [(row.type, row.amount, row.fee, row.net) for row in client.v1.balance_transactions.list(filters).data]


def a_euro_session(client: Any, amount: int) -> Any:
    line = {"price_data": {"currency": "eur", "product_data": {"name": "Residency"}, "unit_amount": amount}, "quantity": 1}
    return a_session(client, line_items=[line])


@pytest.mark.parametrize(
    ("card", "amount", "fee"),
    [
        ("4242 4242 4242 4242", 119_000, 3_481),
        ("4242 4242 4242 4242", 50, 31),  # 1.45 cents are one, and thirty
        ("4242 4242 4242 4242", 4_500, 161),  # 130.5 cents are 131: half goes up
        ("4000 0027 6000 0016", 119_000, 5_266),  # a card from abroad: 1.5 % more
    ],
)
def test_a_card_costs_its_percentage_and_thirty_cents(client: Any, card: str, amount: int, fee: int) -> None:
    pay(a_session(client, amount=amount, quantity=1).url, card)

    assert rows(client) == [("charge", amount, fee, amount - fee)]
    row = client.v1.balance_transactions.list().data[0]
    assert [(one.type, one.amount, one.currency) for one in row.fee_details] == [("stripe_fee", fee, "usd")]


@pytest.mark.parametrize(("amount", "fee"), [(10_000, 80), (119_000, 500)])
def test_a_bank_debit_costs_less_and_five_dollars_at_most(client: Any, sandbox: Sandbox, amount: int, fee: int) -> None:
    session = a_session(client, amount=amount, quantity=1)
    pay(session.url, account="000123456789")
    sandbox.advance(days=8)

    assert rows(client) == [("payment", amount, fee, amount - fee)]


def test_money_is_pending_for_two_business_days(client: Any, sandbox: Sandbox) -> None:
    pay(a_session(client).url)
    row = client.v1.balance_transactions.list().data[0]
    assert row.status == "pending" and row.available_on - row.created >= 24 * 3600
    balance = client.v1.balance.retrieve()
    assert (balance.pending[0].amount, balance.available[0].amount) == (115_519, 0)

    sandbox.advance(days=4)

    assert client.v1.balance_transactions.retrieve(row.id).status == "available"
    balance = client.v1.balance.retrieve()
    assert (balance.pending[0].amount, balance.available[0].amount) == (0, 115_519)


def test_one_card_pays_straight_into_the_available_balance(client: Any) -> None:
    pay(a_session(client).url, "4000 0000 0000 0077")

    assert client.v1.balance.retrieve().available[0].amount == 115_519


def test_the_balance_is_kept_by_currency(client: Any) -> None:
    pay(a_session(client).url)
    pay(a_euro_session(client, 10_000).url)

    assert {one.currency: one.amount for one in client.v1.balance.retrieve().pending} == {"eur": 9_680, "usd": 115_519}


def test_a_bank_debit_is_processing_and_the_session_complete_but_unpaid(client: Any) -> None:
    session = a_session(client)

    pay(session.url, account="000123456789")

    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert (after.status, after.payment_status) == ("complete", "unpaid")
    assert (after.payment_intent.status, after.payment_intent.latest_charge.status) == ("processing", "pending")
    assert after.payment_intent.latest_charge.id.startswith("py_")
    assert event_types(client) == [
        "payment_intent.created",
        "payment_intent.processing",
        "charge.pending",
        "checkout.session.completed",
    ]
    assert rows(client) == []


@pytest.mark.parametrize("how", [{"account": "000123456789"}, {"iban": "AT32 1904 3002 3547 3204"}])
def test_days_later_the_bank_pays(client: Any, sandbox: Sandbox, how: dict[str, Any]) -> None:
    session = a_euro_session(client, 10_000) if "iban" in how else a_session(client)
    pay(session.url, **how)

    sandbox.advance(days=10)

    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (after.payment_status, after.payment_intent.status) == ("paid", "succeeded")
    assert event_types(client)[4:] == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
        "charge.updated",
    ]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"account": "000111111113"}, "bank_account_unusable"),
        ({"account": "000111111116"}, "bank_account_unusable"),
        ({"account": "000222222227"}, "insufficient_funds"),
        ({"iban": "AT861904300235473202"}, "insufficient_funds"),
    ],
)
def test_days_later_the_bank_refuses(client: Any, sandbox: Sandbox, how: dict[str, Any], code: str) -> None:
    session = a_euro_session(client, 10_000) if "iban" in how else a_session(client)
    pay(session.url, **how)

    sandbox.advance(days=10)

    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    intent = after.payment_intent
    assert (after.status, after.payment_status, intent.status) == ("complete", "unpaid", "requires_payment_method")
    assert (intent.last_payment_error.code, intent.latest_charge.status) == (code, "failed")
    assert event_types(client)[4:] == ["charge.failed", "payment_intent.payment_failed", "checkout.session.async_payment_failed"]
    assert rows(client) == []


def test_a_bank_may_never_answer(client: Any, sandbox: Sandbox) -> None:
    session = a_session(client)
    pay(session.url, account="000000000009")

    sandbox.advance(days=30)

    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert after.payment_intent.status == "processing"


def test_the_answer_of_the_bank_can_be_called_for(client: Any, sandbox: Sandbox) -> None:
    session = a_session(client)
    pay(session.url, account="000123456789")
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent

    assert sandbox.control(f"settle/{intent}") == {"happened": 1}

    assert client.v1.payment_intents.retrieve(intent).status == "succeeded"


def test_only_methods_for_the_currency_that_are_not_excluded_are_offered(client: Any) -> None:
    assert a_session(client).payment_method_types == ["card", "us_bank_account"]
    assert a_euro_session(client, 10_000).payment_method_types == ["card", "sepa_debit"]
    only_cards = a_session(client, excluded_payment_method_types=["us_bank_account", "klarna"])
    assert only_cards.payment_method_types == ["card"]
    assert a_session(client, allowed_payment_method_types=["us_bank_account"]).payment_method_types == ["us_bank_account"]

    with pytest.raises(NotPaid, match="Choose one of the ways to pay"):
        pay(only_cards.url, method="us_bank_account", account_number="000123456789", routing_number="110000000")
    assert "US bank account" not in look(only_cards.url).text


def test_rows_are_found_by_type_source_and_currency(client: Any) -> None:
    session = a_session(client)
    pay(session.url)
    intent = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]}).payment_intent
    refund = client.v1.refunds.create({"payment_intent": intent.id})

    assert [kind for kind, *_ in rows(client)] == ["refund", "charge"]
    assert [kind for kind, *_ in rows(client, type="charge")] == ["charge"]
    assert [kind for kind, *_ in rows(client, source=refund.id)] == ["refund"]
    assert rows(client, currency="eur") == [] and rows(client, payout="po_none") == []


def test_the_source_of_a_row_can_be_expanded(client: Any) -> None:
    pay(a_session(client).url)

    row = client.v1.balance_transactions.list({"expand": ["data.source"]}).data[0]

    assert (row.source.object, row.source.amount) == ("charge", 119_000)
