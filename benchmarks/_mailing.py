"""What the measuring and the breaking of the outbox share: a database, a mail server that counts, and people to write to."""

from __future__ import annotations

import os
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from aiosmtpd.controller import Controller
from psycopg.types.json import Jsonb

from seminars.calendars import ics
from seminars.calendars.entries import Entry
from seminars.local.postgres import APPLICATION, OWNER, Cluster, find_binaries
from seminars.migrations.run import upgrade

MAIL_FROM = "seminars@northfield.example"
START = datetime(2027, 3, 22, 14, tzinfo=UTC)


@contextmanager
def database(**settings: str) -> Iterator[str]:
    """A PostgreSQL of its own with our tables, and its address for the application's role; gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="seminars-measure-"))
    cluster = Cluster(home / "pg", binaries=find_binaries(os.environ.get("SEMINARS_PG_BIN")), settings=settings)
    cluster.start()
    try:
        cluster.create_roles()
        cluster.create_database("seminars")
        upgrade(cluster.url(OWNER, "seminars"))
        yield cluster.url(APPLICATION, "seminars")
    finally:
        cluster.stop()
        shutil.rmtree(cluster.socket_folder, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def environment(database_url: str, smtp_url: str, var: str, **more: str) -> dict[str, str]:
    """The settings of an installation around this database and this mail server."""
    return {
        **os.environ,
        "BASE_URL": "https://seminars.northfield.example",
        "SECRET_KEY": "a key for measuring that opens nothing anywhere",
        "DATABASE_URL": database_url,
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
        "SMTP_URL": smtp_url,
        "MAIL_FROM": MAIL_FROM,
        "STRIPE_API_BASE": "http://127.0.0.1:1",
        "STRIPE_SECRET_KEY": "sk_test_sandbox",
        "STRIPE_WEBHOOK_SECRET": "whsec_for_measuring_0001",
        "VAR_DIR": var,
        **more,
    }


class _Talk(socketserver.StreamRequestHandler):
    """One SMTP conversation with as little as possible around it."""

    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Listening

    def handle(self) -> None:
        try:
            self._converse()
        except ConnectionError:
            return  # the sender was killed

    def _converse(self) -> None:
        self._say("220 sink")
        recipient = ""
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self._say("354 go on")
                raw = self._mail()
                if raw is None:
                    return
                self.server.sink.keep(recipient, raw)
                self._say("250 kept")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            elif word == b"EHLO":
                self._say("250-sink\r\n250 PIPELINING")
            else:
                recipient = line[8:].strip(b"<>\r\n ").decode() if word == b"RCPT" else recipient
                self._say("250 ok")

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")
        self.wfile.flush()

    def _mail(self) -> bytes | None:
        """The mail up to its final dot; None if the sender died before it, for then nothing was handed over."""
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line.endswith(b"\r\n"):
                return None
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)


class _Listening(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    sink: Sink


class Sink:
    """A mail server on 127.0.0.1 that accepts everything and remembers when."""

    def __init__(self) -> None:
        self._server = _Listening(("127.0.0.1", 0), _Talk)
        self._server.sink = self
        self._lock = threading.Lock()
        self.arrived: list[tuple[float, str, bytes]] = []
        self.url = f"smtp://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def keep(self, recipient: str, raw: bytes) -> None:
        with self._lock:
            self.arrived.append((datetime.now(UTC).timestamp(), recipient, raw))

    def clear(self) -> None:
        with self._lock:
            self.arrived = []

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Forgetting:
    """What aiosmtpd calls with each mail."""

    async def handle_DATA(self, *_: object) -> str:
        return "250 kept"


class SinkProcess:
    """A mail server in a process of its own, which forgets what it is sent: aiosmtpd, or the few lines above that do less than any
    real one."""

    def __init__(self, kind: str) -> None:
        self._process = subprocess.Popen([sys.executable, "-m", "benchmarks._mailing", kind], text=True, stdout=subprocess.PIPE)
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def people(connection: psycopg.Connection[Any], number: int) -> None:
    """One event, and so many confirmed people in it."""
    times = {"now": START - timedelta(days=60), "starts": START, "ends": START + timedelta(hours=8), "number": number}
    for statement in _PEOPLE:
        connection.execute(statement, times)


_PEOPLE = (
    """
    INSERT INTO seminars (slug, title, summary, abstract, outcomes, audience, credits, topic, created_at)
    VALUES ('smr', 'Social Media Residency', '', '', '', '', '', '', %(now)s)
    """,
    """
    INSERT INTO events (seminar_id, reference, title, state, format, zone, join_url, notes, listed, preview_secret, created_at)
    VALUES (1, 'smr-1', 'Social Media Residency', 'published', 'online', 'America/Chicago', 'https://meet.example/r', '', true, 'p',
            %(now)s)
    """,
    """
    INSERT INTO event_sessions (event_id, title, agenda, starts_local, ends_local, all_day, starts_at, ends_at, room, join_url, state)
    VALUES (1, '', '', '2027-03-22 09:00', '2027-03-22 17:00', false, %(starts)s, %(ends)s, '', '', 'planned')
    """,
    """
    INSERT INTO ticket_types (event_id, name, position, price, currency, on_sale, most_per_order)
    VALUES (1, 'Seat', 0, 0, 'USD', true, 20)
    """,
    """
    INSERT INTO registrations (secret, event_id, ticket_type_id, order_reference, state, attendee_name, attendee_email,
                               organisation, profession, needs, zone, comp, comp_reason, created_at, confirmed_at)
    SELECT 'secret' || n, 1, 1, 'order/' || n, 'confirmed', 'Person ' || n, 'p' || n || '@fjordview.example',
           '', '', '', '', false, '', %(now)s, %(now)s
      FROM generate_series(1, %(number)s) n
    """,
)


def facts() -> dict[str, Any]:
    """What a usual confirmation says."""
    session = {"title": "", "starts_at": START.isoformat(), "ends_at": (START + timedelta(hours=8)).isoformat(), "zone": "America/Chicago",
               "all_day": False, "place": "", "join_url": "https://meet.example/r"}  # fmt: skip
    site = "https://seminars.northfield.example"
    return {
        "name": "Person 1",
        "event": "Social Media Residency",
        "event_page": f"{site}/events/smr-1",
        "page": f"{site}/registrations/secret",
        "sessions": [session],
        "home_zone": "",
        "map_url": "",
        "access_notes": "",
        "calendar": "attached",
        "order": "NC-2027-0001",
        "order_page": "",
        "bought_by": "Anna Vestergren",
        "paid": True,
        "refund": {"until": (START - timedelta(days=14)).isoformat(), "fee": {"amount": 7500, "currency": "USD"}},
    }


def confirmations(connection: psycopg.Connection[Any], number: int) -> None:
    """A confirmation with an invitation in the outbox for each of these people."""
    connection.execute(
        """
        INSERT INTO messages (key, kind, recipient, recipient_name, facts, "references", lane, revision, calendar_method, calendar,
                              state, reason, attempts, not_before, reply, created_at)
        SELECT 'cal:' || n, 'registration/confirmed', 'p' || n || '@fjordview.example', 'Person ' || n, %s,
               ARRAY['registration/' || n, 'session/1', 'order/' || n], 'uid' || n, 0, 'REQUEST', %s,
               'pending', '', 0, now(), '', now()
          FROM generate_series(1, %s) n
        """,
        [Jsonb(facts()), invitation(), number],
    )


def invitation() -> bytes:
    """The calendar part of a usual confirmation."""
    return ics.request_bytes(Entry(
        uid="00000000-0000-4000-8000-000000000000@northfield.example", sequence=0, dtstamp=START - timedelta(days=60),
        summary="Social Media Residency", starts_at=START, ends_at=START + timedelta(hours=8), zone="America/Chicago",
        organizer_email=MAIL_FROM, organizer_name="Center for Social Media", join_url="https://meet.example/r",
        url="https://seminars.northfield.example/registrations/secret", attendee_email="p1@fjordview.example", attendee_name="Person 1",
    ))  # fmt: skip


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def placed_orders(connection: psycopg.Connection[Any], number: int) -> None:
    """An order for each of these people, placed and not yet settled."""
    connection.execute("UPDATE registrations SET state = 'held', confirmed_at = NULL")
    connection.execute(
        """
        INSERT INTO orders (number, secret, state, channel, buyer_name, buyer_email, organisation, address, country, po_number, zone,
                            currency, net, tax, total, policies, needs_review, dispute_open, paid_unplaced, placed_at)
        SELECT 'NC-' || n, 's' || n, 'placed', 'web', 'Person ' || n, 'p' || n || '@fjordview.example', '', '', '', '', '',
               'USD', 0, 0, 0, '[]', '', false, false, %s
          FROM generate_series(1, %s) n ORDER BY n
        """,
        [START - timedelta(days=60), number],
    )
    connection.execute(
        """
        INSERT INTO order_lines (order_id, position, registration_id, event_id, ticket_type_id, description, list_price,
                                 early_reduction, discount, net, tax_rate, tax)
        SELECT n, 1, n, 1, 1, 'Seat', 0, 0, 0, 0, 0, 0 FROM generate_series(1, %s) n
        """,
        [number],
    )


def _serve(kind: str) -> None:
    if kind == "aiosmtpd":
        controller = Controller(_Forgetting(), hostname="127.0.0.1", port=free_port())
        controller.start()
        print(f"smtp://127.0.0.1:{controller.port}", flush=True)
        while True:
            time.sleep(60)
    sink = Sink()
    print(sink.url, flush=True)
    while True:
        time.sleep(1)
        sink.clear()


if __name__ == "__main__":
    _serve(sys.argv[1])
