"""What the pages of an event cost with 100,000 registrations, beside what they cost with 100.

    python -m benchmarks.roster [--requests 60]

Two events stand in one database. Their pages (the event's own, the roster's first page, a page far into it) are asked for in turn by
somebody signed in; medians are compared, and each may cost at most 1.5 times as much for the large event as for the small one.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta

import psycopg
from flask import Flask
from flask.testing import FlaskClient
from flask_security import hash_password

from benchmarks import _mailing as mailing
from seminars.app import create_app
from seminars.catalog import events, seminars, tickets
from seminars.catalog.events import Block, EventFacts
from seminars.catalog.tickets import Ticket
from seminars.config import Settings
from seminars.db import transaction
from seminars.kit.clock import now
from seminars.kit.money import Money
from seminars.people import users

MOST, FEW, MANY = 1.5, 100, 100_000
EMAIL, PASSWORD = "desk@northfield.example", "a phrase for one run"

SEATS = """
WITH numbered AS (SELECT n, lpad(n::text, 6, '0') AS code FROM generate_series(1, %(many)s) n),
placed AS (
  INSERT INTO orders (number, secret, state, channel, buyer_name, buyer_email, organisation, address, country, po_number, zone, currency,
                      net, tax, total, policies, needs_review, dispute_open, paid_unplaced, placed_at, paid_at)
  SELECT 'B' || %(event)s || '-' || code, 'order' || %(event)s || '-' || code, 'paid', 'web', 'Buyer ' || code,
         'b' || code || '@hospital.example', 'Hospital ' || n %% 200, '', 'US', '', '', 'USD', 119000, 0, 119000, '[]', '', false, false,
         now(), now()
    FROM numbered RETURNING id, number),
seated AS (
  INSERT INTO registrations (secret, event_id, ticket_type_id, order_reference, state, attendee_name, attendee_email, organisation,
                             profession, needs, zone, comp, comp_reason, created_at, confirmed_at)
  SELECT 'seat' || placed.number, %(event)s, %(ticket)s, 'order/' || placed.id, 'confirmed', 'Person ' || md5(placed.number),
         'p' || placed.number || '@hospital.example', 'Hospital', '', '', '', false, '', now(), now()
    FROM placed RETURNING id, order_reference)
INSERT INTO order_lines (order_id, position, registration_id, event_id, ticket_type_id, description, list_price, early_reduction, discount,
                         net, tax_rate, tax)
SELECT split_part(order_reference, '/', 2)::bigint, 1, id, %(event)s, %(ticket)s, 'Two days', 119000, 0, 0, 119000, 0, 0 FROM seated
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--requests", type=int, default=60, help="how often each page is asked for")
    sys.exit(measure(asked.parse_args().requests))


def measure(requests: int) -> int:
    """Fill both events, ask for their pages in turn, print the ratios."""
    with mailing.database() as url, tempfile.TemporaryDirectory() as var, psycopg.connect(url, autocommit=True) as connection:
        app = create_app(Settings.from_env(mailing.environment(url, "smtp://127.0.0.1:1", var, BASE_URL="http://localhost")))
        small, large = _two_events(app, connection)
        client = _signed_in(app)
        worst = 0.0
        for name, few, many in _pages(connection, small, large):
            ratio, ours, theirs = _compared(client, few, many, requests)
            worst = max(worst, ratio)
            print(f"{name:<28} {ours:8.1f} ms at {FEW:,}   {theirs:8.1f} ms at {MANY:,}   ratio {ratio:5.2f}   at most {MOST}")
    return 0 if worst <= MOST else 1


def _two_events(app: Flask, connection: psycopg.Connection) -> tuple[int, int]:
    instant = now()
    starts = (instant + timedelta(days=60)).replace(tzinfo=None, hour=9, minute=0, second=0, microsecond=0)
    made: list[tuple[int, int, int]] = []
    with app.app_context(), transaction(by="benchmark") as session:
        users.create(session, name="Front Desk", email=EMAIL, roles=["front_desk"], password_hash=hash_password(PASSWORD), now=instant)
        seminar = seminars.create(session, seminars.SeminarFacts("Residency"), now=instant)
        for seats in (FEW, MANY):
            event = events.create(
                session, seminar, EventFacts(f"Residency for {seats}", "America/Chicago", "online"), capacity=seats, now=instant
            )
            events.add_session(session, event, Block(starts, starts + timedelta(hours=8)), now=instant)
            ticket_type = tickets.add_ticket_type(session, event, Ticket("Two days", Money(119_000, "USD")), now=instant)
            events.publish(session, event, now=instant)
            made.append((event.id, ticket_type.id, seats))
    for event_id, ticket_type_id, seats in made:
        connection.execute(SEATS, {"event": event_id, "ticket": ticket_type_id, "many": seats})
        connection.execute("UPDATE quotas SET taken = %s WHERE event_id = %s", (seats, event_id))
    connection.execute("VACUUM ANALYZE registrations, orders, order_lines, quotas, events")
    return made[0][0], made[1][0]


def _signed_in(app: Flask) -> FlaskClient:
    client = app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/staff/sign-in").text)
    assert token
    answer = client.post("/staff/sign-in", data={"email": EMAIL, "password": PASSWORD, "csrf_token": token.group(1)})
    assert answer.status_code == 302, answer.text
    return client


def _pages(connection: psycopg.Connection, small: int, large: int) -> list[tuple[str, str, str]]:
    """The pages by name, of the small event and of the large one. Far in means half-way down the names."""

    def far_in(event_id: int) -> str:
        place = "SELECT id, attendee_name FROM registrations WHERE event_id = %s ORDER BY attendee_name, id OFFSET %s LIMIT 1"
        count = connection.execute("SELECT count(*) FROM registrations WHERE event_id = %s", (event_id,)).fetchone()
        assert count is not None
        row = connection.execute(place, (event_id, count[0] // 2 - 1)).fetchone()
        assert row is not None
        return f"/staff/events/{event_id}/roster?after={row[0]}&name={row[1]}"

    def each(make: Callable[[int], str]) -> tuple[str, str]:
        return make(small), make(large)

    return [
        ("event page", *each(lambda event_id: f"/staff/events/{event_id}")),
        ("roster, first page", *each(lambda event_id: f"/staff/events/{event_id}/roster")),
        ("roster, half-way down", *each(far_in)),
    ]


def _compared(client: FlaskClient, few: str, many: str, requests: int) -> tuple[float, float, float]:
    times: dict[str, list[float]] = {few: [], many: []}
    for _ in range(requests + 3):
        for path in (few, many):
            began = time.perf_counter()
            answer = client.get(path)
            times[path].append(time.perf_counter() - began)
            assert answer.status_code == 200, (path, answer.status_code)
    ours, theirs = (statistics.median(times[path][3:]) * 1_000 for path in (few, many))
    return theirs / ours, ours, theirs


if __name__ == "__main__":
    main()
