"""The demo world: fill an empty database with it."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser

import click
import requests

from seminars.app import create_app
from seminars.config import Settings
from seminars.db import transaction
from seminars.demo import staff, world
from seminars.demo.hands import Demo
from seminars.joined import Joined

PATIENCE = 30.0
CARD = {"card_number": "4242 4242 4242 4242", "card_expiry": "12 / 39", "card_cvc": "123", "method": "card"}


@click.group()
def command() -> None:
    """A made-up center with its programme, its customers and its books."""


@command.command()
def fill() -> None:
    """Put the demo world into an empty database; print who may sign in, as JSON. What is not empty is left as it is."""
    settings = Settings.from_env()
    hands = SandboxTime(settings.stripe_api_base)
    app = create_app(settings, now=hands)
    with app.app_context():
        try:
            with transaction() as session:
                empty = world.is_empty(session)
            if empty:
                world.fill(_demo(app.extensions["seminars"], hands), today=datetime.now(UTC).date())
        finally:
            hands.let_run()
        with transaction() as session:
            there = world.is_demo(session)
    click.echo(json.dumps([{"role": who.role, "email": who.email, "password": staff.PASSWORD} for who in staff.LOGINS if there]))


def _demo(joined: Joined, hands: SandboxTime) -> Demo:
    from flask_security import hash_password

    return Demo(
        work=functools.partial(transaction, by="demo"),
        gateway=joined.stripe,
        letterhead=joined.settings.letterhead,
        time=hands,
        pay=pay,
        hash_password=hash_password,
    )


class NotASandbox(click.ClickException):
    """The demo world's time can only pass at a Stripe whose clock can be moved."""

    def __init__(self, base: str) -> None:
        super().__init__(f"{base} is not the local sandbox. The demo world is for one's own machine: start it with python3 run.py.")


@dataclass
class SandboxTime:
    """The demo world's clock: ours follows the sandbox's, which this moves. It ends at the present and then runs by itself."""

    base: str
    _still: datetime | None = field(default=None)

    def __call__(self) -> datetime:
        return self._still or datetime.now(UTC)

    def go_to(self, instant: datetime) -> None:
        """Let time pass until then. What lies behind already is left alone."""
        if self._still is None or instant > self._still:
            self._still = instant
            self._tell({"still": True, "now": instant.isoformat()})

    def let_run(self) -> None:
        """From here on it is now."""
        self._still = None
        self._tell({"still": False, "now": datetime.now(UTC).isoformat()})

    def _tell(self, wish: dict[str, object]) -> None:
        try:
            answer = requests.post(f"{self.base}/_sandbox/clock", json=wish, timeout=PATIENCE)
        except requests.RequestException:
            raise NotASandbox(self.base) from None
        if answer.status_code == 404:
            raise NotASandbox(self.base)


def pay(url: str) -> None:
    """Be the customer: open the hosted page over plain HTTP, type a test card, press."""
    with requests.Session() as browser:
        fields = _Fields()
        fields.feed(browser.get(url, timeout=PATIENCE).text)
        typed = {name: CARD.get(name, value) for name, value in fields.found.items()}
        answer = browser.post(url, data=typed | {"name": typed.get("name") or "Card holder"}, timeout=PATIENCE, allow_redirects=False)
        if not answer.is_redirect:
            raise click.ClickException(f"The payment page did not take the test card: {answer.status_code}")


class _Fields(HTMLParser):
    """The fields of the page's form with what stands in them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "input" and "name" in named and (named.get("type") != "radio" or "checked" in named):
            self.found[named["name"]] = named.get("value", "")
