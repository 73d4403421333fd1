"""From the commit of a settlement to the mail accepted by SMTP: a real worker, and not a word between this side and the broker.

    python -m benchmarks.bell [--orders 40] [--pool threads|prefork]

The median must be under one second. Half of the orders are settled while the broker is dead.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import psycopg

from benchmarks import _mailing as mailing
from seminars.local.valkey import Broker

WANTED = 1.0
WORKER_STARTS_WITHIN = 60.0


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--orders", type=int, default=40)
    asked.add_argument("--pool", choices=["threads", "prefork"], default="threads")
    given = asked.parse_args()
    sys.exit(measure(given.orders, given.pool))


def measure(orders: int, pool: str) -> int:
    sink = mailing.Sink()
    with mailing.database() as url, tempfile.TemporaryDirectory() as var:
        with psycopg.connect(url, autocommit=True) as connection:
            mailing.people(connection, orders)
            mailing.placed_orders(connection, orders)
        broker = Broker(Path(var, "valkey")).start()
        env = mailing.environment(url, sink.url, var, CELERY_BROKER_URL=broker.url)
        words = ["celery", "--app", "workers.app", "--quiet", "worker", "--pool", pool, "--concurrency", "2", "--loglevel", "WARNING"]
        with open(Path(var, "worker.log"), "wb") as log:
            worker = subprocess.Popen([sys.executable, "-m", *words], env=env, stdout=log, stderr=log)
        try:
            _listening(url)
            # This side is told of a broker that does not exist: had it a word for it, it would fail.
            took = _settle(env | {"CELERY_BROKER_URL": "redis://127.0.0.1:1/0"}, orders, sink, halfway=broker.stop)
        finally:
            worker.terminate()
            worker.wait(60)
            broker.stop()
    spoken = sorted(name for name in sys.modules if name.partition(".")[0] in ("celery", "kombu", "redis"))
    for who, part in (("broker alive", took[: orders // 2]), ("broker dead", took[orders // 2 :])):
        print(f"{who:<14}{len(part):>4} orders   median {statistics.median(part):.3f} s   longest {max(part):.3f} s")
    median = statistics.median(took)
    print(f"{'all':<14}{orders:>4} orders   median {median:.3f} s, wanted under {WANTED:.1f} s")
    print(f"pool {pool}; broker libraries loaded on this side: {len(spoken)}")
    return 0 if median < WANTED and not spoken else 1


def _listening(url: str) -> None:
    """Wait until the worker's bell hangs."""
    deadline = time.monotonic() + WORKER_STARTS_WITHIN
    with psycopg.connect(url, autocommit=True) as connection:
        asked = "SELECT FROM pg_stat_activity WHERE application_name = 'seminars bell' AND state = 'idle'"
        while connection.execute(asked).fetchone() is None:
            assert time.monotonic() < deadline, "the worker did not start"
            time.sleep(0.1)
    time.sleep(1)


def _settle(env: dict[str, str], orders: int, sink: mailing.Sink, *, halfway: object) -> list[float]:
    """Settle one order after the other; for each, the seconds until the attendee's mail was accepted."""
    os.environ.update(env)
    from seminars.app import create_app
    from seminars.config import Settings
    from seminars.db import transaction
    from seminars.orders import settlement

    app = create_app(Settings.from_env())
    joined = app.extensions["seminars"]
    took = []
    with app.app_context():
        for number in range(1, orders + 1):
            if number == orders // 2 + 1 and callable(halfway):
                halfway()
            with transaction() as session:
                order = settlement.lock(session, number)
                settlement.settle(session, order, letterhead=joined.settings.letterhead, now=joined.clock())
            committed = time.time()
            took.append(_arrival(sink, f"p{number}@fjordview.example") - committed)
            time.sleep(0.05)
    return took


def _arrival(sink: mailing.Sink, recipient: str) -> float:
    deadline = time.monotonic() + timedelta(seconds=30).total_seconds()
    while time.monotonic() < deadline:
        for at, to, _ in reversed(sink.arrived):
            if to == recipient:
                return at
        time.sleep(0.002)
    raise AssertionError(f"nothing came for {recipient}")


if __name__ == "__main__":
    main()
