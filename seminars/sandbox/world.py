"""What the acts of the sandbox work with: the store, the clock, the chaos, and who asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from seminars.sandbox.chaos import Chaos
from seminars.sandbox.clock import Clock
from seminars.sandbox.store import Store

API_VERSION = "2026-10-28.endive"


@dataclass(frozen=True)
class Options:
    """How the sandbox was started."""

    data: Path
    public_url: str
    shop: str = "Sandbox"
    seed: int | None = None
    clock: datetime | None = None
    webhook_url: str | None = None
    webhook_secret: str | None = None


class World:
    """Everything one running sandbox is made of."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.store = Store(options.data / "sandbox.sqlite3", seed=options.seed)
        self.clock = Clock(self.store, fixed=options.clock)
        self.chaos = Chaos(self.store, seed=options.seed)
        self.running: set[str] = set()  # idempotency keys of requests being executed
        self.reserved: set[str] = set()  # objects whose plans a request carries out itself
        self.changed = threading.Condition()  # rung after every commit and every delivery

    @contextmanager
    def acting(self, request_id: str | None = None, key: str | None = None) -> Iterator["Act"]:
        """One act, all or nothing; afterwards those who deliver and wait are woken, if it changed anything.

        Looking for work is an act too: rung for nothing, the couriers would wake each other for ever.
        """
        before = self.store.changes
        with self.store.transaction():
            yield Act(world=self, store=self.store, now=int(self.clock.now()), request_id=request_id, idempotency_key=key)
        if self.store.changes != before:
            self.ring()

    def ring(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def forget_everything(self) -> None:
        """As on the first day: no objects, no chaos, the clock of the start options."""
        with self.store.transaction():
            self.store.forget_everything()
            self.clock.restore()
            self.chaos.restore()
        self.ring()


@dataclass(frozen=True)
class Act:
    """One act: the world, its moment in whole seconds, and the request that asked for it (none when time did)."""

    world: World
    store: Store
    now: int
    request_id: str | None = None
    idempotency_key: str | None = None
