"""Setting seats aside for a cart, and giving them back."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Select, Table, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from seminars.catalog.models import TicketType
from seminars.kit.refusals import Conflict
from seminars.registration import capacity
from seminars.registration.models import Hold

HOLDS = cast(Table, Hold.__table__)
HOLD_LASTS = timedelta(minutes=20)
LONGER_BY = timedelta(minutes=15)
LONGEST = timedelta(hours=1)
REST = timedelta(minutes=20)
"""After so long without a hold, a cart begins anew."""


class HeldLongEnough(Conflict):
    """A cart has held seats of an event as long as one may; others get a chance now."""

    def __init__(self, *, over: bool = False) -> None:
        then = f"Others may take them now; you can choose them again in {REST // timedelta(minutes=1)} minutes."
        super().__init__(f"These seats have been held as long as we can. {then if over else 'Please finish, or choose them again later.'}")


class HoldLapsed(Conflict):
    """The seats that were set aside went back on sale."""

    def __init__(self) -> None:
        super().__init__("We could hold your seats no longer, and they went back on sale. Please choose them again.")


def hold_places(
    session: Session,
    holder: str,
    wanted: Mapping[TicketType, int],
    *,
    instead_of: Collection[int] = (),
    now: datetime,
) -> dict[int, int]:
    """Set places aside for a cart until the hold lapses, giving up the holds `instead_of`; the new hold's id by ticket type.

    However often the cart is changed, it holds seats of one event at most an hour from its first. Raises SoldOut, HeldLongEnough.
    """
    since = _held_since(session, holder, {t.event_id for t in wanted}, now)
    if any(now >= began + LONGEST for began in since.values()):
        raise HeldLongEnough(over=True)
    take(session, {t.id: places for t, places in wanted.items()}, {t.event_id for t in wanted}, instead_of=instead_of, now=now)
    rows = [
        {
            "holder": holder,
            "event_id": t.event_id,
            "ticket_type_id": t.id,
            "places": places,
            "state": "active",
            "ends_at": min(now + HOLD_LASTS, since.get(t.event_id, now) + LONGEST),
            "since": since.get(t.event_id, now),
            "created_at": now,
        }
        for t, places in wanted.items()
    ]
    if not rows:
        return {}
    made = session.execute(insert(HOLDS).returning(HOLDS.c.ticket_type_id, HOLDS.c.id), rows)
    return {row.ticket_type_id: row.id for row in made}


def _held_since(session: Session, holder: str, event_ids: Collection[int], now: datetime) -> dict[int, datetime]:
    """Since when this cart has held seats of each of these events, without a rest."""
    rows = session.execute(
        select(Hold.event_id, func.min(Hold.since))
        .where(Hold.holder == holder, Hold.event_id.in_(event_ids), Hold.ends_at > now - REST)
        .group_by(Hold.event_id)
    )
    return {event_id: since for event_id, since in rows}  # noqa: C416  rows are no pairs to dict()


def take(
    session: Session, places: Mapping[int, int], event_ids: Collection[int], *, instead_of: Collection[int] = (), now: datetime
) -> None:
    """Take places of these ticket types for good, giving up the holds `instead_of`. Raises SoldOut.

    What lapsed in these events goes back on sale first, so that nobody is refused a seat that nobody holds.
    """
    lapsed = and_(Hold.event_id.in_(event_ids), Hold.ends_at <= now)
    freed = _let_go(session, select(Hold.id).where(or_(lapsed, Hold.id.in_(instead_of)) if instead_of else lapsed))
    capacity.exchange(session, given=freed, taken=places)


def sweep_lapsed(session: Session, *, now: datetime, most: int = 500) -> int:
    """Put back on sale what lapsed anywhere; how many seats. Two sweeps at once take different ones."""
    freed = _let_go(session, select(Hold.id).where(Hold.ends_at <= now).limit(most), skip_locked=True)
    capacity.give_back(session, freed)
    return sum(freed.values())


def release(session: Session, hold_ids: Collection[int]) -> int:
    """Give back what these holds still have; how many seats."""
    freed = _let_go(session, select(Hold.id).where(Hold.id.in_(hold_ids)))
    capacity.give_back(session, freed)
    return sum(freed.values())


def _let_go(session: Session, which: Select[int], *, skip_locked: bool = False) -> Counter[int]:
    """End those of these holds that are active, in id order; the places of each ticket type that are to be given back."""
    locked = which.where(Hold.state == "active").order_by(Hold.id).with_for_update(key_share=True, skip_locked=skip_locked)
    ended = session.execute(
        update(HOLDS)
        .where(HOLDS.c.id.in_(locked), HOLDS.c.state == "active")
        .values(state="released")
        .returning(HOLDS.c.ticket_type_id, HOLDS.c.places)
    )
    places: Counter[int] = Counter()
    for ticket_type_id, number in ended:
        places[ticket_type_id] += number
    return places


def extend(session: Session, holder: str, *, now: datetime) -> datetime:
    """Hold a cart's seats longer, at most an hour after it began; the new end. Raises HoldLapsed, HeldLongEnough."""
    active = select(Hold).where(Hold.holder == holder, Hold.state == "active").order_by(Hold.id).with_for_update(key_share=True)
    held = session.scalars(active.execution_options(populate_existing=True)).all()
    if not held:
        raise HoldLapsed()
    latest = min(h.since for h in held) + LONGEST
    end = min(max(min(h.ends_at for h in held), now) + LONGER_BY, latest)
    if end <= min(h.ends_at for h in held):
        raise HeldLongEnough()
    for hold in held:
        hold.ends_at = end
    session.flush()
    return end


def consume(session: Session, hold_ids: Collection[int]) -> None:
    """Turn holds into registrations' seats: they stay taken, the hold is over. Raises HoldLapsed unless all are still active."""
    locked = select(Hold.id).where(Hold.id.in_(hold_ids), Hold.state == "active").order_by(Hold.id).with_for_update(key_share=True)
    consumed = session.execute(
        update(HOLDS).where(HOLDS.c.id.in_(locked), HOLDS.c.state == "active").values(state="consumed").returning(HOLDS.c.id)
    ).all()
    if len(consumed) != len(hold_ids):
        raise HoldLapsed()
