"""How times, dates and money are written for people. Pure: web/shared and messages/render register these as filters.

Every time names its zone, every amount its currency; number and unit are joined by a no-break space.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.numbers import format_currency, format_decimal

from seminars.kit.money import Money, digits

NBSP = "\u00a0"
MINUS = "\u2212"
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def money(value: Money) -> str:
    """«$1,190.00», with a real minus sign before the currency when negative."""
    text: str = format_currency(abs(_major(value)), value.currency, locale="en_US", currency_digits=True)
    return (MINUS if value.amount < 0 else "") + text


def amount(value: Money) -> str:
    """«1,190.00» for columns whose heading names the currency."""
    places = digits(value.currency)
    pattern = "#,##0" + ("." + "0" * places if places else "")
    text: str = format_decimal(abs(_major(value)), format=pattern, locale="en_US")
    return (MINUS if value.amount < 0 else "") + text


def _major(value: Money) -> Decimal:
    return Decimal(value.amount).scaleb(-digits(value.currency))


def local(instant: datetime, zone: str) -> datetime:
    """The wall-clock time of an instant in a zone."""
    return instant.astimezone(ZoneInfo(zone))


def day(value: date) -> str:
    """«22 March 2027», month and day held together."""
    return f"{value.day}{NBSP}{MONTHS[value.month - 1]} {value.year}"


def weekday(value: date) -> str:
    """«Monday 22 March 2027»."""
    return f"{DAYS[value.weekday()]} {day(value)}"


def clock_time(value: datetime) -> str:
    """«9:00 am», without a zone: only inside a sentence that names it."""
    return f"{value.hour % 12 or 12}:{value.minute:02d}{NBSP}{'am' if value.hour < 12 else 'pm'}"


def zone_name(instant: datetime, zone: str) -> str:
    """«CDT», or «UTC+3» where a zone has no letters of its own."""
    name = local(instant, zone).tzname() or zone
    return f"UTC{name}" if name[0] in "+-" else name


def time_in(instant: datetime, zone: str) -> str:
    """«9:00 am CDT»."""
    return f"{clock_time(local(instant, zone))}{NBSP}{zone_name(instant, zone)}"


def moment(instant: datetime, zone: str) -> str:
    """«22 March 2027, 9:00 am CDT»."""
    return f"{day(local(instant, zone))}, {time_in(instant, zone)}"


def time_range(starts: datetime, ends: datetime, zone: str) -> str:
    """«9:00 am to 5:00 pm CDT», or «12:00 to 1:00 pm CST» when both share their half of the day."""
    first, last = local(starts, zone), local(ends, zone)
    if first.date() != last.date():
        return f"{moment(starts, zone)} to {moment(ends, zone)}"
    begin = clock_time(first)
    if (first.hour < 12) == (last.hour < 12):
        begin = begin.rsplit(NBSP, 1)[0]
    return f"{begin} to {time_in(ends, zone)}"


def day_span(first: date, last: date) -> str:
    """«22 March 2027», «22 and 23 March 2027», «28 to 30 April 2027»; longer spans name both ends."""
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        joint = "and" if (last - first).days == 1 else "to"
        return f"{first.day} {joint} {day(last)}"
    return f"{first.day}{NBSP}{MONTHS[first.month - 1]}{'' if first.year == last.year else f' {first.year}'} to {day(last)}"


def listed(names: Sequence[str]) -> str:
    """«Ann», «Ann and Ben», «Ann, Ben and Cem»."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def count(number: int, one: str, many: str) -> str:
    """«1 seat», «2 seats»."""
    return f"{number:,}{NBSP}{one if number == 1 else many}"
