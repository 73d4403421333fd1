"""The crowd of `proofs.seats`: people who hold, change, order, let lapse and cancel, each with a connection of their own.

They share carts and orders, so that two of them often press on the same thing. Their time passes with what they do: so many attempts
later a hold is over, however slow this machine is.
"""

from __future__ import annotations

import gc
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.sharedctypes import Synchronized
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session

from seminars import tables  # noqa: F401  every mapper must be known before the first query
from seminars.audit import recording
from seminars.catalog import tickets
from seminars.catalog.models import Quota
from seminars.config import Center, Letterhead
from seminars.kit.refusals import Refusal
from seminars.orders import cancellation, checkout, settlement
from seminars.orders import cart as carts
from seminars.orders.buyers import Buyer, Party
from seminars.orders.models import Cart, Order
from seminars.payments import cancelling
from seminars.registration import holds
from seminars.registration.capacity import SoldOut
from seminars.registration.models import Registration
from seminars.registration.places import Attendee

BEGINNING = datetime(2027, 1, 4, 15, 0, tzinfo=UTC)
EACH_ATTEMPT_TAKES = timedelta(seconds=4)
MOST_SHARED = 60
BUYER = Buyer("Maren Holt", "maren.holt@lakeside.example", organisation="Lakeside Hospital")
LETTERHEAD = Letterhead(Center(), "https://seminars.northfield.example", "seminars@northfield.example")
CODES = ("TWENTY", "FIFTYOFF")

SIGHT = """
    SELECT pg_current_snapshot()::text, (
        SELECT coalesce(json_agg(json_build_array(id, ticket_type_id, places, holder = %(holder)s, ends_at <= %(now)s)), '[]'::json)
        FROM holds WHERE state = 'active' AND (ends_at <= %(now)s OR holder = %(holder)s))
"""


@dataclass(frozen=True)
class Hall:
    """What is for sale: ticket types of each event, and every counter with its size at the start."""

    ticket_types: dict[int, int]
    """Ticket type → event."""
    quotas: dict[int, int]
    """Quota → size."""


@dataclass(frozen=True)
class Refused:
    """Somebody was told that there are not enough seats: what they wanted, and what was committed before and after."""

    wanted: dict[int, int]
    before: str
    after: str
    could_be_had: dict[int, int]
    """Seats by ticket type that lapsed holds, and holds the same press gave up, kept from the counters all the time between."""


@dataclass
class Told:
    """What one process of people met."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


class Time:
    """The clock of all processes: it moves with every attempt of anybody."""

    def __init__(self, attempts: Synchronized[int]) -> None:
        self.attempts = attempts

    def __call__(self) -> datetime:
        return BEGINNING + self.attempts.value * EACH_ATTEMPT_TAKES

    def move(self) -> None:
        with self.attempts.get_lock():
            self.attempts.value += 1


class Crowd:
    """So many people in one process, each a thread with a connection."""

    def __init__(self, url: str, hall: Hall, people: int, clock: Time) -> None:
        self.hall, self.people, self.clock = hall, people, clock
        self.url = url
        self.engine: Engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), pool_size=people, max_overflow=0)
        self.carts: list[str] = []
        self.orders: list[int] = []
        self.told = Told()
        recording.listen()

    def attempt(self, attempts: int, seed: int) -> Told:
        """Everybody makes their share of the attempts; what they met."""
        each = [Person(self, random.Random(f"{seed}/{number}")) for number in range(self.people)]
        share = [attempts // self.people + (number < attempts % self.people) for number in range(self.people)]
        threads = [threading.Thread(target=person.attempt, args=[number]) for person, number in zip(each, share, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for person in each:
            person.aside.close()
        self.engine.dispose()
        return self.told

    @contextmanager
    def work(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session


class Person:
    """Somebody who does one thing after another, drawn by lot."""

    def __init__(self, crowd: Crowd, draw: random.Random) -> None:
        self.crowd, self.draw = crowd, draw
        # A second connection, from nobody's side, to note what was committed before and after a refusal: one statement, one snapshot.
        self.aside = psycopg.connect(crowd.url, autocommit=True)
        acts: list[tuple[int, Callable[[], str]]] = [
            (30, self.hold), (14, self.change), (5, self.hold_again), (3, self.hold_longer), (3, self.type_a_code), (22, self.place_order),
            (6, self.pay), (6, self.let_expire), (4, self.call_off), (6, self.come_back), (6, self.cancel_seats), (3, self.sweep),
            (3, self.change_capacity),
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
                self.crowd.told.troubles.append(f"{act.__name__}: {trouble!r}"[:500])
            self.crowd.told.outcomes[act.__name__, outcome] += 1

    def hold(self) -> str:
        wanted = {self._ticket_type(): self._number() for _ in range(self.draw.choice((1, 1, 1, 2)))}
        now = self.crowd.clock()
        with self._watched("", wanted, now), self.crowd.work() as session:
            cart = carts.open_cart(session, now=now)
            carts.add_places(session, cart, wanted, now=now)
        self._share(self.crowd.carts, cart.secret)
        return "done"

    def change(self) -> str:
        now = self.crowd.clock()
        with self._a_cart() as (session, cart):
            wanted = {line.ticket_type_id: self.draw.choice((0, 1, 2, 3, line.places, line.places + 1)) for line in cart.lines}
            if self.draw.random() < 0.3:
                wanted[self._ticket_type()] = self._number()
            with self._watched(cart.reference, wanted, now):
                carts.change_places(session, cart, wanted, now=now)
        return "done"

    def hold_again(self) -> str:
        now = self.crowd.clock()
        with self._a_cart() as (session, cart):
            wanted = {line.ticket_type_id: line.places for line in cart.lines}
            with self._watched(cart.reference, wanted, now):
                carts.hold_again(session, cart, now=now)
        return "done"

    def hold_longer(self) -> str:
        with self._a_cart() as (session, cart):
            carts.extend(session, cart, now=self.crowd.clock())
        return "done"

    def type_a_code(self) -> str:
        with self._a_cart() as (session, cart):
            carts.use_code(session, cart, self.draw.choice(CODES), now=self.crowd.clock())
        return "done"

    def place_order(self) -> str:
        now = self.crowd.clock()
        with self._a_cart() as (session, cart):
            seats = sum(line.places for line in cart.lines)
            free = "Speaker's guest" if self.draw.random() < 0.1 else ""
            attendees = [self._attendee() if self.draw.random() < 0.3 else None for _ in range(seats)]
            terms = checkout.Terms("NC", comp_reason=free)
            order = checkout.place_order(session, cart, Party(BUYER, tuple(attendees)), terms=terms, now=now)
            if not order.total:
                settlement.settle(session, order, letterhead=LETTERHEAD, now=now)
        self._share(self.crowd.orders, order.id)
        return "done"

    def pay(self) -> str:
        with self._an_order() as (session, order):
            if order.state != "placed":
                return f"was {order.state}"
            settlement.settle(session, order, letterhead=LETTERHEAD, now=self.crowd.clock())
        return "done"

    def let_expire(self) -> str:
        with self._an_order() as (session, order):
            if order.state != "placed":
                return f"was {order.state}"
            cancellation.expire(session, order, now=self.crowd.clock())
        return "done"

    def call_off(self) -> str:
        with self._an_order() as (session, order):
            cancellation.cancel_unpaid(session, order, now=self.crowd.clock())
        return "done"

    def come_back(self) -> str:
        now = self.crowd.clock()
        with self._an_order() as (session, order):
            seats = session.scalars(select(Registration.ticket_type_id).where(Registration.order_reference == order.reference))
            with self._watched("", Counter(seats), now):
                cancellation.revive(session, order, now=now)
        return "done"

    def cancel_seats(self) -> str:
        with self._an_order() as (session, order):
            seats = [line.registration_id for line in order.lines if line.registration.state == "confirmed"]
            chosen = self.draw.sample(seats, self.draw.randint(1, len(seats))) if seats else []
            plan = cancelling.plan(session, order, chosen, refund=False)
            cancelling.carry_out(session, order, chosen, refund=False, version=plan.version, reason="asked to", letterhead=LETTERHEAD,
                                 now=self.crowd.clock())  # fmt: skip
        return "done"

    def sweep(self) -> str:
        with self.crowd.work() as session:
            holds.sweep_lapsed(session, now=self.crowd.clock())
        return "done"

    def change_capacity(self) -> str:
        quota_id, usual = self.draw.choice(list(self.crowd.hall.quotas.items()))
        with self.crowd.work() as session:
            quota = session.get_one(Quota, quota_id)
            tickets.set_capacity(session, quota, self.draw.randint(usual - 3, usual + 3), now=self.crowd.clock())
        return "done"

    @contextmanager
    def _a_cart(self) -> Iterator[tuple[Session, Cart]]:
        with self.crowd.work() as session:
            secret = self.draw.choice(self.crowd.carts or [""])
            cart = carts.cart_by_secret(session, secret)
            if cart is None:
                self.crowd.carts = [one for one in self.crowd.carts if one != secret]
                raise Refusal("There is no such cart.")
            yield session, cart

    @contextmanager
    def _an_order(self) -> Iterator[tuple[Session, Order]]:
        with self.crowd.work() as session:
            if not self.crowd.orders:
                raise Refusal("There is no order yet.")
            yield session, settlement.lock(session, self.draw.choice(self.crowd.orders))

    @contextmanager
    def _watched(self, holder: str, wanted: dict[int, int], now: datetime) -> Iterator[None]:
        """Note what could be seen before and after, if the answer is that there are not enough seats."""
        before, held_before = self._sight(holder, now)
        try:
            yield
        except SoldOut:
            after, held_after = self._sight(holder, now)
            events = {self.crowd.hall.ticket_types[i] for i, number in wanted.items() if number}
            could: Counter[int] = Counter()
            for ticket_type, places, own, lapsed in (held_before[i] for i in held_before.keys() & held_after.keys()):
                if (lapsed and self.crowd.hall.ticket_types[ticket_type] in events) or (own and ticket_type in wanted):
                    could[ticket_type] += places
            self.crowd.told.refused.append(Refused(dict(wanted), before, after, dict(could)))
            raise

    def _sight(self, holder: str, now: datetime) -> tuple[str, dict[int, tuple[int, int, bool, bool]]]:
        """What is committed now, seen from a connection of nobody's: the snapshot, and holds that are over or this holder's own."""
        seen = self.aside.execute(SIGHT, {"holder": holder, "now": now}).fetchone()
        assert seen is not None
        return seen[0], {row[0]: tuple(row[1:]) for row in seen[1]}

    def _ticket_type(self) -> int:
        return self.draw.choice(list(self.crowd.hall.ticket_types))

    def _number(self) -> int:
        return self.draw.choice((1, 1, 1, 1, 2, 2, 3, 5, 10))

    def _attendee(self) -> Attendee:
        return Attendee("Jonas Lindqvist", f"jonas.{self.draw.randrange(10_000)}@fjordview.example")

    def _share(self, things: list[Any], one: object) -> None:
        things.append(one)
        if len(things) > MOST_SHARED:
            del things[: len(things) - MOST_SHARED]


_attempts: Synchronized[int]


def share_time(attempts: Synchronized[int]) -> None:
    """Called once in each process."""
    global _attempts
    _attempts = attempts


def come(url: str, hall: Hall, people: int, attempts: int, seed: int) -> Told:
    """One process of people."""
    # What was imported stays, and what an attempt leaves behind is small: looking for garbage all the time is a tenth of the work.
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)
    return Crowd(url, hall, people, Time(_attempts)).attempt(attempts, seed)
