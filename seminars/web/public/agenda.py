"""An event's days as its page prints them: one heading per day, the hours, and what happens when. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from seminars.catalog.models import EventSession
from seminars.kit import format as words
from seminars.kit.format import NBSP

ITEM = re.compile(r"\s*(\d{1,2})[:.](\d{2})\s*(am|pm)?\s*[-–:]?\s+(.*)", re.IGNORECASE)


@dataclass(frozen=True)
class Item:
    """One line of the agenda: when, its name, and the rest of the sentence."""

    at: str
    name: str
    rest: str


@dataclass(frozen=True)
class Block:
    """One session on its day."""

    title: str
    times: str
    room: str
    cancelled: bool
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Day:
    """One day of the event."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Span:
    """The whole event in the panel beside the page: days large, weekdays small, hours in a line."""

    days: str
    weekdays: str
    hours: str


def days(sessions: Sequence[EventSession], zone: str) -> list[Day]:
    """The sessions by day, in the event's zone."""
    ordered = sorted(sessions, key=lambda session: (session.starts_at, session.id))
    grouped = groupby(ordered, key=lambda session: words.local(session.starts_at, zone).date())
    return [Day(words.weekday(day), tuple(_block(session, zone) for session in of_day)) for day, of_day in grouped]


def _block(session: EventSession, zone: str) -> Block:
    times = words.time_range(session.starts_at, session.ends_at, zone)
    if session.all_day:
        times = f"all day ({words.zone_name(session.starts_at, zone)})"
    items = tuple(item(line) for line in session.agenda.splitlines() if line.strip())
    return Block(session.title, times, session.room, session.state == "cancelled", items)


def item(line: str) -> Item:
    """«09:00 Morning report. What happened overnight» as its time, its name (up to the first full stop) and the rest."""
    found = ITEM.fullmatch(line)
    at, text = _at(found), found[4] if found else line.strip()
    if not at and found:
        text = line.strip()
    name, stop, rest = text.partition(". ")
    return Item(at, name + stop.rstrip(), rest) if stop else Item(at, "", text)


def _at(found: re.Match[str] | None) -> str:
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        return ""
    hour = int(found[1]) % 12 + (12 if found[3].lower() == "pm" else 0) if found[3] else int(found[1])
    return words.clock_time(datetime.combine(date.min, time(hour, int(found[2]))))


def span(sessions: Sequence[EventSession], zone: str) -> Span | None:
    """«22–23 March» over «Monday and Tuesday, 2027», and «9:00 am to 5:00 pm CDT, both days»."""
    live = sorted((session for session in sessions if session.state != "cancelled"), key=lambda session: session.starts_at)
    if not live:
        return None
    dates = sorted({words.local(session.starts_at, zone).date() for session in live} | {_last_day(live[-1], zone)})
    return Span(_dates(dates), _weekdays(dates), _hours(live, len(dates), zone))


def _last_day(session: EventSession, zone: str) -> date:
    return words.local(session.ends_at - timedelta(seconds=1), zone).date()


def _dates(dates: list[date]) -> str:
    first, last = dates[0], dates[-1]
    month = words.MONTHS[first.month - 1]
    if first == last:
        return f"{first.day}{NBSP}{month}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last.day}{NBSP}{month}"
    return f"{first.day}{NBSP}{month[:3]} – {last.day}{NBSP}{words.MONTHS[last.month - 1][:3]}"


def _weekdays(dates: list[date]) -> str:
    names = [words.DAYS[day.weekday()] for day in dates]
    year = dates[-1].year
    if len(dates) == 1:
        return f"{names[0]}, {year}"
    if len(dates) == 2:
        return f"{names[0]} and {names[1]}, {year}"
    if (dates[-1] - dates[0]).days == len(dates) - 1 and len(dates) <= 7:
        return f"{names[0]} to {names[-1]}, {year}"
    return f"{words.count(len(dates), 'day', 'days')}, until {dates[-1].day}{NBSP}{words.MONTHS[dates[-1].month - 1]} {year}"


def _hours(live: list[EventSession], how_many: int, zone: str) -> str:
    told = list(dict.fromkeys(_block(session, zone).times for session in live))
    if len(told) == 1:
        return told[0] + {1: "", 2: ", both days"}.get(how_many, f", on each of {how_many} days")
    if how_many > 1:
        return f"From {words.time_in(live[0].starts_at, zone)} on the first day; the agenda has all hours"
    return "; ".join(told[:3]) + ("; see the agenda" if len(told) > 3 else "")
