"""Stripe, spoken through its own library: the only place that names its fields.

Version, time-outs, retries and base address are set here, because the library's defaults (no retry, 80 s, real Stripe) are wrong for a
web application (payments.md §1). Answers are turned into small frozen values; what went wrong into three kinds:

StripeTrouble
├── Unreachable   no answer that can be trusted came back, or our key was not let in: nothing is known of the thing asked about
├── Refused       Stripe looked at the request and said no: nothing happened
└── KeyMisused    the same idempotency key with other parameters: a mistake of ours, for a person
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

API_VERSION = "2026-10-28.endive"
CONNECT_SECONDS, READ_SECONDS, RETRIES = 3, 15, 2
SIGNATURE_TOLERANCE_SECONDS = 300


class StripeTrouble(Exception):
    """A call to Stripe that did not give what was asked for."""


class Unreachable(StripeTrouble):
    """No trustworthy answer: the call may or may not have had its effect.

    `failed_there` tells a failure that Stripe itself reported (a 5xx, which it stores under the key and replays) from silence.
    """

    def __init__(self, sentence: str, *, failed_there: bool = False) -> None:
        self.failed_there = failed_there
        super().__init__(sentence)


class Refused(StripeTrouble):
    """Stripe said no; nothing happened. `code` is Stripe's word for why."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        super().__init__(sentence)

    @property
    def absent(self) -> bool:
        """Whether Stripe has no such object under our key."""
        return self.code == "resource_missing"


class KeyMisused(StripeTrouble):
    """The idempotency key was used before with other parameters."""


class BadSignature(Exception):
    """A message at the webhook door that Stripe did not sign for us, or too long ago."""


@dataclass(frozen=True)
class CheckoutSession:
    """A hosted payment page and how far it has come. Amounts in minor units, currency in capitals."""

    id: str
    url: str | None
    status: str
    payment_status: str
    amount_total: int
    currency: str
    client_reference_id: str
    metadata: dict[str, str]
    payment_intent_id: str | None
    expires_at: datetime
    livemode: bool


@dataclass(frozen=True)
class Charge:
    """A charge on a payment intent. `balance_transaction_id` may come seconds later than the charge (automatic_async capture)."""

    id: str
    payment_intent_id: str
    amount: int
    currency: str
    captured: bool
    created: datetime
    balance_transaction_id: str | None
    method: str
    brand: str
    last4: str


@dataclass(frozen=True)
class Intent:
    """A payment intent: its state, its latest charge, and the last decline in words."""

    id: str
    status: str
    charge: Charge | None
    decline: str


@dataclass(frozen=True)
class BalanceTransaction:
    """One movement of our balance at Stripe: net = amount − fee."""

    id: str
    type: str
    amount: int
    fee: int
    currency: str
    created: datetime


@dataclass(frozen=True)
class RefundState:
    """What Stripe says of a refund now."""

    id: str
    status: str
    amount: int
    currency: str
    payment_intent_id: str
    charge_id: str
    balance_transaction_id: str | None
    failure_balance_transaction_id: str | None
    failure_reason: str
    metadata: dict[str, str]
    created: datetime


@dataclass(frozen=True)
class EventNotice:
    """A webhook message: which object to fetch, and nothing to believe."""

    id: str
    type: str
    object_id: str
    created: datetime
    api_version: str
    livemode: bool
    payload: dict[str, Any]


class Gateway:
    """One Stripe account (or sandbox) behind one base address."""

    def __init__(self, secret_key: str, base: str, webhook_secrets: tuple[str, ...]) -> None:
        self._key, self._base, self._webhook_secrets = secret_key, base, webhook_secrets
        self.livemode = "_live_" in secret_key

    @cached_property
    def _v1(self) -> Any:
        import stripe  # 0.6 s: only processes that talk to Stripe pay for it

        stripe.enable_telemetry = False
        client = stripe.StripeClient(
            self._key,
            stripe_version=API_VERSION,
            base_addresses={"api": self._base},
            max_network_retries=RETRIES,
            http_client=stripe.RequestsClient(timeout=(CONNECT_SECONDS, READ_SECONDS)),
        )
        return client.v1

    def _ask(self, call: Any, *args: Any, key: str = "") -> dict[str, Any]:
        import stripe

        try:
            answer = call(*args, {"idempotency_key": key} if key else {})
        except stripe.IdempotencyError as wrong:
            raise KeyMisused(str(wrong.user_message or wrong)) from wrong
        except (
            stripe.APIConnectionError,
            stripe.RateLimitError,
            stripe.APIError,
            stripe.AuthenticationError,
            stripe.PermissionError,
        ) as wrong:
            # 409 «key in use» comes as APIError too: another sender is at it, so nothing is known yet. A key that was rolled or may
            # not do this says nothing of the page or the refund either: taken for a no, it would end every one of them.
            failed_there = (wrong.http_status or 0) >= 500
            raise Unreachable(f"{type(wrong).__name__}: {wrong.user_message or wrong}", failed_there=failed_there) from wrong
        except stripe.StripeError as wrong:
            raise Refused(wrong.code or type(wrong).__name__, str(wrong.user_message or wrong)) from wrong
        found: dict[str, Any] = answer.to_dict()
        return found

    def create_session(self, params: dict[str, Any], *, key: str) -> CheckoutSession:
        """Make the hosted page. The same key and parameters give the same page, however often they are sent."""
        return _session(self._ask(self._v1.checkout.sessions.create, params, key=key))

    def session(self, session_id: str) -> CheckoutSession:
        """The hosted page as it stands now. Raises Refused with code `resource_missing` when there is none."""
        return _session(self._ask(self._v1.checkout.sessions.retrieve, session_id, {}))

    def expire_session(self, session_id: str) -> CheckoutSession:
        """Close the hosted page; when it has just been paid or closed, say what it is instead."""
        try:
            return _session(self._ask(self._v1.checkout.sessions.expire, session_id, {}))
        except Refused:
            return self.session(session_id)

    def sessions_created(self, since: datetime, until: datetime) -> Iterator[CheckoutSession]:
        """Every hosted page made in that time, newest first."""
        for found in self._pages(self._v1.checkout.sessions.list, {"created": _between(since, until), "limit": 100}):
            yield _session(found)

    def intent(self, payment_intent_id: str) -> Intent:
        """The payment intent with its latest charge."""
        found = self._ask(self._v1.payment_intents.retrieve, payment_intent_id, {"expand": ["latest_charge"]})
        charge = found.get("latest_charge")
        error = found.get("last_payment_error") or {}
        return Intent(found["id"], found["status"], _charge(charge) if charge else None, error.get("message") or "")

    def charge(self, charge_id: str) -> Charge:
        """The charge as it stands now."""
        return _charge(self._ask(self._v1.charges.retrieve, charge_id, {}))

    def balance_transaction(self, transaction_id: str) -> BalanceTransaction:
        """The movement of our balance, with its fee."""
        found = self._ask(self._v1.balance_transactions.retrieve, transaction_id, {})
        return BalanceTransaction(
            found["id"], found["type"], found["amount"], found["fee"], found["currency"].upper(), _instant(found["created"])
        )

    def create_refund(self, params: dict[str, Any], *, key: str) -> RefundState:
        """Give money back to the original method. The same key and parameters refund once."""
        return _refund(self._ask(self._v1.refunds.create, params, key=key))

    def refund(self, refund_id: str) -> RefundState:
        """The refund as it stands now."""
        return _refund(self._ask(self._v1.refunds.retrieve, refund_id, {}))

    def refunds_of(self, payment_intent_id: str) -> Iterator[RefundState]:
        """Every refund of one payment, newest first."""
        for found in self._pages(self._v1.refunds.list, {"payment_intent": payment_intent_id, "limit": 100}):
            yield _refund(found)

    def events_since(self, since: datetime, types: tuple[str, ...], *, undelivered: bool = False) -> Iterator[EventNotice]:
        """What happened since then, newest first, of at most 20 types (Stripe's own limit of one call).

        `undelivered`: only what no webhook of ours has acknowledged.
        """
        params: dict[str, Any] = {"created": {"gte": int(since.timestamp())}, "types": list(types), "limit": 100}
        if undelivered:
            params["delivery_success"] = False
        for found in self._pages(self._v1.events.list, params):
            yield _notice(json.loads(json.dumps(found, default=str)))  # the library turns decimals into Decimal, which JSON has not

    def reachable(self) -> None:
        """One cheap call, to know whether Stripe answers. Raises StripeTrouble when it does not."""
        self._ask(self._v1.balance.retrieve, {})

    def _pages(self, call: Any, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        while True:
            page = self._ask(call, params)
            yield from page["data"]
            if not page["has_more"]:
                return
            params = {**params, "starting_after": page["data"][-1]["id"]}

    def verified(self, body: bytes, signature: str | None) -> EventNotice:
        """The message, if one of our secrets signed exactly these bytes within five minutes. Raises BadSignature."""
        import stripe

        if signature is None or not signature.isascii():
            raise BadSignature("no signature that could be compared")
        try:
            text = body.decode()
        except UnicodeDecodeError as wrong:
            raise BadSignature("bytes that are no text") from wrong
        for secret in self._webhook_secrets:
            try:
                stripe.WebhookSignature.verify_header(text, signature, secret, SIGNATURE_TOLERANCE_SECONDS)
            except stripe.SignatureVerificationError:
                continue
            return self._readable(text)
        raise BadSignature("no secret of ours signed this message")

    def _readable(self, text: str) -> EventNotice:
        try:
            notice = _notice(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError, RecursionError) as wrong:
            raise BadSignature(f"signed, but no event: {wrong}") from wrong
        if not all(isinstance(part, str) for part in (notice.id, notice.type, notice.object_id)):
            raise BadSignature("signed, but no event: its names are no texts")
        if notice.livemode != self.livemode:
            raise BadSignature("an event of the other mode (live or test)")
        return notice


def _between(since: datetime, until: datetime) -> dict[str, int]:
    return {"gte": int(since.timestamp()), "lte": int(until.timestamp())}


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _id(value: Any) -> str | None:
    """An id, whether the object was expanded or not."""
    found: str | None = value["id"] if isinstance(value, dict) else value
    return found


def _session(found: dict[str, Any]) -> CheckoutSession:
    return CheckoutSession(
        id=found["id"],
        url=found.get("url"),
        status=found["status"],
        payment_status=found["payment_status"],
        amount_total=found["amount_total"],
        currency=found["currency"].upper(),
        client_reference_id=found.get("client_reference_id") or "",
        metadata=dict(found.get("metadata") or {}),
        payment_intent_id=_id(found.get("payment_intent")),
        expires_at=_instant(found["expires_at"]),
        livemode=found["livemode"],
    )


def _charge(found: dict[str, Any]) -> Charge:
    details = found.get("payment_method_details") or {}
    method = details.get("type") or "card"
    card = details.get(method) or {}
    return Charge(
        id=found["id"],
        payment_intent_id=_id(found.get("payment_intent")) or "",
        amount=found["amount"],
        currency=found["currency"].upper(),
        captured=bool(found["captured"]) and found["status"] == "succeeded",
        created=_instant(found["created"]),
        balance_transaction_id=_id(found.get("balance_transaction")),
        method=method,
        brand=card.get("brand") or card.get("bank_name") or "",
        last4=card.get("last4") or "",
    )


def _refund(found: dict[str, Any]) -> RefundState:
    return RefundState(
        id=found["id"],
        status=found["status"],
        amount=found["amount"],
        currency=found["currency"].upper(),
        payment_intent_id=_id(found.get("payment_intent")) or "",
        charge_id=_id(found.get("charge")) or "",
        balance_transaction_id=_id(found.get("balance_transaction")),
        failure_balance_transaction_id=_id(found.get("failure_balance_transaction")),
        failure_reason=found.get("failure_reason") or "",
        metadata=dict(found.get("metadata") or {}),
        created=_instant(found["created"]),
    )


def _notice(found: dict[str, Any]) -> EventNotice:
    return EventNotice(
        id=found["id"],
        type=found["type"],
        object_id=found["data"]["object"].get("id") or "",
        created=_instant(found["created"]),
        api_version=found.get("api_version") or "",
        livemode=found["livemode"],
        payload=found,
    )
