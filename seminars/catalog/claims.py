"""Events take time: while one is published, each of its sessions claims who teaches at it and the room that it is held in."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog.models import Event, EventSession
from seminars.catalog.occasions import heading, live_sessions, session_reference
from seminars.kit.refusals import Conflict
from seminars.schedule import claims, queries
from seminars.schedule.claims import Clash, Span, Taken
from seminars.schedule.queries import LaidOver

KIND = "session"


class Clashing(Conflict):
    """Somebody who teaches, or a room, is taken already. Names who is where and when: for staff only."""

    def __init__(self, clashes: Sequence[Clash], zone: str) -> None:
        self.clashes = list(clashes)
        self.sentences = [clash.sentence(zone) for clash in clashes]
        super().__init__(" ".join(self.sentences))


def hold_still(session: Session, event: Event) -> None:
    """Let nobody else change this event until the end of the transaction, and see it as it is now.

    Without it a session that one adds while another publishes would take no time at all.
    """
    session.flush()
    # Locked by itself: whoever loaded the event joined other tables to it, which a refresh repeats and a lock refuses.
    session.execute(select(Event.id).where(Event.id == event.id).with_for_update(key_share=True))
    session.refresh(event)


def follow(session: Session, event: Event, *, gone: Sequence[EventSession] = (), override_reason: str = "", now: datetime) -> None:
    """Let the claims of an event be what it says now: none unless it is published. Raises Clashing.

    `gone` are sessions that were taken out of it. With `override_reason` it is laid over what is there.
    """
    parts = [*event.sessions, *gone]
    holders = [session_reference(part) for part in parts]
    if event.state != "published":
        claims.release(session, holders)
        return
    try:
        claims.take_all(session, wanted(event), instead_of=holders, override_reason=override_reason.strip(), now=now)
    except Taken as taken:
        raise Clashing(taken.clashes, event.zone) from taken


def in_the_way(session: Session, event: Event, *, now: datetime) -> list[Clash]:
    """Who of an event is taken by something else while its sessions are to be held."""
    spans = [span for theirs in wanted(event).values() for span in theirs if span.ends_at > now]
    return claims.clashes(session, spans, ignoring=[session_reference(part) for part in event.sessions], now=now)


def laid_over(session: Session, event: Event) -> Sequence[LaidOver]:
    """Which of an event's times staff laid over something else, and why."""
    return queries.overridden(session, [session_reference(part) for part in event.sessions])


def wanted(event: Event) -> dict[str, Sequence[Span]]:
    """What each session of an event takes.

    Sessions side by side share the people of their event, so the later one takes of their time only what the earlier does not. They
    do not share a room.
    """
    sessions = live_sessions(event.sessions)
    until: datetime | None = None
    found: dict[str, Sequence[Span]] = {}
    for part in sessions:
        label = heading(part, of=len(sessions))
        starts = part.starts_at if until is None else max(part.starts_at, until)
        spans = []
        if starts < part.ends_at:
            spans = [Span(speaker.resource_id, starts, part.ends_at, KIND, label) for speaker in event.speakers]
            until = part.ends_at
        if part.held_in is not None:
            spans.append(Span(part.held_in.resource_id, part.starts_at, part.ends_at, KIND, label))
        found[session_reference(part)] = spans
    return found
