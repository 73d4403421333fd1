"""What the pages of the desk share: blueprint, rail, transactions in the name of who is signed in, forms with errors."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session

from seminars.db import db, transaction
from seminars.kit.money import Money, parse_amount
from seminars.kit.refusals import BadInput, BadInputs, Refusal
from seminars.people import permissions as may
from seminars.people.permissions import Right
from seminars.web.shared import joined, now, request_id
from seminars.web.shared.errors import status_of
from seminars.web.shared.guards import by, signed_in_user

staff = Blueprint("staff", __name__, url_prefix="/staff")


@dataclass(frozen=True)
class Desk:
    """One entry of the left rail."""

    label: str
    endpoint: str
    right: Right


RAIL = (
    Desk("Today", "staff.today", may.use_desk),
    Desk("Programme", "staff.programme", may.see_programme),
    Desk("Consulting", "staff.week", may.own_week),
    Desk("Engagements", "staff.proposals", may.see_engagements),
    Desk("Orders", "staff.orders", may.see_orders),
    Desk("Finance", "staff.finance", may.see_finance),
    Desk("Messages", "staff.messages", may.see_messages),
    Desk("People", "staff.people", may.manage_people),
    Desk("Settings", "staff.settings", may.see_settings),
)


@staff.app_context_processor
def _rail() -> dict[str, Any]:
    """What the layout of the desk needs. Nothing on public pages."""
    if request.blueprint not in ("staff", "security"):
        return {}
    user = signed_in_user()
    return {
        "rail": [desk for desk in RAIL if desk.right(user)],
        "user": user,
        "may": _Rights(user),
        "desk_zone": joined().settings.center.zone,
        "Money": Money,
        "instant": now(),
        "pairs": lambda values: [(value, value) for value in values],
    }


class _Rights:
    """Lets a template ask `may.change_programme`."""

    def __init__(self, user: Any) -> None:
        self._user = user

    def __getattr__(self, name: str) -> bool:
        return may.RIGHTS[name](self._user)


@staff.after_request
def _never_kept(response: Any) -> Any:
    """Pages of the desk name people: no browser and no proxy keeps them."""
    response.headers["Cache-Control"] = "private, no-store"
    return response


@contextmanager
def acting(why: str = "") -> Iterator[Session]:
    """One transaction in the name of whoever is signed in."""
    with transaction(by=by(), why=why, request_id=request_id()) as session:
        session.info["now"] = now()
        yield session


def reading() -> Session:
    """The request's session, for pages that only look."""
    return db.session()


def page(template: str, /, **facts: Any) -> str:
    """A page of the desk."""
    return render_template(f"staff/{template}", **facts)


def again(template: str, refusal: Refusal, /, **facts: Any) -> tuple[str, int]:
    """The form once more with what was typed, each error beside its field and all of them on top."""
    return page(template, errors=errors_of(refusal), typed=request.form, **facts), status_of(refusal)


def errors_of(refusal: Refusal) -> dict[str, str]:
    """Sentences by field; what belongs to no field stands under an empty name."""
    match refusal:
        case BadInputs():
            return refusal.errors
        case BadInput():
            return {refusal.field or "": str(refusal)}
        case _:
            return {"": str(refusal)}


class Typed:
    """Reads values out of a form and collects what cannot be read, before a verb looks at what they mean."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self.form = form
        self.errors: dict[str, str] = {}

    def text(self, name: str) -> str:
        """Whatever was typed."""
        return self.form.get(name, "")

    def ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.form.get(name))

    def whole(self, name: str, *, low: int, high: int) -> int:
        """A whole number."""
        text = self.text(name).strip().replace(",", "")
        if not text.isascii() or not text.isdecimal() or len(text) > 9 or not low <= int(text) <= high:
            self.errors[name] = f"Please type a whole number from {low:,} to {high:,}."
            return low
        return int(text)

    def choice(self, name: str) -> int | None:
        """The id of what was chosen in a list, or nothing."""
        text = self.text(name).strip()
        if text and (not text.isascii() or not text.isdecimal() or len(text) > 18):
            self.errors[name] = "Please choose from the list."
            return None
        return int(text) if text else None

    def money(self, name: str, currency: str) -> Money:
        """An amount in the major unit, such as 1,190.00."""
        try:
            return parse_amount(self.text(name), currency)
        except ValueError as wrong:
            self.errors[name] = str(wrong)
            return Money(0, currency)

    def some_money(self, name: str, currency: str) -> Money | None:
        """An amount, or nothing."""
        return self.money(name, currency) if self.text(name).strip() else None

    def clock(self, name: str) -> datetime:
        """A day and a time on the clock, as browsers send them: 2027-03-22T09:00."""
        text = self.text(name).strip().replace(" ", "T")
        for pattern in ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"):
            try:
                return sensible(datetime.strptime(text, pattern))
            except ValueError:
                continue
        self.errors[name] = "Please give a day and a time, such as 2027-03-22 09:00."
        return datetime(2000, 1, 1)

    def day(self, name: str) -> date:
        """A day: 2027-03-22."""
        try:
            return sensible(datetime.strptime(self.text(name).strip(), "%Y-%m-%d")).date()
        except ValueError:
            self.errors[name] = "Please give a day, such as 2027-03-22."
            return date(2000, 1, 1)

    def wrong(self, name: str, sentence: str) -> None:
        """Say what is wrong with a field."""
        self.errors.setdefault(name, sentence)

    def finish(self) -> None:
        """Raises BadInputs if anything could not be read."""
        if self.errors:
            raise BadInputs(self.errors)


def sensible(value: datetime) -> datetime:
    """A day that the center may plan or keep books for. Raises ValueError for one before 2000 or after 2100."""
    if not 2000 <= value.year <= 2100:
        raise ValueError("no year that we plan for")
    return value.replace(second=0)


def positive(text: str | None) -> int | None:
    """A cursor out of an address: a positive number, or nothing for anything else."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= 18 else None
