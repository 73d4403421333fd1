"""The API's addresses: what each takes and which act answers it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seminars.sandbox import confirming, customers, endpoints, events, intents, money, refunds, resources, sessions, shapes
from seminars.sandbox.errors import ApiError, refused
from seminars.sandbox.fields import EXPAND, METADATA, PAGING, SHIPPING, Boolean, Choice, Email, Field, Group, Many, Span, Text
from seminars.sandbox.metadata import merged
from seminars.sandbox.resources import Filter, filters_of, found, page
from seminars.sandbox.session_fields import CREATE as SESSION_CREATE
from seminars.sandbox.session_fields import LIST as SESSION_LIST
from seminars.sandbox.store import Body
from seminars.sandbox.world import Act

Handler = Callable[[Act, dict[str, str], dict[str, Any]], Body]


@dataclass(frozen=True)
class Route:
    """One method at one address, such as GET /v1/charges/{id}."""

    method: str
    pattern: str
    fields: dict[str, Field]
    handle: Handler

    def match(self, method: str, path: str) -> dict[str, str] | None:
        if method != self.method:
            return None
        matched = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.pattern), path)
        return matched.groupdict() if matched else None


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of an address below /v1/ and what the address names."""
    for route in ROUTES:
        named = route.match(method, path)
        if named is not None:
            return route, named
    return None


# The usual four, made once for all resources.


def _retrieve(pattern: str, kind: str, *, param: str = "id") -> Route:
    def handle(act: Act, named: dict[str, str], params: dict[str, Any]) -> Body:
        return resources.shown(act, found(act, kind, named["id"], param=param))

    return Route("GET", f"{pattern}/{{id}}", EXPAND, handle)


def _list(
    pattern: str, kind: str, fields: dict[str, Field], *, equal: tuple[str, ...] = (),
    also: Callable[[Act, dict[str, Any]], list[Filter]] | None = None,
) -> Route:  # fmt: skip
    def handle(act: Act, named: dict[str, str], params: dict[str, Any]) -> Body:
        filters = filters_of(params, equal=equal) + (also(act, params) if also else [])
        return page(act, kind, params, url=f"/v1/{pattern}", filters=filters)

    return Route("GET", pattern, {**PAGING, **fields}, handle)


def _update(
    pattern: str, kind: str, fields: dict[str, Field], *, event: str | None = None, param: str = "id",
    check: Callable[[Body, dict[str, Any]], None] | None = None,
) -> Route:  # fmt: skip
    def handle(act: Act, named: dict[str, str], params: dict[str, Any]) -> Body:
        body = found(act, kind, named["id"], param=param)
        if check:
            check(body, params)
        changes = {name: value for name, value in params.items() if name not in ("metadata", "expand")}
        if "metadata" in params:
            changes["metadata"] = merged(body["metadata"], params["metadata"])
        changes = {name: value for name, value in changes.items() if body.get(name) != value}
        return events.change(act, body, event, **changes) if changes else body

    return Route("POST", f"{pattern}/{{id}}", {**EXPAND, "metadata": METADATA, **fields}, handle)


def _make(pattern: str, fields: dict[str, Field], make: Callable[[Act, dict[str, Any]], Body]) -> Route:
    def handle(act: Act, named: dict[str, str], params: dict[str, Any]) -> Body:
        return make(act, {name: value for name, value in params.items() if name != "expand"})

    return Route("POST", pattern, fields, handle)


def _delete(pattern: str, kind: str, remove: Callable[[Act, Body], Body]) -> Route:
    def handle(act: Act, named: dict[str, str], params: dict[str, Any]) -> Body:
        return remove(act, found(act, kind, named["id"]))

    return Route("DELETE", f"{pattern}/{{id}}", {}, handle)


# What is particular.


def _session(act: Act, named: dict[str, str]) -> Body:
    return found(act, "checkout.session", named["id"], param="session")


def _session_update(act: Act, named: dict[str, str], params: dict[str, Any]) -> Body:
    return sessions.update(act, _session(act, named), params)


def _session_expire(act: Act, named: dict[str, str], params: dict[str, Any]) -> Body:
    return sessions.expire(act, _session(act, named), params)


def _session_lines(act: Act, named: dict[str, str], params: dict[str, Any]) -> Body:
    session = _session(act, named)
    mine: list[Filter] = [("json_extract(hidden, '$.session') = ?", (session["id"],))]
    items = page(act, "item", params, url=f"/v1/checkout/sessions/{session['id']}/line_items", filters=mine)
    return items


def _session_filters(act: Act, params: dict[str, Any]) -> list[Filter]:
    details = params.get("customer_details")
    return [resources.where_field("customer_details.email", details["email"])] if details else []


def _intent_check(intent: Body, params: dict[str, Any]) -> None:
    if intent["status"] in ("succeeded", "canceled") and set(params) - {"metadata", "description", "receipt_email", "expand"}:
        raise refused(
            f"This PaymentIntent's parameters could not be updated because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state", payment_intent=intent,
        )  # fmt: skip


def _intent_cancel(act: Act, named: dict[str, str], params: dict[str, Any]) -> Body:
    intent = found(act, "payment_intent", named["id"], param="intent")
    if act.store.every("checkout.session", payment_intent=intent["id"]):
        raise refused(
            "You cannot cancel this PaymentIntent because it was created by Checkout. To cancel it, expire the Checkout Session.",
            code="payment_intent_unexpected_state", payment_intent=intent,
        )  # fmt: skip
    return intents.cancel(act, intent, reason=params.get("cancellation_reason"))


def _intent_confirm(act: Act, named: dict[str, str], params: dict[str, Any]) -> Body:
    return confirming.confirm(act, found(act, "payment_intent", named["id"], param="intent"), params)


def _refund_cancel(act: Act, named: dict[str, str], params: dict[str, Any]) -> Body:
    return refunds.cancel(act, found(act, "refund", named["id"]))


def _event_filters(act: Act, params: dict[str, Any]) -> list[Filter]:
    filters: list[Filter] = [resources.where_field("created", act.now - 30 * 86_400, ">=")]
    if "type" in params and "types" in params:
        raise ApiError("You may only specify one of these parameters: type, types.", param="type")
    if "type" in params:
        filters.append(("json_extract(body, '$.type') GLOB ?", (params["type"],)))
    if "types" in params:
        marks = " OR ".join("json_extract(body, '$.type') GLOB ?" for _ in params["types"])
        filters.append((f"({marks})", tuple(params["types"])))
    if "delivery_success" in params:
        undelivered = "SELECT 1 FROM deliveries WHERE deliveries.event = objects.id AND state != 'done'"
        filters.append((f"{'NOT ' if params['delivery_success'] else ''}EXISTS ({undelivered})", ()))
    return filters


def _payout_filter(act: Act, params: dict[str, Any]) -> list[Filter]:
    return [("json_extract(hidden, '$.payout') = ?", (params["payout"],))] if "payout" in params else []


def _endpoint_update(act: Act, named: dict[str, str], params: dict[str, Any]) -> Body:
    return endpoints.update(act, found(act, "webhook_endpoint", named["id"]), params)


def _balance(act: Act, named: dict[str, str], params: dict[str, Any]) -> Body:
    return money.balance(act)


def _account(act: Act, named: dict[str, str], params: dict[str, Any]) -> Body:
    account = shapes.new(shapes.ACCOUNT, id="acct_1Sandbox00000000")
    account["business_profile"]["name"] = account["settings"]["dashboard"]["display_name"] = act.world.options.shop
    return account


CREATED: dict[str, Field] = {"created": Span()}
CLEARABLE = Text(clearable=True)

ROUTES = [
    _make("checkout/sessions", SESSION_CREATE, sessions.create),
    _retrieve("checkout/sessions", "checkout.session", param="session"),
    _list("checkout/sessions", "checkout.session", SESSION_LIST, also=_session_filters,
          equal=("customer", "payment_intent", "status", "payment_link", "subscription", "customer_account")),
    Route("POST", "checkout/sessions/{id}", {**EXPAND, "metadata": METADATA}, _session_update),
    Route("POST", "checkout/sessions/{id}/expire", EXPAND, _session_expire),
    Route("GET", "checkout/sessions/{id}/line_items", PAGING, _session_lines),

    _make("payment_intents", confirming.CREATE, confirming.create),
    _retrieve("payment_intents", "payment_intent", param="intent"),
    _list("payment_intents", "payment_intent", CREATED | {"customer": Text()}, equal=("customer",)),
    _update("payment_intents", "payment_intent", check=_intent_check, param="intent", fields={
        "description": Text(most=1000, clearable=True), "receipt_email": Email(clearable=True),
        "statement_descriptor": Text(most=22), "statement_descriptor_suffix": Text(most=22), "transfer_group": Text(),
        "shipping": SHIPPING}),
    Route("POST", "payment_intents/{id}/cancel", {**EXPAND, "cancellation_reason": Choice(
        of=("abandoned", "duplicate", "fraudulent", "requested_by_customer"))}, _intent_cancel),

    Route("POST", "payment_intents/{id}/confirm", confirming.CONFIRM, _intent_confirm),

    _retrieve("charges", "charge"),
    _list("charges", "charge", CREATED | {name: Text() for name in ("customer", "payment_intent", "transfer_group")},
          equal=("customer", "payment_intent", "transfer_group")),
    _update("charges", "charge", event="charge.updated", fields={
        "description": CLEARABLE, "receipt_email": Email(clearable=True), "transfer_group": Text(), "shipping": SHIPPING,
        "fraud_details": Group(of={"user_report": Choice(of=("fraudulent", "safe"))})}),

    _make("refunds", refunds.CREATE, refunds.create),
    _retrieve("refunds", "refund"),
    _list("refunds", "refund", refunds.LIST, equal=("charge", "payment_intent")),
    _update("refunds", "refund", {}, event="refund.updated"),
    Route("POST", "refunds/{id}/cancel", EXPAND, _refund_cancel),

    Route("GET", "balance", EXPAND, _balance),
    _retrieve("balance_transactions", "balance_transaction"),
    _list("balance_transactions", "balance_transaction",
          CREATED | {name: Text() for name in ("currency", "payout", "source", "type")},
          equal=("currency", "source", "type"), also=_payout_filter),

    _retrieve("events", "event"),
    _list("events", "event", CREATED | {
        "type": Text(), "types": Many(of=Text(), most=20), "delivery_success": Boolean()}, also=_event_filters),

    _make("webhook_endpoints", endpoints.CREATE, endpoints.create),
    _retrieve("webhook_endpoints", "webhook_endpoint"),
    _list("webhook_endpoints", "webhook_endpoint", {}),
    Route("POST", "webhook_endpoints/{id}", endpoints.UPDATE, _endpoint_update),
    _delete("webhook_endpoints", "webhook_endpoint", endpoints.delete),

    _make("customers", customers.CREATE, customers.create),
    _retrieve("customers", "customer"),
    _list("customers", "customer", CREATED | {"email": Text()}, equal=("email",)),
    _update("customers", "customer", customers.CREATE, event="customer.updated"),
    _delete("customers", "customer", customers.delete),

    _retrieve("payment_methods", "payment_method"),
    _retrieve("prices", "price"),
    _retrieve("products", "product"),
    Route("GET", "account", EXPAND, _account),
]  # fmt: skip
