"""What machines ask of us: are you alive, are you ready, what have you counted."""

import ipaddress
import time
from collections.abc import Iterator
from datetime import datetime

from flask import Blueprint, Flask, Response, abort, current_app, g, jsonify, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess, values
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from seminars.db import db
from seminars.migrations.run import current, head
from seminars.operations.models import Heartbeat
from seminars.payments import queries as payments
from seminars.web.shared import now

blueprint = Blueprint("ops", __name__)

NEIGHBOURS = ("broker", "mail", "stripe", "beat")
SILENT_AFTER = 120
# This machine and the networks that nobody reaches from outside (RFC 1918, RFC 4193).
INSIDE = [ipaddress.ip_network(text) for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")]
REGISTRY = CollectorRegistry()
ANSWERS = Counter("seminars_answers_total", "Answers by method, door and status.", ["method", "door", "status"], registry=REGISTRY)
CACHED = Counter("seminars_cached_answers_total", "Answers served from the cache in front, by status.", ["status"], registry=REGISTRY)
SECONDS = Histogram(
    "seminars_answer_seconds",
    "Seconds that the application took for an answer, by door.",
    ["door"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)


def install(app: Flask) -> None:
    """Count every answer."""
    app.config["NEWEST_MIGRATION"] = head()

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        door = request.blueprint or "none"
        ANSWERS.labels(request.method if request.method in ("GET", "HEAD", "POST") else "other", door, response.status_code).inc()
        SECONDS.labels(door).observe(time.perf_counter() - g.get("started", time.perf_counter()))
        return response

    app.register_blueprint(blueprint)


def count_cached(status: str) -> None:
    """Count an answer that the application never saw."""
    CACHED.labels(status[:3]).inc()


@blueprint.get("/health/live")
def live() -> Response:
    """The process answers."""
    return jsonify(status="alive")


@blueprint.get("/health/ready")
def ready() -> tuple[Response, int]:
    """503 only without database or with missing migrations; the rest is named as working or degraded."""
    try:
        found = current(db.session().connection())
        neighbours = _neighbours(now())
    except SQLAlchemyError:
        return jsonify(status="not ready", database="does not answer"), 503
    wanted = current_app.config["NEWEST_MIGRATION"]
    if found != wanted:
        return jsonify(status="not ready", database="working", migrations=f"at {found or 'none'}, wanted {wanted}"), 503
    well = all(state == "working" for state in neighbours.values())
    return jsonify(status="ready" if well else "degraded", database="working", migrations="complete", **neighbours), 200


def _neighbours(instant: datetime) -> dict[str, str]:
    """How each neighbour did when a worker last tried it."""
    beats = {beat.name: beat for beat in db.session().scalars(select(Heartbeat))}
    return {name: _state(beats.get(name), instant) for name in (*NEIGHBOURS, *sorted(set(beats) - set(NEIGHBOURS)))}


def _state(beat: Heartbeat | None, instant: datetime) -> str:
    if beat is None or (instant - beat.at).total_seconds() > SILENT_AFTER:
        return "degraded: no worker has told lately"
    return "working" if beat.well else f"degraded: {beat.detail}"


@blueprint.get("/metrics")
def metrics() -> Response:
    """What this installation has counted, over all its web processes. Only for the machine or the network it runs in."""
    if not _from_inside():
        abort(404)
    registry: CollectorRegistry = REGISTRY
    if getattr(values.ValueClass, "_multiprocess", False):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    told = CollectorRegistry()
    told.register(_PaymentsFound(payments.found_by(db.session())))
    return Response(generate_latest(registry) + generate_latest(told), content_type=CONTENT_TYPE_LATEST)


class _PaymentsFound(Collector):
    """What the database counts, read when it is asked for."""

    def __init__(self, counts: dict[str, int]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily("seminars_payments_found", "Payments by how they were learned of", labels=["by"])
        for way, number in sorted(self._counts.items()):
            family.add_metric([way], number)
        yield family


def _from_inside() -> bool:
    """Not through the proxy, which names whom it speaks for, and not from a public address."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return False
    return any(address in network for network in INSIDE)
