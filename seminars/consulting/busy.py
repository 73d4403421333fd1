"""Reading consultants' own calendars: what they say blocks slots. The last good copy serves while a reading fails."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from seminars.calendars.models import CalendarEntry
from seminars.consulting.busy_times import BusyTimes, read_busy
from seminars.consulting.consultants import busy_holder
from seminars.consulting.models import Consultant
from seminars.gateways.fetch import Fetcher, NotFetched
from seminars.kit.clock import Clock
from seminars.kit.refusals import Refusal
from seminars.schedule import claims

EVERY = timedelta(minutes=15)
BEHIND, AHEAD = timedelta(days=1), timedelta(days=400)
MOST_AT_ONCE = 20
LABEL = "busy in their own calendar"


def due(session: Session, *, now: datetime) -> Sequence[int]:
    """Whose calendars are to be read again, those longest ago first."""
    asked = select(Consultant.id).where(
        Consultant.active, Consultant.busy_url != "", or_(Consultant.busy_tried_at.is_(None), Consultant.busy_tried_at <= now - EVERY)
    )
    return session.scalars(asked.order_by(Consultant.busy_tried_at.asc().nulls_first(), Consultant.id).limit(MOST_AT_ONCE)).all()


def read_one(work: Callable[[], AbstractContextManager[Session]], fetch: Fetcher, consultant_id: int, *, clock: Clock) -> bool:
    """Read one consultant's calendar, with no transaction open meanwhile; whether there is a good copy now.

    Trouble is kept for staff to see, and the times of the last good copy stay.
    """
    with work() as session:
        consultant = session.get_one(Consultant, consultant_id, with_for_update={"key_share": True}, populate_existing=True)
        now = consultant.busy_tried_at = clock()
        url, zone = consultant.busy_url, consultant.zone
        etag = consultant.busy_etag if _is_fresh(consultant, now) else ""
        own = _own_entries(session, consultant_id)
    if not url:
        return False
    try:
        fetched = fetch.get(url, etag=etag)
        times = None
        if fetched.body is not None:
            times = read_busy(fetched.body, zone=zone, since=now - BEHIND, until=now + AHEAD, own=own)
    except (NotFetched, Refusal) as trouble:
        with work() as session:
            _note(session, consultant_id, url, str(trouble))
        return False
    with work() as session:
        _keep(session, consultant_id, url, times, fetched.etag or etag, now=clock())
    return True


def _is_fresh(consultant: Consultant, now: datetime) -> bool:
    """Whether the copy may do if it is still the newest: after trouble, and once a day because its window moves on, all is read anew."""
    read_at = consultant.busy_read_at
    return read_at is not None and read_at.date() == now.date() and not consultant.busy_trouble


def _keep(session: Session, consultant_id: int, url: str, times: BusyTimes | None, etag: str, *, now: datetime) -> None:
    """Write down what was read, unless the address was changed meanwhile."""
    consultant = session.get_one(Consultant, consultant_id, with_for_update={"key_share": True}, populate_existing=True)
    if consultant.busy_url != url:
        return
    if times is not None:
        spans = [(starts_at, ends_at, LABEL) for starts_at, ends_at in times.times]
        claims.replace_busy(session, busy_holder(consultant), consultant.resource_id, spans, now=now)
        consultant.busy_trouble = f"{times.unread} entries could not be read." if times.unread else ""
    consultant.busy_etag, consultant.busy_read_at = etag, now
    session.flush()


def _note(session: Session, consultant_id: int, url: str, trouble: str) -> None:
    consultant = session.get_one(Consultant, consultant_id, with_for_update={"key_share": True}, populate_existing=True)
    if consultant.busy_url == url:
        consultant.busy_trouble = trouble
        session.flush()


def _own_entries(session: Session, consultant_id: int) -> set[str]:
    """The UIDs of what we put into this consultant's calendar ourselves: our claims know of it already."""
    asked = select(CalendarEntry.uid).where(CalendarEntry.holder.like(f"appointment/%:consultant/{consultant_id}"))
    return set(session.scalars(asked))
