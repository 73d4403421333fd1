"""How fast an order for one seat of one hot event is placed through HTTP, beside a bare psycopg loop that makes the same writes.

    python -m benchmarks.placing_order [--orders 40] [--rounds 3]

Eight browsers each open the event's page and keep its token; then, measured, they press the two buttons: the event page's form holds a
seat, the checkout's form places the order and hands over to Stripe, which here is a few lines that answer at once (beside it, the rate
with our sandbox, whose own work then counts). The bare loop has eight processes with a connection each, and inserts and updates the same
rows with the same texts in the same four commits, with durable commits as a center runs them. PostgreSQL's own statistics must show that
both wrote as many rows of each table, or the figure is void.

Wanted: at least 0.10 of the bare loop's rate (the aim is 0.25) and at most 30 statements per order.
"""

from __future__ import annotations

import argparse
import http.client
import http.server
import json
import multiprocessing
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import psycopg
from psycopg.types.json import Jsonb

from benchmarks.mailing import database, environment
from seminars.kit.references import secret
from seminars.local.postgres import APPLICATION, SUPERUSER

WANTED, AIM, MOST_STATEMENTS, CLIENTS = 0.10, 0.25, 30, 8
PRICE = 119_000
SPAWN = multiprocessing.get_context("spawn")
WATCHED = ("carts", "cart_lines", "holds", "quotas", "orders", "order_lines", "registrations", "payment_attempts", "messages", "audit_entries")
Row = tuple[Any, ...]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--orders", type=int, default=40, help="orders of each client and round")
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    with database() as url, tempfile.TemporaryDirectory(prefix="seminars-orders-") as var:
        sys.exit(measure(url, var, given.orders, given.rounds))


def measure(url: str, var: str, orders: int, rounds: int) -> bool:
    """Measure in turns, print, and say whether a limit was missed."""
    shop = open_event(url)
    with quick_stripe() as stripe, web(url, var, stripe) as port:
        browse(port, shop, 6, clients=2)  # what is done once in each process
        parts = one_by_one(url, port, shop)
        sample = sample_order(url)
        rates: dict[str, list[float]] = {"http": [], "bare": []}
        cpu: list[float] = []
        wrote: dict[str, dict[str, float]] = {}
        for _ in range(rounds):
            before, spent = rows_written(url), cpu_seconds(port)
            rates["http"].append(browse(port, shop, orders))
            cpu.append((cpu_seconds(port) - spent) * 1000 / (orders * CLIENTS))
            between = rows_written(url)
            rates["bare"].append(bare(url, shop, sample, orders))
            after = rows_written(url)
            wrote = {"http": per_order(before, between, orders), "bare": per_order(between, after, orders)}
    with sandbox(var) as stripe, web(url, var, stripe) as port:
        browse(port, shop, 6, clients=2)
        with_sandbox = browse(port, shop, orders)
    return report(parts, rates, cpu, wrote, with_sandbox)


def report(parts: Parts, rates: dict[str, list[float]], cpu: list[float], wrote: dict[str, dict[str, float]], with_sandbox: float) -> bool:
    each = [http_rate / bare_rate for http_rate, bare_rate in zip(rates["http"], rates["bare"], strict=True)]
    ratio, same = statistics.median(each), wrote["http"] == wrote["bare"]
    print(f"{'placing an order':<44}{'measured':>10}{'wanted':>10}")
    print(f"{'rate, of a bare loop with the same writes':<44}{ratio:>10.3f}{f'>= {WANTED:g}':>10}")
    print(f"{'statements of one order':<44}{parts.statements:>10}{f'<= {MOST_STATEMENTS}':>10}")
    print(f"orders per second, by round: http {_list(rates['http'])}, bare {_list(rates['bare'])}; ratios {_list(each, 3)} (aim {AIM:g})")
    print(f"with our sandbox in Stripe's place: {with_sandbox:.0f} orders per second")
    print("one after another, for one order:")
    print(f"  hold    {parts.hold_ms:6.2f} ms")
    print(f"  order   {parts.order_ms:6.2f} ms, with Stripe's answer {parts.stripe_ms:.2f} ms away")
    print(f"  in SQL  {parts.sql_ms:6.2f} ms; {parts.hold_ms + parts.order_ms - parts.sql_ms:.2f} ms elsewhere")
    print(f"  web processes' own time with {CLIENTS} clients {statistics.median(cpu):.2f} ms")
    print("  " + ", ".join(f"{kind} {number:g}" for kind, number in parts.kinds.most_common()))
    print("rows written per order: " + ", ".join(f"{table} {number:g}" for table, number in sorted(wrote["http"].items())))
    if not same:
        print(f"The bare loop wrote other rows: {wrote['bare']}")
    return ratio < WANTED or parts.statements > MOST_STATEMENTS or not same


def _list(numbers: list[float], digits: int = 0) -> str:
    return "/".join(f"{number:.{digits}f}" for number in numbers)


# What is measured: browsers.


@dataclass(frozen=True)
class Shop:
    """What is for sale."""

    event_id: int
    ticket_type_id: int
    quota_id: int
    path: str


class Browser:
    """One visitor with a connection that stays open."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> str:
        return self._ask("GET", path, None)[1]

    def post(self, path: str, form: dict[str, str]) -> str:
        """The address that the answer leads to."""
        return self._ask("POST", path, urlencode(form))[0]

    def _ask(self, method: str, path: str, body: str | None) -> tuple[str, str]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                cookie, _, content = value.split(";", 1)[0].partition("=")
                self.cookies[cookie] = content
        assert answer.status == (303 if body else 200), f"{method} {path}: {answer.status}\n{text[:3000]}"
        return answer.getheader("Location", ""), text


def order_form(token: str, number: int) -> dict[str, str]:
    return {"csrf_token": token, "act": "order", "code": "", "total": str(PRICE), "self": "1", "name": "Maren Holt",
            "mail": f"maren.holt.{number}@lakeside.example", "org": "Lakeside Hospital", "address": "12 Shore Road\nDuluth, Minnesota 55802",
            "country": "US", "po": "PO-4711", "zone": "America/Chicago", "p1-prof": "Nurse educator", "p1-need": ""}  # fmt: skip


def press(browser: Browser, shop: Shop, token: str, number: int) -> tuple[float, float]:
    """Both buttons; the seconds that each took."""
    began = time.perf_counter()
    assert browser.post(f"{shop.path}/hold", {"csrf_token": token, f"places-{shop.ticket_type_id}": "1"}) == "/checkout"
    held = time.perf_counter()
    paid_at = browser.post("/checkout", order_form(token, number))
    assert "/orders/" not in paid_at or "payment-page" in paid_at, f"no payment page was made: {paid_at}"
    return held - began, time.perf_counter() - held


def look_around(browser: Browser, shop: Shop) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(shop.path))
    assert found
    return found[1]


def browse(port: int, shop: Shop, orders: int, clients: int = CLIENTS) -> float:
    """Orders per second of so many browsers at once, from the first press to the last answer."""
    return at_once(_browse, clients, orders, port, shop)


def _browse(barrier: Any, orders: int, port: int, shop: Shop) -> tuple[float, float]:
    browser = Browser(port)
    token = look_around(browser, shop)
    barrier.wait()
    began = time.monotonic()
    for number in range(orders):
        press(browser, shop, token, number)
    return began, time.monotonic()


def at_once(act: Any, clients: int, orders: int, *words: Any) -> float:
    """Orders per second of so many processes that begin together."""
    with SPAWN.Manager() as manager, SPAWN.Pool(clients) as pool:
        barrier = manager.Barrier(clients)
        spans = pool.starmap(act, [(barrier, orders, *words)] * clients)
    return clients * orders / (max(end for _, end in spans) - min(start for start, _ in spans))


# What it is measured against: the same writes.


def sample_order(url: str) -> dict[str, Any]:
    """Texts of an order that was placed: the bare loop writes as much."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT a.params, m.facts, m.kind, o.policies, e.after FROM orders o JOIN payment_attempts a ON a.order_id = o.id "
            "JOIN messages m ON m.key = 'order.received:' || o.id JOIN audit_entries e ON e.subject = 'order/' || o.id ORDER BY o.id DESC LIMIT 1"
        ).fetchone()
        assert row is not None
        return dict(zip(("params", "facts", "kind", "policies", "after"), row, strict=True))


def bare(url: str, shop: Shop, sample: dict[str, Any], orders: int) -> float:
    """Orders per second of so many connections that write them and do nothing else."""
    return at_once(_bare, CLIENTS, orders, url, shop, sample)


def _bare(barrier: Any, orders: int, url: str, shop: Shop, sample: dict[str, Any]) -> tuple[float, float]:
    with psycopg.connect(url) as connection:
        write_order(connection, shop, sample, 0)
        barrier.wait()
        began = time.monotonic()
        for number in range(1, orders):
            write_order(connection, shop, sample, number)
        return began, time.monotonic()


def write_order(connection: psycopg.Connection[Row], shop: Shop, sample: dict[str, Any], number: int) -> None:
    """The rows of one order in its four commits: held, placed, handing over, handed over."""
    run, now = connection.execute, datetime.now(UTC)
    ends = now + timedelta(minutes=20)
    cart = one(run("INSERT INTO carts (secret, state, created_at, ends_at) VALUES (%s, 'open', %s, %s) RETURNING id", [secret(), now, ends]))
    taken = run("UPDATE quotas SET taken = taken + 1 WHERE id = %s AND taken < size", [shop.quota_id])
    assert taken.rowcount == 1
    hold = one(run("INSERT INTO holds (holder, event_id, ticket_type_id, places, state, ends_at, created_at) VALUES (%s, %s, %s, 1, 'active', %s, %s) "
                   "RETURNING id", [f"cart/{cart}", shop.event_id, shop.ticket_type_id, ends, now]))  # fmt: skip
    run("INSERT INTO cart_lines (cart_id, ticket_type_id, places, hold_id) VALUES (%s, %s, 1, %s)", [cart, shop.ticket_type_id, hold])
    connection.commit()
    run("UPDATE carts SET state = 'ordered' WHERE id = %s", [cart])
    run("UPDATE holds SET state = 'consumed' WHERE id = %s AND state = 'active'", [hold])
    order = one(run(
        "INSERT INTO orders (number, secret, cart_id, state, channel, buyer_name, buyer_email, organisation, address, country, po_number, zone, currency, "
        "net, tax, total, policies, needs_review, dispute_open, paid_unplaced, placed_at) VALUES (%s, %s, %s, 'placed', 'web', 'Maren Holt', %s, "
        "'Lakeside Hospital', %s, 'US', 'PO-4711', 'America/Chicago', 'USD', %s, 0, %s, %s, '', false, false, %s) RETURNING id",
        [secret(), secret(), cart, f"maren.holt.{number}@lakeside.example", "12 Shore Road\nDuluth, Minnesota 55802", PRICE, PRICE,
         Jsonb(sample["policies"]), now]))  # fmt: skip
    run("INSERT INTO audit_entries (at, by, why, request_id, action, subject, before, after) VALUES (%s, 'visitor', 'register', %s, 'created', %s, NULL, %s)",
        [now, secret(), f"order/{order}", Jsonb(sample["after"])])  # fmt: skip
    seat = one(run(
        "INSERT INTO registrations (secret, event_id, ticket_type_id, order_reference, state, attendee_name, attendee_email, organisation, profession, needs, "
        "zone, comp, comp_reason, created_at) VALUES (%s, %s, %s, %s, 'held', 'Maren Holt', %s, 'Lakeside Hospital', 'Nurse educator', '', "
        "'America/Chicago', false, '', %s) RETURNING id",
        [secret(), shop.event_id, shop.ticket_type_id, f"order/{order}", f"maren.holt.{number}@lakeside.example", now]))  # fmt: skip
    run("INSERT INTO order_lines (order_id, position, registration_id, event_id, ticket_type_id, description, list_price, early_reduction, discount, net, "
        "tax_rate, tax) VALUES (%s, 1, %s, %s, %s, 'Social Media Residency, Two days', %s, 0, 0, %s, 0, 0)",
        [order, seat, shop.event_id, shop.ticket_type_id, PRICE, PRICE])  # fmt: skip
    attempt = one(run(
        "INSERT INTO payment_attempts (order_id, number, state, key, params, expires_at, decline_reason, trouble, created_at, found_by) "
        "VALUES (%s, 1, 'intent', %s, %s, %s, '', '', %s, '') RETURNING id",
        [order, f"seminars:127.0.0.1:order:{order}:1", Jsonb(sample["params"]), ends, now]))  # fmt: skip
    run('INSERT INTO messages (key, kind, recipient, recipient_name, facts, "references", state, reason, attempts, reply, not_before, created_at) '
        "VALUES (%s, %s, %s, 'Maren Holt', %s, %s, 'pending', '', 0, '', %s, %s)",
        [f"order.received:{order}", sample["kind"], f"maren.holt.{number}@lakeside.example", Jsonb(sample["facts"]), [f"order/{order}"], ends, now])  # fmt: skip
    run("SELECT pg_notify('seminars_bell', 'outbox')")
    connection.commit()
    run("UPDATE payment_attempts SET state = 'submitting', submitted_at = %s WHERE id = %s", [now, attempt])
    connection.commit()
    page = f"cs_test_{secret()}{secret()}"
    run("UPDATE payment_attempts SET state = 'open', session_id = %s, url = %s, expires_at = %s, checked_at = %s WHERE id = %s",
        [page, f"https://checkout.example/c/pay/{page}", ends, now, attempt])  # fmt: skip
    connection.commit()


def one(cursor: psycopg.Cursor[Row]) -> int:
    row = cursor.fetchone()
    assert row is not None
    number: int = row[0]
    return number


def rows_written(url: str) -> dict[str, int]:
    """Rows inserted and updated so far, by table, as PostgreSQL counts them."""
    with psycopg.connect(url, autocommit=True) as connection:
        time.sleep(1.5)  # idle connections hand in their counts within a second
        connection.execute("SELECT pg_stat_force_next_flush()")
        rows = connection.execute("SELECT relname, n_tup_ins + n_tup_upd FROM pg_stat_user_tables")
        return {name: number for name, number in rows}


def per_order(before: dict[str, int], after: dict[str, int], orders: int) -> dict[str, float]:
    found = {table: round((after[table] - number) / (orders * CLIENTS), 1) for table, number in before.items()}
    return {table: number for table, number in found.items() if number}


# Where the time goes.


@dataclass(frozen=True)
class Parts:
    """Of one order, with nobody else about: statements by kind, milliseconds."""

    statements: int
    kinds: Counter[str]
    hold_ms: float
    order_ms: float
    sql_ms: float
    stripe_ms: float


SAID = re.compile(r"duration: ([0-9.]+) ms(?:  (parse|bind|execute|statement)[^:]*: (.*))?")
CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


def one_by_one(url: str, port: int, shop: Shop, orders: int = 20) -> Parts:
    """Place some orders one after another while the server logs every statement with its time."""
    browser = Browser(port)
    token = look_around(browser, shop)
    for number in range(10):
        press(browser, shop, token, number)
    with psycopg.connect(url.replace(f"//{APPLICATION}@", f"//{SUPERUSER}@"), autocommit=True) as server:
        spans = [press(browser, shop, token, number) for number in range(orders)]
        log = Path(str(_value(server, "SHOW data_directory"))).parent / "log"
        length = log.stat().st_size
        _switch(server, "log_min_duration_statement = 0")
        for number in range(orders):
            press(browser, shop, token, number)
        _switch(server, "log_min_duration_statement = -1")
    with open(log, encoding="utf-8", errors="replace") as lines:
        lines.seek(length)
        said = [found.groups() for line in lines if (found := SAID.search(line)) and "ALTER SYSTEM" not in line and "pg_reload" not in line]
    if show := os.environ.get("SHOW_STATEMENTS"):
        Path(show).write_text("\n".join(f"{ms} {step} {query}" for ms, step, query in said))
    kinds: Counter[str] = Counter()
    for _, step, query in said:
        if step in ("execute", "statement") and query.strip():
            kinds[_kind(query)] += 1
    for kind in kinds:
        kinds[kind] = round(kinds[kind] / orders, 1)  # type: ignore[assignment]
    statements = round(sum(number for kind, number in kinds.items() if kind not in CONTROL))
    return Parts(statements, kinds, _ms(held for held, _ in spans), _ms(placed for _, placed in spans), sum(float(ms) for ms, _, _ in said) / orders,
                 QUICK_MS)  # fmt: skip


def _kind(query: str) -> str:
    words = query.split()
    if words[0].upper() != "WITH" and words[0].upper() not in CONTROL:
        table = re.search(r"(?:FROM|INTO|UPDATE)\s+(\w+)", query)
        return f"{words[0].upper()} {table[1]}" if table else f"{words[0].upper()} {words[1].split('(')[0]}" if len(words) > 1 else words[0].upper()
    return words[0].upper().rstrip(";")


def _value(connection: psycopg.Connection[Row], query: str) -> object:
    row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    return row[0]


def _switch(server: psycopg.Connection[Row], setting: str) -> None:
    server.execute(f"ALTER SYSTEM SET {setting}")  # type: ignore[arg-type]
    server.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)


def _ms(seconds: Iterator[float]) -> float:
    return statistics.median(seconds) * 1000


def cpu_seconds(port: int) -> float:
    """What the web server's processes have used of the processors so far."""
    total = 0
    for process in _family(_servers[port]):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def _family(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [parent, *(int(child) for child in children)]


# What stands around it.


def open_event(url: str) -> Shop:
    """One event in sixty days, with more seats than will be sold."""
    now = datetime.now(UTC)
    starts = now + timedelta(days=60)
    with psycopg.connect(url) as connection:
        run = connection.execute
        seminar = one(run("INSERT INTO seminars (slug, title, summary, abstract, outcomes, audience, credits, topic, created_at) "
                          "VALUES ('smr', 'Social Media Residency', '', '', '', '', '', '', %s) RETURNING id", [now]))  # fmt: skip
        policy = one(run("INSERT INTO refund_policies (name, days_before, fee, currency) VALUES ('Usual', 14, 7500, 'USD') RETURNING id"))
        event = one(run("INSERT INTO events (seminar_id, reference, title, state, format, zone, join_url, notes, listed, policy_id, starts_at, ends_at, "
                        "preview_secret, created_at) VALUES (%s, 'hot', 'Social Media Residency', 'published', 'online', 'America/Chicago', "
                        "'https://meet.example/r', '', true, %s, %s, %s, 'p', %s) RETURNING id",
                        [seminar, policy, starts, starts + timedelta(hours=8), now]))  # fmt: skip
        run("INSERT INTO event_sessions (event_id, title, agenda, starts_local, ends_local, all_day, starts_at, ends_at, room, join_url, state) "
            "VALUES (%s, '', '', %s, %s, false, %s, %s, '', '', 'planned')",
            [event, starts.replace(tzinfo=None), (starts + timedelta(hours=8)).replace(tzinfo=None), starts, starts + timedelta(hours=8)])  # fmt: skip
        quota = one(run("INSERT INTO quotas (event_id, name, size, taken) VALUES (%s, 'Seats', 1000000, 0) RETURNING id", [event]))
        kind = one(run("INSERT INTO ticket_types (event_id, name, position, price, currency, on_sale, most_per_order) "
                       "VALUES (%s, 'Two days', 0, %s, 'USD', true, 20) RETURNING id", [event, PRICE]))  # fmt: skip
        run("INSERT INTO ticket_type_quotas (ticket_type_id, quota_id) VALUES (%s, %s)", [kind, quota])
    return Shop(event, kind, quota, "/events/hot")


_servers: dict[int, int] = {}


@contextmanager
def web(url: str, var: str, stripe: str) -> Iterator[int]:
    """The web server as `seminars run web` starts it; its port."""
    port = free_port()
    env = environment(url, "smtp://127.0.0.1:1", var, BASE_URL=f"http://127.0.0.1:{port}", STRIPE_API_BASE=stripe)
    command = [sys.executable, "-m", "seminars.cli", "run", "web", "--port", str(port)]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _servers[port] = process.pid
    try:
        wait_for(port, process)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=40)


@contextmanager
def sandbox(var: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "seminars.sandbox", "--port", str(port), "--data", str(Path(var) / "stripe")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


QUICK_MS = 0.0


@contextmanager
def quick_stripe() -> Iterator[str]:
    """A neighbour that answers at once: a payment page for whoever asks."""
    global QUICK_MS
    port = free_port()
    process = SPAWN.Process(target=_answer, args=[port], daemon=True)
    process.start()
    try:
        wait_for(port, None)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        spans = []
        for _ in range(50):
            began = time.perf_counter()
            connection.request("POST", "/v1/checkout/sessions", "client_reference_id=order/1&expires_at=1")
            connection.getresponse().read()
            spans.append(time.perf_counter() - began)
        QUICK_MS = _ms(iter(spans))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.join()


class _Stripe(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        page = f"cs_test_{secret()}{secret()}"
        body = json.dumps({"id": page, "object": "checkout.session", "url": f"https://checkout.example/c/pay/{page}", "status": "open", "livemode": False,
                           "payment_status": "unpaid", "amount_total": PRICE, "currency": "usd", "metadata": {}, "payment_intent": None,
                           "client_reference_id": asked["client_reference_id"][0], "expires_at": int(asked["expires_at"][0])}).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        return


def _answer(port: int) -> None:
    http.server.ThreadingHTTPServer(("127.0.0.1", port), _Stripe).serve_forever()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes] | None) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process is None or process.poll() is None, "the server ended at once; start it by hand to see why"
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens at port {port}")


if __name__ == "__main__":
    main()
