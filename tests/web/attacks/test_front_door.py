"""What every answer says to browsers, whatever was asked; and names, addresses and ways back that somebody forged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from seminars.app import create_app
from seminars.db import db
from tests import cluster as clusters
from tests.factories.desk import PASSWORD, Clock, press, settings, sign_in, token_of
from tests.web.attacks.target import Target

SECURE = "https://seminars.example"
PERSONAL = ("/cart", "/checkout", "/orders/", "/registrations/", "/staff")
# A letter is shown as it is, in a frame of ours that may do nothing (test_inert_words.py).
FRAMED = {"staff.letter", "staff.message"}


@pytest.fixture(scope="module")
def over_tls(target: Target, database: clusters.Database) -> Iterator[Flask]:
    """The same center, reached by https as in production."""
    app = create_app(settings(database.url, base_url=SECURE), now=Clock())
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_every_answer_says_what_browsers_may_do(target: Target) -> None:
    wrong: list[tuple[str, str]] = []
    asked = [(rule.endpoint, "GET", target.path(rule)) for rule in target.pages()]
    asked += [
        ("none", method, path) for method, path in (("GET", "/nothing"), ("POST", "/"), ("POST", "/cart"), ("TRACE", "/"), ("GET", "/%00"))
    ]
    asked += [("none", "GET", "/orders/x"), ("none", "GET", "/staff/events/999999"), ("none", "OPTIONS", "/cart")]

    for role in (None, "admin", "finance"):
        for endpoint, method, path in asked:
            answer = target.as_(role).open(path, method=method)
            said = answer.headers
            policy = said.get("Content-Security-Policy", "")
            if endpoint not in FRAMED and (
                "unsafe" in policy or "frame-ancestors 'none'" not in policy or said["X-Frame-Options"] != "DENY"
            ):
                wrong.append((path, policy))
            if "default-src 'none'" not in policy or "script-src 'unsafe" in policy:
                wrong.append((path, policy))
            if (
                said["X-Content-Type-Options"] != "nosniff"
                or said["Referrer-Policy"] != "same-origin"
                or "Access-Control-Allow-Origin" in said
            ):
                wrong.append((path, "headers"))
            if path.startswith(PERSONAL) and "no-store" not in said["Cache-Control"]:
                wrong.append((path, said["Cache-Control"]))
            if (
                answer.data
                and "charset=" not in said["Content-Type"]
                and said["Content-Type"] not in ("application/json", "application/pdf")
            ):
                wrong.append((path, said["Content-Type"]))
            if answer.mimetype == "text/html" and ("Traceback" in answer.text or "psycopg" in answer.text):
                wrong.append((path, "tells too much"))

    assert wrong == []


@pytest.mark.parametrize(
    "path",
    ["/.git/config", "/.env", "/console", "/static/../config.py", "/static/x/..%2fapp.py",
     "/static/x/", "/static/", "/openapi.json", "/server-status", "/admin", "/seminars.css~", "/metrics/", "/health", "/staff/..;/finance"],
)  # fmt: skip
def test_what_servers_forget_to_hide_is_not_here(target: Target, path: str) -> None:
    assert target.as_(None).get(path).status_code == 404


def test_no_debugger_listens(target: Target) -> None:
    answer = target.as_(None).get("/", query_string={"__debugger__": "yes", "cmd": "resource", "f": "debugger.js"})

    assert answer.mimetype == "text/html" and "function" not in answer.text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_counts_are_not_told_through_a_proxy(target: Target, header: str) -> None:
    assert target.as_(None).get("/metrics", headers={header: "127.0.0.1"}).status_code == 404


FORGED = (
    {"Host": "evil.example"},
    {"Host": "localhost@evil.example"},
    {"Host": "localhost:80@evil.example"},
    {"Host": "localhost:evil"},
    {"Host": "evil.example#localhost"},
    {"Host": "localhost/../evil"},
    {"Host": "localhost, evil.example"},
    {"Host": ""},
)
BEHIND = (
    {"X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Proto": "javascript", "X-Forwarded-Port": "666", "X-Forwarded-Prefix": "//evil.example"},
    {"Forwarded": "host=evil.example;proto=http", "X-Original-URL": "/staff/finance", "X-Rewrite-URL": "/staff/finance"},
    {"X-HTTP-Method-Override": "DELETE", "X-Original-Host": "evil.example", "X-Host": "evil.example"},
)


@pytest.mark.parametrize("headers", FORGED, ids=lambda headers: headers["Host"])
def test_a_name_that_is_not_ours_is_refused(target: Target, headers: dict[str, str]) -> None:
    for path in ("/", "/staff/sign-in", "/programme.ics", "/sitemap.xml"):
        assert target.as_(None).get(path, headers=headers).status_code == 400


@pytest.mark.parametrize("headers", BEHIND, ids=lambda headers: next(iter(headers)))
def test_what_a_stranger_says_of_a_proxy_is_not_believed(target: Target, headers: dict[str, str]) -> None:
    ids = target.ids

    for path in (
        "/",
        f"/events/{ids['reference']}",
        f"/events/{ids['reference']}.ics",
        "/programme.ics",
        "/sitemap.xml",
        f"/orders/{ids['order_secret']}",
    ):
        answer = target.as_(None).get(path, headers=headers)
        assert answer.status_code == 200 and "evil" not in answer.text and "evil" not in str(answer.headers)
    away = target.desk.app.test_client().get("/staff/finance", headers=headers)
    assert (away.status_code, away.headers["Location"]) == (302, "/staff/sign-in?next=/staff/finance")


def test_mails_lead_to_our_own_address_whatever_was_forged(target: Target) -> None:
    from seminars.messages.models import Message

    client = target.app.test_client()
    token = token_of(client, "/staff/password/forgotten")
    data = {"email": "consultant@northfield.example", "csrf_token": token}
    client.post("/staff/password/forgotten", data=data, headers={"X-Forwarded-Host": "evil.example", "Referer": "http://localhost/"})

    with target.app.app_context():
        newest = db.session.query(Message).order_by(Message.id.desc()).first()
        assert newest is not None and newest.facts["link"].startswith("http://localhost/staff/password/forgotten/")
        db.session.remove()


@pytest.mark.parametrize(
    "lure",
    ["//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example", "https://evil.example", "javascript:alert(1)",
     "/\t/evil.example", "\t//evil.example", "/\r\nLocation: //evil.example", "///evil.example", "http:///evil.example",
     " //evil.example", "/\x0b/evil.example", "evil.example"],
    ids=ascii,
)  # fmt: skip
def test_no_way_back_leads_away(target: Target, lure: str) -> None:
    client = target.desk.app.test_client()
    answers = [
        client.get("/staff/sign-in", query_string={"next": lure}),
        client.get("/", query_string={"theme": "dark", "next": lure, "q": lure}),
        target.as_("consultant").get("/staff/sign-in", query_string={"next": lure}),
        sign_in(client, "consultant@northfield.example", PASSWORD, next=lure),
    ]

    for answer in answers:
        location = answer.headers.get("Location", "/")
        assert location.startswith("/") and not location.startswith(("//", "/\\")) and "\n" not in location


def test_over_tls_no_cookie_travels_in_the_clear_or_to_a_script(over_tls: Flask, target: Target) -> None:
    client = over_tls.test_client()
    said = list(_cookies(client.get("/staff/sign-in", base_url=SECURE)))
    page = client.get(f"/events/{target.ids['reference']}", base_url=SECURE)
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, f"places-{target.ids['ticket']}": "1"}
    said += _cookies(client.post(f"/events/{target.ids['reference']}/hold", data=data, base_url=SECURE, headers={"Referer": f"{SECURE}/"}))
    said += _cookies(client.get("/?theme=dark", base_url=SECURE))
    said += _cookies(client.get("/?tz=Europe/Oslo", base_url=SECURE))

    names = {one.split("=", 1)[0] for one in said}
    assert names == {"__Host-seminars", "__Host-cart", "theme", "zone"}
    assert all("Secure" in one and "SameSite=Lax" in one and "Path=/" in one and "Domain" not in one for one in said)
    assert all("HttpOnly" in one for one in said if one.startswith("__Host-"))
    strict = client.get("/", base_url=SECURE).headers["Strict-Transport-Security"]
    assert int(strict.split("max-age=")[1].split(";")[0]) >= 31_536_000 and "includeSubDomains" in strict


def test_over_tls_a_form_sent_from_elsewhere_is_refused_even_with_its_token(over_tls: Flask, target: Target) -> None:
    client, address = over_tls.test_client(), f"/events/{target.ids['reference']}"
    token = client.get(address, base_url=SECURE).text.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, f"places-{target.ids['ticket']}": "1"}

    answers = [
        client.post(f"{address}/hold", data=data, base_url=SECURE, headers=headers).status_code
        for headers in (
            {},
            {"Referer": "https://evil.example/"},
            {"Referer": f"{SECURE}.evil.example/"},
            {"Referer": "http://seminars.example/"},
        )
    ]

    assert answers == [400] * 4


def _cookies(answer: object) -> list[str]:
    return list(answer.headers.getlist("Set-Cookie"))  # type: ignore[attr-defined]


def test_signing_out_by_a_mere_link_does_nothing(target: Target) -> None:
    client = target.as_("finance_approver")

    assert client.get("/staff/sign-out").status_code == 405 and client.get("/staff/").status_code == 200
    assert press(client, "/staff/sign-out", {"csrf_token": "x"}).status_code in (302, 400)
