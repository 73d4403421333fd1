"""Orders and crashes: kill whoever places them, crash the database under them, press the same button ten times at once.

    python -m proofs.orders [--kills 12] [--crashes 3] [--presses 20] [--seed 1] [--full]

`--full` makes 200 kills, 30 crashes and 1,000 times ten presses. Four processes hold seats and place orders through the product's verbs,
each commit as the web makes it, and say every order number once its commit has returned. They are killed with SIGKILL at a moment drawn by
lot, or the database is stopped as by a crash. After each time:

* no order that was told is missing, and none is half there: lines, registrations, payment attempt, letter and audit entry stand together;
* counters, codes, holds and orders agree, as in `proofs.seats`;
* nothing that was held for a process that died stays held: the next sweep after twenty minutes frees it.

Ten presses of one form give one order, always.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from proofs._crowd import BUYER, CODES, LETTERHEAD
from proofs.seats import Findings, Hall, look, open_hall
from seminars.audit import recording
from seminars.kit.refusals import Refusal
from seminars.local.postgres import APPLICATION, OWNER, Cluster
from seminars.migrations.run import upgrade
from seminars.orders import cart as carts
from seminars.orders import checkout, settlement
from seminars.orders.buyers import Party
from seminars.payments import checkout as payments
from seminars.registration import holds
from seminars.registration.places import Attendee

BUYERS = 4
WHOLE = {
    "an order told, and not there": "SELECT told.number FROM told LEFT JOIN orders o ON o.number = told.number WHERE o.id IS NULL",
    "an order without its payment attempt": """
        SELECT o.id FROM orders o WHERE o.total > 0 AND (SELECT count(*) FROM payment_attempts a WHERE a.order_id = o.id) <> 1""",
    "an order without its letter": """
        SELECT o.id FROM orders o WHERE NOT EXISTS (SELECT FROM messages m WHERE m."references"[1] = 'order/' || o.id
        OR m."references"[2] = 'order/' || o.id)""",
    "an order without its audit entry": """
        SELECT o.id FROM orders o WHERE NOT EXISTS (SELECT FROM audit_entries e WHERE e.subject = 'order/' || o.id)""",
    "an order whose cart is open": "SELECT o.id FROM orders o JOIN carts c ON c.id = o.cart_id WHERE c.state <> 'ordered'",
    "a free order that is not settled": "SELECT id FROM orders WHERE total = 0 AND state <> 'paid'",
    "an order whose sum is not that of its lines": """
        SELECT o.id FROM orders o JOIN order_lines l ON l.order_id = o.id GROUP BY o.id HAVING sum(l.net + l.tax) <> o.total""",
}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--kills", type=int, default=12)
    asked.add_argument("--crashes", type=int, default=3)
    asked.add_argument("--presses", type=int, default=20)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--full", action="store_true")
    asked.add_argument("--place", metavar="URL", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.place:
        place_for_ever(given.place, given.seed)
    kills, crashes, presses = (200, 30, 1_000) if given.full else (given.kills, given.crashes, given.presses)
    with cluster() as running:
        sys.exit(prove(running, kills, crashes, presses, given.seed))


@contextmanager
def cluster() -> Iterator[Cluster]:
    home = Path(tempfile.mkdtemp(prefix="seminars-crash-"))
    running = Cluster(home / "pg").start()
    try:
        running.create_roles()
        running.create_database("seminars")
        upgrade(running.url(OWNER, "seminars"))
        yield running
    finally:
        running.stop()
        shutil.rmtree(running.socket_folder, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def prove(running: Cluster, kills: int, crashes: int, presses: int, seed: int) -> bool:
    url, owner = running.url(APPLICATION, "seminars"), running.url(OWNER, "seminars")
    draw, findings, began = random.Random(seed), Findings(), time.monotonic()
    hall = open_hall(url)
    with psycopg.connect(owner) as connection:
        connection.execute("CREATE TABLE told (number text PRIMARY KEY)")
        connection.execute("UPDATE quotas SET size = 1000000")
        connection.execute("UPDATE discount_codes SET most = 1000000")
    told = 0
    for number in range(kills + crashes):
        crash = number >= kills
        told += interrupt(running, url, owner, draw, findings, crash=crash)
        look(owner, findings, WHOLE)
    if not told:
        findings.add("nobody ordered anything", "nothing was proved")
    lapse(url, owner, findings)
    orders = press_often(url, hall, presses, findings)
    look(owner, findings, WHOLE)
    for example in findings.examples:
        print(f"  {example}")
    wrong = ", ".join(f"{what}: {count}" for what, count in findings.violations.items())
    print(f"{kills} kills of {BUYERS} buyers and {crashes} crashes of the database: {told:,} orders told, none may be missing")
    print(f"{presses} times ten presses: {orders} orders")
    print(f"compared {findings.looks} times, {time.monotonic() - began:.0f} s (seed {seed}): {wrong or '0 violations'}")
    return bool(findings.violations)


def interrupt(running: Cluster, url: str, owner: str, draw: random.Random, findings: Findings, *, crash: bool) -> int:
    """Let buyers work for a moment, then end them or the database; how many orders they had told."""
    words = [[sys.executable, "-m", "proofs.orders", "--place", url, "--seed", str(draw.randrange(10**9))] for _ in range(BUYERS)]
    buyers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in words]
    for buyer in buyers:
        assert buyer.stdout is not None
        assert buyer.stdout.readline() == "ready\n", "a buyer ended before it began; what it met stands above"
    time.sleep(draw.uniform(0.05, 1.5))
    if crash:
        os.kill(int((running.data / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
    else:
        for buyer in buyers:
            buyer.kill()
    numbers = [line.strip() for buyer in buyers for line in buyer.communicate()[0].splitlines(keepends=True) if line.endswith("\n")]
    expected = 0 if crash else -signal.SIGKILL
    for buyer in buyers:
        if buyer.returncode != expected:
            findings.add("a buyer who ended otherwise than by us", buyer.returncode)
    if crash:
        running.start()
    with psycopg.connect(owner) as connection:
        connection.cursor().executemany("INSERT INTO told VALUES (%s)", [[number] for number in numbers])
    return len(numbers)


def place_for_ever(url: str, seed: int) -> None:
    """Hold, order, tell; until killed, or until the database is gone."""
    draw = random.Random(seed)
    recording.listen()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with Session(engine) as session:
        kinds = [kind.id for kind in session.query(carts.TicketType)]
    print("ready", flush=True)
    with contextlib.suppress(OperationalError):
        while True:
            wanted = {draw.choice(kinds): draw.choice((1, 1, 2, 3)) for _ in range(draw.choice((1, 2)))}
            now = datetime.now(UTC)
            with Session(engine, expire_on_commit=False) as session, session.begin():
                secret = carts.start_cart(session, wanted, now=now).secret
            with Session(engine, expire_on_commit=False) as session, session.begin():
                cart = carts.cart_by_secret(session, secret)
                assert cart is not None
                if draw.random() < 0.3:
                    carts.use_code(session, cart, draw.choice(CODES), now=now)
                order = _order(session, cart, draw, now)
            print(order, flush=True)
    sys.exit()


def _order(session: Session, cart: carts.Cart, draw: random.Random, now: datetime) -> str:
    attendee = Attendee("Jonas Lindqvist", f"jonas.{draw.randrange(10_000)}@fjordview.example")
    party = Party(BUYER, tuple(attendee if draw.random() < 0.5 else None for line in cart.lines for _ in range(line.places)))
    terms = checkout.Terms("NC", comp_reason="Speaker's guest" if draw.random() < 0.2 else "")
    order = checkout.place_order(session, cart, party, terms=terms, now=now)
    if order.total:
        payments.begin(session, order, letterhead=LETTERHEAD, now=now)
    else:
        settlement.settle(session, order, letterhead=LETTERHEAD, now=now)
    return order.number


def lapse(url: str, owner: str, findings: Findings) -> None:
    """Twenty minutes later nothing is held for those who died."""
    with Session(create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)) as session, session.begin():
        while holds.sweep_lapsed(session, now=datetime.now(UTC) + timedelta(minutes=20)):
            pass
    with psycopg.connect(owner) as connection:
        for row in connection.execute("SELECT id, holder FROM holds WHERE state = 'active'"):
            findings.add("held for nobody", row)


def press_often(url: str, hall: Hall, presses: int, findings: Findings) -> int:
    """Ten presses of one form at once, again and again; how many orders came of it."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), pool_size=10, max_overflow=0)
    draw, orders = random.Random(0), 0
    for number in range(presses):
        with Session(engine) as session, session.begin():
            secret = carts.start_cart(session, {draw.choice(list(hall.ticket_types)): 2}, now=datetime.now(UTC)).secret
        answers: list[str] = []
        barrier = threading.Barrier(10)

        def press(secret: str = secret, answers: list[str] = answers, barrier: threading.Barrier = barrier, number: int = number) -> None:
            with Session(engine, expire_on_commit=False) as session, contextlib.suppress(Refusal):
                session.connection()
                barrier.wait()
                cart = carts.cart_by_secret(session, secret)
                if cart is not None:
                    answers.append(_order(session, cart, random.Random(number), datetime.now(UTC)))
                    session.commit()

        threads = [threading.Thread(target=press) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        orders += len(answers)
        if len(answers) != 1:
            findings.add("not one order of ten presses", answers)
    engine.dispose()
    return orders


if __name__ == "__main__":
    main()
