"""The public pages as people use them: with faults looked for, without script, and by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from sqlalchemy.orm import Session

from seminars.catalog.models import Event
from tests.factories.programme import a_venue, an_event

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
WIDTHS = (320, 1280)
THEMES = ("light", "dark")


@pytest.fixture
def residency(shop: Session) -> Event:
    """A free event in a room, and a scarce one online."""
    event = an_event(shop, venue=a_venue(shop), price=0, days=2)
    event.sessions[0].agenda = "09:00 Morning report. What happened overnight\n12:30 Lunch, included"
    event.seminar.outcomes = "decide within an hour;\nwrite a plan."
    event.seminar.audience = "Communication teams."
    an_event(shop, title="Answering patients in public", topic="clinical", format="online", places=10, taken=9)
    shop.commit()
    return event


@contextmanager
def visiting(browser: Browser, site: Flask, **more: Any) -> Iterator[Page]:
    """A page in a context of its own; what the browser complains of, and every foreign host, fails the test."""
    context = browser.new_context(base_url=site.config["SITE"], timezone_id="Europe/Oslo", **more)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "status of 4" not in message.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if not request.url.startswith(site.config["SITE"]) else None)
    yield page
    context.close()
    assert complaints == []


def faults(page: Page) -> list[str]:
    """What axe finds on this page in both themes and at both widths, and whether it is wider than the window."""
    found = []
    for width in WIDTHS:
        for theme in THEMES:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            told = Axe().run(page, options=RULES).response["violations"]
            found += [f"{page.url} {width} {theme}: {one['id']} {one['nodes'][0]['html']}" for one in told]
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                found.append(f"{page.url} {width} {theme}: wider than the window")
    return found


def test_no_public_page_has_a_fault(browser: Browser, site: Flask, residency: Event) -> None:
    found: list[str] = []
    with visiting(browser, site) as page:
        for path in ("/", "/?format=online&q=patients", "/zone", f"/seminars/{residency.seminar.slug}", "/nothing-here", "/cart"):
            page.goto(path)
            found += faults(page)
        page.goto(f"/events/{residency.reference}")
        found += faults(page)
        page.get_by_label("Seat").fill("77")
        page.get_by_role("button", name="Hold seats and continue").click()
        found += faults(page)
        page.get_by_label("Seat").fill("2")
        page.get_by_role("button", name="Hold seats and continue").click()
        page.get_by_role("button", name="Register 2 people, free").click()
        found += faults(page)
        page.goto("/cart")
        found += faults(page)
        page.goto("/checkout")
        _register(page)
        found += faults(page)
        page.get_by_text("Name this person").first.click()
        found += faults(page)
    assert found == []


def _register(page: Page) -> None:
    page.get_by_label("Your name").fill("Anna Vestergren")
    page.get_by_label("Email").first.fill("anna.vestergren@quillhaven.example")
    page.locator("#p2-later").check()
    page.get_by_role("button", name="Register 2 people, free").click()
    page.get_by_role("heading", name="Your seats are confirmed").wait_for()


def test_the_whole_way_works_without_script(browser: Browser, site: Flask, residency: Event) -> None:
    with visiting(browser, site, java_script_enabled=False) as page:
        page.goto("/")
        page.get_by_role("link", name="Social Media Residency").click()
        page.get_by_label("Seat").fill("2")
        page.get_by_role("button", name="Hold seats and continue").click()
        page.get_by_role("button", name="Hold 15").click()
        _register(page)

        page.get_by_text("Name this person").first.click()
        people = page.locator("#people")
        people.get_by_label("Name", exact=True).fill("Bo Ek")
        people.get_by_label("Email").fill("bo@quillhaven.example")
        page.get_by_role("button", name="Name this person and send the invitation").click()

        assert page.locator("#people").inner_text().count("Confirmed") == 2


def test_the_first_error_has_the_focus_and_leads_to_its_field(browser: Browser, site: Flask, residency: Event) -> None:
    with visiting(browser, site) as page:
        page.goto(f"/events/{residency.reference}")
        page.get_by_role("button", name="Hold seats and continue").click()
        page.get_by_label("Your name").fill("Anna Vestergren")
        page.get_by_role("button", name="Register 1 person, free").click()

        focused = page.evaluate("document.activeElement.id")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")

        assert (focused, page.url.partition("#")[2], page.get_by_label("Your name").input_value()) == ("errors", "mail", "Anna Vestergren")


def test_seats_are_held_and_registered_by_keyboard_alone(browser: Browser, site: Flask, residency: Event) -> None:
    with visiting(browser, site) as page:
        page.goto(f"/events/{residency.reference}")
        _tab_to(page, "Hold seats and continue")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Register 1 person").wait_for()
        _tab_to(page, "name")
        page.keyboard.type("Anna Vestergren")
        page.keyboard.press("Tab")
        page.keyboard.type("anna.vestergren@quillhaven.example")
        page.keyboard.press("Enter")

        page.get_by_role("heading", name="You are registered").wait_for()


def _tab_to(page: Page, wanted: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()") == wanted:
            return
    raise AssertionError(f"Tab never came to {wanted}")


def test_the_browsers_own_zone_is_beside_online_events_from_the_second_page_on(browser: Browser, site: Flask, residency: Event) -> None:
    with visiting(browser, site) as page:
        page.goto("/")
        page.goto("/?format=online")

        assert "in Oslo)" in page.locator("main").inner_text()
