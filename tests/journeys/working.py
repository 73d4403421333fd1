"""What everybody does who works at the desk."""

from __future__ import annotations

import re

from seminars.demo import staff
from seminars.demo.staff import Login
from tests.journeys.visitor import Visitor

PROGRAM, FRONT_DESK, _, FINANCE, *_ = staff.LOGINS
TODAY = re.compile(r"Nothing waits for you|needs? a person$")


def sign_in(visitor: Visitor, login: Login) -> None:
    """From the desk's address through the sign-in to today's work."""
    visitor.open("/staff/")
    visitor.sees("Sign in")
    visitor.fill("Email address", login.email)
    visitor.fill("Password", staff.PASSWORD)
    visitor.press("Sign in")
    visitor.sees(TODAY)
    visitor.reads(login.name)


def go_to(visitor: Visitor, desk: str, *, heading: str = "") -> None:
    """One of the desks on the rail."""
    visitor.follow(desk, within=visitor.page.get_by_role("navigation", name="Desk"))
    visitor.sees(heading or desk)


def find(visitor: Visitor, words: str, result: str | re.Pattern[str]) -> None:
    """Search from wherever one is, and open what was found."""
    visitor.page.keyboard.press("/")
    visitor.page.keyboard.type(words)
    visitor.page.keyboard.press("Enter")
    visitor.sees(f"What we found for “{words}”")
    visitor.follow(result, within=visitor.page.get_by_role("main"))
