"""Customers, as far as a session needs one."""

from typing import Any

from seminars.sandbox import events, shapes
from seminars.sandbox.errors import missing
from seminars.sandbox.fields import ADDRESS, EXPAND, METADATA, SHIPPING, Choice, Email, Field, Group, Many, Text
from seminars.sandbox.metadata import merged
from seminars.sandbox.store import Body
from seminars.sandbox.world import Act

CREATE: dict[str, Field] = {
    **EXPAND,
    "address": Group(of=ADDRESS.of, clearable=True),
    "business_name": Text(most=150, clearable=True),
    "description": Text(clearable=True),
    "email": Email(most=512, clearable=True),
    "individual_name": Text(most=150, clearable=True),
    "metadata": METADATA,
    "name": Text(most=256, clearable=True),
    "phone": Text(most=20, clearable=True),
    "preferred_locales": Many(of=Text()),
    "shipping": SHIPPING,
    "tax_exempt": Choice(of=("none", "exempt", "reverse")),
}


def create(act: Act, params: dict[str, Any]) -> Body:
    fields = {name: value for name, value in params.items() if name != "metadata"}
    customer = shapes.new(shapes.CUSTOMER, id=act.store.mint("cus_", 14), created=act.now, **fields)
    customer["metadata"] = merged({}, params.get("metadata"))
    customer["invoice_prefix"] = act.store.mint("", 8).upper()
    act.store.add(customer)
    events.happened(act, "customer.created", customer)
    return customer


def delete(act: Act, customer: Body) -> Body:
    act.store.drop(customer["id"])
    events.happened(act, "customer.deleted", customer)
    return {"id": customer["id"], "object": "customer", "deleted": True}


def known(act: Act, id_: str, *, param: str) -> Body:
    """The customer a parameter names. Raises ApiError."""
    customer = act.store.get(id_, "customer")
    if customer is None:
        raise missing("customer", id_, param=param, status=400)
    return customer
