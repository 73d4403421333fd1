"""Raw bytes at the server that we ship, and what it writes down of a failure."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import cluster as clusters
from tests.sandbox.shop import free_port
from tests.web.attacks.target import Target


@pytest.fixture(scope="module")
def server(database: clusters.Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The pages, served as in production by one process."""
    port = free_port()
    env = os.environ | {
        "BASE_URL": f"http://localhost:{port}", "SECRET_KEY": "k" * 40, "DATABASE_URL": database.url, "MAIL_FROM": "a@b.example",
        "CELERY_BROKER_URL": "redis://127.0.0.1:9/0", "SMTP_URL": "smtp://127.0.0.1:9", "STRIPE_API_BASE": "http://127.0.0.1:9",
        "STRIPE_SECRET_KEY": "sk_test_sandbox", "STRIPE_WEBHOOK_SECRET": "whsec_" + "x" * 32,
        "VAR_DIR": str(tmp_path_factory.mktemp("var")),
    }  # fmt: skip
    words = [sys.executable, "-m", "seminars.cli", "run", "web", "--port", str(port), "--processes", "1", "--threads", "4"]
    with subprocess.Popen(
        words, env=env, cwd=Path(__file__).resolve().parents[3], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        until = time.monotonic() + 60
        while time.monotonic() < until and not _listens(port):
            assert process.poll() is None
            time.sleep(0.1)
        yield port
        process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def said(port: int, request: str) -> bytes:
    """All that comes back until the server hangs up or has nothing more to say."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(request.replace("\n", "\r\n").replace("PORT", str(port)).encode("latin-1"))
        line.settimeout(1)
        found = b""
        try:
            while part := line.recv(65_536):
                found += part
        except TimeoutError:
            pass
    return found


REFUSED = {
    "another name in the first line": "GET http://evil.example/ HTTP/1.1\nHost: evil.example\n\n",
    "two names": "GET / HTTP/1.1\nHost: localhost:PORT\nHost: evil.example\n\n",
    "no name": "GET / HTTP/1.1\n\n",
    "two lengths": "POST /cart HTTP/1.1\nHost: localhost:PORT\nContent-Length: 4\nContent-Length: 40\n\nabcd",
    "length and chunks": "POST /cart HTTP/1.1\nHost: localhost:PORT\nContent-Length: 4\nTransfer-Encoding: chunked\n\n0\n\nGET / \n\n",
    "odd chunks": "POST /cart HTTP/1.1\nHost: localhost:PORT\nTransfer-Encoding: xchunked\n\n0\n\n",
    "space before the colon": "GET / HTTP/1.1\nHost : localhost:PORT\n\n",
    "a folded line": "GET / HTTP/1.1\nHost: localhost:PORT\n folded\n\n",
    "nul in a line": "GET / HTTP/1.1\nHost: localhost:PORT\nX: a\0b\n\n",
    "a negative length": "POST /cart HTTP/1.1\nHost: localhost:PORT\nContent-Length: -1\n\n",
    "trace": "TRACE / HTTP/1.1\nHost: localhost:PORT\nCookie: cart=secret\n\n",
    "nul in the path": "GET /orders/%00 HTTP/1.1\nHost: localhost:PORT\nConnection: close\n\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_two_servers_could_read_differently_is_refused(server: int, name: str) -> None:
    answer = said(server, REFUSED[name])

    assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 405", b"HTTP/1.1 501", b"HTTP/1.0 400"), answer[:200]
    assert answer.count(b"HTTP/1.1") == 1 and b"secret" not in answer and b"evil" not in answer.split(b"\r\n\r\n")[0]


def test_the_first_line_does_not_choose_the_name(server: int) -> None:
    answer = said(server, "GET http://evil.example/staff/finance HTTP/1.1\nHost: localhost:PORT\nConnection: close\n\n")

    assert answer.startswith(b"HTTP/1.1 302") and b"\r\nLocation: /staff/sign-in" in answer and b"evil" not in answer


def test_every_refusal_of_a_name_says_what_browsers_may_do(server: int) -> None:
    answer = said(server, "GET / HTTP/1.1\nHost: evil.example\nConnection: close\n\n")

    assert b"X-Content-Type-Options: nosniff" in answer and b"Content-Security-Policy: default-src 'none'" in answer


def test_a_failure_is_logged_by_its_number_and_without_its_secret(
    target: Target, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**_given: object) -> str:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setitem(target.app.view_functions, "orders.show", fails)
    with caplog.at_level(logging.ERROR):
        answer = target.as_(None).get(f"/orders/{target.ids['order_secret']}%0d%0aERROR%20forged")

    number = answer.headers["X-Request-Id"]
    assert answer.status_code == 500 and number in answer.text and "mistake" not in answer.text
    assert f"request {number} failed: GET orders.show" in caplog.text
    assert target.ids["order_secret"] not in caplog.text and "forged" not in caplog.text
