"""Pages as a browser reads them: their forms with all that they would send, and whatever in them could run or lead away."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

OUTSIDE = re.compile(r"\s*(javascript|data|vbscript|file|blob)\s*:", re.IGNORECASE)
LINKS = {"href", "src", "action", "formaction", "poster", "data", "srcdoc", "xlink:href"}
FRAMES = {"iframe", "object", "embed", "applet", "base", "frame", "svg", "math", "template", "marquee"}


@dataclass
class Form:
    """One form and what it sends when nothing is touched, without its buttons."""

    action: str
    method: str
    sent: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self, allowed_frames: frozenset[str]) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.dangers: list[str] = []
        self._by_id: dict[str, Form] = {}
        self._open: Form | None = None
        self._area: tuple[Form, str] | None = None
        self._typed = ""
        self._select: tuple[Form, str, list[tuple[str, bool]]] | None = None
        self._frames = allowed_frames

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self._suspect(tag, given)
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._open)
            self._by_id[given.get("id", "")] = self._open
        owner = self._by_id.get(given["form"]) if "form" in given else self._open
        name = given.get("name", "")
        if tag == "option" and self._select:
            self._select[2].append((given.get("value", ""), "selected" in given))
        if owner is None or not name or "disabled" in given:
            return
        if tag == "input" and given.get("type") not in ("submit", "file", "image", "button"):
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                owner.sent.append((name, given.get("value", "on")))
        elif tag == "textarea":
            self._area, self._typed = (owner, name), ""
        elif tag == "select":
            self._select = (owner, name, [])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea" and self._area:
            self._area[0].sent.append((self._area[1], self._typed.removeprefix("\n")))
            self._area = None
        elif tag == "select" and self._select:
            owner, name, options = self._select
            chosen = [value for value, selected in options if selected] or [value for value, _ in options[:1]]
            owner.sent += [(name, value) for value in chosen]
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area:
            self._typed += data

    def _suspect(self, tag: str, given: dict[str, str]) -> None:
        shown = f"<{tag} {given}>"[:300]
        if tag in FRAMES and tag not in self._frames:
            self.dangers.append(shown)
        if tag == "script" and given.get("type") != "application/ld+json" and not given.get("src", "").startswith("/static/"):
            self.dangers.append(shown)
        for name, value in given.items():
            leads_away = name in LINKS and (OUTSIDE.match(value) or (name == "src" and not value.startswith(("/", "cid:"))))
            if name.startswith("on") or name == "style" or leads_away:
                self.dangers.append(shown)


def forms_of(page: str) -> list[Form]:
    """The forms of a page."""
    return _read(page, frozenset()).forms


def dangers_in(page: str, *, frames: tuple[str, ...] = ()) -> list[str]:
    """Elements that could run, load or frame something that is not ours."""
    return _read(page, frozenset(frames)).dangers


def _read(page: str, frames: frozenset[str]) -> _Reader:
    reader = _Reader(frames)
    reader.feed(page)
    reader.close()
    return reader
