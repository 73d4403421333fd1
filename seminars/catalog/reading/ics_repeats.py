"""The occurrences of an event that repeats (RFC 5545 3.3.10, 3.8.5), in the wall-clock time of its zone.

The hour of the clock is what repeats, so that 09:00 stays 09:00 when the clocks change.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from dateutil.rrule import rrule, rrulestr  # type: ignore[import-untyped]

from seminars.catalog.reading.ics_lines import Component
from seminars.catalog.reading.ics_times import Clocks, NotATime, When
from seminars.catalog.reading.plan import Notes, Unreadable

MOST_SESSIONS = 5_000
MOST_STEPS = 100_000
DAYS_OF = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
# How many days of a calendar take as long to look through as one day under a daily rule, measured.
DAYS_OF_A_STEP = {"DAILY": 1, "WEEKLY": 3, "MONTHLY": 6, "YEARLY": 15}
MAY_GIVE_NOTHING = {"BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYEASTER"}
SHORTEST_SPAN, LONGEST_SPAN = timedelta(days=366 * 8), timedelta(days=366 * 60)


@dataclass
class Effort:
    """How far the rules of a file have been followed. A rule for 30 February is followed for years and never gives a day."""

    steps: int = 0

    def spend(self, steps: int) -> None:
        """Raises Unreadable once a file asks for more than any real one does."""
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise Unreadable("The repetitions in this file would take too long to follow. Split it, or give its rules an end.")


@dataclass(frozen=True)
class Repetition:
    """The starts of an event, and whether some were cut at the horizon."""

    starts: tuple[datetime, ...]
    cut: bool = False


def repetition(event: Component, first: When, clocks: Clocks, *, horizon: date, notes: Notes, effort: Effort) -> Repetition:
    """All starts of an event: the first, those of its rules and its dates, without its exceptions. Raises NotATime."""
    zone = first.zone or "UTC"
    starts = {first.wall}
    cut = False
    for prop in event.all("RRULE"):
        found, endless = _by_rule(prop.value, first, clocks, horizon=horizon, notes=notes, effort=effort, line=prop.line)
        starts |= found
        cut = cut or endless
    for prop in event.all("RDATE"):
        starts |= {_as_start(clocks.when(prop, value.split("/")[0]), first, zone) for value in prop.value.split(",")}
    for prop in event.all("EXRULE"):
        starts -= _by_rule(prop.value, first, clocks, horizon=horizon, notes=notes, effort=effort, line=prop.line)[0]
    for prop in event.all("EXDATE"):
        for value in filter(None, prop.value.split(",")):
            without = clocks.when(prop, value)
            # Some programs except a whole day from an event that has an hour.
            starts -= {start for start in starts if start.date() == without.wall.date()} if without.is_day else {without.wall_in(zone)}
    if len(starts) > MOST_SESSIONS:
        raise NotATime(f"It repeats more than {MOST_SESSIONS:,} times.")
    return Repetition(tuple(sorted(starts)), cut)


def _by_rule(
    text: str, first: When, clocks: Clocks, *, horizon: date, notes: Notes, effort: Effort, line: int
) -> tuple[set[datetime], bool]:
    parts = _parts(text)
    count, until = parts.pop("COUNT", None), parts.pop("UNTIL", None)
    endless = count is None and until is None
    times = None if count is None else _count(count)
    if endless:
        last = datetime.combine(horizon, time()) - timedelta(seconds=1)
    else:
        last = first.wall + _span(parts, times)
        last = last if until is None else min(last, _until(until, first, clocks, notes, line))
    if MAY_GIVE_NOTHING & set(parts):
        effort.spend((last - first.wall).days // (DAYS_OF_A_STEP[parts["FREQ"]] * _interval(parts)))
    rule = _rule(parts, first.wall, last)
    starts: set[datetime] = set()
    for start in _told(rule, first.wall, times):
        starts.add(start)
        if len(starts) > MOST_SESSIONS:
            raise NotATime(f"It repeats more than {MOST_SESSIONS:,} times.")
    return starts, endless


def _told(rule: rrule, first: datetime, count: int | None) -> Iterator[datetime]:
    """The first start counts as one of COUNT even where the rule alone would not give it: RFC 5545 3.8.5.3."""
    given = 1
    yield first
    for start in rule:
        if start == first:
            continue
        if count is not None and given >= count:
            return
        given += 1
        yield start


def _parts(text: str) -> dict[str, str]:
    parts = dict(piece.split("=", 1) for piece in text.strip().upper().rstrip(";").split(";") if "=" in piece)
    if parts.get("FREQ") not in DAYS_OF:
        raise NotATime(f"It repeats in a way we can't read: {text[:80]}.")
    if not re.fullmatch(r"0{0,3}[1-9]\d{0,3}", parts.get("INTERVAL", "1"), re.ASCII):
        raise NotATime(f"It repeats in a way we can't read: {text[:80]}.")
    return parts


def _interval(parts: dict[str, str]) -> int:
    return int(parts.get("INTERVAL", "1"))


def _span(parts: dict[str, str], times: int | None) -> timedelta:
    """How long a rule with an end is followed at most: twelvefold, since it may hold in a single month of each year."""
    if times is None:
        return LONGEST_SPAN
    return min(max(timedelta(days=12 * times * _interval(parts) * DAYS_OF[parts["FREQ"]]), SHORTEST_SPAN), LONGEST_SPAN)


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII) or not 1 <= int(text) <= MOST_SESSIONS:
        raise NotATime(f"It repeats {text[:20]} times.")
    return int(text)


def _rule(parts: dict[str, str], first: datetime, last: datetime) -> rrule:
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    try:
        return rrulestr(f"RRULE:{text};UNTIL={last:%Y%m%dT%H%M%S}", dtstart=first)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise NotATime(f"It repeats in a way we can't read: {text[:80]}.") from error


def _until(text: str, first: When, clocks: Clocks, notes: Notes, line: int) -> datetime:
    """The last moment of a rule on the clock of its event. A day is meant to its end; a time without Z is local."""
    bare = text.rstrip("Z")
    if "T" not in bare:
        return datetime.combine(_naive(bare).date(), time(23, 59, 59))
    if text.endswith("Z") and not first.is_day:
        return When(_naive(bare), "UTC").wall_in(first.zone or "UTC")
    if not first.is_day and first.zone != "UTC":
        notes.add("The repetition ends at a time without a zone; it was read in the zone of its event", line)
    return _naive(bare)


def _naive(text: str) -> datetime:
    for form in ("%Y%m%dT%H%M%S", "%Y%m%dT%H%M", "%Y%m%d"):
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    raise NotATime(f"“{text[:40]}” is no date.")


def _as_start(when: When, first: When, zone: str) -> datetime:
    """A further date of an event. A bare day takes the hour of the first start."""
    if when.is_day:
        return datetime.combine(when.wall.date(), first.wall.time())
    return datetime.combine(when.wall.date(), time()) if first.is_day else when.wall_in(zone)
