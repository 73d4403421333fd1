"""How much memory a web process and a worker take after some traffic: their own pages and their share of common ones (PSS).

    python -m benchmarks.memory [--orders 40]

Web and worker are started by the commands that `run.py` and the containers use, beside a database, a broker, a mailbox and the sandbox of
their own; the worker once with threads, as `run.py` has it, and once with processes, as the containers have it. Then the public list, an
event's page, orders with payment pages, feeds and the sign-in page are asked for, and the workers send the mails that result, some with a
PDF. Each process must stay under its limit; those that only watch over others, and the sum of each family, are told beside them. The
process that sets PDFs lives for a batch and is not counted.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks._bare_order import Shop, open_event
from benchmarks._mailing import Sink, database, environment
from benchmarks.placing_order import Browser, free_port, look_around, press, sandbox, wait_for
from seminars.local.valkey import Broker
from tests import payer

WEB_LIMIT, WORKER_LIMIT, PAID = 150, 120, 10
MAILS_WITHIN = 120
PAGES = ("/", "/?q=residency", "/events/hot", "/seminars/smr", "/programme.ics", "/sitemap.xml", "/health/ready", "/zone")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--orders", type=int, default=40)
    given = asked.parse_args()
    with database() as url, tempfile.TemporaryDirectory(prefix="seminars-memory-") as var:
        sys.exit(measure(url, var, given.orders))


def measure(url: str, var: str, orders: int) -> bool:
    """Start everything, ask for everything, print what each process takes; whether one is over its limit."""
    shop, mails, port = open_event(url), Sink(), free_port()
    broker = Broker(Path(var) / "valkey").start()
    env = environment(url, mails.url, var, CELERY_BROKER_URL=broker.url, BASE_URL=f"http://127.0.0.1:{port}")
    takes: dict[str, list[float]] = {}
    try:
        with sandbox(var, "--webhook-url", f"{env['BASE_URL']}/hooks/stripe", "--webhook-secret", env["STRIPE_WEBHOOK_SECRET"]) as stripe:
            env["STRIPE_API_BASE"] = stripe
            with started(env, "web", "--port", str(port)) as web:
                wait_for(port, web)
                with started(env, "worker", "--pool", "threads", "--with-beat") as threads, started(env, "worker") as prefork:
                    visit(port, shop, orders, mails)
                    takes = {"web": pss(web.pid), "worker, threads": pss(threads.pid), "worker, prefork": pss(prefork.pid)}
    finally:
        broker.stop()
        mails.close()
    print(f"{'process':<24}{'MB (PSS)':>10}{'wanted':>10}")
    missed = False
    for name, (parent, *children) in takes.items():
        limit = WEB_LIMIT if name == "web" else WORKER_LIMIT
        for number, size in enumerate(children or [parent], start=1):
            missed |= size > limit
            print(f"{f'{name} {number}' if children else name:<24}{size:>10.0f}{f'<= {limit}':>10}")
        if children:
            print(f"{f'{name}, parent':<24}{parent:>10.0f}")
            print(f"{f'{name}, all':<24}{parent + sum(children):>10.0f}")
    print(f"after {orders} orders, of which {PAID} were paid, {len(mails.arrived)} mails, and each page asked for 20 times")
    return missed


def visit(port: int, shop: Shop, orders: int, mails: Sink) -> None:
    """What visitors do; until the mails that follow from it have arrived."""
    browser = Browser(port)
    for _ in range(20):
        for path in PAGES:
            browser.get(path)
    pages = []
    token = look_around(browser, shop)
    for number in range(orders):
        pages.append(press(browser, shop, token, number).pay_at)
        browser.get(shop.path)
    for page in pages[:PAID]:
        payer.pay(page)
    for _ in range(MAILS_WITHIN):
        if len(mails.arrived) >= 2 * PAID:
            return
        time.sleep(1)
    raise TimeoutError(f"only {len(mails.arrived)} of {2 * PAID} mails came within {MAILS_WITHIN} s")


def pss(parent: int) -> list[float]:
    """Proportional set size of a process and of its children, in MB."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [_pss(process) for process in (str(parent), *children)]


def _pss(process: str) -> float:
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024


@contextmanager
def started(env: dict[str, str], *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """One process as `seminars run` starts it."""
    command = [sys.executable, "-m", "seminars.cli", "run", *words]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


if __name__ == "__main__":
    main()
