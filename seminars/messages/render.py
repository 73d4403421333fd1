"""From facts to the bytes of a mail: words from templates/mail, form after RFC 5322, 2045, 6047 (calendar-mail §2, §5)."""

import functools
import hashlib
import hmac
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import Compat32
from email.utils import format_datetime, formataddr
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from seminars.config import Letterhead
from seminars.messages.filters import FILTERS

LONGEST_SUBJECT = 60
LANGUAGE = "en"


# The old policy: the new one turns long identifications into encoded words, which no program reads (cpython 100991). At 998 (RFC 5322
# 2.1.1) it folds nothing; what must be folded is folded where it is made.
class _Wire(Compat32):
    def fold_binary(self, name: str, value: Any) -> bytes:
        """A header as it is sent. One that is plain and short stays as it is; taking it apart first is a fifth of all the work."""
        if isinstance(value, str) and len(value) < SHORT and value.isascii() and value.isprintable() and value == value.strip():
            return f"{name}: {value}\r\n".encode("ascii")
        return super().fold_binary(name, value)


SHORT = 900
WIRE = _Wire(linesep="\r\n", max_line_length=998)


@dataclass(frozen=True)
class Words:
    """One letter in words."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Attachment:
    """A document that goes with a letter."""

    name: str
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Posted:
    """All that a mail is made from, as it stands in the outbox."""

    id: int
    key: str
    kind: str
    recipient: str
    recipient_name: str
    facts: dict[str, Any]
    references: tuple[str, ...] = ()
    calendar_method: str | None = None
    calendar: bytes | None = None
    thread: str | None = None


@dataclass(frozen=True)
class Mail:
    """The bytes of a mail, and what of them is worth a column."""

    subject: str
    message_id: str
    raw: bytes


class Press:
    """Words and forms mails for one installation. `secret` signs the addresses to which undeliverable mails return."""

    def __init__(self, letterhead: Letterhead, secret: str, templates: Path | None = None) -> None:
        self.letterhead = letterhead
        self._secret = hashlib.sha256(f"bounces:{secret}".encode()).digest()
        self._domain = letterhead.mail_from.rpartition("@")[2]
        self._wordings = Environment(
            loader=FileSystemLoader(templates or _templates()),
            autoescape=select_autoescape(("html",), default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._wordings.filters.update(FILTERS)
        self._wordings.globals.update(center=letterhead.center, base_url=letterhead.base_url)

    def words(self, kind: str, facts: dict[str, Any], name: str = "") -> Words:
        """One letter's subject, plain text and HTML."""
        given = {"recipient_name": name, **facts}
        subject = " ".join(self._worded(kind, "subject.txt", given).split())
        if len(subject) > LONGEST_SUBJECT:
            subject = subject[: LONGEST_SUBJECT - 1].rstrip() + "…"
        return Words(subject, self._worded(kind, "body.txt", given), self._worded(kind, "body.html", given | {"subject": subject}))

    def message_id(self, key: str) -> str:
        """The Message-ID of the letter with this key: the same whenever it is asked."""
        return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{self._domain}>"

    def envelope_from(self, message_id: int) -> str:
        """Where this one mail returns to when it can't be delivered; signed, so that nobody can make up bounces."""
        proof = hmac.new(self._secret, str(message_id).encode(), hashlib.sha256).hexdigest()[:16]
        return f"bounce+{message_id}.{proof}@{self._domain}"

    def mail(self, posted: Posted, attachments: Sequence[Attachment], *, now: datetime) -> Mail:
        """The mail, ready to be handed over. Raises ValueError where no mail can be made of it."""
        words = self.words(posted.kind, posted.facts, posted.recipient_name)
        message_id = self.message_id(posted.key)
        boundary = hashlib.sha256(f"boundary:{posted.key}".encode()).hexdigest()[:32]
        readings: list[Message] = [_text_part(words.text, "plain"), _text_part(words.html, "html")]
        documents = [_document_part(attachment) for attachment in attachments]
        if posted.calendar is not None:
            readings.append(_calendar_part(posted.calendar, posted.calendar_method or ""))
            documents.insert(0, _invite_file(posted.calendar))
        message: Message = MIMEMultipart("alternative", f"=_a{boundary}", readings)
        if documents:
            del message["MIME-Version"]
            message = MIMEMultipart("mixed", f"=_m{boundary}", [message, *documents])
        for name, value in self._head(posted, words.subject, message_id, now):
            message[name] = value
        return Mail(words.subject, message_id, message.as_bytes(policy=WIRE))

    def _head(self, posted: Posted, subject: str, message_id: str, now: datetime) -> list[tuple[str, str]]:
        center = self.letterhead.center
        head: list[tuple[str, str]] = [
            ("From", _mailbox("From", center.name, self.letterhead.mail_from)),
            ("To", _mailbox("To", posted.recipient_name, posted.recipient)),
            ("Reply-To", _mailbox("Reply-To", center.name, center.email)),
            ("Subject", subject if subject.isascii() else Header(subject, "utf-8", header_name="Subject").encode()),
            ("Date", format_datetime(now)),
            ("Message-ID", message_id),
        ]
        if posted.thread:
            first = self.message_id(posted.thread)
            head += [("In-Reply-To", first), ("References", first)]
        head.append(("Auto-Submitted", "auto-generated"))
        # A relay that knows one of these takes a second copy for what it is (reliability-security §3).
        return head + [(name, message_id.strip("<>")) for name in ("Idempotency-Key", "Resend-Idempotency-Key")]

    def _worded(self, kind: str, part: str, facts: dict[str, Any]) -> str:
        return self._wordings.get_template(f"{kind}/{LANGUAGE}/{part}").render(facts)


@functools.lru_cache(maxsize=8)
def press_of(letterhead: Letterhead, secret: str) -> Press:
    """The press of an installation, with its wordings read once."""
    return Press(letterhead, secret)


def _text_part(text: str, kind: str) -> Message:
    part = MIMENonMultipart("text", kind, charset="utf-8")
    return _filled(part, b2a_qp(text.encode(), istext=True), "quoted-printable")


def _calendar_part(calendar: bytes, method: str) -> Message:
    # In base64: text would have its line ends changed, and gateways that add footers break anything else.
    part = MIMENonMultipart("text", "calendar", method=method, charset="UTF-8")
    return _filled(part, encodebytes(calendar), "base64")


def _invite_file(calendar: bytes) -> Message:
    # The same bytes once more: some programs read only the attachment. Without `method`, or it would be a second invitation.
    part = MIMENonMultipart("application", "ics", name="invite.ics")
    part.add_header("Content-Disposition", "attachment", filename="invite.ics")
    return _filled(part, encodebytes(calendar), "base64")


def _document_part(attachment: Attachment) -> Message:
    part = MIMENonMultipart("application", "pdf")
    part.add_header("Content-Disposition", "attachment", filename=attachment.name)
    return _filled(part, encodebytes(attachment.data), "base64")


def _filled(part: Message, payload: bytes, encoding: str) -> Message:
    del part["MIME-Version"]
    part["Content-Transfer-Encoding"] = encoding
    part.set_payload(payload.decode("ascii"))
    return part


def _mailbox(header: str, name: str, address: str) -> str:
    """One person in a header, the name folded where it is long. Raises ValueError for an address that no header can hold."""
    if not address.isascii() or any(sign.isspace() or sign in "<>,;" for sign in address) or "@" not in address:
        raise ValueError(f"{address!r} can't stand in a mail header.")
    plain = " ".join(name.split())
    if plain.isascii():
        return formataddr((plain, address))
    made = Header(plain, "utf-8", header_name=header)
    made.append(f"<{address}>", "us-ascii")
    return made.encode()


def _templates() -> Path:
    """Where the wordings are: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    return next(place / "mail" for place in (package / "_templates", package.parent / "templates") if place.is_dir())
