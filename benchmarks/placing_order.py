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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import psycopg

from benchmarks._bare_order import ADDRESS, PRICE, Shop, open_event, per_order, rows_written, sample_order, write_orders
from benchmarks._mailing import database, environment
from seminars.kit.references import secret
from seminars.local.postgres import APPLICATION, SUPERUSER

WANTED, AIM, MOST_STATEMENTS, CLIENTS = 0.10, 0.25, 30, 8
FORK = multiprocessing.get_context("fork")
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
    rates: dict[str, list[float]] = {"http": [], "bare": []}
    cpu: list[tuple[float, ...]] = []
    with quick_stripe() as stripe, web(url, var, stripe) as port:
        browse(port, shop, 6, clients=2)  # what is done once in each process
        parts = one_by_one(url, port, shop)
        sample = sample_order(url)
        server = postmaster(url)
        for _ in range(rounds):
            web_began, sql_began = processor_time(_servers[port]), processor_time(server)
            rates["http"].append(browse(port, shop, orders))
            web_ended, sql_between = processor_time(_servers[port]), processor_time(server)
            rates["bare"].append(at_once(write_orders, CLIENTS, orders, url, shop, sample))
            spans = (web_ended - web_began, sql_between - sql_began, processor_time(server) - sql_between)
            cpu.append(tuple(span * 1000 / (orders * CLIENTS) for span in spans))
    # Connections hand in their counts when they end: so what is counted lies between two servers.
    rows = [rows_written(url)]
    with sandbox(var) as stripe, web(url, var, stripe) as port:
        browse(port, shop, orders, clients=CLIENTS)
        with_sandbox = browse(port, shop, orders)
    rows.append(rows_written(url))
    at_once(write_orders, CLIENTS, orders, url, shop, sample)
    rows.append(rows_written(url))
    wrote = {"http": per_order(rows[0], rows[1], 2 * orders * CLIENTS), "bare": per_order(rows[1], rows[2], orders * CLIENTS)}
    return report(parts, rates, cpu, wrote, with_sandbox)


def report(
    parts: Parts, rates: dict[str, list[float]], cpu: list[tuple[float, ...]], wrote: dict[str, dict[str, float]], with_sandbox: float
) -> bool:
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
    web_ms, sql_ms, bare_ms = (statistics.median(part) for part in zip(*cpu, strict=True))
    print(f"processor time of one order with {CLIENTS} clients: web {web_ms:.1f} ms, PostgreSQL {sql_ms:.1f} ms")
    print(f"processor time of PostgreSQL for one order of the bare loop: {bare_ms:.1f} ms")
    print("  " + ", ".join(f"{kind} {number:g}" for kind, number in sorted(parts.kinds.items(), key=lambda item: -item[1])))
    print("rows written per order: " + ", ".join(f"{table} {number:g}" for table, number in sorted(wrote["http"].items())))
    if not same:
        print(f"The bare loop wrote other rows: {wrote['bare']}")
    return ratio < WANTED or parts.statements > MOST_STATEMENTS or not same


def _list(numbers: list[float], digits: int = 0) -> str:
    return "/".join(f"{number:.{digits}f}" for number in numbers)


# What is measured: browsers.


class Browser:
    """One visitor with a connection that stays open."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.cookies: dict[str, str] = {}
        self.address = "127.0.0.1"

    def get(self, path: str) -> str:
        return self._ask("GET", path, None)[1]

    def post(self, path: str, form: dict[str, str]) -> str:
        """The address that the answer leads to."""
        return self._ask("POST", path, urlencode(form))[0]

    def _ask(self, method: str, path: str, body: str | None) -> tuple[str, str]:
        headers = {"X-Forwarded-For": self.address} | ({"Content-Type": "application/x-www-form-urlencoded"} if body else {})
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
            "mail": f"maren.holt.{number}@lakeside.example", "org": "Lakeside Hospital", "address": ADDRESS,
            "country": "US", "po": "PO-4711", "zone": "America/Chicago", "p1-prof": "Nurse educator", "p1-need": ""}  # fmt: skip


@dataclass(frozen=True)
class Pressed:
    """What came of the two buttons: seconds, and the payment page."""

    hold: float
    order: float
    pay_at: str


def press(browser: Browser, shop: Shop, token: str, number: int) -> Pressed:
    """Both buttons, one after the other."""
    # One address may hold only so many seats that it has not paid for: here every order comes from another.
    browser.address = f"10.{os.getpid() % 250}.{number // 250 % 250}.{number % 250 + 1}"
    began = time.perf_counter()
    assert browser.post(f"{shop.path}/hold", {"csrf_token": token, f"places-{shop.ticket_type_id}": "1"}) == "/checkout"
    held = time.perf_counter()
    pay_at = browser.post("/checkout", order_form(token, number))
    assert "/orders/" not in pay_at or pay_at.endswith("/payment-page"), f"no payment page was made: {pay_at}"
    return Pressed(held - began, time.perf_counter() - held, pay_at)


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
    browser.connection.close()  # the others may take longer than the server keeps an idle connection
    barrier.wait()
    began = time.monotonic()
    for number in range(orders):
        press(browser, shop, token, number)
    return began, time.monotonic()


def at_once(act: Callable[..., tuple[float, float]], clients: int, orders: int, *words: Any) -> float:
    """Orders per second of so many processes that begin together."""
    barrier, ends = FORK.Barrier(clients, timeout=60), FORK.SimpleQueue()
    processes = [FORK.Process(target=_tell, args=[ends, act, barrier, orders, *words]) for _ in range(clients)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0, "a client failed; what it met stands above"
    spans = [ends.get() for _ in processes]
    return clients * orders / (max(end for _, end in spans) - min(start for start, _ in spans))


def _tell(ends: Any, act: Callable[..., tuple[float, float]], barrier: Any, orders: int, *words: Any) -> None:
    ends.put(act(barrier, orders, *words))


# Where the time goes.


@dataclass(frozen=True)
class Parts:
    """Of one order, with nobody else about: statements by kind, milliseconds."""

    statements: float
    kinds: dict[str, float]
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
        whole = lines.read().replace("\n\t", " ")  # a statement of several lines
    ours = (line for line in whole.splitlines() if "ALTER SYSTEM" not in line and "pg_reload_conf" not in line)
    said = [found.groups() for line in ours if (found := SAID.search(line))]
    kinds: Counter[str] = Counter()
    for _, step, query in said:
        if step in ("execute", "statement") and query.strip():
            kinds[_kind(query)] += 1
    each = {kind: number / orders for kind, number in kinds.items()}
    statements = round(sum(number for kind, number in each.items() if kind not in CONTROL), 1)
    in_sql = sum(float(ms) for ms, _, _ in said) / orders
    return Parts(statements, each, _ms(span.hold for span in spans), _ms(span.order for span in spans), in_sql, QUICK_MS)


def _kind(query: str) -> str:
    """«UPDATE holds»; what SQLAlchemy sends to see if a connection lives is a lone semicolon."""
    words = query.split()
    verb = words[0].upper().rstrip(";")
    table = re.search(r"(?:\bFROM|\bINTO|^UPDATE)\s+(\w+)", query)
    if not verb:
        return "is it alive?"
    return verb if verb in CONTROL or not table else f"{verb} {table[1]}"


def _value(connection: psycopg.Connection[Row], query: str) -> object:
    row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    return row[0]


def _switch(server: psycopg.Connection[Row], setting: str) -> None:
    server.execute(f"ALTER SYSTEM SET {setting}")  # type: ignore[arg-type]
    server.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)


def _ms(seconds: Iterator[float]) -> float:
    return statistics.median(seconds) * 1000


def processor_time(parent: int) -> float:
    """Seconds that a process and its children, also those that have ended, have computed so far."""
    ticks = 0
    for process in (parent, *map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def postmaster(url: str) -> int:
    """The process from which all processes of the database stem."""
    with psycopg.connect(url.replace(f"//{APPLICATION}@", f"//{SUPERUSER}@")) as connection:
        return int((Path(str(_value(connection, "SHOW data_directory"))) / "postmaster.pid").read_text().split()[0])


# What stands around it.


_servers: dict[int, int] = {}


@contextmanager
def web(url: str, var: str, stripe: str) -> Iterator[int]:
    """The web server as `seminars run web` starts it; its port."""
    port = free_port()
    env = environment(url, "smtp://127.0.0.1:1", var, BASE_URL=f"http://127.0.0.1:{port}", STRIPE_API_BASE=stripe, TRUSTED_PROXIES="1")
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
def sandbox(var: str, *options: str) -> Iterator[str]:
    """Our own stand-in for Stripe; its address."""
    port = free_port()
    command = [sys.executable, "-m", "seminars.sandbox", "--port", str(port), "--data", str(Path(var) / "stripe"), *options]
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
    process = FORK.Process(target=_answer, args=[port], daemon=True)
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
        answer = {"id": page, "object": "checkout.session", "url": f"https://checkout.example/c/pay/{page}", "status": "open",
                  "livemode": False, "payment_status": "unpaid", "amount_total": PRICE, "currency": "usd", "metadata": {},
                  "payment_intent": None, "client_reference_id": asked["client_reference_id"][0],
                  "expires_at": int(asked["expires_at"][0])}  # fmt: skip
        body = json.dumps(answer).encode()
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
