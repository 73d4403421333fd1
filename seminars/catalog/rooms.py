"""Rooms of a place, each taken by one thing at a time."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seminars.catalog.models import EventSession, Room, Venue
from seminars.kit.typed import Fields
from seminars.schedule.models import Resource


@dataclass(frozen=True)
class RoomFacts:
    """What a room is called."""

    name: str


def create(session: Session, venue: Venue, facts: RoomFacts) -> Room:
    """Enter a room of a place. Raises BadInputs."""
    name = _checked(session, venue, facts, but=None)
    room = Room(venue=venue, name=name, resource=Resource(kind="room", name=full_name(name, venue)))
    session.add(room)
    session.flush()
    return room


def change(session: Session, room: Room, facts: RoomFacts) -> Room:
    """Call a room something else; sessions that are to be held in it say so. Raises BadInputs."""
    room.name = _checked(session, room.venue, facts, but=room)
    room.resource.name = full_name(room.name, room.venue)
    for part in session.scalars(select(EventSession).where(EventSession.room_id == room.id, EventSession.state == "planned")):
        part.room = room.name
    session.flush()
    return room


def _checked(session: Session, venue: Venue, facts: RoomFacts, *, but: Room | None) -> str:
    fields = Fields()
    name = fields.line("name", facts.name, most=150)
    same = select(Room).where(Room.venue_id == venue.id, func.lower(Room.name) == name.lower())
    if any(room is not but for room in session.scalars(same)):
        fields.wrong("name", "This place has a room of that name.")
    fields.finish()
    return name


def full_name(name: str, venue: Venue) -> str:
    """How a clash names it, as there is a Room 2 in many places."""
    return f"{name}, {venue.name}"[:200]
