"""Mails as files: the bytes that came, and beside them the envelope."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path

NAME = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}")


@dataclass(frozen=True)
class Part:
    """One leaf of a mail."""

    number: int
    content_type: str
    filename: str
    content_id: str
    attached: bool
    content: bytes
    text: str
    """The content read as text with plain line ends; empty for what is none."""

    @property
    def name(self) -> str:
        """A name to save it under."""
        return self.filename or f"part-{self.number}"


@dataclass(frozen=True)
class Mail:
    """A mail as it arrived."""

    id: str
    received: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @cached_property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def subject(self) -> str:
        return self.header("Subject")

    def header(self, name: str) -> str:
        """The header as text, empty when there is none."""
        return str(self.message.get(name, ""))

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self.message.items()]

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        leaves = [part for part in self.message.walk() if not part.is_multipart()]
        return tuple(_part(number, leaf) for number, leaf in enumerate(leaves))

    @property
    def html(self) -> Part | None:
        return self._shown("text/html")

    @property
    def text(self) -> Part | None:
        return self._shown("text/plain")

    @property
    def calendar(self) -> Part | None:
        return self._shown("text/calendar")

    @property
    def attachments(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.attached)

    def _shown(self, content_type: str) -> Part | None:
        return next((part for part in self.parts if part.content_type == content_type and not part.attached), None)


def _part(number: int, leaf: EmailMessage) -> Part:
    content = leaf.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    # A charset that nobody knows must not hide the mail.
    text = _text(raw, leaf.get_content_charset("utf-8")).replace("\r\n", "\n") if leaf.get_content_maintype() == "text" else ""
    return Part(number, leaf.get_content_type(), leaf.get_filename() or "", str(leaf.get("Content-ID", "")).strip("<> "),
                leaf.get_content_disposition() == "attachment", raw, text)


def _text(content: bytes, charset: str) -> str:
    try:
        return content.decode(charset, "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


class Store:
    """The folder of mails. Several processes may write; a reader sees whole mails only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, *, sender: str, recipients: list[str], raw: bytes) -> str:
        """File a mail under a new name that sorts by time of arrival."""
        now = datetime.now(UTC)
        name = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
        envelope = {"received": now.isoformat(), "sender": sender, "recipients": recipients}
        self._write(f"{name}.json", json.dumps(envelope).encode())
        # The mail itself last: its name makes the pair visible.
        self._write(f"{name}.eml", raw)
        return name

    def names(self) -> list[str]:
        """All mails, the newest first."""
        return sorted((file.stem for file in self.folder.glob("*.eml") if NAME.fullmatch(file.stem)), reverse=True)

    def mail(self, name: str) -> Mail | None:
        """The mail of that name, if it is one of ours and still there."""
        if not NAME.fullmatch(name):
            return None
        try:
            raw = (self.folder / f"{name}.eml").read_bytes()
            envelope = json.loads((self.folder / f"{name}.json").read_text())
        except FileNotFoundError:
            return None
        return Mail(name, datetime.fromisoformat(envelope["received"]), envelope["sender"], tuple(envelope["recipients"]), raw)

    def mails(self) -> Iterator[Mail]:
        """All mails, the newest first."""
        return (mail for name in self.names() if (mail := self.mail(name)))

    def clear(self) -> None:
        """Throw all mails away."""
        for name in self.names():
            for suffix in (".eml", ".json"):
                (self.folder / f"{name}{suffix}").unlink(missing_ok=True)

    def _write(self, name: str, content: bytes) -> None:
        unfinished = self.folder / f".{name}.new"
        unfinished.write_bytes(content)
        os.replace(unfinished, self.folder / name)
