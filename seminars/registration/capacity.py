"""The gate: one guarded counter per quota, which the database keeps between 0 and its size (reliability-security.md §1).

Whoever takes or gives back several quotas touches them in id order, and touches holds before quotas: so no two of them can wait for
each other.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from seminars.catalog.models import Quota, ticket_type_quotas
from seminars.kit.format import count
from seminars.kit.refusals import Conflict


class SoldOut(Conflict):
    """Fewer seats are left than were asked for."""

    def __init__(self, left: int) -> None:
        self.left = left
        super().__init__(f"Only {count(left, 'seat is', 'seats are')} left." if left else "There are no seats left.")


def take(session: Session, places: Mapping[int, int]) -> None:
    """Take so many places of each ticket type from all of its quotas, or none at all. Raises SoldOut.

    A caller that catches SoldOut must roll back, for the quotas before the empty one are taken already.
    """
    for quota_id, number in sorted(_needs(session, places).items()):
        taken = session.execute(
            update(Quota)
            .where(Quota.id == quota_id, Quota.taken + number <= Quota.size)
            .values(taken=Quota.taken + number)
            .execution_options(synchronize_session=False)
        )
        if not taken.rowcount:  # type: ignore[attr-defined]
            raise SoldOut(_left_of(session, quota_id))


def give_back(session: Session, places: Mapping[int, int]) -> None:
    """Return places of each ticket type to all of its quotas."""
    for quota_id, number in sorted(_needs(session, places).items()):
        session.execute(
            update(Quota).where(Quota.id == quota_id).values(taken=Quota.taken - number).execution_options(synchronize_session=False)
        )


def left(session: Session, ticket_type_ids: Iterable[int]) -> dict[int, int]:
    """How many more of each ticket type can be sold now: the scarcest of its quotas decides."""
    rows = session.execute(
        select(ticket_type_quotas.c.ticket_type_id, Quota.size - Quota.taken)
        .join(Quota, Quota.id == ticket_type_quotas.c.quota_id)
        .where(ticket_type_quotas.c.ticket_type_id.in_(list(ticket_type_ids)))
    )
    found: dict[int, int] = {}
    for ticket_type_id, free in rows:
        found[ticket_type_id] = min(free, found.get(ticket_type_id, free))
    return found


def _needs(session: Session, places: Mapping[int, int]) -> Counter[int]:
    wanted = {ticket_type_id: number for ticket_type_id, number in places.items() if number}
    rows = session.execute(
        select(ticket_type_quotas.c.ticket_type_id, ticket_type_quotas.c.quota_id).where(ticket_type_quotas.c.ticket_type_id.in_(wanted))
    )
    needs: Counter[int] = Counter()
    for ticket_type_id, quota_id in rows:
        needs[quota_id] += wanted[ticket_type_id]
    return needs


def _left_of(session: Session, quota_id: int) -> int:
    return session.scalar(select(Quota.size - Quota.taken).where(Quota.id == quota_id)) or 0
