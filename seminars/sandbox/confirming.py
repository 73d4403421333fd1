"""Payment intents made and confirmed by API, without a hosted page. The product uses checkout sessions; this is for trying."""

from typing import Any

from seminars.sandbox import instruments, intents, methods, money
from seminars.sandbox.errors import ApiError, Declined, missing, refused
from seminars.sandbox.fields import EXPAND, METADATA, Boolean, Choice, Elsewhere, Email, Field, Group, Integer, Text, Url
from seminars.sandbox.instruments import Card
from seminars.sandbox.intents import Payer
from seminars.sandbox.metadata import merged
from seminars.sandbox.store import Body
from seminars.sandbox.world import Act

TOKENS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_bypassPending": "4000000000000077",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
}
CREATE: dict[str, Field] = {
    **EXPAND,
    "amount": Integer(required=True, least=1, most=money.MOST),
    "automatic_payment_methods": Group(of={"enabled": Boolean(required=True), "allow_redirects": Choice(of=("always", "never"))}),
    "confirm": Boolean(),
    "currency": Text(required=True),
    "customer": Text(),
    "description": Text(most=1000),
    "metadata": METADATA,
    "payment_method": Text(),
    "payment_method_types": Elsewhere(),
    "receipt_email": Email(),
    "return_url": Url(),
    "statement_descriptor_suffix": Text(most=22),
}
CONFIRM: dict[str, Field] = {**EXPAND, "payment_method": Text(), "return_url": Url()}


def create(act: Act, params: dict[str, Any]) -> Body:
    """POST /v1/payment_intents."""
    currency = money.check_currency(params["currency"], "currency")
    money.check_step(params["amount"], currency, "amount")
    if params["amount"] < money.MINIMUM.get(currency, 1):
        text = f"Amount must be at least {money.written(money.MINIMUM[currency], currency)} {currency}"
        raise ApiError(text, code="amount_too_small", param="amount")
    kept = ("automatic_payment_methods", "customer", "description", "receipt_email", "statement_descriptor_suffix")
    intent = intents.start(
        act,
        amount=params["amount"],
        currency=currency,
        methods=methods.offered(currency, allowed=None, excluded=[]),
        metadata=merged({}, params.get("metadata")),
        **{name: params[name] for name in kept if name in params},
    )
    return confirm(act, intent, params) if params.get("confirm") else intent


def confirm(act: Act, intent: Body, params: dict[str, Any]) -> Body:
    """POST /v1/payment_intents/{id}/confirm with one of the test tokens. Raises Declined, and what happened stays."""
    if intent["status"] != "requires_payment_method":
        raise refused(
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    token = params.get("payment_method", "")
    card = instruments.card(TOKENS[token]) if token in TOKENS else None
    if not isinstance(card, Card):
        raise missing("PaymentMethod", token, param="payment_method", status=400)
    method = intents.describe(act, card, Payer(email="payer@example.org", name="Test Payer"))
    if card.refusal is None:
        return intents.succeed(act, intent, method)
    intents.decline(act, intent, method, card.refusal)
    raise Declined(
        card.refusal.message,
        status=402,
        kind="card_error",
        code=card.refusal.code,
        decline_code=card.refusal.decline_code,
        charge=intent["latest_charge"],
        payment_intent=intent,
    )
