"""What is taken in a window of time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from seminars.schedule.models import Resource, TimeClaim


@dataclass(frozen=True, slots=True)
class Busy:
    """One claim, as whoever looks for free time sees it."""

    resource_id: int
    starts_at: datetime
    ends_at: datetime
    kind: str
    holder: str
    label: str
    override_reason: str


def taken(session: Session, resource_ids: Collection[int], since: datetime, until: datetime, *, now: datetime) -> Sequence[Busy]:
    """Every claim on these resources that touches the window, earliest first; holds that lapsed do not count."""
    window = func.tstzrange(since, until)
    found = (
        select(
            TimeClaim.resource_id,
            TimeClaim.starts_at,
            TimeClaim.ends_at,
            TimeClaim.kind,
            TimeClaim.holder,
            TimeClaim.label,
            TimeClaim.override_reason,
        )
        .where(
            TimeClaim.resource_id.in_(resource_ids),
            func.tstzrange(TimeClaim.starts_at, TimeClaim.ends_at).op("&&")(window),
            or_(TimeClaim.lapses_at.is_(None), TimeClaim.lapses_at > now),
        )
        .order_by(TimeClaim.starts_at, TimeClaim.id)
    )
    return [Busy(*row) for row in session.execute(found)]


@dataclass(frozen=True, slots=True)
class LaidOver:
    """A claim that staff laid over another one, and why."""

    resource: str
    holder: str
    starts_at: datetime
    ends_at: datetime
    reason: str


def overridden(session: Session, holders: Collection[str]) -> Sequence[LaidOver]:
    """What these holders have laid over others, earliest first."""
    found = (
        select(Resource.name, TimeClaim.holder, TimeClaim.starts_at, TimeClaim.ends_at, TimeClaim.override_reason)
        .join(Resource)
        .where(TimeClaim.holder.in_(holders), TimeClaim.override_reason != "")
        .order_by(TimeClaim.starts_at, TimeClaim.id)
    )
    return [LaidOver(*row) for row in session.execute(found)]
