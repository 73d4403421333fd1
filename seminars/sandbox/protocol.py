"""The door of the API: who asks, in which version, whether it was asked before, and the form of the answer."""

import hashlib
import json
import re
import socket
import time
from dataclasses import dataclass

from flask import Blueprint, Response, g, request

from seminars.sandbox import resources, routes, sessions
from seminars.sandbox.errors import ApiError, Declined
from seminars.sandbox.fields import read_all
from seminars.sandbox.forms import Raw, parse
from seminars.sandbox.instruments import CARDS
from seminars.sandbox.intents import Payer
from seminars.sandbox.routes import Route
from seminars.sandbox.store import Body
from seminars.sandbox.world import API_VERSION, World

KEPT = 24 * 3600  # seconds of the sandbox clock an idempotency key is remembered
TEST_KEY = re.compile(r"(sk|rk)_test_\w+")
METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH"]


@dataclass
class Answer:
    status: int
    text: str
    headers: dict[str, str]
    cut: bool = False


@dataclass(frozen=True)
class Call:
    """One request to the API."""

    id: str
    method: str
    path: str
    raw: dict[str, Raw]
    key: str | None
    api_key: str

    @property
    def fingerprint(self) -> str:
        exact = json.dumps([self.method, self.path, self.raw], sort_keys=True)
        return hashlib.sha256(exact.encode()).hexdigest()


def door(world: World) -> Blueprint:
    """The blueprint of /v1/."""
    api = Blueprint("api", __name__)

    @api.route("/v1/<path:path>", methods=METHODS)
    def answer(path: str) -> Response:
        with world.store.transaction():
            id_ = g.request_id = world.store.mint("req_", 14)
        raw: dict[str, Raw] = {}
        try:
            raw = _parameters()
            reply = _authorised(world, id_, path, raw)
        except ApiError as error:
            reply = refusal(error, id_)
        _log(world, id_, path, raw, reply)
        if reply.cut:
            # The client sees the connection break; the answer below goes nowhere.
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return _response(reply, id_)

    @api.errorhandler(500)
    def bug(error: Exception) -> Response:
        """Flask has put the traceback on stderr; the client sees what it would see of a bug at Stripe. Nothing was done."""
        return _response(refusal(_broken(), g.request_id), g.request_id)

    return api


def _response(reply: Answer, request_id: str) -> Response:
    headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION, "Cache-Control": "no-cache, no-store", **reply.headers}
    if key := request.headers.get("Idempotency-Key"):
        headers["Idempotency-Key"] = key
    return Response(reply.text, status=reply.status, headers=headers, content_type="application/json")


def refusal(error: ApiError, request_id: str) -> Answer:
    """The error body, as the API words it."""
    body = {"error": {**error.error, "request_log_url": f"https://dashboard.stripe.com/test/logs/{request_id}?t=0"}}
    headers = {} if error.retry is None else {"Stripe-Should-Retry": "true" if error.retry else "false"}
    return Answer(error.status, _written(body), headers)


def _written(body: Body) -> str:
    return json.dumps(body, indent=2)


def _parameters() -> dict[str, Raw]:
    if request.method not in ("POST", "PUT", "PATCH"):
        return parse(request.query_string.decode("latin-1"))
    if request.content_length and request.mimetype != "application/x-www-form-urlencoded":
        raise ApiError(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have questions, "
            "we can help at https://support.stripe.com/."
        )
    return parse(request.get_data().decode("utf-8", errors="replace"))


def _authorised(world: World, id_: str, path: str, raw: dict[str, Raw]) -> Answer:
    full = f"/v1/{path}"
    if world.chaos.strikes("too_many", full):
        error = ApiError("Too many requests hit the API too quickly.", status=429, code="rate_limit")
        answer = refusal(error, id_)
        answer.headers["Stripe-Rate-Limited-Reason"] = "endpoint-rate"
        return answer
    api_key = _key()
    if api_key.startswith("rk_") and world.chaos.strikes("forbid", full):
        text = f"The provided key '{_masked(api_key)}' does not have the required permissions for this endpoint."
        raise ApiError(text, status=403, code="more_permissions_required")
    version = request.headers.get("Stripe-Version", API_VERSION)
    if version != API_VERSION:
        raise ApiError(f"Invalid Stripe API version: {version}. This sandbox speaks {API_VERSION} only.", code="invalid_api_version")
    matched = routes.find(request.method, path)
    if matched is None:
        raise ApiError(
            f"Unrecognized request URL ({request.method}: {full}). Please see https://stripe.com/docs or we can help at "
            "https://support.stripe.com/.", status=404,
        )  # fmt: skip
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    if key is not None and len(key) > 255:
        raise ApiError("Keys for idempotent requests can be at most 255 characters long.", kind="idempotency_error")
    call = Call(id_, request.method, full, raw, key, api_key)
    return _once(world, call, *matched)


def _key() -> str:
    """The API key of the request. Raises ApiError 401."""
    given = request.authorization
    key = (given.token if given and given.type == "bearer" else given.username if given and given.type == "basic" else "") or ""
    if not key:
        raise ApiError(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth "
            "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details.",
            status=401,
        )
    if not TEST_KEY.fullmatch(key):
        raise ApiError(f"Invalid API Key provided: {_masked(key)}", status=401)
    return key


def _masked(key: str) -> str:
    return key[:8] + "*" * max(len(key) - 12, 4) + key[-4:] if len(key) > 12 else "*" * len(key)


def _once(world: World, call: Call, route: Route, named: dict[str, str]) -> Answer:
    """Answer from memory if this key was answered before; otherwise execute under the key."""
    if call.key is None:
        return _execute(world, call, route, named)
    with world.store.transaction():
        if call.key in world.running:
            raise ApiError(
                "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
                f"twice, and the other request is still going through): {call.key}. Please try again later.",
                status=409, kind="idempotency_error", code="idempotency_key_in_use", retry=True,
            )  # fmt: skip
        world.store.run("DELETE FROM answers WHERE at <= ?", (world.clock.now() - KEPT,))
        sql = "SELECT fingerprint, status, body, request_id FROM answers WHERE key = ?"
        known = world.store.rows(sql, (call.key,))
        if known:
            return _again(call, *known[0])
        world.running.add(call.key)
    try:
        return _execute(world, call, route, named)
    finally:
        with world.store.transaction():
            world.running.discard(call.key)


def _again(call: Call, fingerprint: str, status: int, body: str, first_request: str) -> Answer:
    if fingerprint != call.fingerprint:
        raise ApiError(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key "
            f"other than '{call.key}' if you meant to execute a different request.", kind="idempotency_error",
        )  # fmt: skip
    headers = {"Idempotent-Replayed": "true", "Original-Request": first_request}
    if status >= 500:
        headers["Stripe-Should-Retry"] = "false"
    return Answer(status, body, headers)


def _execute(world: World, call: Call, route: Route, named: dict[str, str]) -> Answer:
    params = read_all(route.fields, call.raw)
    if slow := world.chaos.strikes("slow", call.path):
        time.sleep(slow.seconds)
    if call.method == "POST" and world.chaos.strikes("error_before", call.path):
        return refusal(_broken(), call.id)
    if call.path.endswith("/expire") and world.chaos.strikes("pay_during_expire"):
        _pay_first(world, named["id"])
    try:
        with world.acting(call.id, call.key) as act:
            try:
                body = route.handle(act, named, params)
                answer = Answer(200, _written(resources.expand(act, body, params.get("expand") or [])), {})
            except Declined as declined:
                answer = refusal(declined, call.id)
            if call.method == "POST" and world.chaos.strikes("error_after", call.path):
                answer = refusal(_broken(), call.id)
            _remember(world, call, answer)
    except ApiError as error:
        answer = refusal(error, call.id)
        if error.executed:
            _remember(world, call, answer)
        return answer
    answer.cut = call.method == "POST" and world.chaos.strikes("cut_after", call.path) is not None
    return answer


def _remember(world: World, call: Call, answer: Answer) -> None:
    if call.key is not None:
        world.store.run(
            "INSERT OR REPLACE INTO answers (key, fingerprint, status, body, request_id, at) VALUES (?, ?, ?, ?, ?, ?)",
            (call.key, call.fingerprint, answer.status, answer.text, call.id, world.clock.now()),
        )


def _broken() -> ApiError:
    return ApiError("An unknown error occurred.", status=500, kind="api_error")


def _pay_first(world: World, session_id: str) -> None:
    """The payer was quicker: the session is paid in the same second."""
    with world.acting() as act:
        session = act.store.get(session_id, "checkout.session")
        if session is not None and session["status"] == "open":
            sessions.pay(act, session, CARDS[0], Payer(email=session["customer_email"] or "payer@example.org", name="Quick Payer"))


def _log(world: World, id_: str, path: str, raw: dict[str, Raw], reply: Answer) -> None:
    line = {
        "what": "request", "id": id_, "method": request.method, "path": f"/v1/{path}", "params": raw,
        "idempotency_key": request.headers.get("Idempotency-Key"), "status": reply.status,
        "replayed": "Idempotent-Replayed" in reply.headers, "cut": reply.cut,
    }  # fmt: skip
    with world.store.transaction():
        world.store.write_log(line, at=world.clock.now())
