"""Reading an address that a person typed: what is refused, what is bounded, what comes back."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from seminars.gateways.fetch import Fetched, Fetcher, Forbidden, NotFetched, is_public

HERE = (ip_network("127.0.0.0/8"),)
Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def a_server(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """A server on this machine; its address, and the requests it has heard."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.path} {self.headers['Host']} {self.headers.get('If-None-Match', '')}".strip())
            answer(self)

        def log_message(self, *words: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(body)), **named}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def test_the_content_comes_with_its_mark_and_is_not_sent_twice() -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        (says(304, ETag='"1"') if request.headers.get("If-None-Match") == '"1"' else says(200, b"BEGIN", ETag='"1"'))(request)

    with a_server(answer) as (url, heard):
        first = Fetcher(HERE).get(f"{url}/rosa.ics?key=1")
        again = Fetcher(HERE).get(f"{url}/rosa.ics?key=1", etag=first.etag)

    host = url.removeprefix("http://")
    assert (first, again) == (Fetched(b"BEGIN", '"1"'), Fetched(None, '"1"'))
    assert heard == [f"/rosa.ics?key=1 {host}", f'/rosa.ics?key=1 {host} "1"']


def test_without_the_setting_nothing_of_this_machine_is_read() -> None:
    with a_server(says(200, b"secret")) as (url, heard):
        for address in (url, url.replace("http://", "https://"), url.replace("127.0.0.1", "localhost")):
            with pytest.raises(Forbidden, match="not on the public internet"):
                Fetcher().get(address)

    assert heard == []


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.1.2.3", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"])
def test_addresses_that_are(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("url", ["https://127.1/", "https://2130706433/", "https://0x7f.1/", "https://[::1]/", "https://[::ffff:7f00:1]/"])
def test_other_ways_to_write_this_machine_are_seen_through(url: str) -> None:
    with pytest.raises(NotFetched):
        Fetcher().get(url)


def test_a_name_with_one_private_address_among_its_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("93.184.216.34", "10.0.0.7")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **named: entries)

    with pytest.raises(Forbidden):
        Fetcher().get("https://calendar.example/rosa.ics")


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers otherwise the second time is not asked a second time."""
    asked: list[str] = []

    def resolve(host: str, port: int, *given: Any, **named: Any) -> list[Any]:
        if host != "calendar.example":
            return real(host, port, *given, **named)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    real = socket.getaddrinfo
    with a_server(says(200, b"BEGIN")) as (url, heard):
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        port = url.rpartition(":")[2]
        fetched = Fetcher(HERE).get(f"http://calendar.example:{port}/")

    assert fetched.body == b"BEGIN" and asked == ["calendar.example"] and heard == [f"/ calendar.example:{port}"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    with a_server(says(status, Location="http://127.0.0.1:1/")) as (url, heard):
        with pytest.raises(Forbidden, match="sends us on"):
            Fetcher(HERE).get(url)

    assert len(heard) == 1


@pytest.mark.parametrize(
    ("answer", "says_why"),
    [
        (says(404), "answered 404"), (says(500), "answered 500"), (says(200, b"x" * 2_000), "larger than 1 KB"),
        (says(200, b"x", Content_Encoding="gzip"), "packed"), (says(200, b"x", Content_Length="20"), "broke off"),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_used_says_why(answer: Answer, says_why: str) -> None:
    with a_server(answer) as (url, _):
        with pytest.raises(NotFetched, match=says_why):
            Fetcher(HERE, most_bytes=1_024).get(url)


def test_a_server_that_says_nothing_and_one_that_never_ends_are_left() -> None:
    over = threading.Event()

    def silent(request: BaseHTTPRequestHandler) -> None:
        over.wait(10)

    def drop_by_drop(request: BaseHTTPRequestHandler) -> None:
        says(200, b"", Content_Length="1000000")(request)
        try:
            while not over.wait(0.05):
                request.wfile.write(b"x")
        except OSError:
            return

    began = time.monotonic()
    for answer, why in ((silent, "did not answer in time"), (drop_by_drop, "too slowly")):
        with a_server(answer) as (url, _):
            with pytest.raises(NotFetched, match=why):
                Fetcher(HERE, timeout=0.3, longest=0.6).get(url)
            over.set()
        over.clear()

    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "ftp://example.org/", "https://", "https://user:word@example.org/", "https://exa mple.org/",
            "https://example.org:99999/", "https://example.org/\r\nX: y", "gopher://127.0.0.1:1/"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Forbidden):
        Fetcher(HERE).get(url)


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(NotFetched, match="could not be read: ConnectionRefusedError"):
        Fetcher(HERE).get(f"http://127.0.0.1:{port}/")
