"""Writes the book. Entries are only ever added; what was wrong is reversed by another entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from seminars.kit.money import Money
from seminars.kit.refusals import Conflict
from seminars.ledger.models import JournalEntry, Posting
from seminars.ledger.postings import REVERSAL, Line

IN_CLOSED_PERIOD = "SB003"
"""The SQLSTATE that the period trigger raises."""


class PeriodClosed(Conflict):
    """The month of an entry is closed; it has to be dated in an open one (`periods.open_day`)."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One business fact about to be posted: its source (unique), its date, what it is about, its lines."""

    source_kind: str
    source: str
    effective_on: date
    about: str
    lines: Sequence[Line]
    memo: str = ""


def post(
    session: Session, *, source_kind: str, source: str, effective_on: date, about: str, lines: Sequence[Line], memo: str, now: datetime
) -> JournalEntry | None:
    """Post one fact; None when this source was posted already. Raises PeriodClosed, and ValueError when the lines do not balance."""
    entries = post_all(session, [Fact(source_kind, source, effective_on, about, lines, memo)], now=now)
    return entries[0] if entries else None


def post_all(session: Session, facts: Sequence[Fact], *, now: datetime) -> list[JournalEntry]:
    """Post many facts in two statements; returns the entries that are new. A rule without lines posts nothing. Raises as `post` does."""
    facts = [fact for fact in facts if fact.lines]
    for fact in facts:
        _must_balance(fact)
    if not facts:
        return []
    entries = _write_entries(session, [_entry_row(fact, now) for fact in facts])
    lines = {(fact.source_kind, fact.source): fact.lines for fact in facts}
    rows = [_posting_row(entry, line) for entry in entries for line in lines[entry.source_kind, entry.source]]
    if rows:
        session.execute(insert(Posting), rows)
    return entries


def reverse(session: Session, entry: JournalEntry, *, effective_on: date, memo: str, now: datetime) -> JournalEntry | None:
    """Rule 52: the mirror of an entry, linked to it; None when it was reversed already. Raises PeriodClosed."""
    original = session.scalars(select(Posting).where(Posting.entry_id == entry.id).order_by(Posting.id)).all()
    mirror = [Line(posting.account_number, Money(-posting.amount, posting.currency), posting.dimension) for posting in original]
    fact = Fact(REVERSAL, str(entry.id), effective_on, entry.about, mirror, memo)
    _must_balance(fact)
    made = _write_entries(session, [_entry_row(fact, now) | {"reverses_id": entry.id}])
    if not made:
        return None
    session.execute(insert(Posting), [_posting_row(made[0], line) for line in mirror])
    return made[0]


def _write_entries(session: Session, rows: list[dict[str, Any]]) -> list[JournalEntry]:
    # The unique source absorbs what comes twice, also from two transactions at once: the second waits for the first.
    statement = insert(JournalEntry).on_conflict_do_nothing().returning(JournalEntry)
    try:
        return list(session.scalars(statement, rows))
    except DBAPIError as refused:
        if getattr(refused.orig, "sqlstate", None) == IN_CLOSED_PERIOD:
            month = min(row["effective_on"] for row in rows)
            raise PeriodClosed(f"The books of {month:%B %Y} are closed. Date the entry in an open month.") from refused
        raise


def _entry_row(fact: Fact, now: datetime) -> dict[str, Any]:
    return {
        "source_kind": fact.source_kind,
        "source": fact.source,
        "effective_on": fact.effective_on,
        "about": fact.about,
        "memo": fact.memo,
        "posted_at": now,
    }


def _posting_row(entry: JournalEntry, line: Line) -> dict[str, Any]:
    return {
        "entry_id": entry.id,
        "account_number": line.account,
        "amount": line.amount.amount,
        "currency": line.amount.currency,
        "dimension": line.dimension,
    }


def _must_balance(fact: Fact) -> None:
    """Say here, with the source, what the database would refuse at commit. Raises ValueError."""
    sums: dict[str, int] = {}
    for line in fact.lines:
        sums[line.amount.currency] = sums.get(line.amount.currency, 0) + line.amount.amount
    if len(fact.lines) < 2 or any(sums.values()) or not all(line.amount for line in fact.lines):
        raise ValueError(f"{fact.source_kind}:{fact.source} does not balance: {list(fact.lines)}. Mend its posting rule.")
