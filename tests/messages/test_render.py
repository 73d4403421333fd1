"""The form of a mail, octet by octet where it matters (calendar-mail §2, §5)."""

import email
import re
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from typing import Any

import pytest

from seminars.messages.render import LONGEST_SUBJECT, Attachment, Posted, Press
from tests.clock import NOON
from tests.messages.conftest import LETTERHEAD, ORDER

ICS = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:na\xc3\xafve\r\nEND:VCALENDAR\r\n"
PRESS = Press(LETTERHEAD, "a secret of this test")


def posted(**given: Any) -> Posted:
    return Posted(**{"id": 7, "key": "one", "kind": "invoices/receipt", "recipient": "anna@fjordview.example",
                     "recipient_name": "Anna Vestergren", "facts": ORDER, **given})  # fmt: skip


def raw(*attachments: Attachment, **given: Any) -> bytes:
    return PRESS.mail(posted(**given), attachments, now=NOON).raw


def parsed(*attachments: Attachment, **given: Any) -> EmailMessage:
    message = email.message_from_bytes(raw(*attachments, **given), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def shape(message: EmailMessage) -> Any:
    parts = [shape(part) for part in message.iter_parts()]  # type: ignore[arg-type]
    return (message.get_content_type(), parts) if parts else message.get_content_type()


def test_an_invitation_has_the_form_that_programs_read() -> None:
    mail = parsed(calendar=ICS, calendar_method="REQUEST")

    assert shape(mail) == ("multipart/mixed", [("multipart/alternative", ["text/plain", "text/html", "text/calendar"]), "application/ics"])
    text, attached = mail.get_payload()[0].get_payload()[2], mail.get_payload()[1]  # type: ignore[index, union-attr]
    assert text["Content-Type"] == 'text/calendar; method="REQUEST"; charset="UTF-8"'
    assert (text["Content-Transfer-Encoding"], text["Content-Disposition"]) == ("base64", None)
    assert text.get_payload(decode=True) == attached.get_payload(decode=True) == ICS
    assert "method" not in attached["Content-Type"]
    assert attached.get_filename() == "invite.ics"


def test_a_plain_letter_has_two_readings_and_nothing_else() -> None:
    assert shape(parsed()) == ("multipart/alternative", ["text/plain", "text/html"])


def test_the_head_says_who_writes_and_to_whom_to_answer() -> None:
    mail = parsed(thread="first")

    assert [str(mail[name]) for name in ("From", "To", "Reply-To", "Subject", "Auto-Submitted", "MIME-Version")] == [
        "Center for Social Media <seminars@northfield.example>",
        "Anna Vestergren <anna@fjordview.example>",
        "Center for Social Media <seminars@northfield.example>",
        "Receipt: invoice NC-2027-0001, $1,190.00",
        "auto-generated",
        "1.0",
    ]
    assert mail["In-Reply-To"] == mail["References"] == PRESS.message_id("first")
    assert mail["Message-ID"] == PRESS.message_id("one") and len(PRESS.message_id("one").split("@")[0]) <= 41
    assert mail["Idempotency-Key"] == mail["Resend-Idempotency-Key"] == PRESS.message_id("one").strip("<>")
    assert mail["Date"].datetime == NOON


def test_the_same_letter_gives_the_same_bytes() -> None:
    assert raw(calendar=ICS, calendar_method="REQUEST") == raw(calendar=ICS, calendar_method="REQUEST")


def test_no_line_is_too_long_and_every_line_ends_as_it_should() -> None:
    mail = raw(
        Attachment("a.pdf", bytes(range(256)) * 50), calendar=ICS, calendar_method="REQUEST", thread="first", recipient_name="Ünal " * 38
    )

    lines = mail.split(b"\r\n")
    assert max(map(len, lines)) <= 120
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", mail)
    assert mail.isascii()


@pytest.mark.parametrize("name", ["Jürgen Groß", "Anna, Dr.", 'A "B" C', "李 小龍", "x" * 150, "Ünal " * 38])
def test_names_arrive_as_they_were_written(name: str) -> None:
    # Read with the old parser: the new one puts blanks between encoded words, against RFC 2047 6.2.
    written = str(make_header(decode_header(email.message_from_bytes(raw(recipient_name=name))["To"])))

    assert parseaddr(written) == (name.strip(), "anna@fjordview.example")


@pytest.mark.parametrize("name", ["Anna\r\nBcc: all@x.example", "Anna\nSubject: free", "\r\n\r\nHello"])
def test_a_name_adds_no_header(name: str) -> None:
    mail = parsed(recipient_name=name)

    assert mail["Bcc"] is None
    assert len(mail.get_all("Subject")) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address", ["a@b.example\r\nBcc: x@y.example", "a b@c.example", "nobody", "<a@b.example>", "a@b.example,c@d.example"]
)
def test_an_address_that_is_none_makes_no_mail(address: str) -> None:
    with pytest.raises(ValueError, match="header"):
        raw(recipient=address)


@pytest.mark.parametrize("mark", ["<script>alert(1)</script>", '"><img src=x>', "{{ 7 * 7 }}", "{% raw %}"])
def test_what_people_typed_is_text_and_no_markup(mark: str) -> None:
    words = PRESS.words("invoices/receipt", {**ORDER, "buyer": mark, "number": mark, "order": mark})

    assert "<script>" not in words.html and "<img" not in words.html
    assert mark in words.text
    assert "49" not in words.text.replace(str(ORDER["total"]), "")


def test_subjects_stay_short() -> None:
    words = PRESS.words("invoices/receipt", {**ORDER, "number": "N" * 200})

    assert len(words.subject) == LONGEST_SUBJECT


def test_bounces_can_be_told_from_made_up_ones() -> None:
    address = PRESS.envelope_from(7)

    assert re.fullmatch(r"bounce\+7\.[0-9a-f]{16}@northfield\.example", address)
    assert Press(LETTERHEAD, "another").envelope_from(7) != address
    assert PRESS.envelope_from(8).split(".")[1] != address.split(".")[1]
