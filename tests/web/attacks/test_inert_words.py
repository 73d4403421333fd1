"""Words of strangers and of staff run nowhere: not on a page, in a mail, in a calendar, in a table for spreadsheets, in search data."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from xml.etree import ElementTree

import pytest
from sqlalchemy import select

from seminars.db import db
from seminars.messages.models import Message
from seminars.messages.render import Posted, Press
from seminars.registration.models import Registration
from tests.factories.desk import NOON
from tests.web.attacks.markup import dangers_in, forms_of
from tests.web.attacks.target import Target

EVIL = """</script><script>alert(1)</script>"><img src=x onerror=alert(1)>'{{1234*5}}"""
LINKS = "[x](javascript:alert(1)) <javascript:alert(2)> ![y](https://evil.example/p.png) <iframe src=//evil.example></iframe> {{1234*5}}"
CALENDAR = "END:VEVENT\nBEGIN:VEVENT\nMETHOD:CANCEL\nATTENDEE;CN=Eve:mailto:eve@evil.example"
FORMULA = '=HYPERLINK("http://evil.example","x")'
LONG = f"{EVIL}\n\n{LINKS}\n\n{CALENDAR}"

EDITED = (
    ("/staff/seminars/{seminar}/edit", {"title": EVIL, "summary": EVIL}),
    ("/staff/seminars/{seminar}/edit", {"abstract": LONG, "outcomes": LONG, "audience": LONG, "credits": LONG}),
    ("/staff/venues/{venue}", {"name": EVIL, "city": EVIL, "region": EVIL, "address": LONG, "access_notes": LONG}),
    ("/staff/speakers/{speaker}", {"name": EVIL, "credentials": EVIL, "role": EVIL, "bio": LONG}),
    ("/staff/refund-rules/{policy}", {"name": EVIL}),
    ("/staff/tickets/{ticket}", {"name": EVIL}),
    ("/staff/sessions/{session}", {"title": EVIL + CALENDAR.replace("\n", ";CN="), "room": EVIL, "agenda": LONG}),
    ("/staff/events/{event}/edit", {"title": EVIL + ";CN=x", "notes": LONG, "why": EVIL}),
    ("/staff/people/{consultant}", {"name": EVIL}),
)  # fmt: skip
BUYER = {
    "name": EVIL, "mail": "eve@brackenmoor.example", "org": EVIL, "po": EVIL[:80], "address": LONG, "self": "1",
    "p1-prof": EVIL, "p1-need": EVIL, "p2-name": FORMULA, "p2-mail": "mallory@brackenmoor.example", "p2-prof": "@SUM(1)",
}  # fmt: skip


@pytest.fixture(scope="module")
def poisoned(target: Target) -> Target:
    """The center after everybody who can type anything has typed the worst."""
    admin, event = target.as_("admin"), target.ids["event"]
    for address, words in EDITED:
        path = address.format(**target.ids)
        form = next(form for form in forms_of(admin.get(path).text) if form.method == "post" and form.action in ("", path))
        data = {name: words.get(name, value) for name, value in form.sent} | {"agreed": "1"}
        answer = admin.post(path, data=data)
        assert answer.status_code == 303, (path, re.findall(r'class="[^"]*error[^"]*"[^>]*>(.*?)<', answer.text))
    for ticket in _tickets(target):
        data = BUYER | {"csrf_token": target.token("admin"), "places": "2", "ticket": str(ticket)}
        assert admin.post(f"/staff/events/{event}/register", data=data).status_code == 303
    table = f'Title,Date,Start,End,Place\n"{EVIL.replace(chr(34), chr(34) * 2)}",2027-06-01,09:00,10:00,{FORMULA.replace(",", ";")}\n'
    file = (io.BytesIO(table.encode()), EVIL.replace("/", "") + ".csv")
    sent = {"csrf_token": target.token("admin"), "seats": "5", "file": file}
    target.ids["run"] = int(admin.post("/staff/import", data=sent).headers["Location"].rsplit("/", 1)[1])
    with target.app.app_context():
        newest = db.session.scalars(select(Registration).order_by(Registration.id.desc())).first()
        assert newest is not None
        found = re.search(r"/orders/(\d+)$", newest.order_reference.replace("order", "/orders"))
        assert found
        target.ids |= {"order": int(found[1]), "own": newest.secret}
        db.session.remove()
    vars(target).pop("values", None)
    return target


def _tickets(target: Target) -> list[int]:
    from seminars.catalog.models import TicketType

    with target.app.app_context():
        found = select(TicketType.id).where(TicketType.event_id == target.ids["event"]).order_by(TicketType.price)
        return list(db.session.scalars(found))


def messages(target: Target) -> Iterator[Message]:
    with target.app.app_context():
        yield from db.session.scalars(select(Message).order_by(Message.id))
        db.session.remove()


def test_no_page_runs_what_somebody_typed(poisoned: Target) -> None:
    wrong, shown = [], 0

    for rule in poisoned.pages():
        role = "finance" if "/finance" in rule.rule else "admin" if rule.rule.startswith("/staff") else None
        answer = poisoned.as_(role).get(poisoned.path(rule))
        if answer.mimetype != "text/html":
            continue
        frames = ("svg", "iframe") if rule.endpoint == "staff.message" else ("svg",)
        found = dangers_in(answer.text, frames=frames) if rule.endpoint != "staff.letter" else []
        wrong += [(rule.rule, danger) for danger in found]
        wrong += [(rule.rule, sign) for sign in ("<script>alert", "<img src=x", "6170", 'javascript:alert(1)"') if sign in answer.text]
        shown += "&lt;script&gt;alert(1)" in answer.text

    assert wrong == []
    assert shown > 20


def test_search_and_data_for_machines_stay_what_they_are(poisoned: Target) -> None:
    visitor = poisoned.as_(None)
    page = visitor.get(f"/events/{poisoned.ids['reference']}").text

    [data] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    ElementTree.fromstring(visitor.get("/sitemap.xml").text)

    assert json.loads(data)["name"] == EVIL + ";CN=x"
    assert dangers_in(visitor.get("/", query_string={"q": EVIL}).text, frames=("svg",)) == []


def test_no_calendar_grows_lines_that_somebody_typed(poisoned: Target) -> None:
    visitor, wrong = poisoned.as_(None), []
    files = [visitor.get(f"/events/{poisoned.ids['reference']}.ics").text, visitor.get("/programme.ics").text]
    files += [visitor.get(f"/registrations/{poisoned.ids['own']}/calendar.ics").text]
    files += [bytes(message.calendar).decode() for message in messages(poisoned) if message.calendar]

    for file in files:
        lines = file.replace("\r\n ", "").replace("\r\n\t", "").split("\r\n")
        begun = [line for line in lines if line.startswith("BEGIN:VEVENT")]
        told = [line for line in lines if line.startswith(("METHOD:CANCEL", "ATTENDEE;CN=Eve"))]
        wrong += told + (lines if len(begun) != len([line for line in lines if line.startswith("UID")]) else [])
        wrong += [line for line in lines if "\n" in line or "\r" in line or not re.match(r"[A-Z-]+[;:]|$", line)]

    assert wrong == []
    assert len(files) > 6 and any("evil" in file for file in files)


def test_no_mail_carries_what_somebody_typed_as_a_header_or_as_markup(poisoned: Target) -> None:
    settings = poisoned.app.extensions["seminars"].settings
    press, read = Press(settings.letterhead, settings.secret_key), 0
    wrong: list[object] = []

    for message in messages(poisoned):
        calendar = bytes(message.calendar) if message.calendar else None
        posted = Posted(
            id=message.id, key=message.key, kind=message.kind, recipient=message.recipient, recipient_name=message.recipient_name,
            facts=message.facts, calendar=calendar, calendar_method=message.calendar_method, thread=message.thread,
        )  # fmt: skip
        raw = press.mail(posted, [], now=NOON).raw
        mail = message_from_bytes(raw, policy=default)
        html = next(part for part in mail.walk() if part.get_content_type() == "text/html").get_content()
        head = raw.split(b"\r\n\r\n", 1)[0].decode("ascii").split("\r\n")
        wrong += [line for line in head if not re.match(r"[A-Za-z-]+: |[ \t]", line)]
        wrong += [name for name in mail if name.lower() in ("bcc", "cc", "x-evil")]
        wrong += [(message.kind, one) for one in dangers_in(html) if "style" not in one or "alert" in one]
        wrong += [(message.kind, "6170")] if "6170" in html or "6170" in str(mail["Subject"]) else []
        assert [mail["To"].addresses[0].addr_spec, len(mail["To"].addresses)] == [message.recipient, 1]
        read += "&lt;script&gt;" in html

    assert wrong == []
    assert read > 5


def test_a_mail_on_the_desk_is_shown_where_nothing_can_run(poisoned: Target) -> None:
    admin = poisoned.as_("admin")

    for message in messages(poisoned):
        letter, page = admin.get(f"/staff/messages/{message.id}/letter"), admin.get(f"/staff/messages/{message.id}?view=raw")
        assert "script-src" not in letter.headers["Content-Security-Policy"] and "sandbox" in letter.headers["Content-Security-Policy"]
        assert "default-src 'none'" in letter.headers["Content-Security-Policy"]
        assert dangers_in(page.text, frames=("svg", "iframe")) == []


def test_the_table_for_spreadsheets_holds_no_formula(poisoned: Target) -> None:
    answer = poisoned.as_("admin").get(f"/staff/events/{poisoned.ids['event']}/roster.csv?state=all")

    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    formulas = [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")]

    assert formulas == [] and any(cell == "'" + FORMULA for row in rows for cell in row)
    assert {len(row) for row in rows} == {len(rows[0])}


@pytest.mark.parametrize(
    "name",
    ["A\r\nBcc: victim@x.example", "A\nB", "A\rB", "A\x00B", "A\x0bB",
     "A\x0cB", "A\x1bB", "A\x7fB", "A\x85B", "A\u2028B", "A\u2029B", "A\u202eB", "A\u2066B"],
    ids=ascii,
)  # fmt: skip
def test_a_name_of_several_lines_or_with_signs_that_mislead_is_refused_and_changes_nothing(target: Target, name: str) -> None:
    form = BUYER | {"csrf_token": target.token("front_desk"), "places": "1", "ticket": str(target.ids["ticket"])}
    before = target.holdings()

    statuses = [
        target.as_("front_desk").post(f"/staff/events/{target.ids['event']}/register", data=form | {field: name}).status_code
        for field in ("name", "org", "po", "p1-need")
    ]

    assert set(statuses) <= {400, 422}
    assert target.holdings() == before
