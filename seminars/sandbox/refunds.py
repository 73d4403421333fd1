"""Refunds: asked for, waiting, done, failed after they were done."""

from typing import Any

from seminars.sandbox import events, intents, money, shapes
from seminars.sandbox.errors import ApiError, missing, refused
from seminars.sandbox.fields import EXPAND, METADATA, PAGING, Choice, Elsewhere, Email, Field, Integer, Span, Text
from seminars.sandbox.instruments import Card
from seminars.sandbox.metadata import merged
from seminars.sandbox.store import Body
from seminars.sandbox.world import Act

HOUR, DAY = 3600, 86_400
SUCCEEDS_AFTER, FAILS_AFTER, FUNDED_AFTER, ANSWERED_AFTER = HOUR, DAY, 3 * DAY, DAY
TO_ANSWER = 45 * DAY  # what a payer has to give bank details

CREATE: dict[str, Field] = {
    **EXPAND,
    "amount": Integer(least=1),
    "charge": Text(),
    "instructions_email": Email(),
    "metadata": METADATA,
    "payment_intent": Text(),
    "reason": Choice(of=("duplicate", "fraudulent", "requested_by_customer")),
    **{name: Elsewhere() for name in ("currency", "customer", "origin", "refund_application_fee", "reverse_transfer")},
}
LIST: dict[str, Field] = {**PAGING, "charge": Text(), "created": Span(), "payment_intent": Text()}


def create(act: Act, params: dict[str, Any]) -> Body:
    """POST /v1/refunds: part or all of what a charge has left."""
    charge = _charge(act, params)
    left = charge["amount"] - charge["amount_refunded"]
    _check(charge, left, params.get("amount"))
    amount = params.get("amount", left)
    method = act.store.get(charge["payment_method"])
    assert method is not None
    by_card = method["type"] == "card"
    refund = shapes.new(
        shapes.REFUND,
        id=act.store.mint("re_3" if by_card else "pyr_1"),
        amount=amount,
        charge=charge["id"],
        created=act.now,
        currency=charge["currency"],
        customer=charge["customer"],
        destination_details=_destination(by_card),
        instructions_email=params.get("instructions_email"),
        metadata=merged({}, params.get("metadata")),
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=params.get("reason"),
        receipt_number=None,
    )
    act.store.add(refund)
    _begin(act, refund, charge, method)
    act.store.save(refund)
    if refund["status"] != "failed":
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        act.store.save(charge)
    events.happened(act, "refund.created", refund)
    if refund["status"] == "failed":
        events.happened(act, "refund.failed", refund)
    else:
        events.happened(act, "charge.refunded", charge)
    return refund


def cancel(act: Act, refund: Body) -> Body:
    """POST /v1/refunds/{id}/cancel: only while the payer is asked for bank details."""
    if refund["status"] != "requires_action":
        raise refused(f"Only refunds with a status of requires_action can be canceled. This refund has a status of {refund['status']}.")
    act.store.unplan("refund_succeeds", refund["id"])
    return _give_back(act, refund, status="canceled", failure_reason=None)


def succeed(act: Act, id_: str) -> None:
    """A waiting refund goes through."""
    refund = act.store.get(id_)
    if refund is None or refund["status"] not in ("pending", "requires_action"):
        return
    row = refund["balance_transaction"] or _book(act, refund)
    events.change(
        act,
        refund,
        "refund.updated",
        status="succeeded",
        pending_reason=None,
        next_action=None,
        balance_transaction=row,
    )


def fail(act: Act, id_: str) -> None:
    """The customer's bank sends the money back, though the refund had succeeded."""
    refund = act.store.get(id_)
    if refund is not None and refund["status"] in ("pending", "succeeded"):
        _give_back(act, refund, status="failed", failure_reason="expired_or_canceled_card")


def _charge(act: Act, params: dict[str, Any]) -> Body:
    if "charge" in params:
        charge = act.store.get(params["charge"], "charge")
        if charge is None:
            raise missing("charge", params["charge"], param="charge")
        return charge
    if "payment_intent" not in params:
        text = "One of the following params should be provided for this request: payment_intent or charge."
        raise ApiError(text, code="parameter_missing")
    intent = act.store.get(params["payment_intent"], "payment_intent")
    if intent is None:
        raise missing("payment_intent", params["payment_intent"], param="payment_intent")
    charge = act.store.get(intent["latest_charge"]) if intent["status"] == "succeeded" else None
    if charge is None:
        raise refused(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
            param="payment_intent",
        )
    return charge


def _check(charge: Body, left: int, amount: int | None) -> None:
    if charge["status"] != "succeeded":
        raise refused(f"Charge {charge['id']} is {charge['status']} and cannot be refunded.", code="charge_not_refundable")
    if charge["disputed"]:
        raise refused(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    if left == 0:
        raise refused(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if amount is not None and amount > left:
        currency = charge["currency"]
        raise refused(
            f"Refund amount ({money.written(amount, currency)}) is greater than unrefunded amount on charge "
            f"({money.written(left, currency)})",
            param="amount",
        )


def _begin(act: Act, refund: Body, charge: Body, method: Body) -> None:
    """Give a new refund its first state, and plan what follows."""
    instrument = intents.instrument_of(act, method)
    strikes = act.world.chaos.strikes
    if strikes("low_balance"):
        if isinstance(instrument, Card):
            refund |= {"status": "pending", "pending_reason": "insufficient_funds"}
            act.store.plan("refund_succeeds", refund["id"], due=act.now + FUNDED_AFTER)
        else:
            refund |= {"status": "failed", "failure_reason": "insufficient_funds"}
        return
    if strikes("refund_needs_action"):
        asked = {"email_sent_at": act.now, "email_sent_to": charge["billing_details"]["email"]}
        details = {"email_sent": asked, "expires_at": act.now + TO_ANSWER}
        refund |= {"status": "requires_action", "next_action": {"type": "display_details", "display_details": details}}
        act.store.plan("refund_succeeds", refund["id"], due=act.now + ANSWERED_AFTER)
    elif instrument.refunds == "pending":
        refund |= {"status": "pending", "pending_reason": "processing"}
        act.store.plan("refund_succeeds", refund["id"], due=act.now + SUCCEEDS_AFTER)
    elif instrument.refunds == "failing":
        act.store.plan("refund_fails", refund["id"], due=act.now + FAILS_AFTER)
    refund["balance_transaction"] = _book(act, refund)


def _book(act: Act, refund: Body) -> str:
    row = money.book(
        act,
        type_="refund" if refund["id"].startswith("re_") else "payment_refund",
        category="refund",
        source=refund["id"],
        amount=-refund["amount"],
        currency=refund["currency"],
        description="REFUND FOR CHARGE",
    )
    id_: str = row["id"]
    return id_


def _give_back(act: Act, refund: Body, *, status: str, failure_reason: str | None) -> Body:
    """The money is in our balance again; the charge can be refunded anew."""
    row = None
    if refund["balance_transaction"]:
        row = money.book(
            act,
            type_="refund_failure",
            source=refund["id"],
            amount=refund["amount"],
            currency=refund["currency"],
            description="REFUND FAILURE",
        )["id"]
    changes = {"status": status, "failure_reason": failure_reason, "failure_balance_transaction": row}
    events.change(act, refund, "refund.updated", **changes, pending_reason=None, next_action=None)
    if status == "failed":
        events.happened(act, "refund.failed", refund)
    charge = act.store.get(refund["charge"])
    assert charge is not None
    events.change(act, charge, "charge.updated", amount_refunded=charge["amount_refunded"] - refund["amount"], refunded=False)
    return refund


def _destination(by_card: bool) -> Body:
    if not by_card:
        return {"type": "us_bank_transfer", "us_bank_transfer": {"reference": None, "reference_status": None}}
    arn = {"reference": None, "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    return {"type": "card", "card": arn}
