"""The mailbox's pages: what is in a mail is shown and never run."""

from __future__ import annotations

import smtplib
import threading
from email.message import EmailMessage

import pytest
import requests

from seminars.local.mailbox.site import Server

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def site(mailbox):
    server = Server(mailbox.store, 0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def a_letter(subject="Your seat", html="<p>Hello <img src='cid:logo'></p>", text="See https://northfield.example/order?a=1&b=2."):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Center <seminars@northfield.example>", "anna@mercy.example", subject
    message["Message-ID"] = "<one@northfield.example>"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    message.get_payload()[1].add_related(b"\x89PNG", "image", "png", cid="<logo>")
    message.add_alternative("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u1\r\nSUMMARY:Residency\\, day\r\n  one\r\n"
                            "DTSTART;TZID=America/Chicago:20270322T090000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", subtype="calendar")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename='Rechnung "1" ü.pdf')
    return message


def arrived(mailbox, message):
    with smtplib.SMTP("127.0.0.1", mailbox.port) as smtp:
        smtp.send_message(message)
    return mailbox.mails[-1]


def test_a_mail_is_on_the_list_and_found_by_words(site, mailbox):
    mail = arrived(mailbox, a_letter())

    assert f"/messages/{mail.id}" in requests.get(site).text
    assert f"/messages/{mail.id}" in requests.get(site, params={"q": "YOUR seat"}).text
    assert f"/messages/{mail.id}" not in requests.get(site, params={"q": "invoice"}).text


@pytest.mark.parametrize(("view", "words"), [
    ("text", '<a href="https://northfield.example/order?a=1&amp;b=2" target="_blank" rel="noopener">'),
    ("calendar", "Residency, day one"), ("calendar", "METHOD:REQUEST"), ("headers", "Message-ID"), ("source", "Content-Type: multipart/"),
    ("html", "/html"),
])
def test_each_view_shows_its_part(site, mailbox, view, words):
    mail = arrived(mailbox, a_letter())

    assert words in requests.get(f"{site}/messages/{mail.id}", params={"view": view}).text


def test_what_came_as_a_script_is_shown_as_text(site, mailbox):
    mail = arrived(mailbox, a_letter(subject=EVIL, text=EVIL, html=EVIL))

    pages = [requests.get(site)] + [requests.get(f"{site}/messages/{mail.id}", params={"view": view})
                                    for view in ("html", "text", "calendar", "headers", "source")]

    assert [page.url for page in pages if EVIL in page.text] == []
    assert all("script-src" not in page.headers["Content-Security-Policy"] for page in pages)
    assert all(page.headers["Content-Security-Policy"].startswith("default-src 'none'") for page in pages)


def test_the_letter_itself_is_shut_in(site, mailbox):
    mail = arrived(mailbox, a_letter(html=EVIL))

    answer = requests.get(f"{site}/messages/{mail.id}/html")

    assert EVIL in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups") and "allow-scripts" not in policy and "allow-same-origin" not in policy
    assert "default-src 'none'" in policy


def test_pictures_of_the_letter_are_inside_it(site, mailbox):
    mail = arrived(mailbox, a_letter())

    assert "data:image/png;base64,iVBORw==" in requests.get(f"{site}/messages/{mail.id}/html").text


def test_an_attachment_is_saved_under_its_name_and_never_shown(site, mailbox):
    mail = arrived(mailbox, a_letter())
    [part] = mail.attachments

    answer = requests.get(f"{site}/messages/{mail.id}/parts/{part.number}")

    assert answer.content == b"%PDF-"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''Rechnung%20%221%22%20%C3%BC.pdf"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")


def test_programs_read_everything(site, mailbox):
    mail = arrived(mailbox, a_letter())

    [line] = requests.get(f"{site}/api/messages", params={"to": "anna@mercy.example", "subject": "seat"}).json()
    whole = requests.get(f"{site}/api/messages/{mail.id}").json()

    assert (line["id"], line["subject"], line["envelope"]["to"]) == (mail.id, "Your seat", ["anna@mercy.example"])
    assert "METHOD:REQUEST" in whole["calendar"] and whole["html"].startswith("<p>Hello")
    assert [part["name"] for part in whole["parts"] if part["attached"]] == ['Rechnung "1" ü.pdf']
    assert requests.get(site + whole["parts"][-1]["path"]).content == b"%PDF-"


def test_a_foreign_host_name_sees_nothing(site, mailbox):
    arrived(mailbox, a_letter())

    assert requests.get(f"{site}/api/messages", headers={"Host": "evil.example"}).status_code == 404


def test_a_foreign_page_cannot_empty_it_and_a_program_can(site, mailbox):
    arrived(mailbox, a_letter())

    foreign = requests.post(f"{site}/clear", headers={"Origin": "https://evil.example"})
    assert (foreign.status_code, len(mailbox.mails)) == (404, 1)

    assert requests.delete(f"{site}/api/messages").status_code == 204
    assert mailbox.mails == []


STRANGE = ["/messages/../secrets", "/messages/..%2Fsecrets", "/messages/x/parts/0", "/nothing", "/?page=0", "/?page=x"]


@pytest.mark.parametrize("path", STRANGE)
def test_what_is_not_there_is_told_or_shown_empty(site, mailbox, path):
    answer = requests.get(site + path)

    assert answer.status_code == (200 if path.startswith("/?") else 404)


def test_a_mail_that_is_hardly_one_is_still_shown(site, mailbox):
    raw = b"Subject: =?x-unknown?b?aGk=?=\r\nContent-Type: text/plain; charset=klingon\r\n\r\nh\xff\xfe\r\n"
    with smtplib.SMTP("127.0.0.1", mailbox.port) as smtp:
        smtp.sendmail("a@northfield.example", ["anna@mercy.example"], raw)
    [mail] = mailbox.mails

    for view in ("text", "headers", "source"):
        assert requests.get(f"{site}/messages/{mail.id}", params={"view": view}).status_code == 200
    assert requests.get(f"{site}/api/messages/{mail.id}").status_code == 200
