"""A person with a browser, who goes by what can be read: labels, buttons, links, headings. Every page they pass is looked over."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Locator, Page, Request, Response, expect

from tests.journeys.center import Center

PATIENCE = 15_000
MOST_BYTES = 100 * 1024
MOST_REQUESTS = 10
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 720}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
RULES = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
# Colour depends on the theme, layout on the width: each pair is seen once in full, and contrast in the other two as well.
LOOKS: tuple[tuple[dict[str, int], str, dict[str, Any]], ...] = (
    (NARROW, "light", CONTRAST), (NARROW, "dark", RULES), (WIDE, "dark", CONTRAST), (WIDE, "light", RULES),
)  # fmt: skip
SECRET = re.compile(r"(?<=/)(?:[a-z0-9]{20,}|\d+)(?=/|$)|(?<=^/events/)[^/]+|(?<=^/seminars/)[^/]+")
"""What differs in the address between two pages of one template: numbers, secrets, the names of seminars."""

expect.set_options(timeout=PATIENCE)


class Inspector:
    """Keeps which templates were looked over already, by all visitors of a run, and where pictures of them go if wanted."""

    def __init__(self, center: Center) -> None:
        self.center = center
        self.seen: set[str] = set()
        self.axe = Axe()
        wanted = os.environ.get("PICTURES")
        self.pictures = Path(wanted) if wanted else None

    def look_over(self, page: Page) -> None:
        """Width, colours and names of this page in both themes and at both widths, once for each template and each of its states."""
        key = self._key(page)
        if key in self.seen:
            return
        self.seen.add(key)
        faults: list[str] = []
        try:
            page.evaluate(self.axe.axe_script)
            for size, theme, rules in LOOKS:
                page.set_viewport_size(size)  # type: ignore[arg-type]
                page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                faults += self._faults(page, f"{size['width']} px, {theme}", rules)
                self._picture(page, key, size["width"], theme)
        finally:
            page.set_viewport_size(WIDE)  # type: ignore[arg-type]
            page.emulate_media(color_scheme="light")
        assert not faults, f"{page.url}\n" + "\n".join(faults)

    def _key(self, page: Page) -> str:
        path = SECRET.sub("*", urlsplit(page.url).path)
        told = " with a complaint" if page.get_by_role("alert").count() else ""
        return path + told

    def _faults(self, page: Page, where: str, rules: dict[str, Any]) -> Iterator[str]:
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            yield f"{where}: the page is {wide} px wider than the window"
        for broken in page.evaluate("rules => axe.run(document, rules)", rules)["violations"]:
            for node in broken["nodes"]:
                yield f"{where}: {broken['id']}: {broken['help']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"

    def _picture(self, page: Page, key: str, width: int, theme: str) -> None:
        if self.pictures:
            self.pictures.mkdir(parents=True, exist_ok=True)
            name = re.sub(r"[^a-z]+", "-", key.replace("*", "x")).strip("-") or "programme"
            page.screenshot(path=self.pictures / f"{name}-{width}-{theme}.png", full_page=True)


class Visitor:
    """One browser of one person."""

    def __init__(self, browser: Browser, center: Center, inspector: Inspector, *, javascript: bool = True) -> None:
        self.center = center
        self.javascript = javascript
        self._inspector = inspector
        self._complaints: list[str] = []
        self._requests: list[Request] = []
        self.context: BrowserContext = browser.new_context(
            base_url=center.url, java_script_enabled=javascript, viewport=WIDE, locale="en-US", timezone_id="America/Chicago",  # type: ignore[arg-type]
            accept_downloads=True,
        )  # fmt: skip
        self.context.set_default_timeout(PATIENCE)
        self.page: Page = self.context.new_page()
        self._listen(self.page)

    def _listen(self, page: Page) -> None:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._complaints.append(f"{page.url}: {error}"))
        page.on("request", self._asked)
        page.on("response", self._answered)

    def _heard(self, message: ConsoleMessage) -> None:
        # The browser itself notes every answer of 400 and above; those that a journey provokes are pages that say what was wrong.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self._complaints.append(f"console on {self.page.url}: {message.text}")

    def _asked(self, request: Request) -> None:
        if request.is_navigation_request() and request.redirected_from is None:
            self._requests.clear()
        self._requests.append(request)
        origin = f"{urlsplit(request.url).scheme}://{urlsplit(request.url).netloc}"
        if origin not in (self.center.url, self.center.stripe) and not request.url.startswith("data:"):
            self._complaints.append(f"{self.page.url} asks a foreign host: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self._complaints.append(f"{response.status} from {response.url}")

    def open(self, path: str) -> None:
        """Type an address."""
        self.page.goto(urljoin(self.center.url, path))
        self._look()

    def sees(self, heading: str | re.Pattern[str], *, level: int = 1) -> None:
        """The page with this heading is there, and it is fit to be seen."""
        expect(self.page.get_by_role("heading", name=heading, level=level)).to_be_visible()
        self._look()

    def reads(self, *texts: str | re.Pattern[str]) -> None:
        """These words stand on the page."""
        for words in texts:
            expect(self.page.get_by_text(words).first).to_be_visible()

    def does_not_read(self, words: str) -> None:
        expect(self.page.get_by_text(words)).to_have_count(0)

    def fill(self, label: str, text: str, *, within: Locator | None = None) -> None:
        """Type into the field whose label begins so."""
        self.field(label, within=within).fill(text)

    def field(self, label: str, *, within: Locator | None = None) -> Locator:
        """The field whose label begins so."""
        return (within or self.page).get_by_label(re.compile(rf"^\s*{re.escape(label)}")).filter(visible=True)

    def press(self, button: str | re.Pattern[str], *, within: Locator | None = None) -> None:
        """Press the button that says so."""
        (within or self.page).get_by_role("button", name=button).first.click()

    def follow(self, link: str | re.Pattern[str], *, within: Locator | None = None) -> None:
        """Follow the link that says so."""
        (within or self.page).get_by_role("link", name=link).first.click()

    def part(self, name: str) -> Locator:
        """A group of fields by its legend."""
        return self.page.get_by_role("group", name=name)

    def fetch(self, link: str | re.Pattern[str]) -> bytes:
        """The file behind a link, as this person's browser gets it."""
        address = self.page.get_by_role("link", name=link).first.get_attribute("href")
        assert address
        answer = self.context.request.get(urljoin(self.page.url, address))
        assert answer.ok, f"{address}: {answer.status}"
        return answer.body()

    def _look(self) -> None:
        self.page.wait_for_load_state("load")
        ours = self.page.url.startswith(self.center.url)
        asked = [one for one in self._requests if not one.url.startswith("data:")]
        assert len(asked) <= MOST_REQUESTS, f"{self.page.url} makes {len(asked)} requests"
        weight = sum(_weight(one) for one in asked)
        assert weight <= MOST_BYTES, f"{self.page.url} weighs {weight:,} bytes"
        if self.javascript and ours:
            self._inspector.look_over(self.page)

    def leave(self) -> None:
        """Close the browser; whatever was wrong on the way is told now."""
        self.context.close()
        assert not self._complaints, "\n".join(self._complaints)


def _weight(request: Request) -> int:
    """Bytes that came over the line for it; none for what the browser had already."""
    try:
        sizes = request.sizes()
    except Error:
        # A page that was left while it still loaded has no sizes to tell.
        return 0
    return int(sizes["responseBodySize"] + sizes["responseHeadersSize"])


@contextmanager
def visiting(browser: Browser, center: Center, inspector: Inspector, *, javascript: bool = True) -> Iterator[Visitor]:
    """A browser for a while."""
    visitor = Visitor(browser, center, inspector, javascript=javascript)
    try:
        yield visitor
    except BaseException:
        print(f"\nThe browser stood at {visitor.page.url}\n{visitor.page.locator('body').inner_text()[:3000]}\n{center.logs()}")
        visitor.context.close()
        raise
    visitor.leave()
