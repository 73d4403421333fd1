"""Contested hours: book, order, move, teach, publish, go on leave over 32 connections; nobody and no room is ever in two places.

    python -m proofs.claims [--attempts 3000] [--seed 1] [--full]

`--full` makes 200,000 attempts. They go through every path that takes time: visitors who hold, keep, move and cancel meetings; staff who
publish and change events with their people and rooms, send somebody on leave, or lay one thing over another with a reason; claims as any
other room lays them down, swapped in one go; calendars of their own; and rows that are written past our code. All of it lies around the
three nights on which clocks of Chicago and Berlin change. Most consultants teach as well and are one person. Everybody works as the
application's own role, on a database of its own.

What is checked, over and over while it goes on, each time in one snapshot of the database:

* no two claims that block overlap for one person or room by a single minute, unless staff laid one over the other (found by joining the
  table with itself, not by the constraint that is to prevent it);
* every published event has exactly the claims that its sessions call for, and a draft has none;
* every ordered meeting has the time of each of its people, and what was cancelled or given up has none.

Deadlocks count, and so does everything else that is not a refusal with a sentence.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import time as clock_time
from datetime import timedelta
from multiprocessing.sharedctypes import Synchronized

import psycopg
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from benchmarks._mailing import database
from proofs._crowd import BEGINNING
from proofs._diaries import AROUND, BERLIN, CHICAGO, NIGHTS, House, Told, come, share_time
from proofs.seats import Findings, count_deadlocks
from seminars import tables  # noqa: F401  every mapper must be known before the first query
from seminars.catalog import claims as teaching
from seminars.catalog import events, rooms, speakers, tickets, venues
from seminars.catalog import seminars as descriptions
from seminars.catalog.events import Block, EventFacts
from seminars.catalog.models import Event
from seminars.catalog.rooms import RoomFacts
from seminars.catalog.tickets import Ticket
from seminars.consulting import consultants, offerings
from seminars.consulting.consultants import ConsultantFacts, Stretch
from seminars.consulting.models import Consultant, Offering
from seminars.consulting.offerings import OfferingFacts
from seminars.kit.money import Money
from seminars.local.postgres import APPLICATION, FORGETFUL, OWNER
from seminars.schedule.models import BLOCKING, TimeClaim

FULL, USUAL, CONNECTIONS, PROCESSES = 200_000, 3_000, 32, 4
LOOK_EVERY = 0.5
SPAWN = multiprocessing.get_context("spawn")
TEACHERS, ROOMS, EVENTS = 8, 3, 10
SATURDAY, SUNDAY = 5, 6
REFUSALS = ("Taken", "Clashing", "SlotGone", "refused by the database")

OVERLAPS = f"""
    SELECT r.name, a.holder, b.holder, a.starts_at, a.ends_at, b.starts_at, b.ends_at,
           extract(epoch FROM least(a.ends_at, b.ends_at) - greatest(a.starts_at, b.starts_at)) / 60 AS minutes
    FROM time_claims a JOIN time_claims b ON b.resource_id = a.resource_id AND b.id > a.id
     AND b.starts_at < a.ends_at AND a.starts_at < b.ends_at
    JOIN resources r ON r.id = a.resource_id
    WHERE a.kind IN {BLOCKING} AND b.kind IN {BLOCKING} AND a.override_reason = '' AND b.override_reason = ''"""
CHECKS = {
    "a meeting without the time of somebody in it": """
        SELECT a.id, a.state, c.id FROM appointments a JOIN appointment_consultants p ON p.appointment_id = a.id
        JOIN consultants c ON c.id = p.consultant_id
        WHERE a.state IN ('requested', 'held', 'confirmed') AND a.held_until IS NULL AND NOT EXISTS (
            SELECT FROM time_claims t WHERE t.holder = 'appointment/' || a.id AND t.resource_id = c.resource_id
            AND t.kind = 'appointment' AND t.starts_at = a.starts_at AND t.ends_at = a.ends_at AND t.lapses_at IS NULL)""",
    "a meeting without all its people": """
        SELECT a.id, a.state FROM appointments a JOIN offerings o ON o.id = a.offering_id
        WHERE a.state IN ('held', 'confirmed')
        AND (SELECT count(*) FROM appointment_consultants p WHERE p.appointment_id = a.id) <> o.together""",
    "the time of a meeting that is not": """
        SELECT t.holder, t.kind FROM time_claims t LEFT JOIN appointments a ON t.holder = 'appointment/' || a.id
        WHERE t.holder LIKE 'appointment/%' AND (a.id IS NULL OR a.state = 'cancelled')""",
}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--attempts", type=int, default=USUAL)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--full", action="store_true", help=f"{FULL:,} attempts")
    given = asked.parse_args()
    with database(**FORGETFUL) as url:
        sys.exit(prove(url, FULL if given.full else given.attempts, given.seed))


def prove(url: str, attempts: int, seed: int, *, processes: int = PROCESSES) -> bool:
    """Let the crowd in, judge what happened, print it; whether anything was wrong."""
    owner = url.replace(f"//{APPLICATION}@", f"//{OWNER}@")
    house, findings, began = open_house(url), Findings(), time.monotonic()
    told = let_in(url, owner, house, attempts, seed, processes, SPAWN.Value("q", 0), findings)
    took = time.monotonic() - began
    look(owner, findings)
    for one in told:
        for trouble in one.troubles:
            findings.add("not a refusal", trouble)
    with psycopg.connect(owner) as connection:
        count_deadlocks(connection, findings)
        laid_over = connection.execute("SELECT count(*) FROM audit_entries WHERE action = 'claimed over another'").fetchone()
    report(told, findings, attempts, seed, took, laid_over[0] if laid_over else 0)
    return bool(findings.violations)


def open_house(url: str) -> House:
    """Eight people who advise and teach, one who only teaches, three rooms, ten events, and meetings with one and with two."""
    with Session(create_engine(url.replace("postgresql://", "postgresql+psycopg://"))) as session, session.begin():
        people = [_consultant(session, number) for number in range(TEACHERS)]
        taught_by = [
            speakers.create(session, speakers.SpeakerFacts(one.name), resource=one.resource) for one in people
        ] + [speakers.create(session, speakers.SpeakerFacts("Ingrid Malmstedt"))]  # fmt: skip
        venue = venues.create(session, venues.VenueFacts("Siebens Building", CHICAGO, city="Rochester"))
        halls = [rooms.create(session, venue, RoomFacts(f"Room {number}")) for number in range(1, ROOMS + 1)]
        facts = {"notice_hours": 0, "horizon_days": 730, "buffer_before": 15, "buffer_after": 15}
        services = [
            _offering(session, people, OfferingFacts("Strategy session", **facts), {30: 0, 60: 28_000}),
            _offering(session, people, OfferingFacts("Second opinion", together=2, **facts), {60: 50_000}),
        ]
        planned = []
        for number in range(EVENTS):
            seminar = descriptions.create(session, descriptions.SeminarFacts(f"Night watch {number}"), now=BEGINNING)
            teaching_it = EventFacts(seminar.title, CHICAGO, venue=venue, speakers=[taught_by[number % len(taught_by)]])
            event = events.create(session, seminar, teaching_it, capacity=10, now=BEGINNING)
            starts = (NIGHTS[number % len(NIGHTS)] - AROUND).replace(tzinfo=None)
            events.add_session(session, event, Block(starts, starts + timedelta(hours=1)), now=BEGINNING)
            tickets.add_ticket_type(session, event, Ticket("Seat", Money(0, "USD")), now=BEGINNING)
            planned.append(event)
        resources = [*(one.resource_id for one in taught_by), *(hall.resource_id for hall in halls)]
        return House(
            resources,
            [one.id for one in taught_by],
            [one.id for one in people],
            [hall.id for hall in halls],
            [event.id for event in planned],
            [service.id for service in services],
        )


def _consultant(session: Session, number: int) -> Consultant:
    """Somebody who works in the nights in question, on the clock of Chicago or of Berlin."""
    facts = ConsultantFacts(f"Consultant {number}", f"consultant{number}@northfield.example", (CHICAGO, BERLIN)[number % 2],
                            video_link="https://meet.example/{code}")  # fmt: skip
    made = consultants.create(session, facts, now=BEGINNING)
    nights = [Stretch(SATURDAY, clock_time(18), clock_time(0)), Stretch(SUNDAY, clock_time(0), clock_time(12))]
    return consultants.set_hours(session, made, nights)


def _offering(session: Session, people: Sequence[Consultant], facts: OfferingFacts, prices: dict[int, int]) -> Offering:
    made = offerings.create(session, facts, now=BEGINNING)
    offerings.set_lengths(session, made, prices, now=BEGINNING)
    offerings.set_consultants(session, made, people, now=BEGINNING)
    return offerings.publish(session, made, now=BEGINNING)


def let_in(
    url: str, owner: str, house: House, attempts: int, seed: int, processes: int, made: Synchronized[int], findings: Findings
) -> list[Told]:
    """Everybody at once, in several processes, and somebody who looks on."""
    over = threading.Event()
    onlooker = threading.Thread(target=look_on, args=[owner, findings, over])
    people, share = CONNECTIONS // processes, attempts // processes
    with ProcessPoolExecutor(processes, mp_context=SPAWN, initializer=share_time, initargs=[made]) as pool:
        onlooker.start()
        try:
            crowds = [pool.submit(come, url, house, people, share, f"{seed}/{number}") for number in range(processes)]
            return [crowd.result() for crowd in crowds]
        finally:
            over.set()
            onlooker.join()


def look_on(owner: str, findings: Findings, over: threading.Event) -> None:
    while not over.wait(LOOK_EVERY):
        look(owner, findings)


def look(owner: str, findings: Findings) -> None:
    """Join the claims with themselves, and hold them against events and meetings, all in one snapshot."""
    engine = create_engine(owner.replace("postgresql://", "postgresql+psycopg://"), isolation_level="REPEATABLE READ")
    with Session(engine) as session:
        for row in session.execute(text(OVERLAPS)):
            findings.add("overlapping minutes", tuple(row))
        for what, query in CHECKS.items():
            for row in session.execute(text(query)):
                findings.add(what, tuple(row))
        for example in _misclaimed(session):
            findings.add("an event has not the claims that it calls for", example)
    engine.dispose()
    findings.looks += 1


def _misclaimed(session: Session) -> list[tuple[object, ...]]:
    """What events have and should not, or should and have not."""
    place = (TimeClaim.holder, TimeClaim.resource_id, TimeClaim.starts_at, TimeClaim.ends_at)
    had = Counter(tuple(row) for row in session.execute(select(*place).where(TimeClaim.holder.like("session/%"))))
    due: Counter[tuple[object, ...]] = Counter()
    for event in session.scalars(select(Event).where(Event.state == "published")):
        due.update((holder, one.resource_id, one.starts_at, one.ends_at) for holder, all_ in teaching.wanted(event).items() for one in all_)
    return [("has", *one) for one in had - due] + [("lacks", *one) for one in due - had]


def report(told: Sequence[Told], findings: Findings, attempts: int, seed: int, took: float, laid_over: int) -> None:
    outcomes: Counter[tuple[str, str]] = Counter()
    for one in told:
        outcomes += one.outcomes
    for act in sorted({act for act, _ in outcomes}):
        each = [(number, outcome) for (one, outcome), number in outcomes.items() if one == act]
        print(f"  {act:<16} {', '.join(f'{outcome} {number:,}' for number, outcome in sorted(each, reverse=True))}")
    for example in findings.examples:
        print(f"  {example}")
    refused = sum(number for (_, outcome), number in outcomes.items() if outcome in REFUSALS)
    print(f"{refused:,} refused because somebody was there first, {laid_over:,} laid over another with a reason.")
    print(f"Looked {findings.looks:,} times for overlapping minutes, and at what events and meetings have.")
    wrong = ", ".join(f"{what}: {number}" for what, number in findings.violations.items())
    print(f"{attempts:,} attempts over {CONNECTIONS} connections in {took:.0f} s (seed {seed}): {wrong or '0 violations'}")


if __name__ == "__main__":
    main()
