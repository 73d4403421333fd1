"""The center as customers and staff meet it: every process of it running, and nothing between them and a browser."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from flask import Flask
from flask_security import hash_password
from sqlalchemy.orm import Session

from seminars.app import create_app
from seminars.catalog.models import Event
from seminars.config import Settings
from seminars.db import db, transaction
from seminars.demo import catalogue, staff
from seminars.demo.catalogue import Shelf
from seminars.jobs import BY_NAME
from seminars.joined import Joined
from seminars.local.children import Child, Program
from seminars.local.valkey import Broker
from seminars.local.waiting import listens, lives
from tests.cluster import Database
from tests.journeys.post import PostOffice
from tests.sandbox.shop import free_port

WEBHOOK_SECRET = "whsec_of_the_journeys_0001"
PREFIX = f"seminars-journeys-{os.geteuid()}-"
STARTS_WITHIN = 90.0
STOPS_WITHIN = 20.0


@dataclass
class Center:
    """Where everything is, and what a test may do behind the pages: lay out a programme, let a job of the timetable run now."""

    url: str
    stripe: str
    post: PostOffice
    app: Flask
    shelf: Shelf
    children: dict[str, Child]
    residencies: set[date] = field(default_factory=set)

    @contextmanager
    def work(self) -> Iterator[Session]:
        """One transaction with the verbs of the product."""
        with self.app.app_context(), transaction(by="system", why="a journey begins") as session:
            yield session

    def residency(self, city: str, *, in_days: int = 90, early_for: int | None = None) -> Event:
        """A Tuesday and a Wednesday in person, on sale: 24 seats, both days or the first one only.

        Each in a week of its own: the same people teach, and nobody is in two places.
        """
        early = today() + timedelta(days=early_for) if early_for is not None else None
        first = catalogue.next_weekday(today() + timedelta(days=in_days), catalogue.TUESDAY)
        while first in self.residencies:
            first += timedelta(weeks=1)
        self.residencies.add(first)
        with self.work() as session:
            return catalogue.residency(
                session, self._shelf(session), city, first, faculty=("malmstedt", "okonjo", "castellane"), early=early, now=now()
            )

    def webinar(self, subject: str, *, in_days: int, hour: int = 12, price: int = 45_00, seats: int = 500) -> Event:
        """One hour online, on sale."""
        starts = catalogue.at(today() + timedelta(days=in_days), hour)
        with self.work() as session:
            return catalogue.webinar(
                session, self._shelf(session), subject, starts, 60, price, seats=seats, faculty=("bjornson",), now=now()
            )

    def _shelf(self, session: Session) -> Shelf:
        """What was stocked at the start, known to this transaction."""
        known = self.shelf
        return Shelf(
            {name: session.merge(one) for name, one in known.seminars.items()},
            {name: session.merge(one) for name, one in known.venues.items()},
            {name: session.merge(one) for name, one in known.speakers.items()},
            session.merge(known.policy),
            session.merge(known.online_policy),
        )

    def now(self) -> datetime:
        """The time for a verb; the running processes go by the same clock."""
        return now()

    def run_job(self, name: str, *, later: timedelta = timedelta()) -> None:
        """What the timetable does within the minute, done now; or what it will do so much later."""
        joined: Joined = self.app.extensions["seminars"]
        with self.app.app_context():
            BY_NAME[name].act(replace(joined, clock=lambda: now() + later))

    def logs(self) -> str:
        """The last words of every process, for the report of a journey that failed."""
        return "\n".join(f"== {name}\n{child.last_words(30)}" for name, child in self.children.items())


def now() -> datetime:
    return datetime.now(UTC)


def today() -> date:
    return now().date()


@contextmanager
def a_folder() -> Iterator[Path]:
    """For data, logs and notes of one center; gone with it. What a run that was killed has left running is stopped first."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with open(left / "lock", "a") as lock, suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for note in (left / "run").glob("*.json"):
                Child(Program(note.stem, ()), left, {}).stop_left_over()
            Broker(left / "valkey").start().stop()
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    with open(folder / "lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(database: Database, folder: Path) -> Iterator[Center]:
    """Start it as the supervisor does, lay out its catalogue, and leave nothing of it behind."""
    ports = {name: free_port() for name in ("web", "mail", "smtp", "stripe")}
    with ExitStack() as stack:
        broker = Broker(folder / "valkey").start()
        stack.callback(broker.stop)
        env = _environment(database, broker, ports, folder)
        children = _children(env, ports, folder)
        stack.callback(_stop, children)
        app = create_app(Settings.from_env(env))
        stack.callback(_let_go, app)
        with app.app_context():
            shelf = _open_for_business()
        _start(children, env, ports)
        yield Center(env["BASE_URL"], env["STRIPE_API_BASE"], PostOffice(f"http://127.0.0.1:{ports['mail']}"), app, shelf, children)


def _environment(database: Database, broker: Broker, ports: dict[str, int], folder: Path) -> dict[str, str]:
    return {
        "BASE_URL": f"http://localhost:{ports['web']}",
        "PORT": str(ports["web"]),
        "SECRET_KEY": "of no use to anybody outside of this test run",
        "DATABASE_URL": database.url,
        "CELERY_BROKER_URL": broker.url,
        "SMTP_URL": f"smtp://127.0.0.1:{ports['smtp']}",
        "MAIL_FROM": "seminars@northfield.example",
        "STRIPE_API_BASE": f"http://127.0.0.1:{ports['stripe']}",
        "STRIPE_SECRET_KEY": "sk_test_sandbox",
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "VAR_DIR": str(folder),
    }


def _children(env: dict[str, str], ports: dict[str, int], folder: Path) -> dict[str, Child]:
    for name in ("log", "run"):
        (folder / name).mkdir()
    commands = {
        "mailbox": ("seminars.local.mailbox", "--data", str(folder / "mail"), "--smtp-port", str(ports["smtp"]),
                    "--web-port", str(ports["mail"])),
        "sandbox": ("seminars.sandbox", "--data", str(folder / "stripe"), "--port", str(ports["stripe"]),
                    "--webhook-url", f"{env['BASE_URL']}/hooks/stripe", "--webhook-secret", WEBHOOK_SECRET),
        "web": ("seminars.cli", "run", "web", "--port", str(ports["web"])),
        "worker": ("seminars.cli", "run", "worker", "--pool", "threads", "--with-beat"),
    }  # fmt: skip
    # What the machine needs to run a program; none of the settings that a developer may have set.
    around = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {name: Child(Program(name, (sys.executable, "-m", *words)), folder, around | env) for name, words in commands.items()}


def _start(children: dict[str, Child], env: dict[str, str], ports: dict[str, int]) -> None:
    for child in children.values():
        child.start()
    answers: dict[str, Callable[[], bool]] = {
        "mailbox": partial(listens, ports["smtp"]),
        "sandbox": partial(listens, ports["stripe"]),
        "web": partial(lives, ports["web"], env["BASE_URL"]),
        "worker": partial(_listens_to_the_bell, children["worker"]),
    }
    with ThreadPoolExecutor() as pool:
        for waited in [pool.submit(_await, children[name], there) for name, there in answers.items()]:
            waited.result()


def _await(child: Child, answers: Callable[[], bool]) -> None:
    ends = time.monotonic() + STARTS_WITHIN
    while not answers():
        assert child.ended() is None, f"{child.program.name} ended with {child.ended()}:\n{child.last_words()}"
        assert time.monotonic() < ends, f"{child.program.name} did not answer within {STARTS_WITHIN:.0f} s:\n{child.last_words()}"
        time.sleep(0.05)


def _listens_to_the_bell(worker: Child) -> bool:
    """The worker has been ready once its first job was done: everything there is to do is looked through when listening begins."""
    return "deliver_outbox took" in worker.log.read_text(errors="replace") if worker.log.exists() else False


def _stop(children: dict[str, Child]) -> None:
    """Those that speak first, then those that are spoken to."""
    for names in (("web", "worker"), ("mailbox", "sandbox")):
        ending = [children[name] for name in names]
        for child in ending:
            child.ask_to_stop()
        ends = time.monotonic() + STOPS_WITHIN
        while any(child.ended() is None for child in ending) and time.monotonic() < ends:
            time.sleep(0.02)
        for child in ending:
            child.finish()


def _let_go(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


def _open_for_business() -> Shelf:
    """Hire the staff and describe what is taught; the journeys put dates on sale themselves."""
    with transaction(by="system", why="a center opens") as session:
        staff.hire(session, hash_password, now=now())
        return catalogue.stock(session, now=now())
