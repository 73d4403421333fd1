"""Changes that people with a seat would notice: who is told is shown first, then change and telling are one commit."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request
from sqlalchemy.orm import Session

from seminars.catalog.models import EventSession
from seminars.desk.today import name_of
from seminars.kit import format as words
from seminars.registration import changes
from seminars.registration.queries import people_told_of, told_of
from seminars.web.shared import joined, now


@dataclass(frozen=True)
class Told:
    """A session as it will be, and how many people hear of it."""

    name: str
    when: str
    people: int


@dataclass(frozen=True)
class Plan:
    """Who will be told of a change, session by session."""

    sessions: tuple[Told, ...]
    people: int
    """Each counted once, in however many of the sessions they are."""

    @property
    def entries(self) -> int:
        """How many calendar entries change: somebody in two sessions has two."""
        return sum(told.people for told in self.sessions)


class Unseen(Exception):
    """The change would be told to people, and whoever makes it has not seen to whom. Undoes the transaction."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        super().__init__()


def plan_of(session: Session, parts: Sequence[EventSession]) -> Plan:
    """Who would hear of a change of these sessions."""
    counted = [(part, told_of(session, part)) for part in parts]
    told = tuple(Told(name_of(part), _when(part), people) for part, people in counted if people)
    return Plan(told, people_told_of(session, parts))


def _when(part: EventSession) -> str:
    """When and where it will be: «Monday 22 March 2027, 9:00 am to 4:00 pm CDT, Room 2, Siebens Building»."""
    day, venue = words.weekday(words.local(part.starts_at, part.event.zone)), part.event.venue
    clock = "" if part.all_day else words.time_range(part.starts_at, part.ends_at, part.event.zone)
    return ", ".join(told for told in (day, clock, part.room, venue.name if venue else "") if told)


def tell(session: Session, parts: Sequence[EventSession]) -> int:
    """Tell everybody with a seat in these sessions what they are like now."""
    letterhead = joined().settings.letterhead
    return sum(changes.tell_everyone(session, part, letterhead=letterhead, now=now()) for part in parts)


def all_typed() -> list[tuple[str, str]]:
    """Everything typed, to be sent once more with the agreement."""
    return [(name, value) for name, value in request.form.items(multi=True) if name not in ("csrf_token", "agreed")]
