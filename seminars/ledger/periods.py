"""Opens and closes months. The database refuses an entry dated in a closed one, also while the closing is under way."""

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seminars.ledger.models import Period


def close(session: Session, month: date, *, now: datetime) -> None:
    """Close the month of that day. Waits for those who are posting into it; those who come later are refused."""
    _set(session, month, "closed", now)


def reopen(session: Session, month: date) -> None:
    """Open the month of that day again."""
    _set(session, month, "open", None)


def open_day(session: Session, wanted: date) -> date:
    """The wanted day, or the first day of the next open month: where a late fact is dated."""
    day = wanted
    closed = set(session.scalars(select(Period.month).where(Period.month >= wanted.replace(day=1), Period.state == "closed")))
    while day.replace(day=1) in closed:
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day


def _set(session: Session, month: date, state: str, closed_at: datetime | None) -> None:
    values = {"state": state, "closed_at": closed_at}
    made = insert(Period).values(month=month.replace(day=1), **values)
    session.execute(made.on_conflict_do_update(index_elements=[Period.month], set_=values))
