"""Files that are no catalogues, and settings that cannot work: one clear sentence, and nothing is changed."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from seminars.config import Settings, WrongSetting
from tests.web.attacks.target import Target

HEAD = "Title,Date,Start,End\n"


def zipped(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr("catalogue.ics", data)
    return made.getvalue()


def calendar(*lines: str) -> bytes:
    event = ("BEGIN:VEVENT", "UID:1@x", "DTSTAMP:20270101T000000Z", "SUMMARY:Words", *lines, "END:VEVENT")
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *event, "END:VCALENDAR", "")).encode()


REFUSED = {
    "empty.csv": b"",
    "only a mark.csv": b"\xef\xbb\xbf",
    "bomb.ics": zipped(b"BEGIN:VCALENDAR\r\n" * 1_000_000),
    "bomb.csv": gzip.compress(b"Title,Date\n" * 1_000_000),
    "nul.csv": (HEAD + "a\x00b,2027-06-01,09:00,10:00\n").encode(),
    "nul.ics": calendar("DTSTART:2027\x000601T090000Z"),
    "binary.csv": bytes(range(256)) * 200,
    "picture.csv": b"\x89PNG\r\n\x1a\n" + b"\x00" * 3_000,
    "page.csv": b"<!doctype html><script>alert(1)</script>",
    "table.xlsx": zipped(b"<worksheet/>"),
    "nobody's letters.csv": b"\xff\xfeT\x00i\x00t\x00l\x00e",
    "quote bomb.csv": (HEAD + '"' * 1_000_001).encode(),
    "one line.csv": b"a" * 3_000_000,
    "no end.ics": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\n",
    "nested.ics": b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 20_000,
    "endless.ics": calendar("DTSTART:20270601T090000Z", "RRULE:FREQ=SECONDLY"),
    "doctype.csv": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "../../etc/passwd": b"root:x:0:0:root:/root:/bin/bash\n",
    "a\r\nb.csv": b"",
}


def upload(target: Target, name: str, data: bytes):  # type: ignore[no-untyped-def]
    client = target.as_("program")
    sent = {"csrf_token": target.token("program"), "seats": "20", "file": (io.BytesIO(data), name)}
    return client.post("/staff/import", data=sent)


CATALOGUE = ("events", "event_sessions", "seminars", "listings", "ticket_types", "venues", "speakers")


def made(target: Target) -> dict[str, str]:
    return {table: held for table, held in target.holdings().items() if table in CATALOGUE}


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_a_file_that_is_none_is_told_of_and_makes_nothing(target: Target, name: str) -> None:
    before = made(target)

    answer = upload(target, name, REFUSED[name])

    if answer.status_code == 303:  # read as a table or a calendar: then there is nothing in it that could be taken
        shown = target.as_("program").get(answer.headers["Location"])
        assert shown.status_code == 200 and "Make these" not in shown.text and "Make this" not in shown.text
    else:
        assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert made(target) == before


def test_more_than_a_file_may_hold_is_refused_unread(target: Target) -> None:
    assert upload(target, "large.csv", b"x" * 22 * 1024 * 1024).status_code == 413


def test_a_million_lines_are_refused_with_their_number(target: Target) -> None:
    answer = upload(target, "long.csv", HEAD.encode() + b"a,2027-06-01,9,10\n" * 1_000_000)

    assert answer.status_code == 422 and "20,000" in answer.text.replace("\u00a0", " ")


LETTERS = HEAD + "Gespräch führen,2027-06-01,09:00,10:00\n=cmd|' /C calc'!A0,2027-06-02,09:00,10:00\n"


def test_formulas_are_words(target: Target) -> None:
    shown = target.as_("program").get(upload(target, "old.csv", LETTERS.encode("utf-8-sig")).headers["Location"]).text

    assert "Gespräch führen" in shown and "=cmd|" in shown


@pytest.mark.parametrize(("encoding", "named"), [("utf-16", "UTF-16"), ("cp1252", "windows-1252")])
def test_letters_in_another_encoding_are_told_of(target: Target, encoding: str, named: str) -> None:
    answer = upload(target, "old.csv", LETTERS.encode(encoding))

    assert answer.status_code == 422 and named in answer.text


def test_too_many_fields_and_files_are_refused(target: Target) -> None:
    token = target.token("program")
    many = {f"f{number}": "x" for number in range(5_000)} | {"csrf_token": token}

    answer = target.as_("program").post("/staff/import", data=many, content_type="multipart/form-data")

    assert answer.status_code == 413


GOOD = {
    "BASE_URL": "https://seminars.example.org",
    "SECRET_KEY": "s" * 40,
    "DATABASE_URL": "postgresql://app@localhost/seminars",
    "CELERY_BROKER_URL": "redis://localhost:6379/0",
    "SMTP_URL": "smtp+starttls://u:p@mail.example.org:587",
    "MAIL_FROM": "seminars@example.org",
    "STRIPE_API_BASE": "http://127.0.0.1:1",
    "STRIPE_SECRET_KEY": "sk_test_x",
    "STRIPE_WEBHOOK_SECRET": "whsec_" + "x" * 32,
}
WRONG = (
    ("BASE_URL", ""),
    ("BASE_URL", "seminars.example.org"),
    ("BASE_URL", "ftp://seminars.example.org"),
    ("BASE_URL", "javascript:alert(1)"),
    ("BASE_URL", "http://seminars.example.org"),
    ("BASE_URL", "https://seminars.example.org:http"),
    ("BASE_URL", "https://"),
    ("BASE_URL", "https://seminars.example.org/path"),
    ("BASE_URL", "https://user:secret@seminars.example.org"),
    ("BASE_URL", "https://seminars.example.org?x=1"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "-1"),
    ("PORT", "80.5"),
    ("PORT", "٣٠٠٠"),
    ("SECRET_KEY", ""),
    ("SECRET_KEY", "short"),
    ("SECRET_KEY", "changeme"),
    ("DATABASE_URL", ""),
    ("DATABASE_URL", "sqlite:///x.db"),
    ("DATABASE_URL", "mysql://localhost/x"),
    ("DATABASE_OWNER_URL", "sqlite:///x.db"),
    ("CELERY_BROKER_URL", "amqp://localhost"),
    ("SMTP_URL", "mail.example.org"),
    ("SMTP_URL", "smtp://user:secret@mail.example.org:25"),
    ("MAIL_FROM", ""),
    ("MAIL_FROM", "nobody"),
    ("MAIL_FROM", "Center <seminars@example.org>"),
    ("MAIL_FROM", "a@b.example,c@d.example"),
    ("MAIL_FROM", "a@b.example\r\nBcc: c@d.example"),
    ("STRIPE_API_BASE", "api.stripe.com"),
    ("STRIPE_SECRET_KEY", ""),
    ("STRIPE_SECRET_KEY", "pk_test_x"[:3] + "x"),
    ("STRIPE_SECRET_KEY", "sk_live_x"),
    ("STRIPE_WEBHOOK_SECRET", ""),
    ("STRIPE_WEBHOOK_SECRET", "test"),
    ("STRIPE_WEBHOOK_SECRET", "whsec_"),
    ("STRIPE_WEBHOOK_SECRET", "whsec_" + "x" * 32 + ","),
    ("TRUSTED_PROXIES", "yes"),
    ("TRUSTED_PROXIES", "-1"),
    ("TRUSTED_PROXIES", "99"),
    ("CENTER_CONFIG", "/nonexistent/center.toml"),
)


@pytest.mark.parametrize(("name", "value"), WRONG, ids=ascii)
def test_a_wrong_setting_is_refused_by_its_name_with_its_remedy_and_without_its_secret(name: str, value: str) -> None:
    assert Settings.from_env(GOOD)

    with pytest.raises(WrongSetting) as refused:
        Settings.from_env(GOOD | {name: value})

    sentence = str(refused.value)
    assert sentence.startswith(name) and any(
        word in sentence for word in ("Set it", "Set a", "Use", "Put", "must be", "Copy", "Start from", "Unset")
    )
    assert "secret@" not in sentence and "sk_live_x" not in sentence


CENTERS = ('zone = "Mars/Base"', 'currency = "dollars"', 'surprise = "x"', "name = ", 'name = 7', 'address = "one line"', 'topics = "x"',
           'finance_second_factor = "yes"', 'currency = 7', 'topics = {a = 1}', 'address = [1]')  # fmt: skip


@pytest.mark.parametrize("text", CENTERS)
def test_a_center_that_cannot_be_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "center.toml").write_text(text + "\n", "utf-8")

    with pytest.raises(WrongSetting, match="CENTER_CONFIG"):
        Settings.from_env(GOOD | {"CENTER_CONFIG": str(tmp_path / "center.toml")})
