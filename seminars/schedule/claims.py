"""Taking time and giving it back: one gate for every path that makes a person or a room busy.

Everybody locks in one order, so that nobody waits for each other in a circle: first rows of one's own (the event, the appointment, the
order), then resources by their ids, then claims. Each verb here locks the resources that it touches; work that calls several of them
calls `hold_still` for all of its resources first.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from psycopg.errors import ExclusionViolation
from sqlalchemy import ColumnElement, Integer, Table, column, delete, func, insert, or_, select, update, values
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seminars.audit import recording
from seminars.db import UtcDateTime
from seminars.kit.format import local, time_range, weekday
from seminars.kit.refusals import Conflict
from seminars.schedule.models import LAPSING, Resource, TimeClaim

CLAIMS = cast(Table, TimeClaim.__table__)
OVERRIDDEN = "claimed over another"
WHERE = {
    "session": "is taken by {}",
    "appointment": "has an appointment, {}",
    "hold": "is being held for somebody, {}",
    "buffer": "needs the time around an appointment, {}",
    "leave": "is on leave, {}",
    "busy": "is busy in a calendar of their own, {}",
}


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

    def sentence(self, zone: str) -> str:
        """Who is where and when, on the clock of that zone, for staff."""
        first, last = local(self.starts_at, zone), local(self.ends_at, zone)
        when = time_range(self.starts_at, self.ends_at, zone)
        if first.date() == last.date():
            when = f"{weekday(first)}, {when}"
        return f"{self.resource} {WHERE[self.kind].format(self.label or self.holder)}: {when}."


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
    wanted: Mapping[str, Sequence[Span]],
    *,
    instead_of: Collection[str] = (),
    lapses_at: datetime | None = None,
    override_reason: str = "",
    now: datetime,
) -> None:
    """Take times for several holders, all or nothing. Raises Taken.

    The resources are locked first, in the order of their ids, so that two who want the same wait for each other and the second is told
    who was there; the exclusion constraint stands behind it. A time that its holder had already, over another with a reason, is kept
    with that reason and needs no other.
    """
    spans = [(holder, span) for holder, theirs in wanted.items() for span in theirs]
    _lock(session, {span.resource_id for _, span in spans}, holders=instead_of)
    # By the number of the span in the list: only what clashes leaves the constraint, the rest goes on being guarded by it.
    clashes = _among([span for _, span in spans], [holder for holder, _ in spans], names=_names(session, spans))
    for number, clash in _found(session, [span for _, span in spans], ignoring=instead_of, now=now):
        clashes.setdefault(number, []).append(clash)
    standing = _overridden(session, instead_of)
    reasons = {number: standing.get(_place(*spans[number]), override_reason) for number in clashes}
    if not all(reasons.values()):
        raise Taken(_once({number: found for number, found in clashes.items() if not reasons[number]}))
    rows = [
        _row(holder, span, override_reason=reasons.get(number, ""), lapses_at=lapses_at, now=now)
        for number, (holder, span) in enumerate(spans)
    ]
    _replace(session, rows, [span for _, span in spans], instead_of=instead_of, now=now)
    for holder in wanted:
        theirs = {number: found for number, found in clashes.items() if spans[number][0] == holder}
        over = _once({number: found for number, found in theirs.items() if _place(*spans[number]) not in standing})
        if over:
            facts = {"reason": override_reason, "over": [_told(clash) for clash in over]}
            recording.note(session, OVERRIDDEN, holder, after=facts, now=now)


def clashes(session: Session, spans: Sequence[Span], *, ignoring: Collection[str] = (), now: datetime) -> list[Clash]:
    """Who would be in the way of these times, earliest first. Nothing is locked: somebody may come in between."""
    return _once({number: [clash] for number, (_, clash) in enumerate(_found(session, spans, ignoring=ignoring, now=now))})


def hold_still(session: Session, resource_ids: Collection[int]) -> None:
    """Lock these resources until the end of the transaction: nobody else takes or gives back their time meanwhile."""
    _lock(session, resource_ids)


def release(session: Session, holders: Collection[str]) -> int:
    """Give back all that these holders had; how many claims that were."""
    if not holders:
        return 0
    _lock(session, (), holders=holders)
    gone = session.execute(delete(CLAIMS).where(CLAIMS.c.holder.in_(holders)).returning(CLAIMS.c.id))
    return len(gone.all())


def keep(session: Session, holders: Collection[str], *, kind: str) -> set[str]:
    """Turn holds into claims of another kind that do not lapse; the holders that still had theirs.

    A hold that is over and that nobody has taken since is still its holder's.
    """
    if not holders:
        return set()
    _lock(session, (), holders=holders)
    kept = update(CLAIMS).where(CLAIMS.c.holder.in_(holders), CLAIMS.c.kind == "hold").values(kind=kind, lapses_at=None)
    found = {row.holder for row in session.execute(kept.returning(CLAIMS.c.holder))}
    session.execute(update(CLAIMS).where(CLAIMS.c.holder.in_(found), CLAIMS.c.kind == "buffer").values(lapses_at=None))
    return found


def hold_until(session: Session, holders: Collection[str], until: datetime) -> set[str]:
    """Let holds lapse at another time; the holders that still had theirs."""
    if not holders:
        return set()
    _lock(session, (), holders=holders)
    later = update(CLAIMS).where(CLAIMS.c.holder.in_(holders), CLAIMS.c.lapses_at.is_not(None)).values(lapses_at=until)
    return {row.holder for row in session.execute(later.returning(CLAIMS.c.holder))}


def replace_busy(session: Session, holder: str, resource_id: int, times: Iterable[tuple[datetime, datetime, str]], *, now: datetime) -> int:
    """Say anew when somebody's own calendar has them busy; how many times that are. Nothing of ours is moved by it."""
    _lock(session, {resource_id}, holders=[holder])
    session.execute(delete(CLAIMS).where(CLAIMS.c.holder == holder, CLAIMS.c.kind == "busy"))
    rows = [
        _row(holder, Span(resource_id, starts_at, ends_at, "busy", label), override_reason="", lapses_at=None, now=now)
        for starts_at, ends_at, label in times
    ]
    if rows:
        session.execute(insert(CLAIMS), rows)
    return len(rows)


def sweep_lapsed(session: Session, *, now: datetime, most: int = 500) -> set[str]:
    """Drop holds that lapsed anywhere, each with all that its holder had on hold; their holders."""
    over = select(CLAIMS.c.holder).where(CLAIMS.c.lapses_at <= now).order_by(CLAIMS.c.lapses_at, CLAIMS.c.id).limit(most)
    holders = set(session.scalars(over))
    if not holders:
        return set()
    _lock(session, (), holders=holders)
    # Whoever kept or prolonged theirs while we waited for the lock is not over any more.
    gone = delete(CLAIMS).where(CLAIMS.c.holder.in_(holders), CLAIMS.c.lapses_at <= now)
    return {row.holder for row in session.execute(gone.returning(CLAIMS.c.holder))}


def _lock(session: Session, resource_ids: Collection[int], *, holders: Collection[str] = ()) -> None:
    """Lock resources, and those on which these holders have claims, in the order of their ids.

    A weaker lock than FOR UPDATE: it lets rows that only point to the resource be written meanwhile.
    """
    wanted: ColumnElement[bool] = Resource.id.in_(resource_ids)
    if holders:
        theirs = select(CLAIMS.c.resource_id).where(CLAIMS.c.holder.in_(holders))
        wanted = or_(wanted, Resource.id.in_(theirs))
    session.execute(select(Resource.id).where(wanted).order_by(Resource.id).with_for_update(key_share=True))


def _replace(session: Session, rows: list[dict[str, object]], spans: Sequence[Span], *, instead_of: Collection[str], now: datetime) -> None:
    """Give up the old, drop what lapsed in the way of the new, lay down the new. Raises Taken where the database knows better."""
    try:
        with session.begin_nested():
            _drop_lapsed(session, {span.resource_id for span in spans}, now=now)
            if instead_of:
                session.execute(delete(CLAIMS).where(CLAIMS.c.holder.in_(instead_of)))
            if rows:
                session.execute(insert(CLAIMS), rows)
    except IntegrityError as refused:
        if not isinstance(refused.orig, ExclusionViolation):
            raise
        raise Taken(clashes(session, spans, ignoring=instead_of, now=now)) from refused


def _drop_lapsed(session: Session, resource_ids: Collection[int], *, now: datetime) -> None:
    """Drop holds that are over, each as a whole: a meeting of two people is not left half held."""
    if not resource_ids:
        return
    over = select(CLAIMS.c.holder).where(CLAIMS.c.resource_id.in_(resource_ids), CLAIMS.c.lapses_at <= now)
    # One after the other by id, as others of these holders may be dropped from another resource at the same time.
    theirs = select(CLAIMS.c.id).where(CLAIMS.c.holder.in_(over), CLAIMS.c.lapses_at <= now).order_by(CLAIMS.c.id).with_for_update()
    session.execute(delete(CLAIMS).where(CLAIMS.c.id.in_(session.scalars(theirs).all())))


def _found(session: Session, spans: Sequence[Span], *, ignoring: Collection[str], now: datetime) -> list[tuple[int, Clash]]:
    """Claims that lie over these spans, each with the number of the span, earliest first."""
    if not spans:
        return []
    wanted = values(
        column("number", Integer),
        column("resource_id", CLAIMS.c.resource_id.type),
        column("starts_at", UtcDateTime),
        column("ends_at", UtcDateTime),
        name="wanted",
    ).data([(number, span.resource_id, span.starts_at, span.ends_at) for number, span in enumerate(spans)])
    theirs, ours = func.tstzrange(TimeClaim.starts_at, TimeClaim.ends_at), func.tstzrange(wanted.c.starts_at, wanted.c.ends_at)
    found = (
        select(wanted.c.number, Resource.name, TimeClaim.kind, TimeClaim.holder, TimeClaim.starts_at, TimeClaim.ends_at, TimeClaim.label)
        .select_from(wanted)
        .join(TimeClaim, (TimeClaim.resource_id == wanted.c.resource_id) & theirs.op("&&")(ours))
        .join(Resource, Resource.id == TimeClaim.resource_id)
        .where(or_(TimeClaim.lapses_at.is_(None), TimeClaim.lapses_at > now))
        .order_by(TimeClaim.starts_at, TimeClaim.id, wanted.c.number)
    )
    if ignoring:
        found = found.where(TimeClaim.holder.not_in(ignoring))
    return [(number, Clash(*row)) for number, *row in session.execute(found)]


def _among(spans: Sequence[Span], holders: Sequence[str], *, names: dict[int, str]) -> dict[int, list[Clash]]:
    """What the same request wants twice at once, by the number of the span that comes second."""
    last: dict[int, int] = {}
    second: dict[int, list[Clash]] = {}
    for number in sorted(range(len(spans)), key=lambda each: (spans[each].resource_id, spans[each].starts_at, each)):
        span = spans[number]
        before = last.get(span.resource_id)
        if before is not None and span.starts_at < spans[before].ends_at:
            first = spans[before]
            clash = Clash(names[span.resource_id], first.kind, holders[before], first.starts_at, first.ends_at, first.label)
            second[number] = [clash]
        else:
            last[span.resource_id] = number
    return second


def _names(session: Session, spans: Sequence[tuple[str, Span]]) -> dict[int, str]:
    if len(spans) < 2:
        return {}
    found = select(Resource.id, Resource.name).where(Resource.id.in_({span.resource_id for _, span in spans}))
    return {row.id: row.name for row in session.execute(found)}


def _overridden(session: Session, holders: Collection[str]) -> dict[tuple[object, ...], str]:
    """What these holders have laid over another, and why."""
    if not holders:
        return {}
    place = (TimeClaim.holder, TimeClaim.resource_id, TimeClaim.starts_at, TimeClaim.ends_at)
    found = select(*place, TimeClaim.override_reason).where(TimeClaim.holder.in_(holders), TimeClaim.override_reason != "")
    return {tuple(where): reason for *where, reason in session.execute(found)}


def _place(holder: str, span: Span) -> tuple[object, ...]:
    return holder, span.resource_id, span.starts_at, span.ends_at


def _once(clashes: dict[int, list[Clash]]) -> list[Clash]:
    """Each clash once, earliest first, however many spans it is in the way of."""
    each = dict.fromkeys(clash for found in clashes.values() for clash in found)
    return sorted(each, key=lambda clash: (clash.starts_at, clash.resource))


def _told(clash: Clash) -> str:
    return f"{clash.resource}: {clash.label or clash.kind} ({clash.holder})"


def _row(holder: str, span: Span, *, override_reason: str, lapses_at: datetime | None, now: datetime) -> dict[str, object]:
    return {
        "resource_id": span.resource_id,
        "kind": span.kind,
        "holder": holder,
        "starts_at": span.starts_at,
        "ends_at": span.ends_at,
        "label": span.label,
        "override_reason": override_reason,
        "lapses_at": lapses_at if span.kind in LAPSING else None,
        "created_at": now,
    }
