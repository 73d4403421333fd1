"""Setting seats aside for a cart, and giving them back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, insert, select, update
from sqlalchemy.orm import Session

from seminars.catalog.models import TicketType
from seminars.kit.refusals import Conflict
from seminars.registration import capacity
from seminars.registration.models import Hold

HOLD_LASTS = timedelta(minutes=20)
LONGER_BY = timedelta(minutes=15)
LONGEST = timedelta(hours=1)


class HoldLapsed(Conflict):
    """The seats that were set aside went back on sale."""

    def __init__(self) -> None:
        super().__init__("We could hold your seats no longer, and they went back on sale. Please choose them again.")


def hold_places(session: Session, holder: str, wanted: Mapping[TicketType, int], *, now: datetime) -> dict[int, int]:
    """Set places aside for a cart until the hold lapses; the new hold's id by ticket type. Raises SoldOut."""
    release_lapsed(session, [t.event_id for t in wanted], now=now)
    capacity.take(session, {t.id: places for t, places in wanted.items()})
    rows = [
        {
            "holder": holder,
            "event_id": t.event_id,
            "ticket_type_id": t.id,
            "places": places,
            "ends_at": now + HOLD_LASTS,
            "created_at": now,
        }
        for t, places in wanted.items()
    ]
    made = session.execute(insert(Hold).returning(Hold.ticket_type_id, Hold.id), rows)
    return {row.ticket_type_id: row.id for row in made}


def release_lapsed(session: Session, event_ids: Sequence[int], *, now: datetime) -> int:
    """Put back on sale what lapsed in these events, so that nobody is refused a seat that nobody holds; how many holds."""
    lapsed = select(Hold.id).where(Hold.event_id.in_(event_ids), Hold.state == "active", Hold.ends_at <= now).order_by(Hold.id)
    return _release(session, lapsed.with_for_update())


def sweep_lapsed(session: Session, *, now: datetime, most: int = 500) -> int:
    """Put back on sale what lapsed anywhere; how many holds. Two sweeps at once take different ones."""
    lapsed = select(Hold.id).where(Hold.state == "active", Hold.ends_at <= now).order_by(Hold.id).limit(most)
    return _release(session, lapsed.with_for_update(skip_locked=True))


def release(session: Session, hold_ids: Sequence[int]) -> int:
    """Give up these holds, where they are still active."""
    return _release(session, select(Hold.id).where(Hold.id.in_(hold_ids), Hold.state == "active").order_by(Hold.id).with_for_update())


def _release(session: Session, which: Select[int]) -> int:
    released = session.execute(
        update(Hold)
        .where(Hold.id.in_(which.scalar_subquery()), Hold.state == "active")
        .values(state="released")
        .returning(Hold.ticket_type_id, Hold.places)
        .execution_options(synchronize_session=False)
    ).all()
    if not released:
        return 0
    places: Counter[int] = Counter()
    for ticket_type_id, number in released:
        places[ticket_type_id] += number
    capacity.give_back(session, places)
    return len(released)


def extend(session: Session, holder: str, *, now: datetime) -> datetime:
    """Hold a cart's seats longer, at most an hour after it began; the new end. Raises HoldLapsed."""
    held = session.scalars(select(Hold).where(Hold.holder == holder, Hold.state == "active").order_by(Hold.id).with_for_update()).all()
    if not held:
        raise HoldLapsed()
    latest = min(h.created_at for h in held) + LONGEST
    end = min(max(min(h.ends_at for h in held), now) + LONGER_BY, latest)
    if end <= min(h.ends_at for h in held):
        raise Conflict("These seats have been held as long as we can. Please finish, or choose them again later.")
    for hold in held:
        hold.ends_at = end
    session.flush()
    return end


def consume(session: Session, hold_ids: Sequence[int]) -> None:
    """Turn holds into registrations' seats: they stay taken, the hold is over. Raises HoldLapsed unless all are still active."""
    consumed = session.execute(
        update(Hold)
        .where(Hold.id.in_(hold_ids), Hold.state == "active")
        .values(state="consumed")
        .execution_options(synchronize_session=False)
    )
    if consumed.rowcount != len(hold_ids):  # type: ignore[attr-defined]
        raise HoldLapsed()
