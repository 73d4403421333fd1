"""Numbers without gaps: taken under the lock of their series' row, in the transaction that writes the document."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seminars.invoices.models import Series

Kind = Literal["invoice", "credit_note"]
PREFIX: dict[Kind, str] = {"invoice": "", "credit_note": "CN"}


@dataclass(frozen=True, slots=True)
class Number:
    """A place in a series and how it is printed: «2026-0001», or «CN2026-0001» for a credit note."""

    series_id: int
    serial: int
    text: str


def take(session: Session, kind: Kind, on: date) -> Number:
    """The next number of that kind in that year. A rollback gives it back, since the counter is a row and no sequence."""
    statement = (
        insert(Series)
        .values(kind=kind, year=on.year, next=2)
        .on_conflict_do_update(index_elements=[Series.kind, Series.year], set_={"next": Series.next + 1})
        .returning(Series.id, Series.next - 1)
    )
    series_id, serial = session.execute(statement).one()
    return Number(series_id, serial, f"{PREFIX[kind]}{on.year}-{serial:04d}")
