"""The bell: what a commit rings is done at once, in this worker, without the broker.

One thread listens, on a connection of its own that goes through no pool (house.md §2.5), and one thread per bell works, so that a long
outbox keeps no payment waiting. Whatever was rung while nobody listened is found when listening begins, and by the timetable.
"""

import logging
import threading

import psycopg
from celery.signals import worker_ready, worker_shutting_down  # type: ignore[import-untyped]

from seminars.config import Settings
from seminars.db import BELL
from seminars.jobs import TIMETABLE
from workers.context import perform

log = logging.getLogger("seminars.bell")

LOOK_UP = 2.0
"""Seconds between two looks at whether to stop."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
STOP_WITHIN = 30.0


class Ringer(threading.Thread):
    """Does one job whenever its bell has rung; rings during the work are one more turn, however many they are."""

    def __init__(self, job: str) -> None:
        super().__init__(name=f"bell-{job}", daemon=True)
        self._job = job
        self._rung = threading.Event()
        self._stopping = False

    def ring(self) -> None:
        """There is something to do."""
        self._rung.set()

    def stop(self) -> None:
        """Finish what is being done, and no more."""
        self._stopping = True
        self._rung.set()

    def run(self) -> None:
        """Wait and work."""
        while True:
            self._rung.wait()
            self._rung.clear()
            if self._stopping:
                return
            try:
                perform(self._job)
            except Exception:  # a job that fails now is tried again by the timetable; the bell must live on
                log.exception("%s failed", self._job)


class Bell(threading.Thread):
    """Listens to what commits ring, and hears it again after every loss of the connection."""

    def __init__(self, url: str) -> None:
        super().__init__(name="bell", daemon=True)
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._stopping = threading.Event()
        self._ringers = {job.ring: Ringer(job.name) for job in TIMETABLE if job.ring}

    def run(self) -> None:
        """Listen until told to stop."""
        for ringer in self._ringers.values():
            ringer.start()
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, application_name="seminars bell") as connection:
                    connection.execute(f"LISTEN {BELL}")
                    pause = FIRST_PAUSE
                    self._listen(connection)
            except psycopg.OperationalError as lost:
                log.warning("the bell's connection is lost, listening again in %.1f s: %s", pause, lost)
                self._stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def stop(self) -> None:
        """Hear no more, and let what is being done come to its end."""
        self._stopping.set()
        for ringer in self._ringers.values():
            ringer.stop()
        for ringer in self._ringers.values():
            ringer.join(STOP_WITHIN)

    def _listen(self, connection: psycopg.Connection) -> None:
        # Before the first word: what was rung while nobody listened.
        for ringer in self._ringers.values():
            ringer.ring()
        while not self._stopping.is_set():
            for heard in connection.notifies(timeout=LOOK_UP):
                if heard.payload in self._ringers:
                    self._ringers[heard.payload].ring()


class _InThisWorker:
    """The worker's own bell, once it is ready."""

    bell: Bell | None = None


@worker_ready.connect  # type: ignore[untyped-decorator]
def begin(**_: object) -> None:
    """Listen as soon as the worker works."""
    _InThisWorker.bell = Bell(Settings.from_env().database_url)
    _InThisWorker.bell.start()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def end(**_: object) -> None:
    """The first word of a worker that is to stop."""
    if _InThisWorker.bell is not None:
        threading.Thread(target=_InThisWorker.bell.stop, name="bell-stop").start()
