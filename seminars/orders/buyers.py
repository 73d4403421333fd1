"""Who buys and who attends, checked: every text that will stand on an invoice, in a mail header or in a calendar comes through here."""

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

from seminars.kit.refusals import BadInputs
from seminars.kit.typed import hidden_signs
from seminars.registration.places import Attendee

NAME_LIMIT = 200
LONG_LIMIT = 1_000


@dataclass(frozen=True)
class Buyer:
    """Who placed the order."""

    name: str
    email: str
    organisation: str = ""
    address: str = ""
    country: str = ""
    po_number: str = ""
    zone: str = ""


@dataclass(frozen=True)
class Party:
    """The buyer and the people who attend, seat by seat (None where nobody is named yet)."""

    buyer: Buyer
    attendees: tuple[Attendee | None, ...]


class Checker:
    """Reads texts out of what was typed and collects what is wrong, each under its own field."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        self.typed = typed
        self.errors: dict[str, str] = {}

    def line(self, field: str, *, called: str, required: bool = False, most: int = NAME_LIMIT) -> str:
        """One line of text."""
        text = re.sub(" +", " ", unicodedata.normalize("NFC", self.typed.get(field, "")).strip())
        if required and not text:
            self.errors[field] = f"Write {called}."
        elif len(text) > most:
            self.errors[field] = f"This is longer than {most} characters. Shorten it."
        elif hidden_signs(text):
            self.errors[field] = "This holds line breaks or signs that cannot be printed. Write it again by hand."
        return text

    def paragraph(self, field: str, *, most: int = LONG_LIMIT) -> str:
        """Text of several lines, such as an address."""
        text = unicodedata.normalize("NFC", self.typed.get(field, "").replace("\r\n", "\n").replace("\r", "\n").strip())
        if len(text) > most:
            self.errors[field] = f"This is longer than {most} characters. Shorten it."
        elif hidden_signs(text, but="\n\t"):
            self.errors[field] = "This holds signs that cannot be printed. Write it again by hand."
        return text

    def email(self, field: str, *, required: bool = True) -> str:
        """One mail address, in the form mail servers compare."""
        text = self.typed.get(field, "").strip()
        if not text and not required:
            return ""
        if not text:
            self.errors[field] = "Write an email address, such as name@hospital.example."
            return ""
        try:
            return validate_email(text, check_deliverability=False, allow_smtputf8=False).normalized
        except EmailNotValidError:
            self.errors[field] = "This address is not complete. Write it in full, such as name@hospital.example."
            return text

    def finish(self) -> None:
        """Raises BadInputs when anything was wrong."""
        if self.errors:
            raise BadInputs(self.errors)


def read_party(typed: Mapping[str, str], places: int, *, twins: Mapping[int, int] | None = None) -> Party:
    """Read the checkout form: `name`, `mail`, `org`, `address`, `country`, `po`, `zone`; `self` when the buyer takes seat 1; and for each
    seat n `pn-later` or `pn-name`, `pn-mail`, `pn-prof`, `pn-need`; or `pn-same` where the seat has a twin, an earlier one that the same
    person takes in another event. Raises BadInputs with every field that cannot be used.
    """
    check = Checker(typed)
    buyer = Buyer(
        name=check.line("name", called="your name", required=True),
        email=check.email("mail"),
        organisation=check.line("org", called="your organisation"),
        address=check.paragraph("address"),
        country=_country(check),
        po_number=check.line("po", called="the purchase order number", most=80),
        zone=_zone(typed.get("zone", "")),
    )
    same = {number: twin for number, twin in (twins or {}).items() if typed.get(f"p{number}-same")}
    attendees: list[Attendee | None] = []
    for number in range(1, places + 1):
        attendees.append(attendees[same[number] - 1] if number in same else _attendee(check, number, buyer))
    check.finish()
    return Party(buyer, tuple(attendees))


def twins_of(events: Sequence[int]) -> dict[int, int]:
    """For each seat of a further event the seat of the first that the same person may take: the second there for the second here.

    `events` says seat by seat which event it is of; seats are counted from 1.
    """
    first = [number for number, event in enumerate(events, 1) if event == events[0]]
    seen = Counter[int]()
    twins = {}
    for number, event in enumerate(events, 1):
        if event != events[0] and seen[event] < len(first):
            twins[number] = first[seen[event]]
        seen[event] += 1
    return twins


def read_attendee(typed: Mapping[str, str], prefix: str = "") -> Attendee:
    """Read one person from `name`, `mail`, `prof`, `need` (each after the prefix). Raises BadInputs."""
    check = Checker(typed)
    attendee = _person(check, prefix)
    check.finish()
    return attendee


def _attendee(check: Checker, number: int, buyer: Buyer) -> Attendee | None:
    prefix = f"p{number}-"
    if number == 1 and check.typed.get("self"):
        return Attendee(buyer.name, buyer.email, *_about(check, prefix))
    if check.typed.get(f"{prefix}later"):
        return None
    return _person(check, prefix)


def _person(check: Checker, prefix: str) -> Attendee:
    name = check.line(f"{prefix}name", called="the person's name", required=True)
    return Attendee(name, check.email(f"{prefix}mail"), *_about(check, prefix))


def _about(check: Checker, prefix: str) -> tuple[str, str]:
    return check.line(f"{prefix}prof", called="the profession"), check.line(f"{prefix}need", called="the needs", most=500)


def _country(check: Checker) -> str:
    text = check.line("country", called="the country", most=60).upper()
    if text and (len(text) != 2 or not text.isalpha() or not text.isascii()):
        check.errors.setdefault("country", "Choose a country from the list.")
    return text


def _zone(text: str) -> str:
    """The browser's zone, when it is one we know: only a convenience, so anything else is dropped."""
    return text if text in _zones() else ""


@functools.cache
def _zones() -> frozenset[str]:
    """Every zone this machine knows; looking them up reads some hundred files."""
    return frozenset(available_timezones())
