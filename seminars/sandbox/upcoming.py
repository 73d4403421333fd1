"""What happens by itself when the clock gets there: sessions expire, banks answer, fees are booked."""

import threading
from collections.abc import Callable

from seminars.sandbox import intents, refunds, sessions
from seminars.sandbox.world import Act, World


def _book_charge(act: Act, charge_id: str) -> None:
    charge = act.store.get(charge_id)
    if charge is not None and charge["balance_transaction"] is None and charge["status"] == "succeeded":
        intents.book_charge(act, charge)


ACTS: dict[str, Callable[[Act, str], None]] = {
    "book_charge": _book_charge,
    "expire_session": sessions.lapse,
    "bank_answers": sessions.bank_answers,
    "refund_succeeds": refunds.succeed,
    "refund_fails": refunds.fail,
}


def carry_out_due(world: World) -> int:
    """Do all that is due by the clock, oldest first. Answers how many acts that were."""
    done = 0
    while True:
        with world.acting() as act:
            due = [row for row in _due(world, world.clock.now()) if row[3] not in world.reserved]
            if not due:
                return done
            seq, _, name, subject = due[0]
            act.store.run("DELETE FROM plans WHERE seq = ?", (seq,))
            ACTS[name](act, subject)
            done += 1


def carry_out(world: World, subject: str) -> int:
    """Do now what is planned for one object, whatever its time. Answers how many acts that were."""
    with world.acting() as act:
        planned = world.store.rows("SELECT seq, act FROM plans WHERE subject = ? ORDER BY due, seq", (subject,))
        for seq, name in planned:
            act.store.run("DELETE FROM plans WHERE seq = ?", (seq,))
            ACTS[name](act, subject)
    return len(planned)


def move_clock(world: World, moment: float) -> None:
    """Move the clock on, stopping at each planned act so that it happens at its own time."""
    while True:
        stops = [row for row in _due(world, moment) if row[3] not in world.reserved]
        if not stops:
            break
        world.clock.set(max(stops[0][1], world.clock.now()))
        carry_out_due(world)
    world.clock.set(max(moment, world.clock.now()))
    world.ring()


def _due(world: World, moment: float) -> list[tuple[int, float, str, str]]:
    found = world.store.rows("SELECT seq, due, act, subject FROM plans WHERE due <= ? ORDER BY due, seq LIMIT 50", (moment,))
    return [(row[0], row[1], row[2], row[3]) for row in found]


class Timekeeper(threading.Thread):
    """Carries out what is due while the sandbox runs."""

    def __init__(self, world: World) -> None:
        super().__init__(name="timekeeper", daemon=True)
        self._world = world
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.is_set():
            carry_out_due(self._world)
            with self._world.changed:
                self._world.changed.wait(self._pause())

    def stop(self) -> None:
        self._stopping.set()
        self._world.ring()

    def _pause(self) -> float:
        """Seconds until the next planned act, at most one: bells may be missed."""
        found = self._world.store.rows("SELECT min(due) FROM plans")[0][0]
        if found is None or self._world.clock.stands_still:
            return 1.0
        return float(min(max(found - self._world.clock.now(), 0.05), 1.0))
