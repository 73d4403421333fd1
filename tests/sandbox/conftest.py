"""The sandbox as a process of its own, a shop's webhook endpoint, and the real library as its client."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.shop import Post, Sandbox, Shop, free_port


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            post = Post(body, self.headers["Stripe-Signature"], time.time(), dict(self.headers))
            shop.posts.append(post)
            self.send_response(shop.answer(post))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    shop.url = f"http://127.0.0.1:{server.server_address[1]}/webhook"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield shop
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One process for the tests of a session; each test begins with a reset."""
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"), free_port()).start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.control("reset")
    return running


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes of a test's own."""
    started: list[Sandbox] = []

    def start(*options: str, data: Path | None = None) -> Sandbox:
        one = Sandbox(data or tmp_path / f"data{len(started)}", free_port(), options).start()
        started.append(one)
        return one

    yield start
    for one in started:
        if one.process is not None:
            one.stop(signal.SIGKILL)


@pytest.fixture
def client(sandbox: Sandbox) -> Any:
    return sandbox.client()
