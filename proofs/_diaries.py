"""The crowd of `proofs.claims`: people who want the same hours of the same few people and rooms, each with a connection of their own.

Visitors hold, order, move and cancel meetings; staff publish and change events, send somebody on leave, lay one thing over another;
calendars of their own say that somebody is busy; and somebody writes claims past our code. All of it happens around nights on which
clocks change.
"""

from __future__ import annotations

import random
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import create_engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from proofs._crowd import MOST_SHARED, Time
from seminars import tables  # noqa: F401  every mapper must be known before the first query
from seminars.audit import recording
from seminars.catalog import events
from seminars.catalog.events import Block, EventFacts
from seminars.catalog.models import Event, Room, Speaker
from seminars.consulting import appointments, booking, consultants
from seminars.consulting.booking import Client
from seminars.consulting.models import Appointment, Consultant, Offering
from seminars.kit.refusals import Conflict, NotFound, Refusal
from seminars.schedule import claims
from seminars.schedule.claims import CLAIMS, Span

CHICAGO, BERLIN = "America/Chicago", "Europe/Berlin"
NIGHTS = (datetime(2027, 3, 14, 8, tzinfo=UTC), datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 11, 7, 7, tzinfo=UTC))
"""When clocks change: forward in Chicago, forward in Berlin, back in Chicago."""
AROUND = timedelta(hours=5)
HALF_AN_HOUR = timedelta(minutes=30)
MOST_SESSIONS = 6
CLIENT = Client("Maren Holt", "maren.holt@lakeside.example", "Lakeside Hospital")
REASON = "They know, and have agreed"

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class House:
    """What there is to be taken, by the ids of its rows."""

    resources: list[int]
    speakers: list[int]
    consultants: list[int]
    rooms: list[int]
    events: list[int]
    offerings: list[int]


@dataclass
class Told:
    """What one process of people met."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)


class Crowd:
    """So many people in one process, each a thread with a connection."""

    def __init__(self, url: str, house: House, people: int, clock: Time) -> None:
        self.house, self.people, self.clock = house, people, clock
        self.engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), pool_size=people, max_overflow=0)
        self.meetings: list[int] = []
        self.courses: list[str] = []
        self.leaves: list[tuple[int, str]] = []
        self.told = Told()
        recording.listen()

    def attempt(self, attempts: int, seed: str) -> Told:
        """Everybody makes their share of the attempts; what they met."""
        each = [Person(self, random.Random(f"{seed}/{number}"), f"{seed}/{number}") for number in range(self.people)]
        share = [attempts // self.people + (number < attempts % self.people) for number in range(self.people)]
        threads = [threading.Thread(target=person.attempt, args=[number]) for person, number in zip(each, share, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.engine.dispose()
        return self.told

    @contextmanager
    def work(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session


class Person:
    """Somebody who does one thing after another, drawn by lot."""

    def __init__(self, crowd: Crowd, draw: random.Random, name: str) -> None:
        self.crowd, self.draw, self.name, self.made = crowd, draw, name, 0
        acts: list[tuple[int, Callable[[], str]]] = [
            (20, self.hold), (4, self.hold_another), (4, self.hold_again), (3, self.hold_longer), (4, self.drop), (12, self.place_order),
            (5, self.confirm), (9, self.move), (6, self.cancel), (3, self.come_back), (2, self.sweep),
            (10, self.take_directly), (6, self.move_directly), (4, self.swap), (5, self.give_back), (5, self.write_past_us),
            (5, self.leave), (4, self.end_leave), (3, self.be_busy),
            (7, self.publish), (4, self.unpublish), (7, self.change_session), (4, self.add_session), (2, self.remove_session),
            (5, self.change_event), (1, self.archive),
        ]  # fmt: skip
        self.acts = [act for weight, act in acts for _ in range(weight)]

    def attempt(self, number: int) -> None:
        for _ in range(number):
            act = self.draw.choice(self.acts)
            self.crowd.clock.move()
            try:
                outcome = act()
            except Refusal as refusal:
                outcome = type(refusal).__name__
            except Exception as trouble:
                outcome = f"trouble: {type(trouble).__name__}"
                self.crowd.told.troubles.append(f"{act.__name__}: {where(trouble)}: {trouble!r}"[:500])
            self.crowd.told.outcomes[act.__name__, outcome] += 1

    # Meetings that visitors book.

    def hold(self, instead_of: int = 0) -> str:
        now = self.crowd.clock()
        with self.crowd.work() as session:
            offering = session.get_one(Offering, self.draw.choice(self.crowd.house.offerings))
            length, chosen = self.draw.choice(offering.lengths), self.draw.choice((None, None, [self._a_consultant()]))
            appointment = booking.hold_slot(
                session, offering, length, starts_at=self._instant(), consultant_ids=chosen, holder=f"cart/{self._next()}", zone=CHICAGO,
                instead_of=session.get_one(Appointment, instead_of) if instead_of else None, now=now,
            )  # fmt: skip
        self._share(self.crowd.meetings, appointment.id)
        return "done"

    def hold_another(self) -> str:
        return self.hold(self._one_of(self.crowd.meetings))

    def hold_again(self) -> str:
        with self._a_meeting() as (session, appointment):
            booking.hold_again(session, appointment, now=self.crowd.clock())
        return "done"

    def hold_longer(self) -> str:
        now = self.crowd.clock()
        with self._a_meeting() as (session, appointment):
            booking.extend_holds(session, appointment.holder, now + timedelta(minutes=30), now=now)
        return "done"

    def drop(self) -> str:
        with self._a_meeting() as (session, appointment):
            booking.drop(session, appointment, now=self.crowd.clock())
        return "done"

    def place_order(self) -> str:
        with self.crowd.work() as session:
            ids = {self._one_of(self.crowd.meetings) for _ in range(self.draw.choice((1, 1, 2)))}
            chosen = [session.get_one(Appointment, each) for each in ids]
            booking.keep(session, chosen, order_reference=f"order/{self._next()}", client=CLIENT, now=self.crowd.clock())
        return "done"

    def confirm(self) -> str:
        with self._a_meeting() as (session, appointment):
            if not appointment.order_reference:
                raise Conflict("It was not ordered.")
            appointments.confirm(session, appointment.order_reference, now=self.crowd.clock())
        return "done"

    def move(self) -> str:
        now = self.crowd.clock()
        with self._a_meeting() as (session, appointment):
            starts_at, chosen = self._instant(), self.draw.choice((None, [self._a_consultant()]))
            version = appointments.version_of(appointment)
            appointments.move(session, appointment, starts_at=starts_at, consultant_ids=chosen, version=version, by_staff=True,
                              override_reason=self._seldom(), now=now)  # fmt: skip
        return "done"

    def cancel(self) -> str:
        with self._a_meeting() as (session, appointment):
            appointments.cancel(session, [appointment], reason="asked to", now=self.crowd.clock())
        return "done"

    def come_back(self) -> str:
        with self._a_meeting() as (session, appointment):
            appointments.retake(session, [appointment], now=self.crowd.clock())
        return "done"

    def sweep(self) -> str:
        with self.crowd.work() as session:
            booking.sweep_lapsed(session, now=self.crowd.clock())
        with self.crowd.work() as session:
            claims.sweep_lapsed(session, now=self.crowd.clock())
        return "done"

    # Claims as any other room would lay them down.

    def take_directly(self) -> str:
        holder, now = f"course/{self._next()}", self.crowd.clock()
        kind = self.draw.choice(("hold", "appointment"))
        lapses_at = now + timedelta(minutes=20) if kind == "hold" else None
        with self.crowd.work() as session:
            claims.take(session, holder, self._spans(kind), lapses_at=lapses_at, override_reason=self._seldom(), now=now)
        self._share(self.crowd.courses, holder)
        return "done"

    def move_directly(self) -> str:
        holder = self._one_of(self.crowd.courses)
        with self.crowd.work() as session:
            claims.take(session, holder, self._spans("appointment"), instead_of=[holder], now=self.crowd.clock())
        return "done"

    def swap(self) -> str:
        one, other = self._one_of(self.crowd.courses), self._one_of(self.crowd.courses)
        with self.crowd.work() as session:
            theirs = {holder: self._spans_of(session, holder) for holder in (one, other)}
            swapped = {one: theirs[other], other: theirs[one]}
            claims.take_all(session, swapped, instead_of=[one, other], now=self.crowd.clock())
        return "done"

    def give_back(self) -> str:
        with self.crowd.work() as session:
            if self.draw.random() < 0.5:
                claims.release(session, [self._one_of(self.crowd.courses)])
            else:
                claims.keep(session, [self._one_of(self.crowd.courses)], kind="appointment")
        return "done"

    def write_past_us(self) -> str:
        span = self._spans("leave")[0]
        row = {"resource_id": span.resource_id, "kind": "leave", "starts_at": span.starts_at, "ends_at": span.ends_at, "label": "",
               "holder": f"course/{self._next()}", "override_reason": "", "created_at": self.crowd.clock()}  # fmt: skip
        # Two plain inserts can wait for each other in this kind of constraint; one that may do nothing steps back (PostgreSQL, INSERT).
        with self.crowd.work() as session:
            written = session.execute(insert(CLAIMS).values(row).on_conflict_do_nothing().returning(CLAIMS.c.id)).all()
        if not written:
            return "refused by the database"
        self._share(self.crowd.courses, str(row["holder"]))
        return "done"

    # Leave, and calendars of their own.

    def leave(self) -> str:
        starts_at, number = self._instant(), self._a_consultant()
        ends_at = starts_at + self.draw.choice((1, 2, 8)) * HALF_AN_HOUR
        with self.crowd.work() as session:
            consultant = session.get_one(Consultant, number)
            holder = consultants.take_leave(session, consultant, starts_at=starts_at, ends_at=ends_at, override_reason=self._seldom(),
                                            now=self.crowd.clock())  # fmt: skip
        self._share(self.crowd.leaves, (number, holder))
        return "done"

    def end_leave(self) -> str:
        number, holder = self._one_of(self.crowd.leaves)
        with self.crowd.work() as session:
            consultants.end_leave(session, session.get_one(Consultant, number), holder)
        return "done"

    def be_busy(self) -> str:
        with self.crowd.work() as session:
            consultant = session.get_one(Consultant, self._a_consultant())
            times = [(starts, starts + HALF_AN_HOUR, "Clinic") for starts in (self._instant() for _ in range(self.draw.randrange(3)))]
            claims.replace_busy(session, consultants.busy_holder(consultant), consultant.resource_id, times, now=self.crowd.clock())
        return "done"

    # Events.

    def publish(self) -> str:
        with self._an_event() as (session, event):
            events.publish(session, event, override_reason=self._seldom(), now=self.crowd.clock())
        return "done"

    def unpublish(self) -> str:
        with self._an_event() as (session, event):
            events.unpublish(session, event, now=self.crowd.clock())
        return "done"

    def archive(self) -> str:
        with self._an_event() as (session, event):
            events.archive(session, event, now=self.crowd.clock())
        return "done"

    def change_session(self) -> str:
        with self._an_event() as (session, event):
            if not event.sessions:
                raise Conflict("It has no session.")
            part = self.draw.choice(event.sessions)
            events.change_session(session, part, self._block(session), override_reason=self._seldom(), now=self.crowd.clock())
        return "done"

    def add_session(self) -> str:
        with self._an_event() as (session, event):
            if len(event.sessions) >= MOST_SESSIONS:
                raise Conflict("It has enough sessions.")
            events.add_session(session, event, self._block(session), override_reason=self._seldom(), now=self.crowd.clock())
        return "done"

    def remove_session(self) -> str:
        with self._an_event() as (session, event):
            if not event.sessions:
                raise Conflict("It has no session.")
            events.remove_session(session, self.draw.choice(event.sessions), now=self.crowd.clock())
        return "done"

    def change_event(self) -> str:
        with self._an_event() as (session, event):
            teachers = self.draw.sample(self.crowd.house.speakers, self.draw.choice((1, 1, 2)))
            speakers = [session.get_one(Speaker, number) for number in teachers]
            facts = EventFacts(event.title, self.draw.choice((CHICAGO, BERLIN)), venue=event.venue, policy=event.policy, speakers=speakers)
            events.change(session, event, facts, override_reason=self._seldom(), now=self.crowd.clock())
        return "done"

    @contextmanager
    def _a_meeting(self) -> Iterator[tuple[Session, Appointment]]:
        with self.crowd.work() as session:
            yield session, session.get_one(Appointment, self._one_of(self.crowd.meetings))

    @contextmanager
    def _an_event(self) -> Iterator[tuple[Session, Event]]:
        with self.crowd.work() as session:
            yield session, session.get_one(Event, self.draw.choice(self.crowd.house.events))

    def _instant(self) -> datetime:
        night = self.draw.choice(NIGHTS)
        return night - AROUND + self.draw.randrange(20) * HALF_AN_HOUR

    def _block(self, session: Session) -> Block:
        starts = self._instant().astimezone(ZoneInfo(self.draw.choice((CHICAGO, BERLIN)))).replace(tzinfo=None, fold=0)
        room = session.get_one(Room, self.draw.choice(self.crowd.house.rooms)) if self.draw.random() < 0.7 else None
        return Block(starts, starts + self.draw.choice((1, 2, 3, 6)) * HALF_AN_HOUR, title="Night watch", held_in=room)

    def _spans(self, kind: str) -> list[Span]:
        starts, people = self._instant(), self.draw.sample(self.crowd.house.resources, self.draw.choice((1, 1, 2)))
        starts += timedelta(minutes=self.draw.choice((0, 0, 1, 29)))
        return [Span(one, starts, starts + self.draw.choice((1, 2, 3)) * HALF_AN_HOUR, kind) for one in people]

    def _spans_of(self, session: Session, holder: str) -> list[Span]:
        taken = (CLAIMS.c.resource_id, CLAIMS.c.starts_at, CLAIMS.c.ends_at)
        return [Span(*row, "appointment") for row in session.execute(select(*taken).where(CLAIMS.c.holder == holder))]

    def _seldom(self) -> str:
        return REASON if self.draw.random() < 0.03 else ""

    def _a_consultant(self) -> int:
        return self.draw.choice(self.crowd.house.consultants)

    def _next(self) -> str:
        self.made += 1
        return f"{self.name}/{self.made}"

    def _one_of(self, things: list[Thing]) -> Thing:
        if not things:
            raise NotFound("There is none yet.")
        return self.draw.choice(things)

    def _share(self, things: list[Thing], one: Thing) -> None:
        things.append(one)
        if len(things) > MOST_SHARED:
            del things[: len(things) - MOST_SHARED]


def where(trouble: BaseException) -> str:
    """The lines of ours on the way to it, innermost first."""
    frames = [frame for frame in traceback.extract_tb(trouble.__traceback__) if "/seminars/" in frame.filename]
    return " < ".join(f"{Path(frame.filename).stem}:{frame.lineno} {frame.name}" for frame in frames[::-1][:4])


_attempts: Synchronized[int]


def share_time(attempts: Synchronized[int]) -> None:
    """Called once in each process."""
    global _attempts
    _attempts = attempts


def come(url: str, house: House, people: int, attempts: int, seed: str) -> Told:
    """One process of people."""
    return Crowd(url, house, people, Time(_attempts)).attempt(attempts, seed)
