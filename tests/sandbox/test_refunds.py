"""Refunds: part, whole, too much, waiting, failing."""

from typing import Any

import pytest
import stripe

from tests.payer import pay
from tests.sandbox.shop import Sandbox, a_session, event_types


def paid(client: Any, card: str = "4242 4242 4242 4242", **account: Any) -> Any:
    """The payment intent of a paid session over 1,190.00."""
    session = a_session(client)
    pay(session.url, card, **account)
    return client.v1.payment_intents.retrieve(client.v1.checkout.sessions.retrieve(session.id).payment_intent)


def charge_of(client: Any, intent: Any) -> Any:
    return client.v1.charges.retrieve(intent.latest_charge)


def test_a_part_can_be_refunded_and_the_fee_is_not_returned(client: Any) -> None:
    intent = paid(client)

    refund = client.v1.refunds.create(
        {
            "payment_intent": intent.id,
            "amount": 50_000,
            "reason": "requested_by_customer",
            "metadata": {"refund": "3"},
            "expand": ["balance_transaction"],
        }
    )

    row = refund.balance_transaction
    assert (refund.status, refund.amount, refund.charge) == ("succeeded", 50_000, intent.latest_charge)
    assert (refund.reason, refund.metadata.to_dict()) == ("requested_by_customer", {"refund": "3"})
    assert (row.type, row.amount, row.fee, row.net, row.source) == ("refund", -50_000, 0, -50_000, refund.id)
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (50_000, False)
    assert event_types(client)[-2:] == ["refund.created", "charge.refunded"]


def test_without_an_amount_the_rest_is_refunded(client: Any) -> None:
    intent = paid(client)
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 50_000})

    rest = client.v1.refunds.create({"charge": intent.latest_charge})

    assert rest.amount == 69_000
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (119_000, True)


def test_more_than_what_is_left_is_refused(client: Any) -> None:
    intent = paid(client)
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 100_000})

    with pytest.raises(stripe.InvalidRequestError, match=r"Refund amount \(\$200.00\) is greater than unrefunded amount") as said:
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 20_000})

    assert said.value.param == "amount"
    assert charge_of(client, intent).amount_refunded == 100_000


def test_what_was_refunded_whole_cannot_be_refunded_again(client: Any) -> None:
    intent = paid(client)
    client.v1.refunds.create({"payment_intent": intent.id})

    with pytest.raises(stripe.InvalidRequestError) as said:
        client.v1.refunds.create({"payment_intent": intent.id})

    assert said.value.code == "charge_already_refunded"


def test_what_was_never_paid_cannot_be_refunded(client: Any) -> None:
    intent = paid(client, account="000123456789")

    for params in ({"payment_intent": intent.id}, {"charge": intent.latest_charge}, {}):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.refunds.create(params)


@pytest.mark.parametrize("amount", [0, -5])
def test_a_refund_of_nothing_is_refused(client: Any, amount: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as said:
        client.v1.refunds.create({"payment_intent": paid(client).id, "amount": amount})

    assert said.value.param == "amount"


def test_a_refund_can_wait_and_then_succeed(client: Any, sandbox: Sandbox) -> None:
    intent = paid(client, "4000 0000 0000 7726")
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")

    sandbox.advance(hours=2)

    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    event = client.v1.events.list({"type": "refund.updated"}).data[0]
    assert event.data.previous_attributes.to_dict() == {"status": "pending", "pending_reason": "processing"}


def test_a_refund_can_succeed_and_then_fail_and_the_money_is_back(client: Any, sandbox: Sandbox) -> None:
    intent = paid(client, "4000 0000 0000 5126")
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 50_000})
    assert refund.status == "succeeded"

    sandbox.advance(days=2)

    failed = client.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    row = failed.failure_balance_transaction
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert (row.type, row.amount, row.fee) == ("refund_failure", 50_000, 0)
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert event_types(client)[-3:] == ["refund.updated", "refund.failed", "charge.updated"]


def test_a_card_refund_waits_for_money_in_the_balance(client: Any, sandbox: Sandbox) -> None:
    intent = paid(client)
    sandbox.chaos(low_balance={"times": 1})

    refund = client.v1.refunds.create({"payment_intent": intent.id})

    assert (refund.status, refund.pending_reason, refund.balance_transaction) == ("pending", "insufficient_funds", None)
    sandbox.advance(days=4)
    funded = client.v1.refunds.retrieve(refund.id)
    assert funded.status == "succeeded" and funded.balance_transaction.startswith("txn_")


def test_a_bank_refund_fails_without_money_in_the_balance(client: Any, sandbox: Sandbox) -> None:
    intent = paid(client, account="000123456789")
    sandbox.control(f"settle/{intent.id}")
    sandbox.chaos(low_balance={"times": 1})

    refund = client.v1.refunds.create({"payment_intent": intent.id})

    assert (refund.status, refund.failure_reason) == ("failed", "insufficient_funds")
    assert charge_of(client, intent).amount_refunded == 0


def test_only_a_refund_that_asks_the_payer_can_be_canceled(client: Any, sandbox: Sandbox) -> None:
    intent = paid(client)
    done = client.v1.refunds.create({"payment_intent": intent.id, "amount": 100})
    with pytest.raises(stripe.InvalidRequestError, match="requires_action"):
        client.v1.refunds.cancel(done.id)
    sandbox.chaos(refund_needs_action={"times": 1})
    asking = client.v1.refunds.create({"payment_intent": intent.id, "amount": 200})
    assert (asking.status, asking.next_action.type) == ("requires_action", "display_details")

    canceled = client.v1.refunds.cancel(asking.id)

    assert canceled.status == "canceled"
    assert charge_of(client, intent).amount_refunded == 100


def test_refunds_are_listed_by_payment_and_their_metadata_can_change(client: Any) -> None:
    one, other = paid(client), paid(client)
    mine = [client.v1.refunds.create({"payment_intent": one.id, "amount": 100}).id for _ in range(2)]
    client.v1.refunds.create({"payment_intent": other.id})

    client.v1.refunds.update(mine[0], {"metadata": {"refund": "9"}})

    assert [refund.id for refund in client.v1.refunds.list({"payment_intent": one.id}).data] == mine[::-1]
    assert [refund.id for refund in client.v1.refunds.list({"charge": one.latest_charge}).data] == mine[::-1]
    assert client.v1.refunds.retrieve(mine[0]).metadata.to_dict() == {"refund": "9"}


def test_refunds_of_a_charge_appear_only_when_expanded(client: Any) -> None:
    intent = paid(client)
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 100})

    assert "refunds" not in charge_of(client, intent)
    expanded = client.v1.charges.retrieve(intent.latest_charge, {"expand": ["refunds"]})
    assert [one.id for one in expanded.refunds.data] == [refund.id]
