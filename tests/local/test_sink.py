"""The mailbox's SMTP side, as smtplib sees it."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

import pytest


def a_mail(to="anna@mercy.example"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "seminars@northfield.example", to, "Ärger, nicht"
    message.set_content("Hello")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="invoice.pdf")
    return message


def send(mailbox, message, to):
    with smtplib.SMTP("127.0.0.1", mailbox.port, timeout=10) as smtp:
        return smtp.send_message(message, from_addr="bounces@northfield.example", to_addrs=to)


def test_a_mail_is_kept_to_the_byte_with_its_envelope(mailbox):
    raw = b"Subject: one\r\n\r\n.dots\r\n.\r\nand lines \r\n"
    with smtplib.SMTP("127.0.0.1", mailbox.port, timeout=10) as smtp:
        smtp.sendmail("bounces@northfield.example", ["anna@mercy.example", "ben@mercy.example"], raw)

    [mail] = mailbox.mails

    assert mail.raw == raw
    assert (mail.sender, mail.recipients) == ("bounces@northfield.example", ("anna@mercy.example", "ben@mercy.example"))


def test_parts_are_told_apart(mailbox):
    send(mailbox, a_mail(), ["anna@mercy.example"])

    [mail] = mailbox.to("anna@mercy.example")

    assert mail.subject == "Ärger, nicht"
    assert mail.text.text == "Hello\n"
    assert [(part.name, part.content) for part in mail.attachments] == [("invoice.pdf", b"%PDF-")]


def test_a_mailbox_that_does_not_exist_is_refused_for_good(mailbox):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(mailbox, a_mail(), ["nobody@refused.example"])

    assert [code for code, _ in refused.value.recipients.values()] == [550]
    assert mailbox.mails == []


def test_a_busy_mailbox_asks_to_come_back(mailbox):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(mailbox, a_mail(), ["later@busy.example"])

    assert [code for code, _ in refused.value.recipients.values()] == [451]


def test_one_refused_among_two_does_not_stop_the_other(mailbox):
    refused = send(mailbox, a_mail(), ["nobody@refused.example", "anna@mercy.example"])

    assert list(refused) == ["nobody@refused.example"]
    assert [mail.recipients for mail in mailbox.mails] == [("anna@mercy.example",)]


def test_a_cut_line_leaves_a_mail_that_the_sender_knows_nothing_of(mailbox):
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(mailbox, a_mail(), ["anna@cut.example"])

    assert len(mailbox.mails) == 1
