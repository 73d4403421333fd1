"""The gate: one guarded counter per quota, which the database keeps between 0 and its size (reliability-security.md §1).

Whoever takes or gives back several quotas touches them in id order and each of them once, and touches holds before quotas: so no two of
them can wait for each other.
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


def give_back(session: Session, places: Mapping[int, int]) -> None:
    """Return places of each ticket type to all of its quotas."""
    exchange(session, given=places, taken={})


def exchange(session: Session, *, given: Mapping[int, int], taken: Mapping[int, int]) -> None:
    """Return places of some ticket types and take places of others, as one change of each quota. Raises SoldOut.

    A caller that catches SoldOut must roll back, for the quotas before the empty one are changed already.
    """
    returned: Counter[int] = Counter()
    wanted: Counter[int] = Counter()
    for ticket_type_id, quota_id in _draws(session, {*given, *taken}):
        returned[quota_id] += given.get(ticket_type_id, 0)
        wanted[quota_id] += taken.get(ticket_type_id, 0)
    for quota_id in sorted({*returned, *wanted}):
        _change(session, quota_id, returned[quota_id], wanted[quota_id])


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


def _draws(session: Session, ticket_type_ids: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Which ticket type draws on which quota."""
    wanted = list(ticket_type_ids)
    if not wanted:
        return []
    pairs = session.execute(
        select(ticket_type_quotas.c.ticket_type_id, ticket_type_quotas.c.quota_id).where(ticket_type_quotas.c.ticket_type_id.in_(wanted))
    )
    return [(ticket_type_id, quota_id) for ticket_type_id, quota_id in pairs]


def _change(session: Session, quota_id: int, returned: int, wanted: int) -> None:
    """Move one counter. Seats that come free between our failing and our counting are tried for again: a refusal tells what was true."""
    more = wanted - returned
    while more and not _moved(session, quota_id, more):
        free = session.scalars(select(Quota.size - Quota.taken).where(Quota.id == quota_id)).one()
        if free < more:
            raise SoldOut(free + returned)


def _moved(session: Session, quota_id: int, more: int) -> bool:
    change = update(Quota).where(Quota.id == quota_id).values(taken=Quota.taken + more)
    if more > 0:
        change = change.where(Quota.taken + more <= Quota.size)
    return bool(session.execute(change.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
