"""Payment intents and their charges: declined, asked, processing, paid."""

from dataclasses import dataclass
from typing import Any

from seminars.sandbox import events, instruments, money, shapes
from seminars.sandbox.clock import business_days_later
from seminars.sandbox.errors import DOCS, refused
from seminars.sandbox.instruments import Card, Debit, Instrument, Refusal
from seminars.sandbox.store import Body
from seminars.sandbox.world import Act

AUTHENTICATION_FAILED = Refusal(
    "payment_intent_authentication_failure", None,
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)  # fmt: skip


@dataclass(frozen=True)
class Payer:
    """Who pays, as typed on the hosted page."""

    email: str
    name: str
    exp_month: int = 12
    exp_year: int = 2034
    country: str = "US"
    postal_code: str | None = None

    def billing(self) -> Body:
        address = shapes.ADDRESS | {"country": self.country, "postal_code": self.postal_code}
        return shapes.BILLING | {"address": address, "email": self.email, "name": self.name}


def start(act: Act, *, amount: int, currency: str, methods: list[str], **fields: Any) -> Body:
    """A payment intent that waits for a payment method."""
    id_ = act.store.mint("pi_3")
    intent = shapes.new(
        shapes.PAYMENT_INTENT,
        id=id_,
        amount=amount,
        client_secret=act.store.mint(f"{id_}_secret_", 25),
        created=act.now,
        currency=currency,
        payment_method_types=methods,
        **fields,
    )
    act.store.add(intent)
    events.happened(act, "payment_intent.created", intent)
    return intent


def describe(act: Act, instrument: Instrument, payer: Payer) -> Body:
    """The payment method object of a card or account."""
    fingerprint = act.store.mint("fp ", 16)[3:]
    method = shapes.new(
        shapes.PAYMENT_METHOD,
        id=act.store.mint("pm_1"),
        billing_details=payer.billing(),
        created=act.now,
        type=instrument.method,
    )
    if isinstance(instrument, Card):
        method["card"] = shapes.new(
            shapes.CARD_METHOD,
            brand=instrument.brand, country=instrument.country, display_brand=instrument.brand, fingerprint=fingerprint,
            last4=instrument.last4, exp_month=payer.exp_month, exp_year=payer.exp_year,
            networks={"available": [instrument.brand], "preferred": None},
            checks={"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        )  # fmt: skip
    elif instrument.method == "us_bank_account":
        method["us_bank_account"] = {
            "account_holder_type": "individual", "account_type": "checking", "bank_name": "STRIPE TEST BANK",
            "financial_connections_account": None, "fingerprint": fingerprint, "last4": instrument.last4,
            "networks": {"preferred": "ach", "supported": ["ach"]}, "routing_number": instrument.routing,
            "status_details": None,
        }  # fmt: skip
    else:
        method["sepa_debit"] = {
            "bank_code": instrument.number[4:9], "branch_code": None, "country": instrument.number[:2],
            "fingerprint": fingerprint, "generated_from": {"charge": None, "setup_attempt": None}, "last4": instrument.last4,
        }  # fmt: skip
    return act.store.add(method, {"number": instrument.number})


def instrument_of(act: Act, method: Body) -> Instrument:
    """The card or account behind a payment method object."""
    number = act.store.hidden(method["id"])["number"]
    found = instruments.card(number) if method["type"] == "card" else None
    known = found or next(one for one in instruments.DEBITS if one.number == number and one.method == method["type"])
    return known


def decline(act: Act, intent: Body, method: Body, refusal: Refusal) -> Body:
    """A failed charge; the intent waits for another payment method."""
    charge = _charge(act, intent, method, status="failed", refusal=refusal)
    events.happened(act, "charge.failed", charge)
    return _turned_down(act, intent, method, refusal, latest_charge=charge["id"])


def ask(act: Act, intent: Body, method: Body, *, url: str) -> Body:
    """The bank wants to see the payer: 3-D Secure."""
    return events.change(
        act, intent, "payment_intent.requires_action",
        status="requires_action", payment_method=method["id"], last_payment_error=None,
        next_action={"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": url}},
    )  # fmt: skip


def fail_authentication(act: Act, intent: Body, method: Body) -> Body:
    return _turned_down(act, intent, method, AUTHENTICATION_FAILED)


def succeed(act: Act, intent: Body, method: Body) -> Body:
    """The card is charged. The balance transaction follows a moment later, as with automatic_async capture."""
    charge = _charge(act, intent, method, status="succeeded")
    events.happened(act, "charge.succeeded", charge)
    return _received(act, intent, charge, method)


def process(act: Act, intent: Body, method: Body) -> Body:
    """The bank was asked; the answer takes days."""
    charge = _charge(act, intent, method, status="pending")
    intent.update(status="processing", payment_method=method["id"], latest_charge=charge["id"], last_payment_error=None, next_action=None)
    act.store.save(intent)
    events.happened(act, "payment_intent.processing", intent)
    events.happened(act, "charge.pending", charge)
    instrument = instrument_of(act, method)
    if isinstance(instrument, Debit) and not instrument.stays:
        days = instruments.BUSINESS_DAYS[instrument.method]
        act.store.plan("bank_answers", intent["id"], due=business_days_later(act.now, days))
    return intent


def bank_paid(act: Act, intent: Body) -> Body:
    """The bank says yes to a processing debit."""
    charge, method = _latest(act, intent)
    events.change(act, charge, "charge.succeeded", status="succeeded", paid=True, captured=True, amount_captured=charge["amount"])
    return _received(act, intent, charge, method)


def bank_refused(act: Act, intent: Body, refusal: Refusal) -> Body:
    """The bank says no, days later."""
    charge, method = _latest(act, intent)
    events.change(
        act, charge, "charge.failed",
        status="failed", paid=False, failure_code=refusal.code, failure_message=refusal.message,
    )  # fmt: skip
    return _turned_down(act, intent, method, refusal, latest_charge=charge["id"])


def book_charge(act: Act, charge: Body) -> Body:
    """Put a charge and its fee into the balance."""
    method = act.store.get(charge["payment_method"])
    assert method is not None
    instrument = instrument_of(act, method)
    if isinstance(instrument, Card):
        fee = money.card_fee(charge["amount"], foreign=instrument.country != "US")
    else:
        fee = money.debit_fee(charge["amount"])
    row = money.book(
        act,
        type_="charge" if isinstance(instrument, Card) else "payment",
        category="charge",
        source=charge["id"],
        amount=charge["amount"],
        currency=charge["currency"],
        fee=fee,
        available_on=act.now if instrument.at_once else money.funds_arrive(act),
        description=charge["description"],
    )
    return events.change(act, charge, "charge.updated", balance_transaction=row["id"])


def cancel(act: Act, intent: Body, *, reason: str | None) -> Body:
    if intent["status"] in ("succeeded", "canceled", "processing"):
        raise refused(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent with one "
            "of the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, "
            "requires_action, processing.",
            code="payment_intent_unexpected_state", payment_intent=intent,
        )  # fmt: skip
    return events.change(
        act, intent, "payment_intent.canceled",
        status="canceled", canceled_at=act.now, cancellation_reason=reason, next_action=None,
    )  # fmt: skip


def _latest(act: Act, intent: Body) -> tuple[Body, Body]:
    charge, method = act.store.get(intent["latest_charge"]), act.store.get(intent["payment_method"])
    assert charge is not None and method is not None
    return charge, method


def _received(act: Act, intent: Body, charge: Body, method: Body) -> Body:
    act.store.plan("book_charge", charge["id"], due=act.now)
    return events.change(
        act, intent, "payment_intent.succeeded",
        status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"], payment_method=method["id"],
        last_payment_error=None, next_action=None,
    )  # fmt: skip


def _turned_down(act: Act, intent: Body, method: Body, refusal: Refusal, *, latest_charge: str | None = None) -> Body:
    error = {
        "advice_code": "try_again_later" if refusal.code == "card_declined" else None,
        "charge": latest_charge,
        "code": refusal.code,
        "decline_code": refusal.decline_code,
        "doc_url": DOCS + refusal.code.replace("_", "-"),
        "message": refusal.message,
        "network_advice_code": None,
        "network_decline_code": None,
        "param": "number" if refusal.code == "expired_card" else None,
        "payment_method": method,
        "type": "card_error" if method["type"] == "card" else "invalid_request_error",
    }
    return events.change(
        act, intent, "payment_intent.payment_failed",
        status="requires_payment_method", payment_method=None, next_action=None,
        last_payment_error={name: value for name, value in error.items() if value is not None},
        latest_charge=latest_charge or intent["latest_charge"],
    )  # fmt: skip


def _charge(act: Act, intent: Body, method: Body, *, status: str, refusal: Refusal | None = None) -> Body:
    paid = status == "succeeded"
    outcome = shapes.new(shapes.OUTCOME)
    if refusal is not None:
        outcome |= {
            "network_status": "declined_by_network", "reason": refusal.decline_code, "type": "issuer_declined",
            "seller_message": f"The bank returned the decline code `{refusal.decline_code}`.",
        }  # fmt: skip
    id_ = act.store.mint("ch_3" if method["type"] == "card" else "py_3")
    charge = shapes.new(
        shapes.CHARGE,
        id=id_,
        amount=intent["amount"],
        amount_captured=intent["amount"] if paid else 0,
        billing_details=method["billing_details"],
        calculated_statement_descriptor=intent["statement_descriptor"] or "SANDBOX",
        captured=paid,
        created=act.now,
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        failure_code=refusal.code if refusal else None,
        failure_message=refusal.message if refusal else None,
        metadata=dict(intent["metadata"]),
        outcome=outcome,
        paid=paid,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details=_details(intent, method),
        receipt_email=intent["receipt_email"],
        receipt_url=f"{act.world.options.public_url}/receipts/{id_}" if paid else None,
        statement_descriptor=intent["statement_descriptor"],
        statement_descriptor_suffix=intent["statement_descriptor_suffix"],
        status=status,
        transfer_group=intent["transfer_group"],
    )
    return act.store.add(charge)


def _details(intent: Body, method: Body) -> Body:
    if method["type"] != "card":
        known = method[method["type"]]
        shape = shapes.DEBIT_DETAILS[method["type"]]
        same = {name: known[name] for name in shape.keys() & known.keys()}
        return {"type": method["type"], method["type"]: shapes.new(shape, **same)}
    known = method["card"]
    asked = intent["status"] == "requires_action"
    details = shapes.new(
        shapes.CARD_DETAILS,
        **{name: known[name] for name in ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")},
        amount_authorized=intent["amount"],
        authorization_code="123456",
        network=known["brand"],
        network_transaction_id="976910111112131",
        overcapture={"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
    )
    if asked:
        details["three_d_secure"] = {
            "authentication_flow": "challenge", "electronic_commerce_indicator": "05", "exemption_indicator": None,
            "exemption_indicator_applied": None, "result": "authenticated", "result_reason": None, "transaction_id": None,
            "version": "2.2.0",
        }  # fmt: skip
    return {"type": "card", "card": details}
