"""Kill the senders of the outbox at random and count what arrives.

    python -m proofs.outbox [--full] [--seed 7]

None may be lost; every second copy must be the first one, byte for byte, under the same Message-ID; and a kill may cost at most one
second copy. By default 1,000 mails and 60 kills, with --full 10,000 and 500.
"""

from __future__ import annotations

import argparse
import email
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import timedelta
from typing import Any

import psycopg

from benchmarks import _mailing as mailing

SENDERS = 3
LEASE, LAST_START = timedelta(seconds=6), timedelta(seconds=3)
"""Short, so that what a dead sender held is not waited for; what holds does not depend on their length."""
PATIENCE = 240.0


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--full", action="store_true")
    asked.add_argument("--mails", type=int)
    asked.add_argument("--kills", type=int)
    asked.add_argument("--seed", type=int, default=int(time.time()))
    asked.add_argument("--nursery", action="store_true", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.nursery:
        _nursery()
        return
    mails = given.mails or (10_000 if given.full else 1_000)
    kills = given.kills or (500 if given.full else 60)
    sys.exit(prove(mails, kills, given.seed))


def prove(mails: int, kills: int, seed: int) -> int:
    chance = random.Random(seed)
    sink = mailing.Sink()
    began = time.monotonic()
    with mailing.database(fsync="off") as url, tempfile.TemporaryDirectory() as var, psycopg.connect(url, autocommit=True) as connection:
        mailing.people(connection, mails)
        mailing.confirmations(connection, mails)
        killed = _hunt(connection, mailing.environment(url, sink.url, var), sink, mails, kills, chance)
        states = dict(connection.execute("SELECT state, count(*) FROM messages GROUP BY state").fetchall())
    copies: dict[str, list[bytes]] = defaultdict(list)
    for _, recipient, raw in sink.arrived:
        copies[recipient].append(raw)
    lost = mails - len(copies)
    second = sum(len(found) - 1 for found in copies.values())
    different = sum(len(set(found)) - 1 for found in copies.values())
    names = [email.message_from_bytes(found[0])["Message-ID"] for found in copies.values()]
    mixed = len(names) - len(set(names))
    unmarked = mails - states.get("sent", 0)
    print(f"mails {mails}  kills {killed}  second copies {second}  seconds {time.monotonic() - began:.0f}  seed {seed}")
    print(f"lost {lost}  copies that differ {different}  shared Message-IDs {mixed}  not marked as sent {unmarked}  "
          f"second copies above one for each kill {max(0, second - killed)}")  # fmt: skip
    if unmarked:
        asked = "SELECT state, attempts, reason, count(*) FROM messages WHERE state <> 'sent' GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 9"
        for row in connection.execute(asked):
            print("not sent:", *row)
    violations = lost + different + mixed + unmarked + max(0, second - killed)
    print(f"attempts {mails + killed}  violations {violations}")
    return 1 if violations or killed < kills else 0


def _hunt(
    connection: psycopg.Connection[Any], env: dict[str, str], sink: mailing.Sink, mails: int, kills: int, chance: random.Random
) -> int:
    """Keep senders running and kill them at random moments while they send, until all is sent; how many died at it.

    So that each kill has something to hit, mails are let out in portions that keep pace with the kills.
    """
    connection.execute("UPDATE messages SET not_before = 'infinity'")
    nursery = subprocess.Popen(
        [sys.executable, "-m", "proofs.outbox", "--nursery"], env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    senders = [_begin(nursery) for _ in range(SENDERS)]
    killed = 0
    deadline = time.monotonic() + PATIENCE + kills * 3.0
    try:
        while _unsent(connection) and time.monotonic() < deadline:
            due = mails if killed >= kills else min(mails, (killed + 1) * mails // kills + 1)
            connection.execute(
                "UPDATE messages SET not_before = now() - interval '1 hour' WHERE not_before = 'infinity' AND id <= %s", [due]
            )
            if killed >= kills:
                time.sleep(0.1)
                continue
            before = len(sink.arrived)
            while len(sink.arrived) == before and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.02))
            victim = chance.randrange(SENDERS)
            os.kill(senders[victim], signal.SIGKILL)
            killed += 1
            senders[victim] = _begin(nursery)
    finally:
        for sender in senders:
            os.kill(sender, signal.SIGKILL)
        nursery.kill()
        nursery.wait()
    return killed


def _unsent(connection: psycopg.Connection[Any]) -> bool:
    return connection.execute("SELECT FROM messages WHERE state <> 'sent' LIMIT 1").fetchone() is not None


def _begin(nursery: subprocess.Popen[str]) -> int:
    """One more sender; its process number."""
    assert nursery.stdin and nursery.stdout
    nursery.stdin.write("one\n")
    nursery.stdin.flush()
    return int(nursery.stdout.readline())


def _nursery() -> None:
    """Where senders come from: everything is loaded once, and each is a fork."""
    from seminars.app import create_app
    from seminars.config import Settings
    from seminars.jobs import deliver_outbox
    from seminars.messages import delivery

    delivery.LEASE, delivery.LAST_START = LEASE, LAST_START
    app = create_app(Settings.from_env())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        if number := os.fork():
            print(number, flush=True)
            continue
        with app.app_context():
            while True:
                deliver_outbox(app.extensions["seminars"])
                time.sleep(0.01)


if __name__ == "__main__":
    main()
