"""How a row of the programme reads: date block, times in two zones, price, seats. Pure, and remembered, because a list repeats itself."""

from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from seminars.kit import format as words
from seminars.kit.format import NBSP
from seminars.kit.money import Money

FORMATS = {"in_person": "In person", "online": "Online", "hybrid": "In person and online"}
SCARCE_PERCENT = 20


class When(NamedTuple):
    """A span of time as the programme prints it."""

    month_key: str
    month: str
    block: str
    under: str
    times: str


@lru_cache(maxsize=8_192)
def when(starts: datetime, first_ends: datetime, ends: datetime, zone: str, all_day: bool) -> When:
    """The date block, its month, and the times of the (first) day."""
    begin, end = words.local(starts, zone), words.local(ends, zone)
    last = end.date()
    if last > begin.date() and end.hour == end.minute == 0:
        last = date.fromordinal(last.toordinal() - 1)
    block, under = date_block(begin.date(), last)
    return When(f"{begin:%Y-%m}", month_name(begin.date()), block, under, _times(starts, first_ends, ends, zone, all_day))


def _times(starts: datetime, first_ends: datetime, ends: datetime, zone: str, all_day: bool) -> str:
    """The hours of the first day; where the last day ends at another hour, only the beginning, because no one line is true of all days."""
    if all_day:
        return f"all day ({words.zone_name(starts, zone)})"
    days_differ = ends > first_ends and words.local(ends, zone).time() != words.local(first_ends, zone).time()
    return f"from {words.time_in(starts, zone)}" if days_differ else words.time_range(starts, first_ends, zone)


def month_name(day: date) -> str:
    """«March 2027»."""
    return f"{words.MONTHS[day.month - 1]} {day.year}"


def date_block(first: date, last: date) -> tuple[str, str]:
    """«8–9» over «Tue, Wed»; «28–30» over «Wed to Fri»; a longer row of dates shows its first day and until when it goes."""
    if first == last:
        return str(first.day), words.DAYS[first.weekday()]
    short, days = words.DAYS[first.weekday()][:3], (last - first).days
    if days <= 6 and first.month == last.month:
        joint = ", " if days == 1 else " to "
        return f"{first.day}–{last.day}", f"{short}{joint}{words.DAYS[last.weekday()][:3]}"
    year = "" if last.year == first.year else f" {last.year}"
    return str(first.day), f"{short}, until {last.day}{NBSP}{words.MONTHS[last.month - 1][:3]}{year}"


@lru_cache(maxsize=8_192)
def elsewhere(starts: datetime, zone: str, visitor: str) -> str:
    """«(7:00 pm in Oslo)»: the visitor's own time, with the day where it is another one; nothing where both clocks agree."""
    here, there = words.local(starts, zone), words.local(starts, visitor)
    if not visitor or here.utcoffset() == there.utcoffset():
        return ""
    day = "" if here.date() == there.date() else f" on {there.day}{NBSP}{words.MONTHS[there.month - 1]}"
    return f"({words.clock_time(there)}{day} in {city_of(visitor)})"


def city_of(zone: str) -> str:
    """«Oslo» for Europe/Oslo."""
    return zone.rsplit("/", 1)[-1].replace("_", " ")


@lru_cache(maxsize=1_024)
def price_from(lowest: int | None, several: bool, currency: str) -> str:
    """«from $640.00», «$45.00», «Free»; nothing while nothing is on sale."""
    if lowest is None:
        return ""
    if lowest == 0:
        return "Free and up" if several else "Free"
    return ("from " if several else "") + words.money(Money(lowest, currency))


class Seats(NamedTuple):
    """What to say about the seats left; nothing while there are plenty."""

    text: str
    shape: str


PLENTY = Seats("", "")
FULL = Seats("Full", "is-off")


@lru_cache(maxsize=1_024)
def seats(left: int | None, size: int | None) -> Seats:
    """Seats left are told from 20 % down."""
    if left is None or not size:
        return PLENTY
    if left <= 0:
        return FULL
    if left * 100 <= size * SCARCE_PERCENT:
        return Seats(f"{words.count(left, 'seat', 'seats')} left", "is-warn")
    return PLENTY
