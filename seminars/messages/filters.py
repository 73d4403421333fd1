"""What the wording of mails may call: facts are JSON, so times come as text and money as amount and currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from seminars.kit import format as words
from seminars.kit.format import NBSP
from seminars.kit.money import Money

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class When:
    """One line of days and one of hours, in the place's own time, and for what is online the hours at home where those differ."""

    days: str
    hours: str
    home: str = ""


def instant(text: str) -> datetime:
    """The time that a fact names."""
    return datetime.fromisoformat(text)


def money(fact: dict[str, Any]) -> str:
    """«$1,190.00»."""
    return words.money(Money(fact["amount"], fact["currency"]))


def moment(text: str, zone: str) -> str:
    """«22 March 2027, 9:00 am CDT»."""
    return words.moment(instant(text), zone)


def days(starts: str, ends: str, zone: str) -> str:
    """«22 and 23 March 2027»."""
    return words.day_span(words.local(instant(starts), zone).date(), _last_day(instant(ends), zone))


def brief(text: str, most: int) -> str:
    """At most so many characters, cut at a word where that loses little."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    head, _, tail = cut.rpartition(" ")
    return (head if head and len(tail) <= 12 else cut).rstrip(" ,;:–-") + "…"


def when(sessions: Sequence[dict[str, Any]], home_zone: str = "") -> list[When]:
    """When these sessions are. Days in a row with the same hours stand together: «Monday 22 and Tuesday 23 March 2027», «… both days»."""
    return [_when(group, home_zone) for group in _in_a_row(sessions)]


def was_when(snapshot: dict[str, Any]) -> list[When]:
    """When an entry of somebody's calendar was, from what was last told about it."""
    return when([{"starts_at": snapshot["start"], "ends_at": snapshot["end"], "zone": snapshot["zone"], "all_day": snapshot["all_day"]}])


FILTERS = {"money": money, "moment": moment, "days": days, "brief": brief, "when": when, "was_when": was_when, "count": words.count}


def _in_a_row(sessions: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    groups: list[list[dict[str, Any]]] = []
    for one in sessions:
        if groups and _follows(groups[-1][-1], one):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _follows(earlier: dict[str, Any], later: dict[str, Any]) -> bool:
    """Whether the later one is on the next day at the same hours by the clock on the wall."""
    first, second = _wall(earlier), _wall(later)
    alike = (earlier["zone"], earlier["all_day"]) == (later["zone"], later["all_day"])
    return alike and first[0] + ONE_DAY == second[0] and first[1] + ONE_DAY == second[1] and first[0].date() == first[1].date()


def _wall(session: dict[str, Any]) -> tuple[datetime, datetime]:
    zone = session["zone"]
    starts, ends = (words.local(instant(session[name]), zone).replace(tzinfo=None) for name in ("starts_at", "ends_at"))
    return starts, ends


def _when(group: Sequence[dict[str, Any]], home_zone: str) -> When:
    first, last = group[0], group[-1]
    zone = first["zone"]
    starts, ends = instant(first["starts_at"]), instant(first["ends_at"])
    end_day = _last_day(instant(last["ends_at"]), zone)
    begin_day = words.local(starts, zone).date()
    if first["all_day"]:
        return When(_weekdays(begin_day, end_day), "All day")
    if begin_day != end_day and len(group) == 1:
        return When(f"From {_weekday_at(starts, zone)}", f"to {_weekday_at(ends, zone)}")
    each = {1: "", 2: ", both days"}.get(len(group), ", each day")
    hours = f"{words.time_range(starts, ends, zone)}{each}"
    online = first.get("join_url") or not first.get("place")
    return When(_weekdays(begin_day, end_day), hours, _at_home(starts, ends, zone, home_zone) if online else "")


def _at_home(starts: datetime, ends: datetime, zone: str, home_zone: str) -> str:
    if not home_zone or words.local(starts, home_zone).utcoffset() == words.local(starts, zone).utcoffset():
        return ""
    other_day = words.local(starts, home_zone).date() != words.local(starts, zone).date()
    same_day_there = words.local(starts, home_zone).date() == words.local(ends, home_zone).date()
    day = f"{words.day(words.local(starts, home_zone))}, " if other_day and same_day_there else ""
    hours = words.time_range(starts, ends, home_zone) if same_day_there else f"from {words.time_in(starts, home_zone)}"
    return f"{day}{hours}, your time at home"


def _weekday_at(value: datetime, zone: str) -> str:
    return f"{words.weekday(words.local(value, zone))}, {words.time_in(value, zone)}"


def _weekdays(first: date, last: date) -> str:
    if first == last:
        return words.weekday(first)
    joint = "and" if last - first == ONE_DAY else "to"
    same_month = (first.year, first.month) == (last.year, last.month)
    begin = f"{words.DAYS[first.weekday()]} {first.day}" if same_month else words.weekday(first)
    return f"{begin} {joint} {words.DAYS[last.weekday()]}{NBSP}{words.day(last)}"


def _last_day(ends: datetime, zone: str) -> date:
    """The last day that a span touches: midnight belongs to the day before."""
    return (words.local(ends, zone) - timedelta(microseconds=1)).date()
