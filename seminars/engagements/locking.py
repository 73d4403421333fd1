"""Holding a proposal, an engagement or a retainer still while it is changed."""

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.engagements.models import Engagement, Proposal, Retainer

Row = TypeVar("Row", Proposal, Engagement, Retainer)


def hold_still(session: Session, row: Row) -> Row:
    """Lock the row against others who would change it, and see it as it is now.

    Asked for anew rather than refreshed: a refresh joins what was loaded along with the row, and PostgreSQL locks no outer join.
    """
    kind = type(row)
    asked = select(kind).where(kind.id == row.id).with_for_update(key_share=True, of=kind)
    return session.scalars(asked.execution_options(populate_existing=True)).one()
