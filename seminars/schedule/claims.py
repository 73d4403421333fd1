"""Taking time and giving it back: one gate for every path that makes a person or a room busy."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import cast

from sqlalchemy import Table, and_, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from seminars.audit import recording
from seminars.kit.refusals import Conflict
from seminars.schedule.models import Resource, TimeClaim

CLAIMS = cast(Table, TimeClaim.__table__)
OVERRIDDEN = "claimed over another"


@dataclass(frozen=True)
class Span:
    """Time that is to be taken: whose, from when until just before when, as what."""

    resource_id: int
    starts_at: datetime
    ends_at: datetime
    kind: str
    label: str = ""


@dataclass(frozen=True)
class Clash:
    """Who was there first. `label` is for staff only."""

    resource: str
    kind: str
    holder: str
    starts_at: datetime
    ends_at: datetime
    label: str


class Taken(Conflict):
    """The time is somebody else's already. Staff are shown the clashes; the public only hears the sentence."""

    def __init__(self, clashes: Sequence[Clash]) -> None:
        self.clashes = list(clashes)
        super().__init__("This time was just taken. Please choose another.")


def take(
    session: Session,
    holder: str,
    spans: Sequence[Span],
    *,
    instead_of: Collection[str] = (),
    lapses_at: datetime | None = None,
    override_reason: str = "",
    now: datetime,
) -> None:
    """Take these times for `holder`, giving up all that the holders `instead_of` had. Raises Taken, and then nothing is changed.

    `lapses_at` ends a hold by itself. With `override_reason` what clashes is laid over the other, marked so, and noted in the audit.
    """
    take_all(session, {holder: spans}, instead_of=instead_of, lapses_at=lapses_at, override_reason=override_reason, now=now)


def take_all(
    session: Session,
    wanted: dict[str, Sequence[Span]],
    *,
    instead_of: Collection[str] = (),
    lapses_at: datetime | None = None,
    override_reason: str = "",
    now: datetime,
) -> None:
    """Take times for several holders, all or nothing. Raises Taken.

    The resources are locked first, in the order of their ids, so that two who want the same wait for each other and the second is told
    who was there; the exclusion constraint stands behind it.
    """
    spans = [span for theirs in wanted.values() for span in theirs]
    _lock(session, {span.resource_id for span in spans})
    clashes = _between(session, spans) + _clashes(session, spans, ignoring={*instead_of}, now=now)
    if clashes and not override_reason:
        raise Taken(clashes)
    _drop_lapsed(session, {span.resource_id for span in spans}, now=now)
    if instead_of:
        session.execute(delete(CLAIMS).where(CLAIMS.c.holder.in_(instead_of)))
    over = {(clash.resource, clash.starts_at, clash.ends_at) for clash in clashes}
    rows = [
        {
            "resource_id": span.resource_id,
            "kind": span.kind,
            "holder": holder,
            "starts_at": span.starts_at,
            "ends_at": span.ends_at,
            "label": span.label,
            # Only the spans that clash leave the constraint; the others go on being guarded by it.
            "override_reason": override_reason if over and _overlaps_any(span, clashes) else "",
            "lapses_at": lapses_at if span.kind in ("hold", "buffer") else None,
            "created_at": now,
        }
        for holder, theirs in wanted.items()
        for span in theirs
    ]
    if rows:
        session.execute(insert(CLAIMS), rows)
    if clashes:
        for holder in wanted:
            recording.note(session, OVERRIDDEN, holder, after={"reason": override_reason, "over": [c.holder for c in clashes]}, now=now)


def release(session: Session, holders: Collection[str]) -> int:
    """Give back all that these holders had; how many claims that were."""
    if not holders:
        return 0
    gone = session.execute(delete(CLAIMS).where(CLAIMS.c.holder.in_(holders)).returning(CLAIMS.c.id))
    return len(gone.all())


def keep(session: Session, holders: Collection[str], *, kind: str) -> set[str]:
    """Turn holds into claims of another kind that do not lapse; the holders that still had theirs."""
    kept = update(CLAIMS).where(CLAIMS.c.holder.in_(holders), CLAIMS.c.kind == "hold").values(kind=kind, lapses_at=None)
    found = {row.holder for row in session.execute(kept.returning(CLAIMS.c.holder))}
    session.execute(update(CLAIMS).where(CLAIMS.c.holder.in_(found), CLAIMS.c.kind == "buffer").values(lapses_at=None))
    return found


def hold_until(session: Session, holders: Collection[str], until: datetime) -> set[str]:
    """Let holds lapse at another time; the holders that still had theirs."""
    later = update(CLAIMS).where(CLAIMS.c.holder.in_(holders), CLAIMS.c.lapses_at.is_not(None)).values(lapses_at=until)
    return {row.holder for row in session.execute(later.returning(CLAIMS.c.holder))}


def replace_busy(session: Session, holder: str, resource_id: int, times: Iterable[tuple[datetime, datetime, str]], *, now: datetime) -> int:
    """Say anew when somebody's own calendar has them busy; how many times that are. Nothing of ours is moved by it."""
    session.execute(delete(CLAIMS).where(CLAIMS.c.holder == holder, CLAIMS.c.kind == "busy"))
    rows = [
        {
            "resource_id": resource_id,
            "kind": "busy",
            "holder": holder,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "label": label,
            "override_reason": "",
            "lapses_at": None,
            "created_at": now,
        }
        for starts_at, ends_at, label in times
    ]
    if rows:
        session.execute(insert(CLAIMS), rows)
    return len(rows)


def sweep_lapsed(session: Session, *, now: datetime, most: int = 500) -> set[str]:
    """Drop holds that lapsed anywhere; their holders. Two sweeps at once take different ones."""
    lapsed = select(CLAIMS.c.id).where(CLAIMS.c.lapses_at <= now).order_by(CLAIMS.c.id).limit(most).with_for_update(skip_locked=True)
    return {row.holder for row in session.execute(delete(CLAIMS).where(CLAIMS.c.id.in_(lapsed)).returning(CLAIMS.c.holder))}


def _lock(session: Session, resource_ids: Collection[int]) -> None:
    session.execute(select(Resource.id).where(Resource.id.in_(resource_ids)).order_by(Resource.id).with_for_update(key_share=True))


def _drop_lapsed(session: Session, resource_ids: Collection[int], *, now: datetime) -> None:
    session.execute(delete(CLAIMS).where(CLAIMS.c.resource_id.in_(resource_ids), CLAIMS.c.lapses_at <= now))


def _clashes(session: Session, spans: Sequence[Span], *, ignoring: Collection[str], now: datetime) -> list[Clash]:
    if not spans:
        return []
    one = func.tstzrange(TimeClaim.starts_at, TimeClaim.ends_at)
    overlaps = [
        and_(TimeClaim.resource_id == span.resource_id, one.op("&&")(func.tstzrange(span.starts_at, span.ends_at))) for span in spans
    ]
    found = (
        select(Resource.name, TimeClaim.kind, TimeClaim.holder, TimeClaim.starts_at, TimeClaim.ends_at, TimeClaim.label)
        .join(Resource)
        .where(or_(*overlaps), or_(TimeClaim.lapses_at.is_(None), TimeClaim.lapses_at > now))
        .order_by(TimeClaim.starts_at, TimeClaim.id)
    )
    return [Clash(*row) for row in session.execute(found) if row.holder not in ignoring]


def _between(session: Session, spans: Sequence[Span]) -> list[Clash]:
    """What is wanted twice at once by the same request."""
    found = []
    ordered = sorted(spans, key=lambda span: (span.resource_id, span.starts_at, span.ends_at))
    for resource_id, theirs in groupby(ordered, key=lambda span: span.resource_id):
        for earlier, later in pairwise(theirs):
            if later.starts_at < earlier.ends_at:
                name = session.scalars(select(Resource.name).where(Resource.id == resource_id)).one()
                found.append(Clash(name, later.kind, "", later.starts_at, later.ends_at, later.label))
    return found


def _overlaps_any(span: Span, clashes: Sequence[Clash]) -> bool:
    return any(span.starts_at < clash.ends_at and clash.starts_at < span.ends_at for clash in clashes)
