"""What happens when and where, as calendars and letters tell it."""

from collections.abc import Sequence

from seminars.calendars.invites import Occasion
from seminars.catalog.models import Event, EventSession
from seminars.kit.references import reference

CANCELLED = "cancelled"


def session_reference(event_session: EventSession) -> str:
    """How calendars and the audit name a session."""
    return reference(EventSession.__noun__, event_session.id)


def live_sessions(sessions: Sequence[EventSession]) -> list[EventSession]:
    """Those that are to take place or have, in the order of their beginning."""
    return sorted((one for one in sessions if one.state != CANCELLED), key=lambda one: (one.starts_at, one.id))


def join_address(event_session: EventSession) -> str:
    """Where one joins online: the session's own address, or the event's. Only for people with a seat."""
    event = event_session.event
    return (event_session.join_url or event.join_url) if event.online else ""


def place(event_session: EventSession) -> str:
    """Room, house, street and town on one line; nothing for what is only online."""
    event = event_session.event
    if event.format == "online":
        return ""
    venue = event.venue
    parts = [event_session.room, *([venue.name, _line(venue.address), venue.city, venue.region] if venue else [])]
    return ", ".join(part for part in parts if part)


def heading(event_session: EventSession, *, of: int = 1) -> str:
    """What a calendar shows: the event, and which of its sessions where there are several."""
    title = event_session.event.title
    return f"{title}: {event_session.title}" if of > 1 and event_session.title else title


def occasion_of(event_session: EventSession, *, page: str, of: int = 1, joinable: bool = True, description: str = "") -> Occasion:
    """One session for a calendar: `page` is where to read more, `of` how many sessions one attends.

    Who has no seat gets it with `joinable=False`, without the joining address.
    """
    event = event_session.event
    return Occasion(
        reference=session_reference(event_session),
        summary=heading(event_session, of=of),
        starts_at=event_session.starts_at,
        ends_at=event_session.ends_at,
        zone=event.zone,
        all_day=event_session.all_day,
        location=place(event_session) or ("" if joinable and join_address(event_session) else "Online"),
        url=page,
        join_url=join_address(event_session) if joinable else "",
        description=description,
    )


def occasions_of(event: Event, *, page: str) -> list[Occasion]:
    """An event as anybody may see it: its sessions, without the joining address."""
    sessions = live_sessions(event.sessions)
    return [occasion_of(one, page=page, of=len(sessions), joinable=False, description=event.seminar.summary) for one in sessions]


def _line(address: str) -> str:
    return ", ".join(part.strip() for part in address.splitlines() if part.strip())
