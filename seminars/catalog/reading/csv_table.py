"""A CSV file as a table: header, rows and the line on which each begins."""

import csv
import io
from dataclasses import dataclass

from seminars.catalog.reading.decoding import decoded, text_bytes
from seminars.catalog.reading.plain_text import plain_line
from seminars.catalog.reading.plan import MOST_ROWS, Unreadable

DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 200_000


@dataclass(frozen=True)
class Row:
    """The cells of a row under their headers; `extra` are those that stand beyond the last header."""

    line: int
    cells: dict[str, str]
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    delimiter: str


def read_table(data: bytes, *, encoding: str | None = None, delimiter: str | None = None) -> Table:
    """The table in a CSV file. Raises Unreadable for what is no table, and for one of more rows than we take."""
    text = decoded(text_bytes(data), encoding)
    if text.lstrip().upper().startswith("BEGIN:VCALENDAR"):
        raise Unreadable("This is an iCalendar file. Give it the ending .ics and try again.")
    if text.lstrip()[:1] in ("{", "["):
        raise Unreadable("This looks like JSON. A CSV or iCalendar (.ics) file is needed.")
    told, text, skipped = _told_delimiter(text)
    chosen = delimiter or told or _likely_delimiter(text)
    if chosen not in DELIMITERS:
        raise Unreadable("The columns can be divided by a comma, a semicolon, a tab or a bar.")
    rows = _rows(text, chosen, skipped)
    if not rows:
        raise Unreadable("This file has no rows.")
    header = _header(rows[0][1])
    if len([name for name in header if name]) < 2:
        raise Unreadable("This file is no table: its first line has a single column. A CSV file begins with the names of its columns.")
    if len(rows) == 1:
        raise Unreadable("This file has the names of columns and no rows.")
    _assert_even(rows, len(header))
    return Table(header, tuple(_row(line, cells, header) for line, cells in rows[1:]), chosen)


def _told_delimiter(text: str) -> tuple[str | None, str, int]:
    """Excel may say in a first line `sep=;` what divides its columns."""
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.rstrip("\r")) == 5:
        return first[4], rest, 1
    return None, text, 0


def _likely_delimiter(text: str) -> str:
    """The sign that gives the first rows the most columns and all of them as many as the header."""

    def evenness(delimiter: str) -> tuple[float, int]:
        reader = csv.reader(io.StringIO(text[:SAMPLE], newline=""), delimiter=delimiter)
        try:
            widths = [len(row) for row, _ in zip(reader, range(20), strict=False) if row]
        except csv.Error:
            return 0.0, 0
        if not widths or widths[0] < 2:
            return 0.0, 0
        return sum(width == widths[0] for width in widths) / len(widths), widths[0]

    best = max(DELIMITERS, key=evenness)
    return best if evenness(best) > (0.0, 0) else ","


def _rows(text: str, delimiter: str, skipped: int) -> list[tuple[int, list[str]]]:
    try:
        return _parsed(text, delimiter, skipped, strict=True)
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise Unreadable("A quotation mark in this file is opened and never closed.") from error
    try:
        return _parsed(text, delimiter, skipped, strict=False)
    except csv.Error as error:
        raise Unreadable(f"This file is no CSV table: {error}.") from error


def _parsed(text: str, delimiter: str, skipped: int, *, strict: bool) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    rows: list[tuple[int, list[str]]] = []
    begun = skipped + 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            rows.append((begun, cells))
        if len(rows) > MOST_ROWS + 1:
            raise Unreadable(f"This file has more than {MOST_ROWS:,} rows. Split it.")
        begun = skipped + reader.line_num + 1
    return rows


def _header(cells: list[str]) -> tuple[str, ...]:
    names: list[str] = []
    for cell in cells:
        name = plain_line(cell)
        twins = sum(other == name or other.startswith(f"{name} (") for other in names) if name else 0
        names.append(f"{name} ({twins + 1})" if twins else name)
    return tuple(names)


def _assert_even(rows: list[tuple[int, list[str]]], width: int) -> None:
    uneven = sum(len(_without_empty_end(cells)) > width or len(cells) < 2 for _, cells in rows[1:])
    if uneven * 2 > len(rows) - 1:
        raise Unreadable("This file is no table: most of its rows have another number of columns than the first line.")


def _row(line: int, cells: list[str], header: tuple[str, ...]) -> Row:
    named = {name: cell for name, cell in zip(header, cells, strict=False) if name}
    return Row(line, named, tuple(_without_empty_end(cells)[len(header) :]))


def _without_empty_end(cells: list[str]) -> list[str]:
    last = max((at + 1 for at, cell in enumerate(cells) if cell.strip()), default=0)
    return cells[:last]
