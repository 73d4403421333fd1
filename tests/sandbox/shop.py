"""A sandbox process, a shop's webhook endpoint, and what tests do with them."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import stripe

ROOT = Path(__file__).parents[2]
SHOP = "https://shop.example.org"
SECRET = "whsec_of_the_shop"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Sandbox:
    """A running sandbox and ways to speak to it."""

    data: Path
    port: int
    options: tuple[str, ...] = ()
    process: subprocess.Popen[str] | None = None
    said: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Sandbox":
        command = [sys.executable, "-m", "seminars.sandbox", "--port", str(self.port), "--data", str(self.data), *self.options]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        assert "ready" in self.said, "the sandbox did not start; its reason stands on stderr"
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(timeout=15)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return status

    def client(self, *, retries: int = 0, key: str = "sk_test_sandbox", **more: Any) -> Any:
        return stripe.StripeClient(
            key,
            base_addresses={"api": self.url},
            max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=(3, 20)),
            **more,
        )

    def raw(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": "Bearer sk_test_sandbox", **more.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=20, **more)

    def control(self, path: str, body: Any = None, *, method: str = "POST") -> Any:
        answer = requests.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def advance(self, **span: float) -> None:
        seconds = {"days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
        self.control("clock", {"advance": sum(seconds[name] * number for name, number in span.items())})

    def now(self) -> int:
        return int(self.control("clock", method="GET")["seconds"])

    def chaos(self, **switches: Any) -> None:
        self.control("chaos", switches)

    def until(self, true: Callable[[], bool], *, seconds: float = 8) -> None:
        ends = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < ends, "it did not come about in time"
            time.sleep(0.02)

    def flush(self) -> None:
        assert self.control("flush", {"seconds": 20})["flushed"]

    def log(self, what: str) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = self.control(f"log?what={what}", method="GET")["log"]
        return lines


@dataclass
class Post:
    """One webhook as it arrived."""

    body: bytes
    signature: str
    at: float
    headers: dict[str, str]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


@dataclass
class Shop:
    """A shop's webhook endpoint that answers as it is told and keeps what it got."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    answer: Callable[[Post], int] = lambda post: 200

    def types(self) -> list[str]:
        return [post.event["type"] for post in self.posts]

    def of(self, type_: str) -> list[Post]:
        return [post for post in self.posts if post.event["type"] == type_]

    def wait_for(self, type_: str, *, times: int = 1, seconds: float = 8) -> list[Post]:
        ends = time.monotonic() + seconds
        while len(self.of(type_)) < times:
            assert time.monotonic() < ends, f"{type_} did not arrive; there were {self.types()}"
            time.sleep(0.02)
        return self.of(type_)


def a_session(client: Any, *, amount: int = 59_500, quantity: int = 2, **more: Any) -> Any:
    """A checkout session for two seats."""
    line = {
        "price_data": {"currency": "usd", "product_data": {"name": "Social Media Residency"}, "unit_amount": amount},
        "quantity": quantity,
    }
    params = {
        "mode": "payment",
        "line_items": [line],
        "success_url": f"{SHOP}/thanks?session={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{SHOP}/checkout",
        **more,
    }
    return client.v1.checkout.sessions.create(params)


def listening(client: Any, shop: Shop, *types: str) -> Any:
    """An endpoint of the shop for these types of event, or all."""
    return client.v1.webhook_endpoints.create({"url": shop.url, "enabled_events": list(types or ("*",))})


def event_types(client: Any) -> list[str]:
    """The types of all events, oldest first."""
    return [event.type for event in client.v1.events.list({"limit": 100}).data][::-1]
