"""Two carts that want the same: whatever happens in whatever order, an order has all that it sold, and a refused cart keeps nothing.

    python -m proofs.carts [--interleavings 40] [--seed 1] [--full]

`--full` makes 200 interleavings. Each time two people, each with a connection of their own, want seats of one event that has three left
and an hour of one consultant's morning. What each of them does, and when, is drawn by lot: hold seats, choose an hour, take it out again,
hold longer or once more, go away until the hold is over, place the order as the web does, pay it or let it lapse. After each time:

* an order that stands has every seat and every hour that it sold, without an end, and the hour is nobody else's;
* an order that lapsed has none of them;
* a cart whose order was refused because something was lost holds nothing at all, and no order was written for it;
* counters, holds and orders agree, as in `proofs.seats`.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import time as clock_time

import psycopg
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.orm import Session

from proofs._crowd import BEGINNING, BUYER, LETTERHEAD
from proofs.seats import FORGETFUL, Findings, database, look, open_hall
from seminars.audit import recording
from seminars.catalog.models import Event
from seminars.consulting import booking, consultants, offerings
from seminars.consulting.consultants import ConsultantFacts, Stretch
from seminars.consulting.models import Offering
from seminars.consulting.offerings import OfferingFacts
from seminars.kit.refusals import Refusal
from seminars.local.postgres import APPLICATION, OWNER
from seminars.orders import cancellation, checkout, settlement
from seminars.orders import cart as carts
from seminars.orders.buyers import Party
from seminars.orders.models import Cart, Order
from seminars.payments import checkout as payments
from seminars.registration import holds

USUAL, FULL = 40, 200
ACTS = 14
SEATS_LEFT = 3
AWAY = timedelta(minutes=21)
HALVES = {
    "an order that stands without one of its hours": """
        SELECT o.id FROM orders o JOIN order_lines l ON l.order_id = o.id JOIN appointments a ON a.id = l.appointment_id
        WHERE o.state IN ('placed', 'paid') AND NOT (a.order_reference = 'order/' || o.id AND a.held_until IS NULL
              AND a.state = CASE o.state WHEN 'paid' THEN 'confirmed' ELSE 'held' END
              AND EXISTS (SELECT FROM time_claims c
                          WHERE c.holder = 'appointment/' || a.id AND c.kind = 'appointment' AND c.lapses_at IS NULL))
        """,
    "an order that stands without one of its seats": """
        SELECT o.id FROM orders o JOIN order_lines l ON l.order_id = o.id JOIN registrations r ON r.id = l.registration_id
        WHERE o.state IN ('placed', 'paid') AND r.state <> CASE o.state WHEN 'paid' THEN 'confirmed' ELSE 'held' END""",
    "an order with less than its cart": """
        SELECT o.id FROM orders o JOIN cart_lines c ON c.cart_id = o.cart_id
        GROUP BY o.id HAVING sum(c.places) <> (SELECT count(*) FROM order_lines l WHERE l.order_id = o.id)""",
    "an order that lapsed and holds something": """
        SELECT o.id FROM orders o JOIN order_lines l ON l.order_id = o.id LEFT JOIN appointments a ON a.id = l.appointment_id
        LEFT JOIN registrations r ON r.id = l.registration_id
        WHERE o.state IN ('expired', 'cancelled') AND (a.state <> 'cancelled' OR r.state <> 'cancelled'
          OR EXISTS (SELECT FROM time_claims c WHERE c.holder = 'appointment/' || a.id))""",
    "time that is taken for nobody": """
        SELECT c.holder FROM time_claims c LEFT JOIN appointments a ON c.holder = 'appointment/' || a.id
        WHERE a.id IS NULL OR a.state = 'cancelled'""",
    "an appointment in two orders": """
        SELECT appointment_id FROM order_lines WHERE appointment_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1""",
}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--interleavings", type=int, default=USUAL)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--full", action="store_true", help=f"{FULL} interleavings")
    given = asked.parse_args()
    with database(**FORGETFUL) as url:
        sys.exit(prove(url, FULL if given.full else given.interleavings, given.seed))


def prove(url: str, interleavings: int, seed: int) -> bool:
    """Let two people want the same so many times, judge each time, print it; whether anything was wrong."""
    owner = url.replace(f"//{APPLICATION}@", f"//{OWNER}@")
    findings, told, began, draw = Findings(), Counter[str](), time.monotonic(), random.Random(seed)
    recording.listen()
    open_hall(url)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), pool_size=4, max_overflow=0)
    with Session(engine) as session, session.begin():
        _open_practice(session)
    for number in range(interleavings):
        with psycopg.connect(owner) as connection:
            connection.execute("UPDATE quotas SET size = taken + %s", [SEATS_LEFT])
        clock = Clock(BEGINNING + timedelta(days=number))
        both = [Shopper(engine, random.Random(draw.random()), clock, told, findings) for _ in range(2)]
        threads = [threading.Thread(target=one.shop) for one in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        look(owner, findings, HALVES)
        _close_the_day(engine, clock)
        look(owner, findings, HALVES)
    engine.dispose()
    _report(told, findings, interleavings, seed, time.monotonic() - began)
    return bool(findings.violations)


def _open_practice(session: Session) -> None:
    """One consultant, who works in the morning of every day."""
    facts = ConsultantFacts("Rosa Castellane", "rosa@northfield.example", "America/Chicago", video_link="https://meet.example/{code}")
    rosa = consultants.create(session, facts, now=BEGINNING)
    consultants.set_hours(session, rosa, [Stretch(day, clock_time(9), clock_time(11)) for day in range(7)])
    offering = offerings.create(session, OfferingFacts("Policy review", step=60, horizon_days=30), now=BEGINNING)
    offerings.set_lengths(session, offering, {60: 28_000}, now=BEGINNING)
    offerings.set_consultants(session, offering, [rosa], now=BEGINNING)
    offerings.publish(session, offering, now=BEGINNING)


def _close_the_day(engine: Engine, clock: Clock) -> None:
    """All that waits to be paid lapses, and what was only held goes back: nothing of this time is in the way of the next."""
    with Session(engine) as session, session.begin():
        for order_id in session.scalars(select(Order.id).where(Order.state == "placed").order_by(Order.id)).all():
            cancellation.expire(session, settlement.lock(session, order_id), now=clock())
    with Session(engine) as session, session.begin():
        later = clock() + timedelta(hours=2)
        booking.sweep_lapsed(session, now=later)
        holds.sweep_lapsed(session, now=later)


@dataclass
class Clock:
    """The time of both; it passes when one of them goes away."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Shopper:
    """Somebody with one cart, who does one thing after another, drawn by lot."""

    engine: Engine
    draw: random.Random
    clock: Clock
    told: Counter[str]
    findings: Findings
    secret: str = ""
    order_id: int = 0
    acts: list[tuple[int, Callable[[], str]]] = field(init=False)

    def __post_init__(self) -> None:
        self.acts = [
            (5, self.hold_seats), (6, self.choose_an_hour), (1, self.take_it_out), (2, self.hold_again), (1, self.hold_longer),
            (2, self.go_away), (4, self.place_order), (2, self.pay), (1, self.let_lapse),
        ]  # fmt: skip

    def shop(self) -> None:
        for _ in range(ACTS):
            time.sleep(self.draw.random() * 0.004)
            (act,) = self.draw.choices([act for _, act in self.acts], [weight for weight, _ in self.acts])
            try:
                outcome = act()
            except Refusal as refusal:
                outcome = type(refusal).__name__
            except Exception as trouble:
                self.findings.add("not a refusal", f"{act.__name__}: {trouble!r}"[:500])
                outcome = "trouble"
            self.told[f"{act.__name__}: {outcome}"] += 1

    @contextmanager
    def work(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def my_cart(self) -> Iterator[tuple[Session, Cart]]:
        """The cart that this browser holds, or a new one once it was ordered."""
        with self.work() as session:
            cart = carts.cart_by_secret(session, self.secret) or carts.open_cart(session, now=self.clock())
            yield session, cart
        self.secret = cart.secret

    def hold_seats(self) -> str:
        with self.my_cart() as (session, cart):
            event = session.scalars(select(Event).where(Event.reference == "hot")).one()
            carts.add_places(session, cart, {event.ticket_types[0].id: self.draw.choice((1, 2, 2))}, now=self.clock())
        return "done"

    def choose_an_hour(self) -> str:
        with self.my_cart() as (session, cart):
            offering = session.scalars(select(Offering)).one()
            morning = (self.clock() + timedelta(days=2)).replace(hour=15, minute=0, second=0) + timedelta(hours=self.draw.choice((0, 0, 1)))
            meeting = carts.Meeting(offering, offering.lengths[0], morning, None, "America/Chicago", [])
            carts.add_meeting(session, cart, meeting, now=self.clock())
        return "done"

    def take_it_out(self) -> str:
        with self.my_cart() as (session, cart):
            for line in cart.meeting_lines[:1]:
                carts.remove_meeting(session, cart, line.meeting.id, now=self.clock())
        return "done"

    def hold_again(self) -> str:
        with self.my_cart() as (session, cart):
            carts.hold_again(session, cart, now=self.clock())
        return "done"

    def hold_longer(self) -> str:
        with self.my_cart() as (session, cart):
            if not cart.lines:
                return "nothing to hold"
            carts.extend(session, cart, now=self.clock())
        return "done"

    def go_away(self) -> str:
        """Until the holds are over; the sweep comes by, as it does every minute."""
        self.clock.at += AWAY
        with self.work() as session:
            booking.sweep_lapsed(session, now=self.clock())
        with self.work() as session:
            holds.sweep_lapsed(session, now=self.clock())
        return "done"

    def place_order(self) -> str:
        """As the web does: what is left of a cart that lost something goes back in a commit of its own."""
        try:
            with self.work() as session:
                cart = carts.cart_by_secret(session, self.secret)
                if cart is None or not cart.lines:
                    return "nothing to order"
                party = Party(BUYER, (None,) * sum(line.places for line in cart.seat_lines))
                both = bool(cart.seat_lines and cart.meeting_lines)
                order = checkout.place_order(session, cart, party, terms=checkout.Terms("NC"), now=self.clock())
                payments.begin(session, order, letterhead=LETTERHEAD, now=self.clock())
            self.order_id = order.id
            return "seats and hours" if both else "one of both"
        except checkout.SomethingLost as lost:
            with self.work() as session:
                cart = carts.cart_by_secret(session, self.secret)
                if cart is not None:
                    carts.let_go(session, cart, lost=lost.lost, now=self.clock())
                    self._holds_nothing(session, cart)
            return "something was lost"

    def _holds_nothing(self, session: Session, cart: Cart) -> None:
        found = session.execute(
            text(
                "SELECT 'seats', id FROM holds WHERE holder = :cart AND state = 'active' UNION ALL"
                " SELECT 'an hour', a.id FROM appointments a JOIN time_claims c ON c.holder = 'appointment/' || a.id"
                " WHERE a.holder = :cart AND a.order_reference = '' UNION ALL SELECT 'an order', id FROM orders WHERE cart_id = :id"
            ),
            {"cart": cart.reference, "id": cart.id},
        ).all()
        for what, number in found:
            self.findings.add("a refused cart keeps something", (what, number))

    def pay(self) -> str:
        if not self.order_id:
            return "nothing to pay"
        with self.work() as session:
            order = settlement.lock(session, self.order_id)
            if order.state == "placed":
                settlement.settle(session, order, letterhead=LETTERHEAD, now=self.clock())
        return "done"

    def let_lapse(self) -> str:
        if not self.order_id:
            return "nothing to let lapse"
        with self.work() as session:
            order = settlement.lock(session, self.order_id)
            if order.state == "placed":
                cancellation.expire(session, order, now=self.clock())
        return "done"


def _report(told: Counter[str], findings: Findings, interleavings: int, seed: int, took: float) -> None:
    for example in findings.examples:
        print(f"  {example}")
    print(", ".join(f"{what} {count:,}" for what, count in sorted(told.items())))
    wrong = ", ".join(f"{what}: {count}" for what, count in findings.violations.items())
    whole, lost = told["place_order: seats and hours"], told["place_order: something was lost"]
    print(f"{interleavings} interleavings of two carts: {whole} orders of seats and hours, {lost} times something was lost before paying")
    print(f"compared {findings.looks} times, {took:.0f} s (seed {seed}): {wrong or '0 violations'}")


if __name__ == "__main__":
    main()
