"""Reading a catalogue from a CSV file: each row becomes an event with one session, or is left out with the reason."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from seminars.calendars.zones import known_zone
from seminars.catalog.reading.csv_guess import FIELDS, CsvChoices, day_cells, open_questions
from seminars.catalog.reading.csv_table import Row, Table, read_table
from seminars.catalog.reading.days_and_hours import Moment, NotADay, orders_that_fit, parts_of, plain_word, read_day, read_hours
from seminars.catalog.reading.plain_text import meeting_link, plain_line, plain_lines, web_link, without_meeting
from seminars.catalog.reading.plan import (
    LONGEST_PLACE,
    LONGEST_TITLE,
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
from seminars.catalog.reading.zone_names import ZoneLabel, zone_label

NO_EVENT = re.compile(
    r"no (?:seminars?|class(?:es)?|sessions?|meetings?|talks?|lectures?)\b.*"
    r"|(?:(?:mid-?)?(?:semester|term|spring|summer|autumn|fall|winter|easter|christmas|public|bank|university|teaching|reading)\s+)*"
    r"(?:break|holidays?|vacation|recess)"
    r"|(?:semester|weihnachts|oster|sommer|herbst)?(?:ferien|pause)|vorlesungsfrei.*|feiertag|vacances.*|jour férié"
    r"|vacaciones|festivo|vacanze",
    re.IGNORECASE,
)
CANCELLED = ("cancelled", "canceled", "abgesagt", "annule", "cancelado", "annullato", "entfallt", "postponed", "verschoben")
YES = ("true", "yes", "y", "1", "x", "ja", "wahr", "oui", "vrai", "si")
SHORTEST_MINUTES, LONGEST_MINUTES = 1, 24 * 60


class _Left(Exception):
    """Why a row is left out."""


@dataclass(frozen=True)
class _Times:
    starts: datetime
    ends: datetime
    all_day: bool
    zone: str | None


def read_csv(data: bytes, choices: CsvChoices) -> Reading:
    """The events in a CSV file, read as was chosen.

    Raises Unreadable for a file that is no table, for choices that the file contradicts, and when not one row could be an event
    because every one ends before it starts.
    """
    table = read_table(data, encoding=choices.encoding, delimiter=choices.delimiter)
    _assert_possible(table, choices)
    questions = open_questions(table, choices)
    ignored = tuple(name for name in table.header if name and name not in choices.columns.values())
    if any(question.field.startswith("columns.") for question in questions):
        return Reading((), questions=questions, columns_found=dict(choices.columns), columns_ignored=ignored)
    return _read_rows(table, choices, questions, ignored)


def _read_rows(table: Table, choices: CsvChoices, questions: tuple[Question, ...], ignored: tuple[str, ...]) -> Reading:
    plans: dict[str, EventPlan] = {}
    left_out: list[LeftOut] = []
    notes = Notes()
    backwards = 0
    for row in table.rows:
        try:
            plan = _plan(row, choices, notes)
            if plan.uid in plans:
                raise _Left(f"The same as line {plans[plan.uid].line}.")
        except _EndsFirst as reason:
            backwards += 1
            left_out.append(LeftOut(row.line, _what(row, choices), str(reason)))
        except _Left as reason:
            left_out.append(LeftOut(row.line, _what(row, choices), str(reason)))
        else:
            plans[plan.uid] = plan
    if backwards == len(table.rows):
        raise Unreadable("In this file every row ends before it starts. Are the columns of start and end exchanged?")
    return Reading(
        tuple(plans.values()),
        tuple(left_out),
        notes.sentences(),
        questions,
        columns_found=dict(choices.columns),
        columns_ignored=ignored,
    )


class _EndsFirst(_Left):
    pass


def _assert_possible(table: Table, choices: CsvChoices) -> None:
    for name, header in choices.columns.items():
        if name not in FIELDS:
            raise Unreadable(f"“{name}” is nothing that an event has; use one of {', '.join(FIELDS)}.")
        if header not in table.header:
            raise Unreadable(f"This file has no column “{header}”.")
    if choices.zone is not None and not known_zone(choices.zone):
        raise Unreadable(f"“{choices.zone}” is no time zone; choose one such as America/Chicago.")
    if choices.minutes is not None and not SHORTEST_MINUTES <= choices.minutes <= LONGEST_MINUTES:
        raise Unreadable(f"A session lasts between {SHORTEST_MINUTES} and {LONGEST_MINUTES:,} minutes.")
    if choices.year is not None and not 1970 <= choices.year <= 2100:
        raise Unreadable("The year has to lie between 1970 and 2100.")
    _assert_order_fits(day_cells(table, choices), choices)


def _assert_order_fits(days: list[str], choices: CsvChoices) -> None:
    fitting = orders_that_fit(days)
    if choices.order not in ("day_first", "month_first") or choices.order in fitting or not fitting:
        return
    against = next(day for day in days if choices.order not in orders_that_fit([day]))
    which, other = ("month", "day") if choices.order == "month_first" else ("day", "month")
    raise Unreadable(f"The {which} can't stand first in this file: it has “{against}”. Choose that the {other} stands first.")


def _plan(row: Row, choices: CsvChoices, notes: Notes) -> EventPlan:
    def cell(name: str) -> str:
        return row.cells.get(choices.columns.get(name, ""), "").strip()

    if row.extra:
        raise _Left("It has more cells than there are columns. Is a text with a comma missing its quotation marks?")
    if plain_word(plain_line(cell("status"))) in CANCELLED:
        raise _Left(f"It is marked as {plain_line(cell('status'))}.")
    speaker = plain_line(cell("speaker"))
    times = _times(cell, choices, row.line, notes)
    title = _title(plain_line(cell("title")), speaker, row.line, notes)
    place, description = plain_line(cell("location")), plain_lines(cell("description"))
    join = web_link(cell("join_url")) or meeting_link(place) or meeting_link(description) or meeting_link(cell("url"))
    session = SessionRow(
        line=row.line,
        starts_local=times.starts,
        ends_local=times.ends,
        all_day=times.all_day,
        location=shortened(without_meeting(place), LONGEST_PLACE),
        join_url=join,
        description=without_meeting(description),
        speaker=speaker,
    )
    return EventPlan(
        line=row.line,
        uid=_uid(cell("uid"), row),
        seminar_title=title_of(title, row.line, notes),
        zone=times.zone,
        sessions=(session,),
        summary=session.description,
        location=session.location,
        join_url=join,
        url="" if meeting_link(cell("url")) else web_link(cell("url")),
        speaker=speaker,
        categories=_categories(cell("category")),
    )


def _title(title: str, speaker: str, line: int, notes: Notes) -> str:
    if NO_EVENT.fullmatch(title or speaker):
        raise _Left(f"“{title or speaker}” is no event.")
    if title:
        return title
    if not speaker:
        raise _Left("It has no title.")
    notes.add("There is no title; the name of the speaker stands in for it", line)
    return f"{speaker} (title to be announced)"


def _times(cell: Callable[[str], str], choices: CsvChoices, line: int, notes: Notes) -> _Times:
    begin = parts_of(cell("date") or cell("start"))
    if not begin.day:
        raise _Left("There is no day.")
    day = _day(begin.day, choices, line, notes)
    end_cell = parts_of(cell("end_date") or (cell("end") if parts_of(cell("end")).hour else ""))
    last = _day(end_cell.day, choices, line, notes) if end_cell.day else None
    hour = begin.hour or (cell("start") if "date" in choices.columns else "")
    hour = parts_of(hour).hour or hour
    whole_day = plain_word(cell("all_day")) in YES or ("start" not in choices.columns and not hour)
    if whole_day or (not hour and choices.days_without_time):
        return _whole_days(day, last, choices, cell("zone"))
    if not hour:
        raise _Left("There is no time.")
    return _placed(
        _hours(day, last, hour, end_cell.hour or cell("end"), cell("minutes"), choices, line, notes),
        begin,
        cell("zone"),
        choices,
        line,
        notes,
    )


def _day(text: str, choices: CsvChoices, line: int, notes: Notes) -> date:
    try:
        return read_day(text, order=choices.order, year=None)
    except NotADay as trouble:
        if trouble.trouble != "year" or choices.year is None:
            raise _Left(str(trouble)) from trouble
    try:
        day = read_day(text, order=choices.order, year=choices.year)
    except NotADay as trouble:
        raise _Left(str(trouble)) from trouble
    notes.add(f"The day gives no year; {choices.year} was taken", line)
    return day


def _whole_days(day: date, last: date | None, choices: CsvChoices, label: str) -> _Times:
    if last is not None and last < day:
        raise _EndsFirst("It ends before it starts.")
    named = zone_label(label) if label else None
    start, end = datetime.combine(day, time()), datetime.combine(last or day, time()) + timedelta(days=1)
    return _Times(start, end, True, named.zone if named else choices.zone)


def _hours(
    day: date, last: date | None, start_text: str, end_text: str, length: str, choices: CsvChoices, line: int, notes: Notes
) -> tuple[datetime, datetime]:
    read = read_hours(start_text)
    if read is None:
        raise _Left(f"“{plain_line(start_text)}” is no time.")
    midnight = datetime.combine(day, time())
    starts = midnight + timedelta(minutes=read[0])
    end = read[1]
    if end is None and end_text:
        until = read_hours(end_text)
        if until is None:
            raise _Left(f"“{plain_line(end_text)}” is no time.")
        end = until[0]
    if end is None:
        return starts, starts + _length(length, choices)
    ends = datetime.combine(last or day, time()) + timedelta(minutes=end)
    if ends == starts and choices.minutes is not None:
        notes.add(f"It ends when it begins; {choices.minutes} minutes were taken", line)
        return starts, starts + timedelta(minutes=choices.minutes)
    if ends <= starts:
        raise _EndsFirst(
            "It ends before it starts." if ends < starts else "It ends when it begins; choose how many minutes a session lasts."
        )
    return starts, ends


def _length(text: str, choices: CsvChoices) -> timedelta:
    if found := re.fullmatch(r"(\d{1,3}):(\d{2})(?::\d{2})?", text):
        minutes = int(found[1]) * 60 + int(found[2])
    elif found := re.fullmatch(r"(\d{1,4}(?:[.,]\d+)?)\s*(h|hrs?|hours?|std\.?|stunden?|heures?|horas?|ore)", text, re.IGNORECASE):
        minutes = round(float(found[1].replace(",", ".")) * 60)
    elif found := re.fullmatch(r"(\d{1,4})\s*(m|min|mins|minutes?|minuten|minutos|minuti)?\.?", text, re.IGNORECASE):
        minutes = int(found[1])
    elif text:
        raise _Left(f"“{plain_line(text)}” is no length of time.")
    elif choices.minutes is None:
        raise _Left("It has no end; choose how many minutes a session lasts.")
    else:
        minutes = choices.minutes
    if not SHORTEST_MINUTES <= minutes <= LONGEST_MINUTES:
        raise _Left(f"It would last {minutes:,} minutes.")
    return timedelta(minutes=minutes)


def _placed(hours: tuple[datetime, datetime], begin: Moment, label: str, choices: CsvChoices, line: int, notes: Notes) -> _Times:
    """The hours in the zone of their label; which counts when its offset is not that of its place was chosen."""
    starts, ends = hours
    named = _named_zone(label, choices)
    offset = begin.offset if begin.offset is not None else named.offset
    zone = ZoneInfo(named.zone)
    if offset is None or offset == starts.replace(tzinfo=zone).utcoffset():
        return _Times(starts, ends, False, named.zone)
    if begin.offset is None and choices.follow == "place":
        notes.add(f"“{plain_line(label)}” is not the time that {named.zone} had that day; the clock of the place was followed", line)
        return _Times(starts, ends, False, named.zone)
    there = (starts - offset).replace(tzinfo=UTC).astimezone(zone)
    if there.fold:
        # An hour that comes twice: on the clock of the place it would mean the first one.
        return _Times(starts - offset, ends - offset, False, "UTC")
    moved = there.replace(tzinfo=None)
    if begin.offset is None:
        notes.add(
            f"“{plain_line(label)}” is not the time that {named.zone} had that day; the label was followed, "
            f"so that {starts:%H:%M} became {moved:%H:%M} there",
            line,
        )
    return _Times(moved, moved + (ends - starts), False, named.zone)


def _named_zone(label: str, choices: CsvChoices) -> ZoneLabel:
    if not label:
        if choices.zone is None:
            raise _Left("Its time names no zone; choose one.")
        return ZoneLabel(choices.zone)
    named = zone_label(label)
    if named is None:
        raise _Left(f"“{plain_line(label)}” is no time zone we know.")
    return named


def _uid(given: str, row: Row) -> str:
    """The UID of a row, or one made of all that stands in it as it stands, so that it is the same under other choices."""
    return usable_uid(plain_line(given)) if given else content_uid(f"{name}={cell}" for name, cell in row.cells.items() if cell.strip())


def _categories(text: str) -> tuple[str, ...]:
    names = (plain_line(name) for name in re.split(r"[;,|]", text))
    return tuple(dict.fromkeys(name for name in names if name and name.upper() != "N/A"))


def _what(row: Row, choices: CsvChoices) -> str:
    """How a row is shown that can't be taken: its title, or what it has instead."""
    named = (plain_line(row.cells.get(choices.columns.get(name, ""), "")) for name in ("title", "speaker", "date", "start"))
    everything = (plain_line(cell) for cell in row.cells.values())
    return shortened(next((text for text in (*named, *everything) if text), ""), LONGEST_TITLE)
