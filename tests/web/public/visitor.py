"""A visitor without a window: opens pages, reads their forms as they stand, types, and presses."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    """All forms of a page with what their fields hold; buttons are left out, because one of them is pressed."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._by_id: dict[str, Form] = {}
        self._open: Form | None = None
        self._area = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        present = {name for name, _ in attributes}
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._open)
            self._by_id[given.get("id", "")] = self._open
        owner = self._by_id.get(given["form"]) if "form" in given else self._open
        if owner is None or not given.get("name"):
            return
        if tag == "input" and (given.get("type") not in ("checkbox", "radio") or "checked" in present):
            owner.fields[given["name"]] = given.get("value", "on")
        elif tag == "textarea":
            owner.fields[given["name"]] = ""
            self._area = given["name"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area and self._open:
            self._open.fields[self._area] += data


@dataclass
class Page:
    """What came back."""

    answer: TestResponse

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def markup(self) -> str:
        return self.answer.get_data(as_text=True)

    @property
    def text(self) -> str:
        """The words of the page, white space made single."""
        body = re.sub(r"<(script|style)\b.*?</\1>", " ", self.markup, flags=re.S)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())

    @property
    def heading(self) -> str:
        found = re.search(r"<h1>(.*?)</h1>", self.markup, re.S)
        return html.unescape(found[1]) if found else ""

    def form(self, action: str) -> Form:
        reader = _Forms()
        reader.feed(self.markup)
        return next(form for form in reader.forms if form.action == action)


class Visitor:
    """Somebody with one browser."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def open(self, path: str, **more: object) -> Page:
        return Page(self.client.get(path, follow_redirects=True, **more))  # type: ignore[arg-type]

    def press(self, page: Page, action: str, /, *, follow: bool = True, **typed: str | None) -> Page:
        """Send the page's form to that address, with these fields typed over (None unticks a box)."""
        fields = {
            name.replace("_", "-") if name.startswith(("p1_", "p2_", "p3_", "places_")) else name: value for name, value in typed.items()
        }
        sent = {name: value for name, value in (page.form(action).fields | fields).items() if value is not None}
        return Page(self.client.post(action, data=sent, follow_redirects=follow))

    def hold(self, reference: str, ticket_type: int, places: str = "1") -> Page:
        page = self.open(f"/events/{reference}")
        return self.press(page, f"/events/{reference}/hold", **{f"places-{ticket_type}": places})
