"""Days and hours as people type them, in seven languages and three orders."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from babel import Locale

Order = Literal["day_first", "month_first", "iso"]
Trouble = Literal["order", "wrong_order", "year", "none"]

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt")
FILLING = {"the", "of", "th", "st", "nd", "rd", "de", "del", "den", "der", "am", "le", "er", "di", "do", "e"}
MIDNIGHT = 24 * 60
FIRST_YEAR, LAST_YEAR = 1970, 2100

NUMBERS = re.compile(r"(\d{1,4})\s*([./-])\s*(\d{1,2})\s*\2\s*(\d{1,4})\.?")
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
CLOCK = re.compile(r"(\d{1,2})(?:\s*[:.h]\s*(\d{2})(?::\d{2}(?:\.\d+)?)?)?\s*([ap]\.?\s?m?\.?|uhr|h|hrs)?", re.IGNORECASE)
COMPACT_CLOCK = re.compile(r"(\d{2})(\d{2})")
BETWEEN = re.compile(r"\s*(?:-|\u2013|\u2014|\bto\b|\bbis\b|\buntil\b|\btill\b)\s*", re.IGNORECASE)
DAY_THEN_HOUR = re.compile(
    r"(?P<day>.*?)(?:\s*,\s*|\s+at\s+|\s+um\s+|\s+|T)"
    r"(?P<hour>\d{1,2}(?:[:h]\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(?:[ap]\.?m\.?)?|\d{1,2}\s*[ap]\.?m\.?)"
    r"\s*(?P<offset>Z|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE | re.DOTALL,
)


class NotADay(Exception):
    """A text that gives no day; `trouble` says what would be needed to read it."""

    def __init__(self, sentence: str, trouble: Trouble = "none") -> None:
        self.trouble = trouble
        super().__init__(sentence)


@dataclass(frozen=True)
class Moment:
    """The parts of a cell that holds a day and an hour."""

    day: str
    hour: str
    offset: timedelta | None = None


def parts_of(text: str) -> Moment:
    """Split “2026-03-17 14:00”, “March 17, 2026 2 pm” or an ISO moment with its offset; a cell with a day alone has no hour."""
    found = DAY_THEN_HOUR.fullmatch(text.strip())
    if not found:
        return Moment(text.strip(), "")
    return Moment(found["day"], found["hour"], _offset(found["offset"]))


def read_day(text: str, *, order: Order | None, year: int | None) -> date:
    """The day that a text names. Raises NotADay, with the sentence that staff will read beside the row."""
    plain = " ".join(text.split())
    weekday, rest = _weekday_of(plain)
    day = _in_numbers(rest, order) if NUMBERS.fullmatch(rest) or COMPACT.fullmatch(rest) else _in_words(plain, year)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise NotADay(f"“{plain}” is in the year {day.year}.")
    if weekday is not None and day.weekday() != weekday:
        raise NotADay(f"“{plain}” can't be: {day.isoformat()} is a {day:%A}.")
    return day


def orders_that_fit(texts: Iterable[str]) -> set[Order]:
    """Which orders of day and month all these texts allow: both while no text decides, none when they contradict each other."""
    fit: set[Order] = {"day_first", "month_first"}
    for text in texts:
        first, second = _first_two_numbers(text)
        if first > 12 >= second > 0:
            fit.discard("month_first")
        elif second > 12 >= first > 0:
            fit.discard("day_first")
    return fit


def needs_an_order(text: str) -> bool:
    """Does it matter here whether the day or the month stands first?"""
    first, second = _first_two_numbers(text)
    return 0 < first <= 12 and 0 < second <= 12 and first != second


def read_hours(text: str) -> tuple[int, int | None] | None:
    """Minutes since midnight of a start and, for “10:00-11:30”, of an end. None when the text gives no time."""
    parts = BETWEEN.split(text.strip())
    if len(parts) == 1:
        start = _minutes(parts[0])
        return None if start is None else (start, None)
    if len(parts) != 2:
        return None
    end = _minutes(parts[1])
    start = _minutes(parts[0])
    if start is None or end is None:
        return None
    # "2-3 pm" means two in the afternoon, "11-1 pm" eleven in the morning.
    if re.search(r"p\.?\s?m?\.?$", parts[1], re.IGNORECASE) and parts[0].strip().replace(":", "").isdigit() and start + MIDNIGHT // 2 < end:
        start += MIDNIGHT // 2
    return start, end


def plain_word(word: str) -> str:
    """A word in small letters without accents and dots."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign)).strip(". ")


def _in_numbers(text: str, order: Order | None) -> date:
    if compact := COMPACT.fullmatch(text):
        return _day(int(compact[1]), int(compact[2]), int(compact[3]), text)
    found = NUMBERS.fullmatch(text)
    assert found is not None
    first, sign, second, third = found[1], found[2], found[3], found[4]
    if len(first) >= 3:
        return _day(int(first), int(second), int(third), text)
    year = int(third) + (2000 if len(third) <= 2 else 0)
    if sign == "." and order is None:
        order = "day_first"
    if order is None and int(first) != int(second):
        raise NotADay(f"“{text}”: it has to be chosen whether the day or the month stands first.", "order")
    if order == "iso":
        raise NotADay(f"“{text}” does not begin with the year.", "wrong_order")
    day, month = (int(second), int(first)) if order == "month_first" else (int(first), int(second))
    if month > 12 >= day > 0:
        raise NotADay(f"“{text}”: there is no month {month}.", "wrong_order")
    return _day(year, month, day, text)


def _in_words(text: str, year: int | None) -> date:
    months, weekdays = _words()
    numbers: list[str] = []
    month = 0
    for token in re.findall(r"[^\W\d_]+|\d+", text):
        word = plain_word(token)
        if token.isdecimal():
            numbers.append(token)
        elif word in months and not month:
            month = months[word]
        elif word not in weekdays and word not in FILLING:
            raise NotADay(f"“{text}” is no day.")
    days = [int(number) for number in numbers if len(number) <= 2]
    years = [int(number) for number in numbers if len(number) == 4]
    if not month or len(days) != 1 or len(years) > 1 or len(days) + len(years) != len(numbers):
        raise NotADay(f"“{text}” is no day." if text else "There is no day.")
    if not years and year is None:
        raise NotADay(f"“{text}”: it has to be chosen which year is meant.", "year")
    return _day(years[0] if years else year or 0, month, days[0], text)


def _day(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise NotADay(f"“{text}”: there is no such day.") from error


def _weekday_of(text: str) -> tuple[int | None, str]:
    found = re.match(r"([^\W\d_]+)\.?,?\s+", text)
    weekday = _words()[1].get(plain_word(found[1])) if found else None
    return (weekday, text[found.end() :]) if found and weekday is not None else (None, text)


def _first_two_numbers(text: str) -> tuple[int, int]:
    rest = _weekday_of(" ".join(text.split()))[1]
    found = NUMBERS.fullmatch(parts_of(rest).day.strip())
    # Dots are written by people who put the day first.
    if not found or len(found[1]) >= 3 or found[2] == ".":
        return 0, 0
    return int(found[1]), int(found[3])


def _minutes(text: str) -> int | None:
    plain = text.strip()
    if plain_word(plain) in ("noon", "midday", "mittag", "mittags", "midi"):
        return MIDNIGHT // 2
    if compact := COMPACT_CLOCK.fullmatch(plain):
        hour, minute, half = int(compact[1]), int(compact[2]), ""
    elif found := CLOCK.fullmatch(plain):
        hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "")[:1].lower()
    else:
        return None
    if half in ("a", "p"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    total = hour * 60 + minute
    return total if minute < 60 and total <= MIDNIGHT else None


def _offset(text: str | None) -> timedelta | None:
    if not text:
        return None
    if text.upper() == "Z":
        return timedelta(0)
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return offset if text[0] == "+" else -offset


@lru_cache(maxsize=1)
def _words() -> tuple[dict[str, int], dict[str, int]]:
    """Names of months and of weekdays. A word that means two things in two languages is left out."""
    months: dict[str, set[int]] = defaultdict(set)
    weekdays: dict[str, set[int]] = defaultdict(set)
    for language in LANGUAGES:
        locale = Locale(language)
        for form in ("wide", "abbreviated"):
            for number, name in locale.months["format"][form].items():
                months[plain_word(name)].add(number)
            for number, name in locale.days["format"][form].items():
                weekdays[plain_word(name)].add(number)
    months["sept"].add(9)
    for number, name in enumerate(("tues", "weds", "thur", "thurs"), start=1):
        weekdays[name].add(min(number, 3))
    return (
        {word: min(numbers) for word, numbers in months.items() if len(numbers) == 1},
        {word: min(numbers) for word, numbers in weekdays.items() if len(numbers) == 1 and word not in months},
    )
