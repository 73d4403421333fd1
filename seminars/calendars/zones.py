"""Time zones as calendar programs want them described: one STANDARD, one DAYLIGHT, each with a yearly rule."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard
from icalendar.prop import vRecur

NOT_PLACES = {"Factory", "localtime", "posixrules"}
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
NO_OFFSET = timedelta(0)

# A rule is looked at over some years at once: in one year alone the fourth Sunday of a month may also be the last.
YEARS_TO_TELL_A_RULE = 11


@dataclass(frozen=True)
class Onset:
    """The moment of each year at which clocks change: the nth weekday of a month (-1 is the last) at a wall-clock time."""

    month: int
    nth: int
    weekday: int
    hour: int
    minute: int
    offset_from: timedelta
    offset_to: timedelta
    name: str

    def rule(self) -> vRecur:
        return vRecur({"FREQ": "YEARLY", "BYMONTH": self.month, "BYDAY": f"{self.nth}{WEEKDAYS[self.weekday]}"})

    def first(self) -> datetime:
        """The onset of 1970, in the wall-clock time before it: the DTSTART of its rule."""
        days = [day for day in _days_of(1970, self.month) if day.weekday() == self.weekday]
        day = days[self.nth - 1] if self.nth > 0 else days[self.nth]
        return datetime(day.year, day.month, day.day, self.hour, self.minute)


@dataclass(frozen=True)
class Fixed:
    """A zone whose clocks do not change."""

    offset: timedelta
    name: str


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every zone a person may choose."""
    return frozenset(available_timezones() - NOT_PLACES)


def known_zone(name: str) -> bool:
    """Is it the name of a zone in the IANA database? Windows names and fixed offsets are not."""
    return name in zone_names()


def vtimezone(name: str, first_year: int = 2024, last_year: int = 2040) -> Timezone | None:
    """The VTIMEZONE of a zone, right for the years from first to last.

    None where the zone has no rule of the plain form in those years, and for UTC itself: such times are then written in UTC.
    The form (RRULE with BYMONTH and one BYDAY) is the one Exchange understands, MS-OXCICAL 2.1.3.1.1.19.
    """
    if not known_zone(name):
        return None
    rule = _rule_of(name, first_year, last_year)
    if rule is None:
        return None
    component = Timezone()
    component.add("tzid", name)
    if isinstance(rule, Fixed):
        component.add_component(_fixed(rule))
    else:
        for onset in rule:
            component.add_component(_observance(onset))
    return component


def _fixed(rule: Fixed) -> TimezoneStandard:
    standard = TimezoneStandard()
    standard.add("dtstart", datetime(1970, 1, 1))
    standard.add("tzoffsetfrom", rule.offset)
    standard.add("tzoffsetto", rule.offset)
    standard.add("tzname", rule.name)
    return standard


def _observance(onset: Onset) -> TimezoneStandard | TimezoneDaylight:
    # By the offset, not by what the database calls summer: in Dublin it is winter that is the exception.
    to_summer = onset.offset_to > onset.offset_from
    observance = TimezoneDaylight() if to_summer else TimezoneStandard()
    observance.add("dtstart", onset.first())
    observance.add("rrule", onset.rule())
    observance.add("tzoffsetfrom", onset.offset_from)
    observance.add("tzoffsetto", onset.offset_to)
    observance.add("tzname", onset.name)
    return observance


@lru_cache(maxsize=1024)
def _rule_of(name: str, first_year: int, last_year: int) -> Fixed | tuple[Onset, Onset] | None:
    zone = ZoneInfo(name)
    years = range(first_year, max(last_year, first_year + YEARS_TO_TELL_A_RULE - 1) + 1)
    changes = [_changes_in(zone, year) for year in years]
    if not any(changes):
        return _fixed_rule(zone, first_year)
    if any(len(of_year) != 2 for of_year in changes):
        return None
    earlier = _common_onset(zone, [of_year[0] for of_year in changes])
    later = _common_onset(zone, [of_year[1] for of_year in changes])
    if earlier is None or later is None or earlier.offset_from != later.offset_to:
        return None
    return earlier, later


def _fixed_rule(zone: ZoneInfo, year: int) -> Fixed | None:
    moment = datetime(year, 1, 1, tzinfo=UTC).astimezone(zone)
    offset = _offset(moment)
    return Fixed(offset, moment.tzname() or "") if offset != NO_OFFSET and _whole_minutes(offset) else None


def _common_onset(zone: ZoneInfo, moments: list[datetime]) -> Onset | None:
    """The one rule that gives all these moments, if there is one."""
    found = [_onset_forms(zone, moment) for moment in moments]
    common = set(found[0]).intersection(*found[1:])
    # "The last" rather than "the fourth" where both hold: it is how such laws are worded.
    return min(common, key=lambda onset: onset.nth) if common else None


def _onset_forms(zone: ZoneInfo, moment: datetime) -> list[Onset]:
    """The ways to say the day of a change: by its count from the start of the month and, late in it, as the last."""
    before, after = (moment - timedelta(seconds=1)).astimezone(zone), moment.astimezone(zone)
    offset_from, offset_to = _offset(before), _offset(after)
    wall = (moment + offset_from).replace(tzinfo=None)
    if wall.second or not (_whole_minutes(offset_from) and _whole_minutes(offset_to)):
        return []
    counts = [(wall.day - 1) // 7 + 1] if wall.day <= 28 else []
    if (wall + timedelta(days=7)).month != wall.month:
        counts.append(-1)
    return [Onset(wall.month, nth, wall.weekday(), wall.hour, wall.minute, offset_from, offset_to, after.tzname() or "") for nth in counts]


def _changes_in(zone: ZoneInfo, year: int) -> list[datetime]:
    """The moments in UTC at which the offset of a zone changes within a year. Changes less than a week apart count as none."""
    week = timedelta(days=7)
    changes: list[datetime] = []
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    while start < end:
        stop = min(start + week, end)
        if _offset(start.astimezone(zone)) != _offset(stop.astimezone(zone)):
            changes.append(_first_second_after(zone, start, stop))
        start = stop
    return changes


def _first_second_after(zone: ZoneInfo, start: datetime, stop: datetime) -> datetime:
    """The first second that has the offset of stop, by halving."""
    old = _offset(start.astimezone(zone))
    low, high = 0, int((stop - start).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset((start + timedelta(seconds=middle)).astimezone(zone)) == old:
            low = middle
        else:
            high = middle
    return start + timedelta(seconds=high)


def _days_of(year: int, month: int) -> list[date]:
    first = date(year, month, 1)
    return [day for day in (first + timedelta(days=n) for n in range(31)) if day.month == month]


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or NO_OFFSET


def _whole_minutes(offset: timedelta) -> bool:
    return offset % timedelta(minutes=1) == NO_OFFSET
