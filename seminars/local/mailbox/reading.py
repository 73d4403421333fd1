"""Mails prepared for reading: safe HTML documents, links in plain text, the facts of an invitation, plain data for programs."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from seminars.local.mailbox.store import Mail, Part

LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]]")
PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
OPEN_ELSEWHERE = '<base target="_blank">'
ANCHOR = Markup('<a href="{0}" target="_blank" rel="noopener">{0}</a>')
SHOWN_PROPERTIES = (
    "SUMMARY", "DTSTART", "DTEND", "RRULE", "LOCATION", "STATUS", "ORGANIZER", "ATTENDEE", "UID", "SEQUENCE", "DTSTAMP",
)


def html_document(mail: Mail) -> str:
    """The mail's HTML with its own pictures inside it and links that leave the frame. Shown only under a sandboxing policy."""
    html = mail.html.text if mail.html else ""
    for part in mail.parts:
        if part.content_id and part.content_type in PICTURES:
            picture = base64.b64encode(part.content).decode()
            html = html.replace(f"cid:{part.content_id}", f"data:{part.content_type};base64,{picture}")
    head = re.search(r"<head[^>]*>", html, re.IGNORECASE)
    cut = head.end() if head else 0
    return html[:cut] + OPEN_ELSEWHERE + html[cut:]


def with_links(text: str) -> Markup:
    """Plain text with its addresses made into links, everything else escaped."""
    pieces, end = [], 0
    for found in LINK.finditer(text):
        pieces += [escape(text[end : found.start()]), ANCHOR.format(found.group())]
        end = found.end()
    return Markup("").join([*pieces, escape(text[end:])])


@dataclass(frozen=True)
class CalendarFacts:
    """What an invitation says, in its own words."""

    method: str
    entries: tuple[tuple[tuple[str, str], ...], ...]


def calendar_facts(part: Part) -> CalendarFacts:
    """The method and, of each entry, the properties a reader looks for."""
    lines = re.sub(r"\r?\n[ \t]", "", part.content.decode("utf-8", "replace")).splitlines()
    method, entries = "", list[tuple[tuple[str, str], ...]]()
    current: list[tuple[str, str]] | None = None
    for line in lines:
        name, _, value = line.partition(":")
        match name.partition(";")[0].upper():
            case "METHOD":
                method = value
            case "BEGIN" if value == "VEVENT":
                current = []
            case "END" if value == "VEVENT" and current is not None:
                entries.append(tuple(current))
                current = None
            case known if known in SHOWN_PROPERTIES and current is not None:
                current.append((name.replace(";", "; "), value.replace("\\,", ",").replace("\\;", ";").replace("\\n", ", ")))
    return CalendarFacts(method, tuple(entries))


def summary(mail: Mail) -> dict[str, Any]:
    """One line of the list, for programs."""
    return {
        "id": mail.id,
        "received": mail.received.isoformat(),
        "envelope": {"from": mail.sender, "to": list(mail.recipients)},
        "from": mail.header("From"),
        "to": mail.header("To"),
        "subject": mail.subject,
        "message_id": mail.header("Message-ID"),
    }


def details(mail: Mail) -> dict[str, Any]:
    """The whole mail, for programs; contents of parts are fetched one by one."""
    return {
        **summary(mail),
        "headers": mail.headers,
        "text": mail.text.text if mail.text else None,
        "html": mail.html.text if mail.html else None,
        "calendar": mail.calendar.text if mail.calendar else None,
        "parts": [
            {"number": part.number, "content_type": part.content_type, "name": part.name, "attached": part.attached,
             "bytes": len(part.content), "path": f"/messages/{mail.id}/parts/{part.number}"}
            for part in mail.parts
        ],
    }
