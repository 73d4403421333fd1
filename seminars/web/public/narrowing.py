"""The programme's filters: read from the address, and written back into links so that the address always holds what is shown."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from seminars.catalog.queries import Cursor, Kind, Narrowed
from seminars.web.public.wording import month_name

CURSOR = re.compile(r"(\d{1,12})\.(\d{1,18})")
MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
LONGEST = 120
FIELDS = ("format", "topic", "city", "month", "price", "q")
READERS = {name: attrgetter(name) for name in ("format", "topic", "city", "month")} | {"price": attrgetter("free")}
"""Where a kind of row has what each filter asks for."""


@dataclass(frozen=True)
class Asked:
    """What the address asks for, and what in it could not be used."""

    narrowed: Narrowed
    since: date | None
    after: Cursor | None
    unusable: tuple[str, ...]


def read(args: MultiDict[str, str]) -> Asked:
    """Read the address. What cannot be used is left out and named, so that a cut-off link still shows the programme."""
    values = {name: CONTROL.sub("", args.get(name, "")).strip()[:LONGEST] for name in FIELDS}
    unusable = []
    for name, allowed in (("format", {"", "in-person", "online"}), ("price", {"", "free", "paid"})):
        if values[name] not in allowed:
            unusable.append(name)
            values[name] = ""
    if values["month"] and not MONTH.fullmatch(values["month"]):
        unusable.append("month")
        values["month"] = ""
    since = _date(args.get("from", ""))
    after = _cursor(args.get("after", ""))
    unusable += [name for name, read_ in (("from", since), ("after", after)) if args.get(name) and read_ is None]
    return Asked(Narrowed(**values), since, after, tuple(unusable))


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2200 else None


def _cursor(text: str) -> Cursor | None:
    match = CURSOR.fullmatch(text)
    # What begins at 0 is an offering, which has no date.
    if not match or not 0 < int(match[1]) <= 7_258_118_400:
        return None
    return Cursor(datetime.fromtimestamp(int(match[1]), UTC), int(match[2]))


def query(narrowed: Narrowed, **more: str) -> str:
    """The query string, with its question mark, of a list narrowed like this; empty when it is not narrowed."""
    values = {name: getattr(narrowed, name) for name in FIELDS} | more
    kept = {name: value for name, value in values.items() if value}
    return f"?{urlencode(kept)}" if kept else ""


def chosen(narrowed: Narrowed, topics: Iterable[tuple[str, str]]) -> list[str]:
    """What the list is narrowed to, in words; the words searched for stand by themselves."""
    formats, prices = {"in-person": "In person", "online": "Online"}, {"free": "Free", "paid": "Paid"}
    named = (
        formats.get(narrowed.format, ""),
        dict(topics).get(narrowed.topic, narrowed.topic),
        narrowed.city,
        month_name(date.fromisoformat(f"{narrowed.month}-01")) if narrowed.month else "",
        prices.get(narrowed.price, ""),
    )
    return [name for name in named if name]


def cursor_of(starts_at: datetime, row: int) -> str:
    """The end of a page, as it stands in the link to the next one."""
    return f"{int(starts_at.timestamp())}.{row}"


@dataclass(frozen=True)
class Choice:
    """One link of the filters."""

    label: str
    href: str
    rows: int
    chosen: bool
    topic: str = ""


@dataclass(frozen=True)
class Group:
    """The links of one filter."""

    heading: str
    choices: tuple[Choice, ...]


def groups(narrowed: Narrowed, kinds: Iterable[Kind], topics: tuple[tuple[str, str], ...]) -> list[Group]:
    """The filters with the number of rows that each link would show, given what else is chosen."""
    rows = list(kinds)
    months = [(month, month_name(date.fromisoformat(f"{month}-01"))) for month in sorted({kind.month for kind in rows if kind.month})]
    known = dict(topics)
    others = sorted({kind.topic for kind in rows if kind.topic and kind.topic not in known})
    plan = (
        ("format", "Format", "Everything", [("in-person", "In person"), ("online", "Online")]),
        ("topic", "Topic", "All topics", [*topics, *((topic, topic) for topic in others)]),
        ("city", "City", "All cities", [(city, city) for city in sorted({kind.city for kind in rows if kind.city})]),
        ("month", "Month", "All months", months),
        ("price", "Price", "Free and paid", [("free", "Free"), ("paid", "Paid")]),
    )
    made = [_group(narrowed, field, heading, everything, values, rows) for field, heading, everything, values in plan]
    return [group for group in made if group.choices]


def _group(narrowed: Narrowed, field: str, heading: str, everything: str, values: list[tuple[str, str]], rows: list[Kind]) -> Group:
    chosen = getattr(narrowed, field)
    counts = _counts(fitting(replace(narrowed, **{field: ""}), rows), field)
    choices = [_choice(narrowed, field, value, label, counts[value]) for value, label in values if counts[value] or value == chosen]
    if chosen or field == "format":
        choices.insert(0, _choice(narrowed, field, "", everything, counts[""]))
    return Group(heading, tuple(choices))


def _choice(narrowed: Narrowed, field: str, value: str, label: str, count: int) -> Choice:
    href = f"/{query(replace(narrowed, **{field: value}))}"
    return Choice(label, href, count, getattr(narrowed, field) == value, value if field == "topic" else "")


def fitting(narrowed: Narrowed, rows: list[Kind]) -> list[Kind]:
    """The rows that are left when the list is narrowed so."""
    for field, read in READERS.items():
        if chosen := getattr(narrowed, field):
            rows = [kind for kind in rows if chosen in _values(field, read(kind))]
    return rows


def _counts(rows: list[Kind], field: str) -> Counter[str]:
    """How many rows each value of one filter would leave; all of them under the empty value."""
    stored: Counter[Any] = Counter()
    read = READERS[field]
    for kind in rows:
        stored[read(kind)] += kind.rows
    counts = Counter({"": stored.total()})
    for value, number in stored.items():
        for shown in _values(field, value):
            counts[shown] += number
    return counts


def _values(field: str, stored: Any) -> tuple[str, ...]:
    """The values of a filter under which a row is found, from what the row has in that place."""
    match field:
        case "format":
            return ("in-person", "online") if stored == "hybrid" else (stored.replace("_", "-"),)
        case "price":
            return ("free" if stored else "paid",)
        case _:
            return (stored,) if stored else ()
