"""Events: what happened, told to every endpoint that asked for it."""

from typing import Any

from seminars.sandbox.store import Body
from seminars.sandbox.world import API_VERSION, Act


def happened(act: Act, type_: str, body: Body, *, before: Body | None = None) -> Body:
    """Record an event about an object and queue its deliveries. `before` gives previous_attributes."""
    event = _write(act, type_, body, before)
    if act.world.chaos.strikes("double_event", type_):
        _write(act, type_, body, before)
    return event


def change(act: Act, body: Body, type_: str | None = None, **fields: Any) -> Body:
    """Change fields of a stored object, and tell it if an event type is given."""
    before = act.store.get(body["id"])
    body.update(fields)
    act.store.save(body)
    if type_:
        happened(act, type_, body, before=before if type_.endswith(".updated") else None)
    return body


def _write(act: Act, type_: str, body: Body, before: Body | None) -> Body:
    data: Body = {"object": body}
    if before is not None:
        data["previous_attributes"] = differences(before, body)
    event = {
        "id": act.store.mint("evt_"),
        "object": "event",
        "api_version": API_VERSION,
        "context": None,
        "created": act.now,
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": act.request_id, "idempotency_key": act.idempotency_key},
        "type": type_,
    }
    act.store.add(event)
    for endpoint in act.store.every("webhook_endpoint", status="enabled"):
        if type_ in endpoint["enabled_events"] or "*" in endpoint["enabled_events"]:
            act.store.run(
                "INSERT INTO deliveries (event, endpoint, state, tries, since, due) VALUES (?, ?, 'waiting', 0, ?, ?)",
                (event["id"], endpoint["id"], act.now, act.now),
            )
    return event


def differences(before: Body, after: Body) -> Body:
    """The former values of what changed; within a nested object only its changed fields."""
    changed: Body = {}
    for name, value in before.items():
        if after.get(name) == value:
            continue
        if isinstance(value, dict) and isinstance(after.get(name), dict):
            changed[name] = differences(value, after[name])
        else:
            changed[name] = value
    for name in after.keys() - before.keys():
        changed[name] = None
    return changed


def shown(act: Act, event: Body) -> Body:
    """The event as the API shows it now: with the number of endpoints that have not yet taken it."""
    found = act.store.rows("SELECT count(*) FROM deliveries WHERE event = ? AND state != 'done'", (event["id"],))
    return {**event, "pending_webhooks": found[0][0]}
