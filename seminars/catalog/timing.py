"""From the clock on the wall to an instant: what staff decide is 9:00 in the event's zone, whatever summer time does. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from seminars.kit import format as words
from seminars.kit.refusals import BadInput


class NoSuchTime(BadInput):
    """Clocks go forward over that time. Knows the nearest times that exist, before and after."""

    def __init__(self, wall: datetime, zone: str, before: datetime, after: datetime, field: str | None = None) -> None:
        self.before = before
        self.after = after
        asked = f"{words.clock_time(wall)} on {words.day(wall)}"
        nearest = f"{words.clock_time(before)} and {words.clock_time(after)}"
        super().__init__(f"{asked} does not exist in {zone}: clocks go forward. The nearest times are {nearest}.", field)


def place_in_time(wall: datetime, zone: str, *, field: str | None = None) -> datetime:
    """The instant at which clocks in the zone show that time; of two, the first (RFC 5545 §3.3.5). Raises NoSuchTime."""
    instant = _instant(wall, zone)
    if _shown(instant, zone) != wall:
        before, after = _edges(wall, zone)
        raise NoSuchTime(wall, zone, before, after, field)
    return instant


def place_day(day: date, zone: str) -> datetime:
    """The instant at which that day begins in the zone, even where midnight is skipped."""
    midnight = datetime.combine(day, time())
    instant = _instant(midnight, zone)
    return instant if _shown(instant, zone) == midnight else _instant(_edges(midnight, zone)[1], zone)


def shift(instant: datetime, zone: str, days: int) -> datetime:
    """The same time on the clock of the zone, so many days later; in a gap, the first time after it."""
    wall = _shown(instant, zone) + timedelta(days=days)
    moved = _instant(wall, zone)
    return moved if _shown(moved, zone) == wall else _instant(_edges(wall, zone)[1], zone)


def _instant(wall: datetime, zone: str) -> datetime:
    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def _shown(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def _edges(wall: datetime, zone: str) -> tuple[datetime, datetime]:
    """The last minute before the gap around that time, and the first after it."""
    where = ZoneInfo(zone)
    late = wall.replace(tzinfo=where, fold=0).astimezone(UTC)
    early = wall.replace(tzinfo=where, fold=1).astimezone(UTC)
    before = early.astimezone(where).utcoffset()
    while late - early > timedelta(minutes=1):
        middle = early + (late - early) / 2
        if middle.astimezone(where).utcoffset() == before:
            early = middle
        else:
            late = middle
    change = late.replace(second=0, microsecond=0)
    return _shown(change - timedelta(minutes=1), zone), _shown(change, zone)
