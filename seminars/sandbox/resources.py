"""What every resource can do alike: be retrieved, listed, expanded, and have its metadata changed."""

import json
from collections.abc import Callable
from typing import Any

from seminars.sandbox import events, money, sessions
from seminars.sandbox.errors import ApiError, missing
from seminars.sandbox.store import Body
from seminars.sandbox.world import Act

DEPTH = 4
SHOWN: dict[str, Callable[[Act, Body], Body]] = {"event": events.shown, "balance_transaction": money.shown}
EXPANDABLE = {
    "checkout.session": {"customer", "invoice", "payment_intent", "payment_link", "setup_intent", "subscription"},
    "payment_intent": {"application", "customer", "latest_charge", "on_behalf_of", "payment_method", "review", "source"},
    "charge": {
        "application", "application_fee", "balance_transaction", "customer", "failure_balance_transaction", "on_behalf_of",
        "payment_intent", "review", "source_transfer", "transfer",
    },
    "refund": {
        "balance_transaction", "charge", "customer", "failure_balance_transaction", "payment_intent", "payment_method",
        "source_transfer_reversal", "transfer_reversal",
    },
    "balance_transaction": {"source"},
    "customer": {"default_source", "test_clock"},
    "payment_method": {"customer"},
    "price": {"product"},
    "product": {"default_price", "tax_code"},
}  # fmt: skip
NAMES = {"checkout.session": "checkout.session", "payment_method": "PaymentMethod", "webhook_endpoint": "webhook endpoint"}


def shown(act: Act, body: Body) -> Body:
    """An object as it is answered now."""
    show = SHOWN.get(body["object"])
    return show(act, body) if show else body


def found(act: Act, kind: str, id_: str, *, param: str = "id") -> Body:
    """The object of this id. Raises ApiError 404."""
    body = act.store.get(id_, kind)
    if body is None:
        raise missing(NAMES.get(kind, kind), id_, param=param)
    return body


# Filters are SQL conditions on a row of `objects` with their values.
Filter = tuple[str, tuple[Any, ...]]


def where_field(path: str, value: Any, sign: str = "=") -> Filter:
    return f"json_extract(body, '$.{path}') {sign} ?", (value,)


def page(act: Act, kind: str, params: dict[str, Any], *, url: str, filters: list[Filter]) -> Body:
    """A list object: newest first, cut by limit and cursors."""
    limit: int = params.get("limit", 10)
    conditions: list[str] = ["kind = ?"]
    values: list[Any] = [kind]
    for sql, given in filters:
        conditions.append(sql)
        values.extend(given)
    backwards = "ending_before" in params
    if backwards and "starting_after" in params:
        raise ApiError("You cannot parameterize `starting_after` and `ending_before` at the same time.")
    for name, sign in (("starting_after", "<"), ("ending_before", ">")):
        if name in params:
            place = act.store.place(params[name], kind)
            if place is None:
                raise missing(NAMES.get(kind, kind), params[name], param=name, status=400)
            conditions.append(f"seq {sign} ?")
            values.append(place)
    order = "ASC" if backwards else "DESC"
    # The conditions are written in this package; what was asked for goes in by value.
    sql = f"SELECT body FROM objects WHERE {' AND '.join(conditions)} ORDER BY seq {order} LIMIT ?"  # noqa: S608
    rows = [shown(act, json.loads(row[0])) for row in act.store.rows(sql, (*values, limit + 1))]
    data = rows[:limit]
    return {
        "object": "list",
        "data": data[::-1] if backwards else data,
        "has_more": len(rows) > limit,
        "url": url,
    }


def filters_of(params: dict[str, Any], *, equal: tuple[str, ...] = ()) -> list[Filter]:
    """The usual filters: fields that equal, and a span of `created`."""
    chosen = [where_field(name, params[name]) for name in equal if name in params]
    return chosen + [where_field("created", moment, sign) for sign, moment in params.get("created", [])]


def embedded(data: list[Body], *, url: str, limit: int = 10) -> Body:
    """A list inside an object."""
    return {"object": "list", "data": data[:limit], "has_more": len(data) > limit, "url": url}


def _line_items(act: Act, session: Body) -> Body:
    return embedded(sessions.lines(act.store, session["id"]), url=f"/v1/checkout/sessions/{session['id']}/line_items")


def _refunds(act: Act, charge: Body) -> Body:
    newest_first = act.store.every("refund", charge=charge["id"])[::-1]
    return embedded(newest_first, url=f"/v1/charges/{charge['id']}/refunds")


INCLUDABLE: dict[tuple[str, str], Callable[[Act, Body], Body]] = {
    ("checkout.session", "line_items"): _line_items,
    ("charge", "refunds"): _refunds,
}


def expand(act: Act, body: Body, paths: list[str]) -> Body:
    """Replace ids by their objects along each path. Raises ApiError."""
    for path in paths:
        steps = path.split(".")
        if len([step for step in steps if step != "data"]) > DEPTH:
            text = f"You cannot expand more than {DEPTH} levels of a property. Property: {path}"
            raise ApiError(text, param="expand")
        _expand(act, body, steps, path)
    return body


def _expand(act: Act, value: Any, steps: list[str], path: str) -> None:
    if isinstance(value, list):
        for one in value:
            _expand(act, one, steps, path)
        return
    if not steps or value is None:
        return
    step, rest = steps[0], steps[1:]
    kind = value.get("object", "") if isinstance(value, dict) else ""
    if (kind, step) in INCLUDABLE:
        value.setdefault(step, INCLUDABLE[kind, step](act, value))
    elif step in EXPANDABLE.get(kind, ()):
        if isinstance(value[step], str):
            other = act.store.get(value[step])
            value[step] = shown(act, other) if other else value[step]
            if other is None:
                return
    elif not isinstance(value, dict) or step not in value or not rest:
        raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
    _expand(act, value[step], rest, path)
