"""The mailbox as its program interface tells it: who got what, and the calendar entry inside."""

from __future__ import annotations

import email
import time
from collections.abc import Callable
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from functools import cached_property
from typing import Any

import requests
from icalendar import Calendar

PATIENCE = 20.0
"""Seconds; a loaded machine may need them, a mail usually takes less than one."""


@dataclass(frozen=True)
class Letter:
    """One mail as it arrived."""

    recipients: tuple[str, ...]
    raw: bytes

    @cached_property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=policy.default)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        body = self.message.get_body(("plain",))
        assert body is not None, f"«{self.subject}» has no plain text"
        return str(body.get_content())

    @property
    def has_html(self) -> bool:
        return self.message.get_body(("html",)) is not None

    @cached_property
    def invitation(self) -> Invitation | None:
        """The calendar entry that calendar programs act on: the text/calendar part within the body."""
        for part in self.message.walk():
            if part.get_content_type() == "text/calendar" and part.get_content_disposition() != "attachment":
                return Invitation(str(part.get_param("method")), Calendar.from_ical(part.get_payload(decode=True)))
        return None

    def pdfs(self) -> dict[str, bytes]:
        """Attached documents by name."""
        found = [part for part in self.message.iter_attachments() if part.get_content_type() == "application/pdf"]
        return {part.get_filename(): part.get_content() for part in found}


@dataclass(frozen=True)
class Invitation:
    """An iTIP message: what to do (REQUEST or CANCEL) and the entry it is about."""

    method_of_part: str
    calendar: Calendar

    @property
    def method(self) -> str:
        """The method, which part and calendar must agree on (RFC 6047 section 2.4)."""
        assert self.method_of_part == self.calendar["METHOD"]
        return str(self.calendar["METHOD"])

    @property
    def event(self) -> Any:
        (event,) = self.calendar.walk("VEVENT")
        return event

    @property
    def uid(self) -> str:
        return str(self.event["UID"])

    @property
    def sequence(self) -> int:
        return int(self.event["SEQUENCE"])

    @property
    def attendee(self) -> str:
        """The one person whose calendar this is."""
        return str(self.event["ATTENDEE"]).removeprefix("mailto:")

    @property
    def zones(self) -> set[str]:
        """The zones whose rules travel with the entry."""
        return {str(zone["TZID"]) for zone in self.calendar.walk("VTIMEZONE")}


class PostOffice:
    """All mail of the running center."""

    def __init__(self, url: str) -> None:
        self.url = url

    def letters_to(self, recipient: str) -> list[Letter]:
        """What has arrived for one person, oldest first."""
        listed = requests.get(f"{self.url}/api/messages", params={"to": recipient}, timeout=PATIENCE).json()
        return [self._fetch(one) for one in sorted(listed, key=lambda one: one["id"])]

    def wait_for(self, recipient: str, wanted: Callable[[Letter], bool], *, times: int = 1) -> list[Letter]:
        """The letters that are wanted, once so many have come."""
        ends = time.monotonic() + PATIENCE
        while len(found := [letter for letter in self.letters_to(recipient) if wanted(letter)]) < times:
            had = [letter.subject for letter in self.letters_to(recipient)]
            assert time.monotonic() < ends, f"{recipient} waited {PATIENCE:.0f} s for {times} letters and had {had}"
            time.sleep(0.1)
        assert len(found) == times, f"{recipient} wanted {times} and got {[letter.subject for letter in found]}"
        return found

    def wait_for_subject(self, recipient: str, words: str) -> Letter:
        """The one letter whose subject holds these words."""
        return self.wait_for(recipient, lambda letter: words in letter.subject)[0]

    def wait_for_calendar(self, recipient: str, method: str, *, sequence: int = 0, times: int) -> list[Invitation]:
        """The calendar entries of that method and sequence, once so many have come."""

        def is_it(letter: Letter) -> bool:
            found = letter.invitation
            return found is not None and (found.method, found.sequence) == (method, sequence)

        letters = self.wait_for(recipient, is_it, times=times)
        assert all(letter.recipients == (recipient,) for letter in letters)
        return [letter.invitation for letter in letters if letter.invitation]

    def _fetch(self, listed: dict[str, Any]) -> Letter:
        raw = requests.get(f"{self.url}/messages/{listed['id']}/source", timeout=PATIENCE).content
        return Letter(tuple(listed["envelope"]["to"]), raw)
