"""What everybody does who buys seats, as one reads it from the pages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.journeys.people import Person
from tests.journeys.visitor import Visitor

CARD = "4242 4242 4242 4242"


def find_event(visitor: Visitor, words: str, title: str, *, city: str, last: bool = False) -> None:
    """Search the programme and open the (first or last) date in that city."""
    visitor.open("/")
    visitor.sees("Programme")
    visitor.fill("Search the programme", words)
    visitor.press("Find")
    visitor.reads("What we found for")
    entry = visitor.page.get_by_role("listitem").filter(has_text=f"{city},").filter(has_text=title)
    visitor.follow(title, within=entry.last if last else entry.first)
    visitor.sees(title)


def hold(visitor: Visitor, ticket: str, places: int) -> None:
    """Say how many seats, and hold them."""
    visitor.fill(ticket, str(places))
    visitor.press("Hold seats and continue")
    visitor.sees(f"Register {places} people" if places > 1 else "Register 1 person")


def say_who(visitor: Visitor, buyer: Person, others: Sequence[Person | None] = (), *, organisation: str = "", po: str = "") -> None:
    """The buyer attends herself; the others are named, or will be."""
    who = visitor.part("Who registers")
    visitor.fill("Your name", buyer.name, within=who)
    visitor.fill("Email", buyer.email, within=who)
    for number, other in enumerate(others, start=2):
        seat = visitor.part(f"Person {number}")
        if other is None:
            seat.get_by_label("I’ll name this person later").check()
            continue
        visitor.fill("Name", other.name, within=seat)
        visitor.fill("Email", other.email, within=seat)
    visitor.fill("Organisation", organisation)
    visitor.fill("Purchase order number", po)


def go_to_payment(visitor: Visitor, amount: str) -> None:
    """Place the order: the next page is the payment page, with the same amount."""
    visitor.press(re.compile(rf"^Register .* and pay {re.escape(amount)}$"))
    visitor.sees(f"Pay {amount}")


def pay(visitor: Visitor, amount: str, *, card: str = CARD, name: str = "Anna Vestergren") -> None:
    """Type a card and press."""
    visitor.fill("Name on the card", name)
    visitor.fill("Card number", card)
    visitor.fill("Expiry", "12 / 39")
    visitor.fill("Security code", "123")
    visitor.press(f"Pay {amount}")
