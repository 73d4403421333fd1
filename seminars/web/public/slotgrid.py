"""A week of slots as a list per day that becomes a grid. Pure: the visitor's clock first, the consultant's beside it where they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from seminars.consulting.availability import Slot
from seminars.kit import format as words

MOST_ROWS = 20
"""Above so many different times of day the days are not lined up with each other: holes would be all one sees."""
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Cell:
    """One slot: what the button sends, what it shows, and the consultant's own time where it is another."""

    value: str
    text: str
    there: str


@dataclass(frozen=True)
class Day:
    """One day of the week on the visitor's calendar; None stands for a time at which other days have a slot."""

    key: str
    name: str
    short: str
    spoken: str
    cells: tuple[Cell | None, ...]

    @property
    def free(self) -> int:
        """How many slots it has."""
        return sum(1 for cell in self.cells if cell is not None)


@dataclass(frozen=True)
class Week:
    """Seven days from a Monday; Saturday and Sunday only where they have slots. `before` and `after` are the Mondays beside it."""

    title: str
    days: tuple[Day, ...]
    before: str
    after: str

    @property
    def free(self) -> int:
        """How many slots it has."""
        return sum(day.free for day in self.days)

    @property
    def two_clocks(self) -> bool:
        """Whether the consultant's time stands below the visitor's."""
        return any(cell is not None and cell.there for day in self.days for cell in day.cells)


def monday_of(day: date) -> date:
    """The Monday of that day's week."""
    return day - timedelta(days=day.weekday())


def span(monday: date, zone: str) -> tuple[datetime, datetime]:
    """From when until when that week lasts on the visitor's clock."""
    starts, ends = (datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) for day in (monday, monday + WEEK))
    return starts, ends


def week(slots: Sequence[Slot], monday: date, *, zone: str, zones: Mapping[int, str], first: date, last: date) -> Week:
    """The slots of one week as the page shows them; `zones` are the consultants', by id, `first` and `last` the days that can be booked."""
    by_day: dict[date, dict[tuple[time, int], Cell]] = {monday + timedelta(days=n): {} for n in range(7)}
    for slot in slots:
        here = words.local(slot.starts_at, zone)
        if here.date() in by_day:
            by_day[here.date()].setdefault(_key(here), _cell(slot, here, zone, zones))
    times = sorted({at for cells in by_day.values() for at in cells})
    lined_up = len(times) <= MOST_ROWS
    days = tuple(
        _day(day, tuple(cells.get(at) for at in times) if lined_up else tuple(cells[at] for at in sorted(cells)))
        for day, cells in by_day.items()
        if cells or day.weekday() < 5
    )
    return Week(
        title=words.day_span(date.fromisoformat(days[0].key), date.fromisoformat(days[-1].key)),
        days=days,
        before=(monday - WEEK).isoformat() if monday > monday_of(first) else "",
        after=(monday + WEEK).isoformat() if monday < monday_of(last) else "",
    )


def _key(here: datetime) -> tuple[time, int]:
    # An hour that the clock repeats has two slots of one name: the fold keeps them apart.
    return here.time(), here.fold


def _cell(slot: Slot, here: datetime, zone: str, zones: Mapping[int, str]) -> Cell:
    theirs = {zones[one] for one in slot.consultant_ids if one in zones}
    there = ""
    if len(theirs) == 1:
        [other] = theirs
        if words.local(slot.starts_at, other).utcoffset() != here.utcoffset():
            there = words.time_in(slot.starts_at, other)
    return Cell(slot.starts_at.isoformat(), words.clock_time(here), there)


def _day(day: date, cells: tuple[Cell | None, ...]) -> Day:
    name = words.DAYS[day.weekday()]
    short = f"{day.day}{words.NBSP}{words.MONTHS[day.month - 1][:3]}"
    return Day(day.isoformat(), name, short, f"{name} {short}", cells if any(cells) else ())
