"""From facts to the bytes of a mail: words from templates/mail, form after RFC 5322, 2045, 6047 (calendar-mail §2, §5)."""

import functools
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from seminars.config import Letterhead
from seminars.messages.filters import FILTERS

LONGEST_SUBJECT = 60
UNFOLDED = frozenset(("message-id", "in-reply-to", "references", "list-unsubscribe", "list-unsubscribe-post"))
LANGUAGE = "en"


class MailPolicy(EmailPolicy):
    """The usual folding, except for headers that machines compare: Python would fold long ones into encoded words, which no program
    reads as identifications (cpython 100991)."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        """One header as it goes over the wire."""
        if name.lower() in UNFOLDED:
            return f"{name}: {value}\r\n".encode("ascii")
        return super().fold_binary(name, value)


WIRE = MailPolicy(linesep="\r\n")


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
        message = EmailMessage(policy=WIRE)
        self._head(message, posted, words.subject, message_id, now)
        message.set_content(words.text, cte="quoted-printable")
        message.add_alternative(words.html, subtype="html", cte="quoted-printable")
        if posted.calendar is not None:
            message.attach(_calendar_part(posted.calendar, posted.calendar_method or ""))
            message.make_mixed()
            # The same bytes once more: some programs read only the attachment. Without `method`, or it would be a second invitation.
            message.add_attachment(posted.calendar, "application", "ics", filename="invite.ics", params={"name": "invite.ics"})
        for attachment in attachments:
            message.add_attachment(attachment.data, "application", "pdf", filename=attachment.name)
        _fix_boundaries(message, posted.key)
        return Mail(words.subject, message_id, message.as_bytes())

    def _head(self, message: EmailMessage, posted: Posted, subject: str, message_id: str, now: datetime) -> None:
        center = self.letterhead.center
        message["From"] = Address(_one_line(center.name), addr_spec=self.letterhead.mail_from)
        message["To"] = Address(_one_line(posted.recipient_name), addr_spec=posted.recipient)
        message["Reply-To"] = Address(_one_line(center.name), addr_spec=center.email)
        message["Subject"] = subject
        message["Date"] = format_datetime(now)
        message["Message-ID"] = message_id
        if posted.thread:
            message["In-Reply-To"] = self.message_id(posted.thread)
            message["References"] = self.message_id(posted.thread)
        message["Auto-Submitted"] = "auto-generated"
        # A relay that knows one of these takes a second copy for what it is (reliability-security §3).
        for name in ("Idempotency-Key", "Resend-Idempotency-Key"):
            message[name] = message_id.strip("<>")

    def _worded(self, kind: str, part: str, facts: dict[str, Any]) -> str:
        return self._wordings.get_template(f"{kind}/{LANGUAGE}/{part}").render(facts)


@functools.lru_cache(maxsize=8)
def press_of(letterhead: Letterhead, secret: str) -> Press:
    """The press of an installation, with its wordings read once."""
    return Press(letterhead, secret)


def _calendar_part(calendar: bytes, method: str) -> EmailMessage:
    # As bytes and in base64: text would have its line ends changed, and gateways that add footers break anything else.
    part = EmailMessage(policy=SMTP)
    part.set_content(calendar, "text", "calendar", params={"method": method, "charset": "UTF-8"}, cte="base64")
    del part["MIME-Version"]
    return part


def _fix_boundaries(message: EmailMessage, key: str) -> None:
    """Boundaries come from the key instead of chance, so that the same letter gives the same bytes."""
    parts = [part for part in message.walk() if part.is_multipart()]
    for number, part in enumerate(parts):
        part.set_boundary(f"=_{hashlib.sha256(f'{number}:{key}'.encode()).hexdigest()[:32]}")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _templates() -> Path:
    """Where the wordings are: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    return next(place / "mail" for place in (package / "_templates", package.parent / "templates") if place.is_dir())
