"""When somebody is busy, as their own iCalendar file says. Pure.

What is free (TRANSP:TRANSPARENT), cancelled, or declined by its status takes no time; what cannot be read is passed over and counted, so
that staff see that the picture is not whole.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from seminars.calendars.zones import known_zone
from seminars.catalog.reading.ics_lines import Component, Property, read_components
from seminars.catalog.reading.ics_repeats import Effort, repetition
from seminars.catalog.reading.ics_times import Clocks, NotATime, When, clocks_of, read_duration
from seminars.catalog.reading.plan import Notes, Unreadable

DAY = timedelta(days=1)
MOST_TIMES = 20_000
FREE = "FREE"
FEED_MARK = "@feed.seminars.invalid"
"""How the UIDs in a consultant's private feed end: a calendar that subscribes to it says nothing new."""


@dataclass(frozen=True)
class BusyTimes:
    """The times, merged and earliest first, and how many entries could not be read."""

    times: tuple[tuple[datetime, datetime], ...]
    unread: int = 0


def feed_uid(reference: str) -> str:
    """The UID of an entry (`appointment/3`, `session/7`) in a consultant's private feed."""
    return f"{reference.replace('/', '-')}{FEED_MARK}"


def read_busy(data: bytes, *, zone: str, since: datetime, until: datetime, own: Collection[str] = ()) -> BusyTimes:
    """The busy times in the window; times without a zone are in `zone`. Entries whose UID is in `own`, or of our feed, are left out.

    Raises Unreadable for a file that is no calendar, or too large to follow.
    """
    assert known_zone(zone)
    found: list[tuple[datetime, datetime]] = []
    unread = 0
    effort = Effort()
    for calendar in read_components(data):
        clocks = clocks_of(calendar, zone, Notes())
        for component in calendar.walk("VFREEBUSY"):
            times, failed = _of_freebusy(component, clocks)
            found += times
            unread += failed
        for events in _by_uid(calendar, own).values():
            try:
                found += _of_series(events, clocks, effort, since, until)
            except NotATime:
                unread += 1
        if len(found) > MOST_TIMES:
            raise Unreadable(f"This calendar has more than {MOST_TIMES:,} busy times.")
    within = sorted((max(start, since), min(end, until)) for start, end in found if start < until and end > since)
    return BusyTimes(tuple(_merged(within)), unread)


def _by_uid(calendar: Component, own: Collection[str]) -> dict[str, list[Component]]:
    found: dict[str, list[Component]] = {}
    for number, component in enumerate(calendar.walk("VEVENT")):
        uid = component.text("UID").strip()
        if uid not in own and not uid.endswith(FEED_MARK):
            found.setdefault(uid or f" {number}", []).append(component)
    return found


def _of_series(
    events: list[Component], clocks: Clocks, effort: Effort, since: datetime, until: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """The times of one UID: each occurrence, and instead of those that were changed, what they were changed to. Raises NotATime."""
    changes = {}
    for event in events:
        named = event.first("RECURRENCE-ID")
        if named is not None:
            changes[_instant(clocks.when(named), clocks)] = event
    for event in events:
        if event.first("RECURRENCE-ID") is not None:
            if _takes_time(event):
                start = _start(event, clocks)
                yield _span(start, _length(event, start, clocks), clocks)
            continue
        if not _takes_time(event):
            continue
        start = _start(event, clocks)
        length = _length(event, start, clocks)
        horizon = (until + 2 * DAY).date()
        first = _brought_near(event, start, since - length)
        for wall in repetition(event, first, clocks, horizon=horizon, notes=Notes(), effort=effort).starts:
            occurrence = When(wall, start.zone, start.is_day)
            if _instant(occurrence, clocks) not in changes:
                yield _span(occurrence, length, clocks)


def _brought_near(event: Component, start: When, since: datetime) -> When:
    """A start of the same series not long before the window: a rule of days or weeks need not be followed from years ago."""
    rules = event.all("RRULE")
    parts = dict(piece.split("=", 1) for piece in rules[0].value.upper().split(";") if "=" in piece) if len(rules) == 1 else {}
    days = {"DAILY": 1, "WEEKLY": 7}.get(parts.get("FREQ", ""), 0)
    interval = parts.get("INTERVAL", "1")
    if not days or "COUNT" in parts or not interval.isdecimal() or not int(interval):
        return start
    step = timedelta(days=days * int(interval))
    ahead = (since.replace(tzinfo=None) - start.wall) // step - 2
    return When(start.wall + ahead * step, start.zone, start.is_day) if ahead > 0 else start


def _takes_time(event: Component) -> bool:
    return event.text("TRANSP").strip().upper() != "TRANSPARENT" and event.text("STATUS").strip().upper() != "CANCELLED"


def _start(event: Component, clocks: Clocks) -> When:
    prop = event.first("DTSTART")
    if prop is None:
        raise NotATime("There is no day.")
    return clocks.when(prop)


def _length(event: Component, start: When, clocks: Clocks) -> timedelta:
    """In wall-clock time. What ends when it begins takes no time, as RFC 5545 3.6.1 has it."""
    end, duration = event.first("DTEND"), event.first("DURATION")
    if end is not None and end.value.strip():
        until = clocks.when(end)
        return until.wall_in(start.zone or "UTC") - start.wall
    if duration is not None:
        return read_duration(duration.value)
    return DAY if start.is_day else timedelta(0)


def _span(start: When, length: timedelta, clocks: Clocks) -> tuple[datetime, datetime]:
    begin = _instant(start, clocks)
    return begin, max(begin, _instant(When(start.wall + length, start.zone, start.is_day), clocks))


def _instant(when: When, clocks: Clocks) -> datetime:
    """A day begins at midnight of the calendar's own zone."""
    zone = when.zone or clocks.of_days or "UTC"
    return when.wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _of_freebusy(component: Component, clocks: Clocks) -> tuple[list[tuple[datetime, datetime]], int]:
    found, failed = [], 0
    for prop in component.all("FREEBUSY"):
        if prop.params.get("FBTYPE", "BUSY").upper() == FREE:
            continue
        for value in filter(None, prop.value.split(",")):
            try:
                found.append(_period(prop, value, clocks))
            except NotATime:
                failed += 1
    return found, failed


def _period(prop: Property, value: str, clocks: Clocks) -> tuple[datetime, datetime]:
    """A period with its end or its length (RFC 5545 3.3.9). Raises NotATime."""
    first, _, last = value.partition("/")
    start = _instant(clocks.when(prop, first), clocks)
    end = start + read_duration(last) if last.strip().lstrip("+-").startswith("P") else _instant(clocks.when(prop, last), clocks)
    return start, max(start, end)


def _merged(spans: list[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    last: tuple[datetime, datetime] | None = None
    for start, end in spans:
        if end <= start:
            continue
        if last is not None and start <= last[1]:
            last = (last[0], max(last[1], end))
            continue
        if last is not None:
            yield last
        last = (start, end)
    if last is not None:
        yield last
