"""The mailbox's pages and its interface for programs, on 127.0.0.1. Whatever a mail holds is shown as what it is, never run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from seminars.local.mailbox import reading
from seminars.local.mailbox.store import Mail, Store

PAGE = 50
OWN_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'"
)
PART_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"
VIEWS = {"html": "Letter", "text": "Plain text", "calendar": "Calendar", "headers": "Headers", "source": "Source"}

_pages = Environment(loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=select_autoescape(),
                     undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_pages.filters["with_links"] = reading.with_links


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    body: bytes
    content_type: str = "text/html; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK
    policy: str = OWN_POLICY
    headers: dict[str, str] = field(default_factory=dict)


def _page(name: str, **facts: object) -> Answer:
    return Answer(_pages.get_template(name).render(**facts).encode())


def _data(content: object) -> Answer:
    return Answer(json.dumps(content, ensure_ascii=False, indent=1).encode(), "application/json")


def _missing() -> Answer:
    page = _page("missing.html")
    return Answer(page.body, status=HTTPStatus.NOT_FOUND)


class Site:
    """Answers requests for one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def get(self, target: str) -> Answer:
        """The answer to a GET for this path and query."""
        parts = urlsplit(target)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        match parts.path.strip("/").split("/"):
            case [""]:
                return self._list(asked)
            case ["style.css"]:
                return Answer((Path(__file__).parent / "pages" / "style.css").read_bytes(), "text/css; charset=utf-8")
            case ["messages", name, *rest] if mail := self.store.mail(name):
                return self._of(mail, rest, asked)
            case ["api", "messages"]:
                return _data([reading.summary(mail) for mail in self._found(asked)])
            case ["api", "messages", name] if mail := self.store.mail(name):
                return _data(reading.details(mail))
        return _missing()

    def _of(self, mail: Mail, rest: list[str], asked: dict[str, str]) -> Answer:
        match rest:
            case []:
                return self._show(mail, asked.get("view", ""))
            case ["html"] if mail.html:
                return Answer(reading.html_document(mail).encode(), policy=MAIL_POLICY)
            case ["source"]:
                return Answer(mail.raw, "message/rfc822", policy=PART_POLICY,
                              headers={"Content-Disposition": f'attachment; filename="{mail.id}.eml"'})
            case ["parts", number] if number.isdecimal() and int(number) < len(mail.parts):
                part = mail.parts[int(number)]
                name = quote(part.name, safe="")
                # What a mail claims to be goes into a header of ours only if it looks like a type.
                kind = part.content_type if re.fullmatch(r"[\w.+-]+/[\w.+-]+", part.content_type) else "application/octet-stream"
                return Answer(part.content, kind, policy=PART_POLICY,
                              headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"})
        return _missing()

    def _list(self, asked: dict[str, str]) -> Answer:
        number = int(asked["page"]) if re.fullmatch(r"[1-9]\d{0,5}", asked.get("page", "")) else 1
        found = list(islice(self._found(asked), (number - 1) * PAGE, number * PAGE + 1))
        return _page("list.html", mails=found[:PAGE], words=asked.get("q", ""), number=number, more=len(found) > PAGE,
                     total=len(self.store.names()))

    def _show(self, mail: Mail, view: str) -> Answer:
        views = {name: label for name, label in VIEWS.items() if name in ("headers", "source") or getattr(mail, name)}
        view = view if view in views else next(iter(views))
        return _page("mail.html", mail=mail, views=views, view=view, source=mail.raw.decode("utf-8", "backslashreplace"),
                     invitation=reading.calendar_facts(mail.calendar) if mail.calendar else None)

    def _found(self, asked: dict[str, str]) -> Iterator[Mail]:
        words, to, subject = (asked.get(name, "").casefold() for name in ("q", "to", "subject"))
        for mail in self.store.mails():
            people = " ".join([*mail.recipients, mail.header("To")]).casefold()
            anywhere = f"{people} {mail.subject} {mail.header('From')}".casefold()
            if to in people and subject in mail.subject.casefold() and words in anywhere:
                yield mail


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "mailbox", ""
    timeout = 30

    def do_GET(self) -> None:
        self._answer(self.server.site.get(self.path) if self._is_for_us() else _missing())

    def do_POST(self) -> None:
        self._clear("/clear", Answer(b"", status=HTTPStatus.SEE_OTHER, headers={"Location": "/"}))

    def do_DELETE(self) -> None:
        self._clear("/api/messages", Answer(b"", status=HTTPStatus.NO_CONTENT))

    def _clear(self, path: str, done: Answer) -> None:
        # A page elsewhere could post here through the visitor's browser, which then names that page as the origin.
        from_here = self.headers.get("Origin") in (None, f"http://{self.headers['Host']}")
        if not self._is_for_us() or not from_here or self.path != path:
            self._answer(_missing())
            return
        self.server.site.store.clear()
        self._answer(done)

    def _is_for_us(self) -> bool:
        """A foreign name for this address is a page elsewhere that wants to read the mails."""
        return self.headers.get("Host", "") in {f"{host}:{self.server.server_port}" for host in ("localhost", "127.0.0.1")}

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        headers = {
            "Content-Type": answer.content_type, "Content-Length": str(len(answer.body)),
            "Content-Security-Policy": answer.policy,
            "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", **answer.headers,
        }
        if self.command != "GET":
            # What a form or a program has sent is not read, so the line cannot be used again.
            headers["Connection"] = "close"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: whoever looks at mails is no news."""


class Server(ThreadingHTTPServer):
    """The site on a port of this machine."""

    daemon_threads = True

    def __init__(self, store: Store, port: int, *, host: str = "127.0.0.1") -> None:
        super().__init__((host, port), _Handler)
        self.site = Site(store)
