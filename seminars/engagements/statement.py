"""The statement of a retainer: what was worked, what it drew, what is left. Pure."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from seminars.engagements.models import Retainer, TimeLog
from seminars.kit.money import Money, digits

COLUMNS = ("Day", "Consultant", "What", "Minutes", "From the retainer", "Left after", "Beyond it", "Currency", "To be billed", "Billed")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Entry:
    """One line: minutes worked, drawn, beyond, and those left after it."""

    worked_on: date
    consultant: str
    note: str
    minutes: int
    drawn: int
    beyond: int
    left: int
    amount: Money
    billed: bool


def entries_of(retainer: Retainer, logs: Sequence[TimeLog]) -> list[Entry]:
    """The lines in the order in which they were logged, with the balance after each."""
    left, found = retainer.minutes, []
    for log in logs:
        left -= log.drawn
        amount = Money(log.unbilled, retainer.currency)
        found.append(
            Entry(
                log.worked_on, log.consultant.name, log.note, log.minutes, log.drawn, log.minutes - log.drawn, left, amount,
                log.order_id is not None,
            )
        )  # fmt: skip
    return found


def csv_of(entries: Sequence[Entry]) -> str:
    """The same lines for a spreadsheet; the mark at the beginning says that it is UTF-8."""
    buffer = io.StringIO("\ufeff")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for one in entries:
        billed = ("yes" if one.billed else "no") if one.amount else ""
        amount = str(Decimal(one.amount.amount).scaleb(-digits(one.amount.currency)))
        numbers = (str(one.minutes), str(one.drawn), str(one.left), str(one.beyond))
        cells = (one.worked_on.isoformat(), one.consultant, one.note, *numbers, one.amount.currency, amount, billed)
        writer.writerow([_as_text(cell) for cell in cells])
    return buffer.getvalue()


def _as_text(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
