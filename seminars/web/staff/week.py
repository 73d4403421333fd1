"""My week: what a consultant teaches, whom they meet, and when they are away; for those who manage appointments, anybody's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import request
from flask.typing import ResponseReturnValue

from seminars.consulting import queries
from seminars.consulting.models import Appointment, Consultant
from seminars.consulting.queries import WeekEntry
from seminars.desk import consulting as reads
from seminars.kit import format as words
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.guards import needs, the_user
from seminars.web.staff import whose
from seminars.web.staff.door import page, positive, reading, sensible, staff

WEEK = timedelta(days=7)
KIND_WORDS = {"session": "Teaching", "appointment": "Appointment", "hold": "Held in a cart", "leave": "Away", "busy": "Own calendar"}


@dataclass(frozen=True)
class Entry:
    """One line of a week. `meeting` opens its page; `why` is the reason for which it was laid over something else."""

    starts_at: datetime
    ends_at: datetime
    kind: str
    title: str
    meeting: Appointment | None = None
    event_id: int | None = None
    why: str = ""
    people: str = ""


@staff.get("/week")
@needs(may.own_week)
def week() -> ResponseReturnValue:
    """A week of one consultant; of everybody's appointments, where nobody is chosen."""
    session, manages = reading(), may.manage_appointments(the_user())
    mine, chosen = whose.own(session), positive(request.args.get("consultant"))
    shown = whose.the_consultant(session, chosen, others=may.manage_appointments) if chosen else mine
    if shown is None and not manages:
        return page("consulting/no_week.html", section="Consulting")
    zone = shown.zone if shown else joined().settings.center.zone
    monday = monday_asked(zone)
    first, last = bounds(monday, zone)
    entries = _entries_of(shown, first, last) if shown else _everybodys(first, last)
    return page(
        "consulting/week.html",
        section="Consulting",
        shown=shown,
        mine=mine,
        zone=zone,
        monday=monday,
        before=monday - WEEK,
        after=monday + WEEK,
        days=by_day(entries, monday, zone),
        today=words.local(now(), zone).date(),
        kinds=KIND_WORDS,
        consultants=queries.every_consultant(session) if manages else [],
        feed=f"{joined().settings.base_url}/calendars/consultants/{shown.feed_secret}.ics" if shown and shown is mine else "",
    )


def monday_asked(zone: str) -> date:
    """The Monday of the week that the address asks for; of this week, when it asks for none that can be shown."""
    today = words.local(now(), zone).date()
    try:
        asked = sensible(datetime.strptime(request.args.get("week", ""), "%Y-%m-%d")).date()
    except ValueError:
        asked = today
    return asked - timedelta(days=asked.weekday())


def bounds(monday: date, zone: str) -> tuple[datetime, datetime]:
    """From when until when that week lasts in the zone."""
    first, last = (datetime.combine(day, time(), ZoneInfo(zone)) for day in (monday, monday + WEEK))
    return first, last


def by_day(entries: Iterable[Entry], monday: date, zone: str) -> list[tuple[date, list[Entry]]]:
    """The entries under the days on which they begin; what began before the week stands on its first day."""
    days: dict[date, list[Entry]] = {monday + timedelta(days=n): [] for n in range(7)}
    for entry in entries:
        days[max(monday, words.local(entry.starts_at, zone).date())].append(entry)
    return [(day, found) for day, found in days.items() if found or day.weekday() < 5]


def _entries_of(consultant: Consultant, first: datetime, last: datetime) -> list[Entry]:
    return [_entry(one) for one in queries.my_week(reading(), consultant, first, last, now())]


def _entry(one: WeekEntry) -> Entry:
    meeting = one.appointment if one.appointment is not None and one.appointment.client_email else None
    event_id = one.session.event_id if one.session is not None else None
    return Entry(one.starts_at, one.ends_at, one.kind, one.title, meeting, event_id, one.override_reason)


def _everybodys(first: datetime, last: datetime) -> list[Entry]:
    found: Sequence[Appointment] = reads.meetings_between(reading(), first, last)
    return [
        Entry(
            one.starts_at,
            one.ends_at,
            "appointment",
            f"{one.offering.title}: {one.client_name}",
            one,
            people=words.listed([each.name for each in one.consultants]),
        )
        for one in found
    ]
