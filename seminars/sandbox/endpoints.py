"""Webhook endpoints: where events are told, and the secrets they are signed with."""

from typing import Any

from seminars.sandbox import shapes
from seminars.sandbox.errors import ApiError
from seminars.sandbox.fields import EXPAND, METADATA, Boolean, Choice, Field, Many, Text, Url
from seminars.sandbox.metadata import merged
from seminars.sandbox.store import Body
from seminars.sandbox.world import API_VERSION, Act, World

MOST = 16
CREATE: dict[str, Field] = {
    **EXPAND,
    "api_version": Choice(of=(API_VERSION,)),
    "connect": Boolean(),
    "description": Text(clearable=True),
    "enabled_events": Many(of=Text(), required=True),
    "metadata": METADATA,
    "url": Url(required=True),
}
UPDATE: dict[str, Field] = {
    **EXPAND,
    "description": Text(clearable=True),
    "disabled": Boolean(),
    "enabled_events": Many(of=Text()),
    "metadata": METADATA,
    "url": Url(),
}


def create(act: Act, params: dict[str, Any]) -> Body:
    """POST /v1/webhook_endpoints. The only answer that shows the secret."""
    if not params["enabled_events"]:
        raise ApiError("enabled_events must name at least one event.", code="parameter_missing", param="enabled_events")
    if len(act.store.every("webhook_endpoint")) >= MOST:
        raise ApiError(f"You have reached the maximum of {MOST} test webhook endpoints.")
    return _add(act, act.store.mint("whsec_", 32), params)


def update(act: Act, endpoint: Body, params: dict[str, Any]) -> Body:
    endpoint |= {name: params[name] for name in ("description", "enabled_events", "url") if name in params}
    if "metadata" in params:
        endpoint["metadata"] = merged(endpoint["metadata"], params["metadata"])
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    return act.store.save(endpoint)


def delete(act: Act, endpoint: Body) -> Body:
    act.store.drop(endpoint["id"])
    act.store.run("DELETE FROM deliveries WHERE endpoint = ? AND state != 'done'", (endpoint["id"],))
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


def roll(act: Act, endpoint: Body, *, overlap: float) -> str:
    """A new secret; the old ones sign too for `overlap` seconds of the sandbox clock (at Stripe at most 24 hours)."""
    secret = act.store.mint("whsec_", 32)
    kept = [{**old, "until": min(old["until"] or act.now + overlap, act.now + overlap)} for old in _kept(act, endpoint)]
    act.store.hide(endpoint["id"], secrets=[{"secret": secret, "until": None}, *kept])
    return secret


def secrets(act: Act, endpoint_id: str) -> list[str]:
    """The secrets a delivery is signed with now, newest first."""
    return [one["secret"] for one in act.store.hidden(endpoint_id)["secrets"] if one["until"] is None or one["until"] > act.now]


def make_sure(world: World) -> None:
    """The endpoint of the start options exists, enabled, with the secret of the start options."""
    url, secret = world.options.webhook_url, world.options.webhook_secret
    if url is None or secret is None:
        return
    with world.acting() as act:
        known = act.store.every("webhook_endpoint", url=url)
        if not known:
            _add(act, secret, {"url": url, "enabled_events": ["*"], "description": "from the command line"})
            return
        act.store.save(known[0] | {"status": "enabled"})
        if secret not in secrets(act, known[0]["id"]):
            act.store.hide(known[0]["id"], secrets=[{"secret": secret, "until": None}])


def _add(act: Act, secret: str, params: dict[str, Any]) -> Body:
    endpoint = shapes.new(
        shapes.WEBHOOK_ENDPOINT,
        id=act.store.mint("we_1"),
        api_version=API_VERSION,
        created=act.now,
        description=params.get("description"),
        enabled_events=params["enabled_events"],
        metadata=merged({}, params.get("metadata")),
        url=params["url"],
    )
    act.store.add(endpoint, {"secrets": [{"secret": secret, "until": None}]})
    return {**endpoint, "secret": secret}


def _kept(act: Act, endpoint: Body) -> list[Body]:
    kept: list[Body] = act.store.hidden(endpoint["id"])["secrets"]
    return [one for one in kept if one["until"] is None or one["until"] > act.now]
