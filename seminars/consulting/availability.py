"""Slots: start times that can be booked now, computed from hours, exceptions and what is taken. Pure, and linear in the claims it is given.

Inside, time is whole seconds of the epoch: the wall clock is asked once per stretch of hours. A stretch lasts from the first instant at
which the clock shows its beginning, or later, until the first at which it shows its end: what a zone skips is not there to be offered,
and what it repeats belongs to a stretch that ends within it the first time only.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE = 60
DAY = timedelta(days=1)
MARGIN = timedelta(hours=26)
"""So far around a window lies what the slots in it depend on: the rest of a local day, which may have 25 hours."""
MIDNIGHT = time(0, 0)
_NEVER = 2**62


@dataclass(frozen=True, slots=True)
class Hours:
    """A stretch of one weekday (0 is Monday) on the wall clock of `zone`; an end at midnight is the end of that day."""

    weekday: int
    starts: time
    ends: time
    zone: str


@dataclass(frozen=True, slots=True)
class DayHours:
    """A stretch of one date instead of its weekly hours; without ends, nothing on that date."""

    day: date
    starts: time | None
    ends: time | None
    zone: str


@dataclass(frozen=True)
class Diary:
    """When one consultant works. Whoever's date it is: the date in the zone that each stretch is written in."""

    consultant_id: int
    resource_id: int
    zone: str
    hours: tuple[Hours, ...]
    exceptions: tuple[DayHours, ...] = ()


@dataclass(frozen=True)
class Terms:
    """What a meeting needs: its length, the grid it starts on, and the buffers around it, in minutes; `together` consultants at once.

    Nothing starts before `earliest` nor at or after `latest`. A consultant has at most `daily_cap` meetings on a date of their zone.
    """

    minutes: int
    step: int
    buffer_before: int
    buffer_after: int
    earliest: datetime
    latest: datetime
    together: int = 1
    daily_cap: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """Time that is not free. `meeting` names the meeting it belongs to, empty for anything else: meetings count for the daily cap."""

    resource_id: int
    starts_at: datetime
    ends_at: datetime
    meeting: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A start time that can be booked, and the consultants who are free then."""

    starts_at: datetime
    ends_at: datetime
    consultant_ids: tuple[int, ...]


def slots(terms: Terms, diaries: Sequence[Diary], taken: Iterable[Taken], *, since: datetime, until: datetime) -> list[Slot]:
    """The slots that start in the window, earliest first. `taken` has to cover it with the MARGIN at either side, for the daily cap.

    Which slots there are does not depend on the window that they are asked for in.
    """
    first, last = max(since, terms.earliest), min(until, terms.latest)
    if first >= last:
        return []
    by_resource: dict[int, list[Taken]] = {diary.resource_id: [] for diary in diaries}
    for one in taken:
        if one.resource_id in by_resource:
            by_resource[one.resource_id].append(one)
    free: dict[int, list[int]] = {}
    for diary in diaries:
        for start in _starts(terms, diary, by_resource[diary.resource_id], first, last):
            free.setdefault(start, []).append(diary.consultant_id)
    length = terms.minutes * MINUTE
    return [
        Slot(_instant(start), _instant(start + length), tuple(ids)) for start, ids in sorted(free.items()) if len(ids) >= terms.together
    ]


def open_times(diary: Diary, *, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """When the consultant works in the window, earliest first, before anything is taken off."""
    low, high = _epoch(since), _epoch(until)
    return [(_instant(start), _instant(end)) for start, end in _merged(_stretches(diary, since, until)) if end > low and start < high]


def _starts(terms: Terms, diary: Diary, taken: Sequence[Taken], first: datetime, last: datetime) -> list[int]:
    """Grid points where the meeting with its buffers meets nothing that is taken. They count from the start of each stretch."""
    length, step = terms.minutes * MINUTE, terms.step * MINUTE
    before, after = terms.buffer_before * MINUTE, terms.buffer_after * MINUTE
    low, high = _epoch(first), _epoch(last)
    busy = _merged((_epoch(one.starts_at), _epoch(one.ends_at)) for one in taken)
    ends = [end for _, end in busy]
    full = _full_days(terms, diary, taken)
    found = []
    for opens, closes, next_opens in _grids(_stretches(diary, first, last)):
        start = opens if opens >= low else opens + -(-(low - opens) // step) * step
        stop = min(high, next_opens, closes - length + 1)
        at = bisect_right(ends, start - before)
        while start < stop:
            while at < len(busy) and ends[at] <= start - before:
                at += 1
            if at < len(busy) and busy[at][0] < start + length + after:
                # Straight to the first grid point after what is in the way.
                start = opens + -(-(ends[at] + before - opens) // step) * step
                continue
            if not full or _instant(start).astimezone(ZoneInfo(diary.zone)).date() not in full:
                found.append(start)
            start += step
    return found


def _stretches(diary: Diary, since: datetime, until: datetime) -> list[tuple[int, int]]:
    """Hours and exceptions as instants. Zones differ from UTC by less than a day, and a meeting lasts one at most."""
    weekly: dict[int, list[Hours]] = {}
    for hours in diary.hours:
        weekly.setdefault(hours.weekday, []).append(hours)
    special: dict[date, list[DayHours]] = {}
    for exception in diary.exceptions:
        special.setdefault(exception.day, []).append(exception)
    found = []
    day, end = (since.astimezone(UTC) - DAY).date(), (until.astimezone(UTC) + 2 * DAY).date()
    while day <= end:
        held: Sequence[Hours | DayHours] = special.get(day) or weekly.get(day.weekday()) or ()
        for one in held:
            if one.starts is not None and one.ends is not None:
                ends_on = day + DAY if one.ends == MIDNIGHT else day
                start, stop = _placed(day, one.starts, one.zone), _placed(ends_on, one.ends, one.zone)
                if stop > start:
                    found.append((start, stop))
        day += DAY
    return sorted(found)


def _grids(stretches: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Each stretch as (opens, closes, where the next one opens); it closes where all that overlap or touch it have closed."""
    opens = [start for start, _ in stretches]
    whole = _merged(stretches)
    begins = [start for start, _ in whole]
    closes = [whole[bisect_right(begins, start) - 1][1] for start in opens]
    return list(zip(opens, closes, [*opens[1:], _NEVER][: len(opens)], strict=True))


def _full_days(terms: Terms, diary: Diary, taken: Sequence[Taken]) -> set[date]:
    """Dates, in the consultant's zone, that hold as many meetings as they may."""
    if terms.daily_cap is None:
        return set()
    zone, meetings = ZoneInfo(diary.zone), dict[date, set[str]]()
    for one in taken:
        if one.meeting:
            meetings.setdefault(one.starts_at.astimezone(zone).date(), set()).add(one.meeting)
    return {day for day, theirs in meetings.items() if len(theirs) >= terms.daily_cap}


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same times without overlaps, earliest first."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            if end > found[-1][1]:
                found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _placed(day: date, at: time, zone: str) -> int:
    """The first instant at which the clock shows that time or, where the zone skips it, a later one."""
    where = ZoneInfo(zone)
    wall = datetime.combine(day, at)
    early, late = sorted(_epoch(wall.replace(tzinfo=where, fold=fold)) for fold in (0, 1))
    if early == late or _instant(early).astimezone(where).replace(tzinfo=None) == wall:
        return early
    while late - early > 1:
        middle = (early + late) // 2
        if _instant(middle).astimezone(where).replace(tzinfo=None) < wall:
            early = middle
        else:
            late = middle
    return late


def _epoch(instant: datetime) -> int:
    return int(instant.timestamp())


def _instant(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)
