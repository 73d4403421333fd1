"""What everybody sees of the programme. It may be some seconds old."""

from __future__ import annotations

import time

from playwright.sync_api import Locator

from tests.journeys.visitor import Visitor

CACHED_FOR = 10.0


def opens_from_the_programme(visitor: Visitor, title: str) -> None:
    """The event is on the public list, and its page opens."""
    wait_on_the_programme(visitor, title, "")
    visitor.follow(title)
    visitor.sees(title)


def wait_on_the_programme(visitor: Visitor, title: str, words: str) -> Locator:
    """The entry of an event, once the list says these words beside it."""
    entry = visitor.page.get_by_role("listitem").filter(has_text=title).filter(has_text=words)
    ends = time.monotonic() + CACHED_FOR
    visitor.open("/")
    while not entry.count():
        assert time.monotonic() < ends, f"The programme does not say «{words}» beside {title}."
        visitor.open("/")
    return entry
