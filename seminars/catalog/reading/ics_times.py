"""Moments of an iCalendar file: days, hours in a zone, hours in UTC and hours that name no zone (RFC 5545 3.3.4, 3.3.5)."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from seminars.calendars.zones import known_zone, vtimezone
from seminars.catalog.reading.ics_lines import Component, Property
from seminars.catalog.reading.plan import Notes
from seminars.catalog.reading.zone_names import iana_name, zone_label

DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
MOMENT = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})[T ](\d{2}):?(\d{2})(?::?(\d{2}))?(Z)?", re.IGNORECASE)
DURATION = re.compile(r"([+-]?)P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?", re.IGNORECASE)
EARLIEST, LATEST = 1970, 2100


class NotATime(Exception):
    """A moment that can't be read; its text is the sentence that staff will read beside the row."""


class ZoneNeeded(NotATime):
    """A moment without a zone in a file that names none."""


@dataclass(frozen=True)
class When:
    """A moment as written: wall-clock time with its zone, or midnight of a day. Days have no zone."""

    wall: datetime
    zone: str | None
    is_day: bool = False

    def instant(self) -> datetime:
        """The moment in UTC; midnight of a day as if it were there."""
        return self.wall.replace(tzinfo=ZoneInfo(self.zone or "UTC")).astimezone(UTC)

    def wall_in(self, zone: str) -> datetime:
        """The wall-clock time in another zone."""
        if self.is_day or self.zone == zone:
            return self.wall
        return self.instant().astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@dataclass
class Clocks:
    """The zones that a file uses. `own` is the one it names for itself, `chosen` the one staff chose for times without any."""

    own: str | None
    chosen: str | None
    defined: dict[str, Component]
    notes: Notes
    resolved: dict[str, str | None] = field(default_factory=dict)

    @property
    def of_days(self) -> str | None:
        """The zone in which an event of days is held."""
        return self.own or self.chosen

    def when(self, prop: Property, value: str | None = None) -> When:
        """The moment in a property. Raises NotATime, and ZoneNeeded where the zone has to be chosen first."""
        plain = (prop.value if value is None else value).strip()
        if day := DAY.fullmatch(plain):
            return When(_moment(day.groups(), plain), None, is_day=True)
        found = MOMENT.fullmatch(plain)
        if found is None:
            raise NotATime(f"“{plain[:40]}” is no date.")
        wall = _moment(found.groups()[:6], plain)
        if found[7]:
            return When(wall, "UTC")
        return When(wall, self._zone(prop.params.get("TZID", ""), prop.line))

    def _zone(self, tzid: str, line: int) -> str:
        if not tzid:
            zone = self.own or self.chosen
            if zone is None:
                raise ZoneNeeded("Its time names no zone; choose one.")
            if self.own is None:
                self.notes.add(f"The time names no zone; {zone} was taken, as chosen", line)
            return zone
        if tzid not in self.resolved:
            self.resolved[tzid] = self._resolve(tzid, line)
        known = self.resolved[tzid]
        if known is None:
            raise NotATime(f"“{tzid[:80]}” is no time zone we know.")
        return known

    def _resolve(self, tzid: str, line: int) -> str | None:
        if known := iana_name(tzid):
            return known
        definition = self.defined.get(tzid)
        if definition is not None:
            place = iana_name(definition.text("X-LIC-LOCATION"))
            same = place or _zone_with_these_rules(definition, self.of_days)
            if same:
                self.notes.add(f"The zone “{tzid[:80]}” is described in the file; its clock is that of {same}", line)
                return same
        label = zone_label(tzid)
        if label is not None:
            self.notes.add(f"The zone “{tzid[:80]}” was taken for {label.zone}", line)
        return label.zone if label else None


def clocks_of(calendar: Component, chosen: str | None, notes: Notes) -> Clocks:
    """What a calendar says of zones: X-WR-TIMEZONE for itself, and its VTIMEZONEs."""
    named = calendar.text("X-WR-TIMEZONE").strip()
    own = iana_name(named) if named else None
    if named and own is None:
        notes.add(f"The calendar's own zone “{named[:80]}” is not known", calendar.line)
    return Clocks(own, chosen, {zone.text("TZID"): zone for zone in calendar.walk("VTIMEZONE")}, notes)


def read_duration(text: str) -> timedelta:
    """A length of time: RFC 5545 3.3.6. Raises NotATime."""
    found = DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()[1:]):
        raise NotATime(f"“{text[:40]}” is no length of time.")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if found[1] == "-" else length


def keeps_instants(walls: list[tuple[datetime, datetime]], zone: str) -> bool:
    """Does each wall-clock time in this zone mean the instant that goes with it? An hour that comes twice in autumn may not."""
    return all(wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) == instant for wall, instant in walls)


def _moment(parts: tuple[str | None, ...], text: str) -> datetime:
    numbers = [int(part or 0) for part in parts]
    if len(numbers) == 6:
        numbers[5] = min(numbers[5], 59)
    try:
        moment = datetime(*numbers)  # type: ignore[arg-type]
    except ValueError as error:
        raise NotATime(f"“{text[:40]}” is no date.") from error
    if not EARLIEST <= moment.year <= LATEST:
        raise NotATime(f"It is in the year {moment.year}.")
    return moment


def _zone_with_these_rules(definition: Component, preferred: str | None) -> str | None:
    """A zone of the database whose clock changes as the file describes it."""
    described = _rules(definition)
    if not described:
        return None
    candidates = [preferred] if preferred else []
    return next((name for name in (*candidates, *_usual_zones()) if _rules_of(name) == described), None)


def _rules(definition: Component) -> frozenset[tuple[str, ...]]:
    """The latest STANDARD and DAYLIGHT of a VTIMEZONE: offsets, and month, day and hour of the change."""
    latest: dict[str, Component] = {}
    for part in definition.parts:
        if part.name not in latest or part.text("DTSTART") > latest[part.name].text("DTSTART"):
            latest[part.name] = part
    if len(latest) == 2 and all(part.first("RRULE") for part in latest.values()):
        return frozenset(_change(part) for part in latest.values())
    standard = latest.get("STANDARD")
    return frozenset({("fixed", standard.text("TZOFFSETTO")[:5])}) if standard and not standard.first("RRULE") else frozenset()


def _change(part: Component) -> tuple[str, ...]:
    rule = dict(piece.split("=", 1) for piece in part.text("RRULE").upper().split(";") if "=" in piece)
    return (
        part.text("TZOFFSETFROM")[:5],
        part.text("TZOFFSETTO")[:5],
        rule.get("BYMONTH", ""),
        rule.get("BYDAY", ""),
        part.text("DTSTART")[9:13],
    )


@lru_cache(maxsize=512)
def _rules_of(name: str) -> frozenset[tuple[str, ...]]:
    component = vtimezone(name)
    if component is None:
        return frozenset()
    parts = [
        Component(0, str(part.name), [_as_property(line) for line in part.to_ical().decode().splitlines()])
        for part in component.subcomponents
    ]
    return _rules(Component(0, "VTIMEZONE", parts=parts))


def _as_property(line: str) -> Property:
    name, _, value = line.partition(":")
    return Property(0, name, {}, value)


@lru_cache(maxsize=1)
def _usual_zones() -> tuple[str, ...]:
    """The zones behind the Windows names, which are those that programs offer; the most used ones first."""
    first = ("Europe/Berlin", "Europe/London", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
    rest = sorted(name for name in set(WINDOWS_TO_OLSON.values()) if known_zone(name))
    return (*first, *rest)
