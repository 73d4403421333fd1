"""A customer who opens the hosted payment page over plain HTTP, types and presses, as a person with a browser would."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

PATIENCE = 20.0  # seconds; the page itself waits up to ten for the shop's webhook


class NotPaid(Exception):
    """The page said no; `str()` is what it said, `status` its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Page:
    """What a person sees of a payment page: its heading, its words, its fields, what it complains of."""

    url: str
    status: int
    heading: str = ""
    text: str = ""
    complaint: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._within: list[str] = []
        self._alert = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attributes}
        if tag == "input" and "name" in named and (named.get("type") != "radio" or "checked" in named):
            self._page.fields[named["name"]] = named.get("value", "")
        if tag == "button" and "name" in named:
            self._page.buttons.append((named["name"], named.get("value", "")))
        if tag not in ("meta", "link", "input", "br", "option"):
            self._within.append(tag)
            self._alert += self._alert > 0 or named.get("role") == "alert"

    def handle_endtag(self, tag: str) -> None:
        if tag in self._within:
            while self._within.pop() != tag:
                self._alert -= self._alert > 0
            self._alert -= self._alert > 0

    def handle_data(self, data: str) -> None:
        if "h1" in self._within:
            self._page.heading += data
        if self._alert:
            self._page.complaint += data
        self._page.text += data


def read(answer: requests.Response) -> Page:
    """A page as a person reads it."""
    page = Page(url=answer.url, status=answer.status_code)
    _Reader(page).feed(answer.text)
    page.heading, page.text, page.complaint = (" ".join(text.split()) for text in (page.heading, page.text, page.complaint))
    return page


def look(url: str) -> Page:
    """Open a payment page without paying."""
    with requests.Session() as browser:
        return read(browser.get(url, timeout=PATIENCE))


def pay(
    url: str, card: str = "4242 4242 4242 4242", *, email: str = "anna.berg@example.org", name: str = "Anna Berg",
    expiry: str = "12 / 34", cvc: str = "123", account: str | None = None, routing: str = "110000000", iban: str | None = None,
    complete_3ds: bool = True, **more: str,
) -> str:  # fmt: skip
    """Pay on the hosted page with a card, a US account or an IBAN. Answers where the payer is sent. Raises NotPaid."""
    typed = {"email": email, "name": name, "card_number": card, "card_expiry": expiry, "card_cvc": cvc, "method": "card"}
    if account is not None:
        typed |= {"method": "us_bank_account", "account_number": account, "routing_number": routing}
    if iban is not None:
        typed |= {"method": "sepa_debit", "iban": iban}
    with requests.Session() as browser:
        page = read(browser.get(url, timeout=PATIENCE))
        if "name" not in page.fields:
            raise NotPaid(page.heading, page.status)
        known = {name: value for name, value in (typed | more).items() if name in page.fields}
        answer = browser.post(url, data=page.fields | known, timeout=PATIENCE, allow_redirects=False)
        while answer.is_redirect:
            there = urljoin(url, answer.headers["Location"])
            if urlsplit(there).netloc != urlsplit(url).netloc or "/c/pay/" not in there:
                return there
            page = read(browser.get(there, timeout=PATIENCE))
            if not page.buttons:
                raise NotPaid(page.heading, page.status)
            chosen = {"answer": "complete" if complete_3ds else "fail"}
            answer = browser.post(there, data=chosen, timeout=PATIENCE, allow_redirects=False)
        page = read(answer)
        raise NotPaid(page.complaint or page.heading, answer.status_code)
