"""Contested seats: hold, change, order, let lapse and cancel over 32 connections; none is oversold, none unsold while somebody is refused.

    python -m proofs.seats [--attempts 3000] [--seed 1] [--full]

`--full` makes 100,000 attempts. All of it goes through the product's verbs, as the application's own role, on a database of its own.
What is checked, over and over while it goes on, each time in one snapshot of the database:

* every counter is between 0 and its size, and equals the seats of active holds and live registrations that draw on it;
* every discount code is used at most as often as allowed, and as often as standing orders say;
* every active hold stands in a cart; every order has as many registrations as lines, in states that fit its own.

What is checked of every refusal: somebody who was told «not enough seats» must have met at least one moment, between asking and being
answered, in which too few seats were free of what was committed. Free is what the counter leaves and what holds kept that were over
already. Counters change one after the other, so a log of each (kept by a trigger that belongs to this program) and the snapshots taken
before and after the refusal say exactly which values it can have met; if each of them was large enough, the refusal was wrong.

At the end all holds lapse, and single seats are bought until everybody is refused: then nothing may be left. Deadlocks count, and so
does everything else that is not a refusal with a sentence.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import threading
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.sharedctypes import Synchronized
from typing import Any

import psycopg
from psycopg import IsolationLevel
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from benchmarks._mailing import database
from proofs._crowd import BEGINNING, CODES, Hall, Refused, Time, Told, come, share_time
from seminars.catalog.models import Event, EventSession, Quota, RefundPolicy, Seminar, TicketType
from seminars.kit.references import secret
from seminars.local.postgres import APPLICATION, FORGETFUL, OWNER
from seminars.orders import cart as carts
from seminars.orders.models import DiscountCode
from seminars.registration import capacity, holds
from seminars.registration.capacity import SoldOut

FULL, USUAL, CONNECTIONS, PROCESSES = 100_000, 3_000, 32, 4
LOOK_EVERY = 0.5
SPAWN = multiprocessing.get_context("spawn")
Row = tuple[Any, ...]

LOG = """
    CREATE TABLE counter_log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, quota_id bigint, free integer, xid xid8);
    CREATE FUNCTION log_counter() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        INSERT INTO counter_log (quota_id, free, xid) VALUES (NEW.id, NEW.size - NEW.taken, pg_current_xact_id());
        RETURN NULL;
    END $$;
    CREATE TRIGGER log_counter AFTER INSERT OR UPDATE ON quotas FOR EACH ROW EXECUTE FUNCTION log_counter();
"""

CHECKS = {
    "counter beyond its limits": "SELECT id, taken, size FROM quotas WHERE taken NOT BETWEEN 0 AND size",
    "more seats given than there are": """
        SELECT q.id, q.size, sum(s.places) FROM quotas q JOIN ticket_type_quotas d ON d.quota_id = q.id JOIN seats s USING (ticket_type_id)
        GROUP BY q.id HAVING sum(s.places) > q.size""",
    "counter is not what rows say": """
        SELECT q.id, q.taken, coalesce(sum(s.places), 0)
        FROM quotas q LEFT JOIN ticket_type_quotas d ON d.quota_id = q.id LEFT JOIN seats s USING (ticket_type_id)
        GROUP BY q.id HAVING q.taken <> coalesce(sum(s.places), 0)""",
    "code used above its limit": "SELECT code, used, most FROM discount_codes WHERE used NOT BETWEEN 0 AND most",
    "code's count is not what orders say": """
        SELECT c.code, c.used, count(l.id) FROM discount_codes c
        LEFT JOIN orders o ON o.discount_code_id = c.id AND (o.state IN ('placed', 'paid') OR o.paid_at IS NOT NULL)
        LEFT JOIN order_lines l ON l.order_id = o.id AND l.discount > 0
        GROUP BY c.id HAVING c.used <> count(l.id)""",
    "a hold that no cart shows": """
        SELECT h.id FROM holds h WHERE h.state = 'active' AND NOT EXISTS (SELECT FROM cart_lines l WHERE l.hold_id = h.id)""",
    "an order that does not fit its registrations": """
        SELECT o.id, o.state FROM orders o LEFT JOIN registrations r ON r.order_reference = 'order/' || o.id
        GROUP BY o.id HAVING count(r.id) <> (SELECT count(l.registration_id) FROM order_lines l WHERE l.order_id = o.id)
        OR NOT EXISTS (SELECT FROM order_lines l WHERE l.order_id = o.id)
        OR (o.state = 'placed' AND bool_or(r.state <> 'held')) OR (o.state = 'paid' AND bool_or(r.state NOT IN ('confirmed', 'cancelled')))
        OR (o.state IN ('expired', 'cancelled') AND bool_or(r.state <> 'cancelled'))""",
}
SEATS = """
    WITH seats AS (
        SELECT ticket_type_id, sum(places) AS places FROM (
            SELECT ticket_type_id, places FROM holds WHERE state = 'active'
            UNION ALL SELECT ticket_type_id, 1 FROM registrations WHERE state IN ('held', 'confirmed', 'attended', 'no_show')) AS live
        GROUP BY ticket_type_id)
"""


@dataclass
class Findings:
    """What was wrong, and how often it was looked for."""

    violations: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    looks: int = 0

    def add(self, what: str, example: object) -> None:
        self.violations[what] += 1
        if len(self.examples) < 20:
            self.examples.append(f"{what}: {example}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--attempts", type=int, default=USUAL)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--full", action="store_true", help=f"{FULL:,} attempts")
    given = asked.parse_args()
    attempts = FULL if given.full else given.attempts
    with database(**FORGETFUL) as url:
        sys.exit(prove(url, attempts, given.seed))


def prove(url: str, attempts: int, seed: int) -> bool:
    """Let the crowd in, judge what happened, print it; whether anything was wrong."""
    owner = url.replace(f"//{APPLICATION}@", f"//{OWNER}@")
    with psycopg.connect(owner) as connection:
        connection.execute(LOG)
    hall, findings, began, made = open_hall(url), Findings(), time.monotonic(), SPAWN.Value("q", 0)
    told = let_in(url, owner, hall, attempts, seed, made, findings)
    took = time.monotonic() - began
    sell_out(url, hall, findings, Time(made)() + timedelta(hours=3))
    look(owner, findings)
    with psycopg.connect(owner) as connection:
        judge(connection, hall, [refused for one in told for refused in one.refused], findings)
        count_deadlocks(connection, findings)
    for one in told:
        for trouble in one.troubles:
            findings.add("not a refusal", trouble)
    report(told, findings, attempts, seed, took)
    return bool(findings.violations)


def open_hall(url: str) -> Hall:
    """Four events: a hot one, one with a small workshop, one with counters that ticket types share crosswise, and a roomy one."""
    plans: Sequence[tuple[Sequence[int], Sequence[Sequence[int]]]] = (
        ((8,), ((0,),)),
        ((40, 12), ((0,), (0, 1), (1, 0))),
        ((25, 20, 30), ((0, 1), (2, 0), (1, 2), (2,))),
        ((80,), ((0,), (0,))),
    )
    with Session(create_engine(url.replace("postgresql://", "postgresql+psycopg://"))) as session, session.begin():
        policy = RefundPolicy(name="Usual", days_before=14, fee=7_500, currency="USD")
        starts = BEGINNING + timedelta(days=300)
        for title, (sizes, kinds) in zip(("Hot", "Workshop", "Crosswise", "Roomy"), plans, strict=True):
            event = Event(seminar=Seminar(slug=title.lower(), title=title, created_at=BEGINNING), reference=title.lower(), title=title,
                          state="published", zone="America/Chicago", preview_secret=secret(), created_at=BEGINNING, starts_at=starts,
                          ends_at=starts + timedelta(hours=8), policy=policy)  # fmt: skip
            local = starts.replace(tzinfo=None)
            event.sessions.append(EventSession(starts_local=local, ends_local=local + timedelta(hours=8), starts_at=starts,
                                               ends_at=starts + timedelta(hours=8)))  # fmt: skip
            quotas = [Quota(size=size, name=f"{title} {number}", event=event) for number, size in enumerate(sizes)]
            for position, draws in enumerate(kinds):
                event.ticket_types.append(TicketType(name=f"Kind {position}", position=position, price=50_000, currency="USD",
                                                     quotas=[quotas[i] for i in draws]))  # fmt: skip
            session.add(event)
        session.add(DiscountCode(code=CODES[0], percent=20, currency="USD", most=60, created_at=BEGINNING))
        session.add(DiscountCode(code=CODES[1], amount=5_000, currency="USD", most=25, created_at=BEGINNING))
        session.flush()
        kinds = session.query(TicketType).all()
        return Hall({kind.id: kind.event_id for kind in kinds}, {quota.id: quota.size for quota in session.query(Quota).all()})


def let_in(url: str, owner: str, hall: Hall, attempts: int, seed: int, made: Synchronized[int], findings: Findings) -> list[Told]:
    """Everybody at once, in several processes, and somebody who looks on."""
    over = threading.Event()
    onlooker = threading.Thread(target=look_on, args=[owner, findings, over])
    people, share = CONNECTIONS // PROCESSES, attempts // PROCESSES

    with ProcessPoolExecutor(PROCESSES, mp_context=SPAWN, initializer=share_time, initargs=[made]) as pool:
        onlooker.start()
        try:
            crowds = [pool.submit(come, url, hall, people, share, seed * 1_000 + number) for number in range(PROCESSES)]
            return [crowd.result() for crowd in crowds]
        finally:
            over.set()
            onlooker.join()


def look_on(owner: str, findings: Findings, over: threading.Event) -> None:
    pause = LOOK_EVERY
    while not over.wait(pause):
        began = time.monotonic()
        look(owner, findings)
        pause = max(LOOK_EVERY, 5 * (time.monotonic() - began))  # looking grows with the tables; it must not become what goes on here


def look(owner: str, findings: Findings, more: Mapping[str, str] | None = None) -> None:
    """Hold counters, codes, holds and orders against each other, all in one snapshot."""
    with psycopg.connect(owner) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        for what, query in {**CHECKS, **(more or {})}.items():
            for row in connection.execute((SEATS if "seats s" in query else "") + query):  # type: ignore[arg-type]
                findings.add(what, row)
        findings.looks += 1


def sell_out(url: str, hall: Hall, findings: Findings, now: datetime) -> None:
    """Everything lapses; then single seats are bought until everybody is refused. Nothing may be left then."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with Session(engine) as session, session.begin():
        while holds.sweep_lapsed(session, now=now):
            pass
    for ticket_type_id in hall.ticket_types:
        refused = False
        while not refused:
            try:
                with Session(engine) as session, session.begin():
                    carts.add_places(session, carts.open_cart(session, now=now), {ticket_type_id: 1}, now=now)
            except SoldOut as sold_out:
                refused = True
                if sold_out.left:
                    findings.add("refused one seat while telling that there are some", (ticket_type_id, sold_out.left))
    with Session(engine) as session:
        for ticket_type_id, left in capacity.left(session, hall.ticket_types).items():
            if left:
                findings.add("seats left unsold at the end", (ticket_type_id, left))
    engine.dispose()


def judge(connection: psycopg.Connection[Row], hall: Hall, refusals: Sequence[Refused], findings: Findings) -> None:
    """Find refusals that met no moment with too few seats."""
    history: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for quota_id, free, xid in connection.execute("SELECT quota_id, free, xid::text::bigint FROM counter_log ORDER BY id"):
        history[quota_id].append((free, xid))
    draws: dict[int, list[int]] = defaultdict(list)
    for ticket_type_id, quota_id in connection.execute("SELECT ticket_type_id, quota_id FROM ticket_type_quotas"):
        draws[ticket_type_id].append(quota_id)
    for refused in refusals:
        needed, could = spread(refused.wanted, draws), spread(refused.could_be_had, draws)
        if all(fewest(history[quota_id], refused) + could[quota_id] >= number for quota_id, number in needed.items()):
            findings.add("refused while seats were free", refused)


def spread(places: dict[int, int], draws: dict[int, list[int]]) -> Counter[int]:
    """Places of ticket types as places of counters."""
    found: Counter[int] = Counter()
    for ticket_type_id, number in places.items():
        for quota_id in draws[ticket_type_id]:
            found[quota_id] += number
    return found


def fewest(history: Sequence[tuple[int, int]], refused: Refused) -> int:
    """The smallest number of free seats from one snapshot to the other: values are committed in order, so each sees the first of them."""
    first, last = seen(history, refused.before), seen(history, refused.after)
    return min(free for free, _ in history[first - 1 : last])


def seen(history: Sequence[tuple[int, int]], snapshot: str) -> int:
    """How many of a counter's values that snapshot sees (its text is xmin:xmax:those in progress)."""
    low, high, running = snapshot.split(":")
    in_progress = {int(xid) for xid in running.split(",") if xid}
    return bisect_left(history, True, key=lambda value: value[1] >= int(low) and (value[1] >= int(high) or value[1] in in_progress))


def count_deadlocks(connection: psycopg.Connection[Row], findings: Findings) -> None:
    connection.execute("SELECT pg_stat_clear_snapshot()")
    row = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
    assert row is not None
    for _ in range(row[0]):
        findings.add("deadlock", "see the server's statistics")


def report(told: Sequence[Told], findings: Findings, attempts: int, seed: int, took: float) -> None:
    outcomes: Counter[tuple[str, str]] = Counter()
    for one in told:
        outcomes += one.outcomes
    for act in sorted({act for act, _ in outcomes}):
        each = [(number, outcome) for (one, outcome), number in outcomes.items() if one == act]
        print(f"  {act:<16} {', '.join(f'{outcome} {number:,}' for number, outcome in sorted(each, reverse=True))}")
    refused = sum(len(one.refused) for one in told)
    print(f"{refused:,} refusals of seats judged; counters, codes, holds and orders compared {findings.looks:,} times.")
    for example in findings.examples:
        print(f"  {example}")
    wrong = ", ".join(f"{what}: {number}" for what, number in findings.violations.items())
    print(f"{attempts:,} attempts over {CONNECTIONS} connections in {took:.0f} s (seed {seed}): {wrong or '0 violations'}")


if __name__ == "__main__":
    main()
