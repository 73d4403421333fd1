"""What the real API does not have: moving the clock, misbehaving on demand, looking behind the curtain."""

import json
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, request

from seminars.sandbox import endpoints, upcoming
from seminars.sandbox.chaos import SWITCHES, UnknownSwitch
from seminars.sandbox.delivery import Courier
from seminars.sandbox.store import Body
from seminars.sandbox.world import API_VERSION, World

LONGEST_FLUSH = 60.0


class BadControl(Exception):
    """A control request that makes no sense, with what to send instead."""


def desk(world: World, courier: Courier) -> Blueprint:
    """The blueprint of /_sandbox/."""
    control = Blueprint("control", __name__, url_prefix="/_sandbox")

    @control.errorhandler(BadControl)
    @control.errorhandler(UnknownSwitch)
    def wrong(error: Exception) -> tuple[Body, int]:
        return {"error": str(error)}, 400

    @control.before_request
    def keep_out() -> None:
        """A page of another site, open in the same browser, has no business here."""
        origin = request.headers.get("Origin")
        if origin is not None and origin != request.host_url.rstrip("/"):
            abort(403)

    @control.get("/health")
    def health() -> Body:
        return {"ok": True, "api_version": API_VERSION}

    @control.get("/clock")
    def clock() -> Body:
        return _clock(world)

    @control.post("/clock")
    def move() -> Body:
        """{"advance": seconds} or {"now": "2027-01-31T09:00:00Z"}; {"still": true|false} stops or starts it."""
        wish = _body()
        if unknown := wish.keys() - {"advance", "now", "still"}:
            raise BadControl(f"Send advance (seconds), now (ISO 8601) or still (true, false), not {sorted(unknown)}.")
        if "still" in wish:
            (world.clock.stop if wish["still"] else world.clock.start)()
        if not wish.keys() & {"advance", "now"}:
            world.ring()
            return _clock(world)
        moment = started = world.clock.now()
        try:
            if "now" in wish:
                moment = _moment(wish["now"]).timestamp()
            moment += float(wish.get("advance", 0))
        except (TypeError, ValueError) as error:
            raise BadControl(f"advance is a number of seconds and now a moment in ISO 8601: {error}") from None
        if moment < started:
            raise BadControl("The clock only moves forward. POST /_sandbox/reset begins anew.")
        upcoming.move_clock(world, moment)
        return _clock(world)

    @control.get("/chaos")
    def chaos() -> Body:
        return {"on": world.chaos.shown(), "switches": SWITCHES}

    @control.post("/chaos")
    def switch() -> Body:
        """{"drop": {"chance": 0.5}, "error_after": {"times": 1, "match": "/refunds"}, "slow": null}."""
        world.chaos.set(_body())
        return {"on": world.chaos.shown()}

    @control.delete("/chaos")
    def calm() -> Body:
        world.chaos.clear()
        return {"on": {}}

    @control.post("/settle/<id_>")
    def settle(id_: str) -> Body:
        """What is planned for a payment intent, refund or session happens now."""
        return {"happened": upcoming.carry_out(world, id_)}

    @control.post("/flush")
    def flush() -> Body:
        """Wait until no delivery is due, {"seconds": 10} at most."""
        seconds = min(float(_body().get("seconds", 10)), LONGEST_FLUSH)
        return {"flushed": courier.flush(timeout=seconds)}

    @control.post("/webhook_endpoints/<id_>/roll")
    def roll(id_: str) -> Body:
        """A new secret; {"overlap": seconds} the old one still signs, 24 hours unless told."""
        overlap = float(_body().get("overlap", 86_400))
        with world.acting() as act:
            endpoint = act.store.get(id_, "webhook_endpoint") or abort(404)
            return {"id": id_, "secret": endpoints.roll(act, endpoint, overlap=overlap)}

    @control.post("/events/<id_>/resend")
    def resend(id_: str) -> Body:
        """Send an event again to every endpoint that was told of it, as a person does in the Dashboard."""
        with world.acting() as act:
            act.store.get(id_, "event") or abort(404)
            act.store.run("UPDATE deliveries SET state = 'waiting', due = ? WHERE event = ?", (act.now, id_))
        return {"id": id_}

    @control.post("/reset")
    def reset() -> Body:
        world.forget_everything()
        endpoints.make_sure(world)
        return {"reset": True, **_clock(world)}

    @control.get("/log")
    def log() -> Response:
        """Requests and deliveries, oldest first; ?what=request|delivery, ?limit=, ?after=."""
        what, after = request.args.get("what"), request.args.get("after", 0, type=int)
        limit = request.args.get("limit", 1000, type=int)
        rows = world.store.rows(
            "SELECT seq, at, line FROM log WHERE seq > ? AND (? IS NULL OR json_extract(line, '$.what') = ?) ORDER BY seq LIMIT ?",
            (after, what, what, limit),
        )
        lines = [{"seq": seq, "at": _iso(at), **json.loads(line)} for seq, at, line in rows]
        return Response(json.dumps({"log": lines}, indent=1), content_type="application/json")

    return control


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True, force=True) if request.get_data() else {}
    if not isinstance(body, dict):
        raise BadControl("Send a JSON object.")
    return body


def _moment(text: Any) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


def _clock(world: World) -> Body:
    now = world.clock.now()
    return {"now": _iso(now), "seconds": now, "still": world.clock.stands_still}
