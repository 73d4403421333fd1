"""What stands before the application: the cache for what everybody sees alike, and the gate for foreign names."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from seminars.web.shared import microcache
from seminars.web.shared.hosts import OwnHostOnly
from seminars.web.shared.microcache import MicroCache
from seminars.web.shared.redirects import same_site
from tests.factories.programme import an_event

PUBLIC = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "public, no-cache")]


class Behind:
    """A bare WSGI application that counts how often it is asked."""

    def __init__(self, *headers: tuple[str, str], status: str = "200 OK", slow: float = 0) -> None:
        self.asked = 0
        self.headers = list(headers) or PUBLIC
        self.status = status
        self.slow = slow

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.asked += 1
        time.sleep(self.slow)
        start_response(self.status, list(self.headers))
        return [f"answer {self.asked} ".encode() * 200]


def ask(cache: MicroCache, path: str = "/", **environ: str) -> tuple[str, dict[str, str], bytes]:
    said: list[Any] = []
    given = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", **environ}
    body = b"".join(cache(given, lambda *told: said.extend(told)))  # type: ignore[arg-type]
    return said[0], dict(said[1]), body


def in_front_of(behind: Behind) -> MicroCache:
    return MicroCache(behind, paths=lambda path: path == "/", personal=["cart", "__Host-seminars"], hit=lambda status: None)  # type: ignore[arg-type]


def test_the_second_visitor_gets_the_stored_page() -> None:
    cache = in_front_of(behind := Behind())

    first, second = ask(cache), ask(cache)

    assert behind.asked == 1 and first[2] == second[2]


@pytest.mark.parametrize("cookies", ["cart=1", "theme=dark; cart=1", "__Host-seminars=x"])
def test_whoever_has_a_cookie_of_ours_reaches_the_application(cookies: str) -> None:
    cache = in_front_of(behind := Behind())
    ask(cache)

    ask(cache, HTTP_COOKIE=cookies)

    assert behind.asked == 2


def test_a_strangers_cookie_with_a_similar_name_changes_nothing() -> None:
    cache = in_front_of(behind := Behind())
    ask(cache)

    ask(cache, HTTP_COOKIE="mycart=1; campaign=cart")

    assert behind.asked == 1


@pytest.mark.parametrize(
    "behind",
    [
        Behind(*PUBLIC, ("Set-Cookie", "a=b")),
        Behind(("Content-Type", "text/html"), ("Cache-Control", "no-store")),
        Behind(*PUBLIC, status="404 NOT FOUND"),
    ],
)
def test_personal_pages_cookies_and_errors_are_never_stored(behind: Behind) -> None:
    cache = in_front_of(behind)

    ask(cache)
    ask(cache)

    assert behind.asked == 2


@pytest.mark.parametrize(
    "other",
    [{"QUERY_STRING": "q=x"}, {"HTTP_COOKIE": "theme=dark"}, {"HTTP_COOKIE": "zone=Europe%2FOslo"}, {"HTTP_ACCEPT_ENCODING": "gzip"}],
)
def test_each_query_theme_zone_and_encoding_has_its_own_page(other: dict[str, str]) -> None:
    cache = in_front_of(behind := Behind())
    ask(cache)

    ask(cache, **other)
    ask(cache, **other)

    assert behind.asked == 2


def test_only_reading_is_stored_and_a_head_is_a_page_without_its_body() -> None:
    cache = in_front_of(behind := Behind())
    whole = ask(cache)

    head = ask(cache, REQUEST_METHOD="HEAD")
    ask(cache, REQUEST_METHOD="POST")

    assert behind.asked == 2 and head[2] == b"" and head[1]["Content-Length"] == whole[1]["Content-Length"]


def test_who_has_the_page_already_is_told_so() -> None:
    cache = in_front_of(Behind())
    tag = ask(cache)[1]["ETag"]

    same = ask(cache, HTTP_IF_NONE_MATCH=f'"other", {tag}')
    other = ask(cache, HTTP_IF_NONE_MATCH='"other"')

    assert (same[0], same[2]) == ("304 Not Modified", b"") and other[0] == "200 OK"


def test_the_page_goes_compressed_to_who_reads_that() -> None:
    cache = in_front_of(Behind())

    plain, zipped = ask(cache), ask(cache, HTTP_ACCEPT_ENCODING="br, gzip")

    assert zipped[1]["Content-Encoding"] == "gzip" and gzip.decompress(zipped[2]).startswith(b"answer 2")
    assert "Content-Encoding" not in plain[1] and plain[1]["Vary"] == "Accept-Encoding, Cookie"


def test_a_crowd_costs_one_rendering() -> None:
    cache = in_front_of(behind := Behind(slow=0.2))
    crowd = [threading.Thread(target=ask, args=(cache,)) for _ in range(8)]

    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    assert behind.asked == 1


def test_a_page_is_renewed_after_two_seconds_and_its_store_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microcache, "FRESH", 0.0)
    monkeypatch.setattr(microcache, "MOST_PAGES", 3)
    cache = in_front_of(behind := Behind())

    for number in range(5):
        ask(cache, QUERY_STRING=f"q={number}")
    ask(cache, QUERY_STRING="q=4")

    assert behind.asked == 6 and len(cache._pages) == 3


@pytest.mark.parametrize(
    ("base", "host", "path", "status"),
    [
        ("https://seminars.example.org", "seminars.example.org", "/", "200"),
        ("https://seminars.example.org", "SEMINARS.example.org:443", "/", "200"),
        ("https://seminars.example.org", "seminars.example.org:8000", "/", "400"),
        ("https://seminars.example.org", "evil.example", "/", "400"),
        ("https://seminars.example.org", "seminars.example.org.evil.example", "/", "400"),
        ("https://seminars.example.org", "", "/", "400"),
        ("https://seminars.example.org", "127.0.0.1:8000", "/", "400"),
        ("https://seminars.example.org", "127.0.0.1:8000", "/health/ready", "200"),
        ("https://seminars.example.org", "evil.example", "/health/ready", "400"),
        ("http://localhost:8000", "localhost:8000", "/", "200"),
        ("http://localhost:8000", "localhost", "/", "400"),
    ],
)
def test_only_our_own_name_is_answered(base: str, host: str, path: str, status: str) -> None:
    gate = OwnHostOnly(Behind(), base)  # type: ignore[arg-type]
    said: list[Any] = []

    b"".join(gate({"HTTP_HOST": host, "PATH_INFO": path}, lambda *told: said.extend(told)))  # type: ignore[arg-type]

    assert said[0].startswith(status)


def test_a_forged_host_never_reaches_a_page_or_a_link(client: FlaskClient, session: Session) -> None:
    event = an_event(session)

    forged = client.get(f"/events/{event.reference}", headers={"Host": "evil.example"})
    forwarded = client.get(f"/events/{event.reference}", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"})

    assert forged.status_code == 400
    assert "evil.example" not in forwarded.text and 'href="http://localhost/events/' in forwarded.text


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x",
        "\t//evil.example",
        "/\t/evil",
        "",
        None,
        "relative",
    ],
)
def test_next_leads_to_a_path_of_this_site_or_nowhere(path: str | None) -> None:
    assert same_site(path, "/otherwise") == "/otherwise"


def test_next_may_be_any_path_of_ours() -> None:
    assert same_site("/orders?state=paid&q=a/b", "/") == "/orders?state=paid&q=a/b"


PAGES = ("/", "/zone", "/cart", "/nothing-here", "/programme.ics", "/sitemap.xml", "/robots.txt", "/health/live", "/static/x/seminars.css")


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_tells_browsers_what_it_may_do(client: FlaskClient, path: str) -> None:
    said = client.get(path).headers

    policy = said["Content-Security-Policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert said["X-Content-Type-Options"] == "nosniff" and said["X-Frame-Options"] == "DENY"
    assert said["Referrer-Policy"] == "same-origin" and said["Cross-Origin-Opener-Policy"] == "same-origin"
    assert said["Permissions-Policy"] and said["Cross-Origin-Resource-Policy"] == "same-origin"
    assert said["Cache-Control"] and ("charset=utf-8" in said["Content-Type"] or said["Content-Type"] == "application/json")


def test_personal_pages_are_kept_by_nobody(client: FlaskClient) -> None:
    assert [client.get(path).headers["Cache-Control"] for path in ("/cart", "/orders/x", "/registrations/x")] == ["no-store"] * 3


def test_metrics_are_for_inside_only(client: FlaskClient) -> None:
    client.get("/health/live")

    inside = client.get("/metrics")
    through_the_proxy = client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"})
    from_outside = client.get("/metrics", environ_overrides={"REMOTE_ADDR": "203.0.113.7"})

    assert inside.status_code == 200 and b"seminars_answers_total" in inside.data
    assert (through_the_proxy.status_code, from_outside.status_code) == (404, 404)


def test_ready_names_what_is_missing(app: Flask, client: FlaskClient) -> None:
    well = client.get("/health/ready")
    app.config["NEWEST_MIGRATION"] = "of tomorrow"
    behind = client.get("/health/ready")

    assert (
        well.status_code == 200
        and well.json is not None
        and well.json["status"] == "degraded"
        and well.json["broker"].startswith("degraded")
    )
    assert behind.status_code == 503 and behind.json is not None and "of tomorrow" in behind.json["migrations"]
