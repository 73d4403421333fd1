"""Reading a catalogue from an iCalendar file: a VEVENT becomes an event, with a session per occurrence where it repeats."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from seminars.calendars.zones import known_zone
from seminars.catalog.reading.ics_lines import Component, read_components
from seminars.catalog.reading.ics_repeats import Effort, repetition
from seminars.catalog.reading.ics_times import Clocks, NotATime, When, ZoneNeeded, clocks_of, keeps_instants, read_duration
from seminars.catalog.reading.plain_text import meeting_link, plain_line, plain_lines, web_link, without_meeting
from seminars.catalog.reading.plan import (
    LONGEST_PLACE,
    LONGEST_TITLE,
    MOST_ROWS,
    EventPlan,
    LeftOut,
    Notes,
    Question,
    Reading,
    SessionRow,
    Unreadable,
    shortened,
    title_of,
)
from seminars.catalog.reading.uids import content_uid, usable_uid

ONE_DAY = timedelta(days=1)
# What a made UID is made of: as written, so that it is the same whatever zone is chosen for times without one.
LASTING_PROPERTIES = ("SUMMARY", "DTSTART", "DTEND", "DURATION", "LOCATION", "RECURRENCE-ID")
MEETING_PROPERTIES = (
    "X-GOOGLE-CONFERENCE",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
    "CONFERENCE",
)


class _EndsFirst(NotATime):
    pass


@dataclass(frozen=True)
class _Block:
    """What one VEVENT says of itself. `length` is in wall-clock time."""

    line: int
    starts: When
    length: timedelta
    instead_of: When | None
    and_all_later: bool
    title: str
    location: str
    join_url: str
    description: str
    url: str
    categories: tuple[str, ...]
    component: Component


@dataclass
class _Series:
    """The VEVENTs of one UID: the event itself, if it is there, and changes of single occurrences."""

    uid: str
    main: _Block | None
    changes: list[_Block]
    dropped: list[When]


def read_ics(data: bytes, *, default_zone: str | None, horizon: date, minutes: int = 60) -> Reading:
    """The events in an iCalendar file. Endless repetitions are taken up to, and without, the horizon.

    `default_zone` stands in where times name no zone, `minutes` is given to what ends when it begins. Raises Unreadable for a
    file that is no calendar and when every event ends before it starts.
    """
    if default_zone is not None and not known_zone(default_zone):
        raise Unreadable(f"“{default_zone}” is no time zone; choose one such as America/Chicago.")
    reader = _Reader(horizon, minutes, default_zone)
    for calendar in read_components(data):
        reader.read(calendar)
    return reader.reading()


class _Reader:
    """Gathers what the calendars of a file yield."""

    def __init__(self, horizon: date, minutes: int, default_zone: str | None) -> None:
        self.horizon, self.minutes, self.default_zone = horizon, minutes, default_zone
        self.notes = Notes()
        self.effort = Effort()
        self.plans: dict[str, EventPlan] = {}
        self.left_out: list[LeftOut] = []
        self.events = self.backwards = self.sessions = 0
        self.cut = self.zone_needed = False

    def reading(self) -> Reading:
        if self.events and self.backwards == self.events:
            raise Unreadable("In this file every event ends before it starts.")
        questions = (Question("zone", "Some times name no zone. In which zone are they?"),) if self.zone_needed else ()
        plans = tuple(sorted(self._with_zones_of_days(), key=lambda plan: plan.line))
        left_out = tuple(sorted(self.left_out, key=lambda left: left.line))
        return Reading(plans, left_out, self.notes.sentences(), questions, horizon=self.horizon if self.cut else None)

    def _with_zones_of_days(self) -> list[EventPlan]:
        """Days of a file whose hours are all in one zone are days there."""
        zones = {plan.zone for plan in self.plans.values() if not plan.sessions[0].all_day}
        zone = next(iter(zones)) if len(zones) == 1 else self.default_zone
        return [plan if plan.zone else replace(plan, zone=zone) for plan in self.plans.values()]

    def read(self, calendar: Component) -> None:
        clocks = clocks_of(calendar, self.default_zone, self.notes)
        for series in self._series(calendar, clocks):
            main = series.main or series.changes[0]
            try:
                plan = self._plan(series, clocks)
            except NotATime as reason:
                self._leave(main.component, str(reason))
                continue
            if plan.uid in self.plans:
                self._leave(main.component, f"The same UID as line {self.plans[plan.uid].line}.")
                continue
            self.plans[plan.uid] = plan
            self.sessions += len(plan.sessions)
            if self.sessions > MOST_ROWS:
                raise Unreadable(f"This file has more than {MOST_ROWS:,} sessions. Split it.")

    def _leave(self, component: Component, why: str) -> None:
        self.left_out.append(LeftOut(component.line, shortened(plain_line(component.text("SUMMARY")), LONGEST_TITLE), why))

    def _series(self, calendar: Component, clocks: Clocks) -> list[_Series]:
        """The VEVENTs of a calendar by UID. Those without one stand alone: a RECURRENCE-ID without UID names nothing."""
        series: dict[str, _Series] = {}
        for component in calendar.walk("VEVENT"):
            self.events += 1
            block = self._block(component, clocks)
            if block is None:
                continue
            given = plain_line(component.text("UID"))
            uid = usable_uid(given) if given else self._made_uid(block)
            known = series.setdefault(uid, _Series(uid, None, [], []))
            if not given or block.instead_of is None:
                self._add_main(known, replace(block, instead_of=None) if not given else block)
            elif _cancelled(component):
                known.dropped.append(block.instead_of)
                self._leave(component, "This occurrence is cancelled.")
            else:
                known.changes.append(block)
        return [known for known in series.values() if known.main or known.changes]

    def _made_uid(self, block: _Block) -> str:
        self.notes.add("The event has no UID; one was made from what it says", block.line)
        return content_uid(f"{prop.name}={prop.value}" for prop in block.component.properties if prop.name in LASTING_PROPERTIES)

    def _add_main(self, series: _Series, block: _Block) -> None:
        """Of two events with one UID the later revision counts: RFC 5546 2.1.5."""
        if series.main is None:
            series.main = block
            return
        older, newer = sorted((series.main, block), key=_revision)
        self._leave(older.component, f"The same UID as line {newer.line}.")
        series.main = newer

    def _block(self, component: Component, clocks: Clocks) -> _Block | None:
        try:
            if not component.whole:
                raise NotATime("The file breaks off within it.")
            return self._read_block(component, clocks)
        except ZoneNeeded as reason:
            self.zone_needed = True
            self._leave(component, str(reason))
        except _EndsFirst as reason:
            self.backwards += 1
            self._leave(component, str(reason))
        except NotATime as reason:
            self._leave(component, str(reason))
        return None

    def _read_block(self, component: Component, clocks: Clocks) -> _Block:
        begin, instead = component.first("DTSTART"), component.first("RECURRENCE-ID")
        cancelled = _cancelled(component)
        if cancelled and instead is None:
            raise NotATime("It is cancelled.")
        title = plain_line(component.text("SUMMARY"))
        if not title and not cancelled:
            raise NotATime("It has no title.")
        if begin is None and not (cancelled and instead):
            raise NotATime("There is no day.")
        starts = clocks.when(begin or instead)  # type: ignore[arg-type]
        place = plain_line(component.text("LOCATION"))
        description = plain_lines(component.text("DESCRIPTION") or component.text("X-ALT-DESC"))
        return _Block(
            line=component.line,
            starts=starts,
            length=ONE_DAY if cancelled else self._length(component, starts, clocks),
            instead_of=clocks.when(instead) if instead else None,
            and_all_later=bool(instead and instead.params.get("RANGE", "").upper() == "THISANDFUTURE"),
            title=title_of(title, component.line, self.notes),
            location=shortened(without_meeting(place), LONGEST_PLACE),
            join_url=_join_url(component, place, description),
            description=without_meeting(description),
            url=_page(component),
            categories=_categories(component),
            component=component,
        )

    def _length(self, component: Component, starts: When, clocks: Clocks) -> timedelta:
        end, duration = component.first("DTEND"), component.first("DURATION")
        if end is not None and end.value.strip():
            until = clocks.when(end)
            length = until.wall_in(starts.zone or "UTC") - starts.wall if not starts.is_day else _days(starts, until)
        elif duration is not None:
            length = read_duration(duration.value)
        else:
            length = ONE_DAY if starts.is_day else timedelta(0)
        if length < timedelta(0):
            raise _EndsFirst("It ends before it starts.")
        if starts.is_day:
            return max(timedelta(days=-(-length // ONE_DAY)), ONE_DAY)
        if not length:
            self.notes.add(f"It ends when it begins; {self.minutes} minutes were taken", component.line)
        return length or timedelta(minutes=self.minutes)

    def _plan(self, series: _Series, clocks: Clocks) -> EventPlan:
        main = series.main
        if main is None:
            self.notes.add("Only changed occurrences of this event are in the file, not the event itself", series.changes[0].line)
        told = main or series.changes[0]
        blocks = self._occurrences(series, clocks) if main else [(change, change.starts.wall) for change in series.changes]
        if not blocks:
            raise NotATime("All its occurrences are cancelled.")
        zone = self._zone(told, blocks, clocks)
        sessions = sorted(
            (_session(block, start, told, zone) for block, start in blocks),
            key=lambda session: (session.starts_local, session.line),
        )
        return EventPlan(
            line=told.line,
            uid=series.uid,
            seminar_title=told.title,
            zone=zone,
            sessions=tuple(sessions),
            summary=told.description,
            location=told.location,
            join_url=told.join_url,
            url=told.url,
            categories=told.categories,
        )

    def _occurrences(self, series: _Series, clocks: Clocks) -> list[tuple[_Block, datetime]]:
        """Each occurrence with the VEVENT that describes it and its start, in the zone of that VEVENT."""
        main = series.main
        assert main is not None
        repeated = repetition(main.component, main.starts, clocks, horizon=self.horizon, notes=self.notes, effort=self.effort)
        if repeated.cut:
            self.cut = True
            self.notes.add(f"It repeats without end; sessions before {self.horizon.isoformat()} were taken", main.line)
        single = [change for change in series.changes if not change.and_all_later]
        lasting = sorted((change for change in series.changes if change.and_all_later), key=lambda change: _named(change, main))
        occurrences: list[tuple[_Block, datetime]] = [(change, change.starts.wall) for change in single]
        replaced = [change.instead_of for change in single] + series.dropped
        for start in repeated.starts:
            if any(_means(when, start, main) for when in replaced if when is not None):
                continue
            since = [change for change in lasting if _named(change, main) <= start]
            occurrences.append(_shifted(since[-1], main, start) if since else (main, start))
        return occurrences

    def _zone(self, told: _Block, blocks: list[tuple[_Block, datetime]], clocks: Clocks) -> str | None:
        if told.starts.is_day:
            return clocks.own
        # A calendar that names its zone and writes UTC means the clock of that zone.
        zone = clocks.own if told.starts.zone == "UTC" and clocks.own else told.starts.zone
        assert zone is not None
        if zone != told.starts.zone:
            self.notes.add(f"The time is written in UTC; it is shown in {zone}, the calendar's own zone", told.line)
        instants = [When(start, block.starts.zone, block.starts.is_day) for block, start in blocks]
        if keeps_instants([(when.wall_in(zone), when.instant()) for when in instants if when.zone and when.zone != zone], zone):
            return zone
        self.notes.add(f"It lies in the hour that {zone} has twice; it is kept in UTC", told.line)
        return "UTC"


def _session(block: _Block, start: datetime, told: _Block, zone: str | None) -> SessionRow:
    when = When(start, block.starts.zone, block.starts.is_day)
    # The length is one of the VEVENT's own clock: over a change of clocks it is another on that of the calendar.
    until = When(start + block.length, when.zone, when.is_day)
    starts, ends = (when.wall, until.wall) if zone is None else (when.wall_in(zone), until.wall_in(zone))
    return SessionRow(
        line=block.line,
        starts_local=starts,
        ends_local=ends,
        all_day=block.starts.is_day,
        title=block.title if block.title != told.title else "",
        location=block.location,
        join_url=block.join_url,
        description=block.description if block.description != told.description else "",
    )


def _named(change: _Block, main: _Block) -> datetime:
    """The start that a change names, on the clock of its event."""
    assert change.instead_of is not None
    return change.instead_of.wall_in(main.starts.zone or "UTC")


def _means(named: When, start: datetime, main: _Block) -> bool:
    """Is this the occurrence that a RECURRENCE-ID names? Some programs name it by its day."""
    if named.is_day or main.starts.is_day:
        return named.wall.date() == start.date()
    return named.wall_in(main.starts.zone or "UTC") == start


def _shifted(change: _Block, main: _Block, start: datetime) -> tuple[_Block, datetime]:
    """An occurrence under a change of this and all later ones: RFC 5545 3.8.4.4."""
    later = start - _named(change, main)
    return change, change.starts.wall + later


def _days(starts: When, until: When) -> timedelta:
    whole = until.wall if until.wall.time() == time() else datetime.combine(until.wall.date() + ONE_DAY, time())
    return whole - starts.wall


def _cancelled(component: Component) -> bool:
    return component.text("STATUS").strip().upper() == "CANCELLED"


def _revision(block: _Block) -> tuple[int, str, int]:
    sequence = block.component.text("SEQUENCE").strip()
    return (
        int(sequence) if sequence.isdecimal() else 0,
        block.component.text("LAST-MODIFIED") or block.component.text("DTSTAMP"),
        -block.line,
    )


def _join_url(component: Component, place: str, description: str) -> str:
    for name in MEETING_PROPERTIES:
        for prop in component.all(name):
            if link := web_link(prop.value):
                return link
    return meeting_link(place) or meeting_link(component.text("URL")) or meeting_link(description)


def _page(component: Component) -> str:
    address = component.text("URL")
    return "" if meeting_link(address) else web_link(address)


def _categories(component: Component) -> tuple[str, ...]:
    names = (plain_line(text) for prop in component.all("CATEGORIES") for text in prop.texts)
    return tuple(dict.fromkeys(name for name in names if name))
