"""Start everything on one machine, watch it, and stop it: `python3 run.py` ends up here."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

from seminars.local.announcing import Demo, table
from seminars.local.children import Child, Program
from seminars.local.environment import NoFreePort, Wanted, choose_ports, choosing_ports, for_children, kept_secrets, name_of_shop
from seminars.local.migrating import is_migrated
from seminars.local.postgres import APPLICATION, OWNER, Cluster, PostgresUnavailable, find_binaries, major_of, runs_as_nobody
from seminars.local.sockets import SocketFolderNotOurs
from seminars.local.valkey import Broker, ValkeyUnavailable
from seminars.local.waiting import listens, lives

DATABASE = "seminars"
WEBHOOK_PATH = "/hooks/stripe"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DEMO_WEEKS = 6
ANSWERS_WITHIN = 90.0
STOPS_WITHIN = 20.0
LOOKS_EVERY = 1.0
RESTS = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before a program that ended by itself is started again, longer each time."""
SETTLED_AFTER = 60.0


class Unable(RuntimeError):
    """Something cannot be started; the text says what, and where to look or what to do."""


class _Told(BaseException):
    """A signal asked us to stop."""


def main() -> None:
    """Start, print where everything is, wait for Ctrl-C, stop."""
    parser = argparse.ArgumentParser(prog="run.py", description=main.__doc__)
    parser.add_argument("--no-demo", action="store_true", help="do not fill an empty database with the demo world")
    asked = parser.parse_args()
    var = var_folder()
    # Whatever we and our children make is private.
    os.umask(0o077)
    for folder in ("log", "run"):
        (var / folder).mkdir(parents=True, exist_ok=True)
    # Nobody, where the database has to run as such, must find its own folder.
    var.chmod(0o711 if runs_as_nobody() else 0o700)
    try:
        with alone(var):
            Supervisor(var, os.environ, demo=not asked.no_demo).run()
    except (Unable, PostgresUnavailable, ValkeyUnavailable, NoFreePort, SocketFolderNotOurs) as unable:
        sys.exit(f"\n{unable}")


def var_folder() -> Path:
    """Where data, logs and notes of this checkout are."""
    return Path(os.environ.get("VAR_DIR") or "var").absolute()


@contextlib.contextmanager
def alone(var: Path) -> Iterator[None]:
    """One supervisor for one folder. The kernel drops the lock of one that is killed."""
    with open(var / "run" / "supervisor.lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = f"It is running already, with its data in {var}. Stop that one first, or set VAR_DIR to another folder."
            raise Unable(text) from None
        yield


class Supervisor:
    """Everything of one folder, from start to stop."""

    def __init__(self, var: Path, env: Mapping[str, str], *, demo: bool = False) -> None:
        self.var = var
        self.given = env
        self.demo = demo
        self.wanted = Wanted.beside(env)
        self.cluster = _cluster(var, env) if self.wanted.postgres else None
        self.broker = Broker(var / "valkey", log=var / "log" / "valkey.log") if self.wanted.valkey else None
        self.children: dict[str, Child] = {}
        self._restarts: dict[str, _Restart] = {}
        self._hurry = False

    def run(self) -> None:
        """Until told to stop. Whatever happens, what was started is stopped."""
        for number in SIGNALS:
            signal.signal(number, self._told)
        try:
            self._start()
            self._watch()
        except _Told:
            _say("\nStopping.")
        finally:
            for number in SIGNALS:
                signal.signal(number, self._told_again)
            self._stop()

    def _told(self, number: int, frame: FrameType | None) -> NoReturn:
        raise _Told

    def _told_again(self, number: int, frame: FrameType | None) -> None:
        self._hurry = True

    def _start(self) -> None:
        began = time.monotonic()
        self.stop_left_over()
        with choosing_ports():
            ports = choose_ports(self.var, self.given)
            self.env = for_children(self.given, self._own_addresses(ports))
            self._start_servers()
            self._migrate()
            self._launch("web", *_ourselves("run", "web", "--port", str(ports["web"])))
            self._await("web", partial(lives, ports["web"], self.env["BASE_URL"]))
            _say(f"Pages answer at {self.env['BASE_URL']} after {time.monotonic() - began:.1f} s.")
            # Only now: on a small machine they would take the pages' time.
            self._start_neighbours(ports)
            for name, port in self._neighbour_ports(ports):
                self._await(name, partial(listens, port))
        demo = self._fill_demo()
        self._launch("worker", *_ourselves("run", "worker", "--pool", "threads", "--with-beat"))
        _say(table(self.var, self.env, ports, self.wanted, demo))

    def stop_left_over(self) -> None:
        """A supervisor that was killed leaves its programs behind: they are replaced, the two servers are joined."""
        left = [Child(Program(note.stem, ()), self.var, {}) for note in (self.var / "run").glob("*.json")]
        with ThreadPoolExecutor() as pool:
            list(pool.map(Child.stop_left_over, left))

    def _own_addresses(self, ports: Mapping[str, int]) -> dict[str, str]:
        """What the embedded default is to the rest: these variables and nothing else."""
        own = {
            **kept_secrets(self.var),
            "VAR_DIR": str(self.var),
            "PORT": str(ports["web"]),
            "BASE_URL": f"http://localhost:{ports['web']}",
            "SMTP_URL": f"smtp://127.0.0.1:{ports['smtp']}",
            "STRIPE_API_BASE": f"http://127.0.0.1:{ports['stripe']}",
            "MAIL_FROM": "seminars@northfield.example",
        }
        if self.cluster:
            own["DATABASE_URL"] = self.cluster.url(APPLICATION, DATABASE)
            own["DATABASE_OWNER_URL"] = self.cluster.url(OWNER, DATABASE)
        if self.broker:
            own["CELERY_BROKER_URL"] = self.broker.url
        return own

    def _start_neighbours(self, ports: Mapping[str, int]) -> None:
        if self.wanted.mailbox:
            self._launch("mailbox", sys.executable, "-m", "seminars.local.mailbox", "--data", str(self.var / "mail"),
                         "--smtp-port", str(ports["smtp"]), "--web-port", str(ports["mail"]))
        if self.wanted.stripe:
            self._launch("sandbox", sys.executable, "-m", "seminars.sandbox", "--data", str(self.var / "stripe"),
                         "--port", str(ports["stripe"]), "--webhook-url", self.env["BASE_URL"] + WEBHOOK_PATH,
                         "--webhook-secret", self.env["STRIPE_WEBHOOK_SECRET"].split(",")[0],
                         "--shop", name_of_shop(self.env), *self._before_the_demo())

    def _before_the_demo(self) -> tuple[str, ...]:
        """A new sandbox starts where the demo world does, weeks ago; filling that world brings it to the present (seminars demo fill)."""
        if not self.cluster or (self.var / "stripe").exists():
            return ()
        start = datetime.now(UTC) - timedelta(weeks=DEMO_WEEKS, days=2)
        return "--seed", "2026", "--clock", f"{start:%Y-%m-%dT%H:%M:%SZ}"

    def _neighbour_ports(self, ports: Mapping[str, int]) -> list[tuple[str, int]]:
        return [(name, ports[port]) for name, port in (("mailbox", "smtp"), ("sandbox", "stripe")) if name in self.children]

    def _start_servers(self) -> None:
        with ThreadPoolExecutor() as pool:
            for started in [pool.submit(server.start) for server in (self.cluster, self.broker) if server]:
                started.result()
        if self.cluster:
            self.cluster.create_roles()
            if not self.cluster.has_database(DATABASE):
                self.cluster.create_database(DATABASE)

    def _migrate(self) -> None:
        if not self.env.get("DATABASE_OWNER_URL"):
            return
        if self.cluster and is_migrated(self.cluster, DATABASE):
            return
        _say("Preparing the database.")
        self._run_once("migrate", *_ourselves("db", "upgrade"))

    def _fill_demo(self) -> Demo:
        """The sign-ins of the demo world, which is made where nothing is. A database that is not ours is left alone."""
        if not self.demo:
            return Demo(note="No demo world was asked for. This puts one into an empty database: python3 run.py")
        if not self.cluster:
            return Demo(note="No demo world: the database is yours. This puts one there while it is empty: seminars demo fill")
        try:
            return Demo.read(self._run_once("demo", *_ourselves("demo", "fill")))
        except Unable:
            return Demo(note=f"The demo world could not be filled: {self.var / 'log' / 'demo.log'} says why.")

    def _run_once(self, name: str, *command: str) -> str:
        """What a command printed, once it has ended well. Raises Unable."""
        child = Child(Program(name, command), self.var, self.env)
        code, printed = child.run()
        if code:
            raise Unable(f"{name} ended with {code}:\n{child.last_words()}\nIts log is {child.log}.")
        return printed

    def _launch(self, name: str, *command: str) -> None:
        child = self.children[name] = Child(Program(name, command), self.var, self.env)
        child.start()

    def _await(self, name: str, answers: Callable[[], bool]) -> None:
        child = self.children[name]
        ends = time.monotonic() + ANSWERS_WITHIN
        while not answers():
            if child.ended() is not None:
                raise Unable(f"{name} ended with {child.ended()}:\n{child.last_words()}\nIts log is {child.log}.")
            if time.monotonic() > ends:
                raise Unable(f"{name} did not answer within {ANSWERS_WITHIN:.0f} s. Its log is {child.log}.")
            time.sleep(0.05)

    def _watch(self) -> None:
        while True:
            time.sleep(LOOKS_EVERY)
            for server in (self.cluster, self.broker):
                if server and not server.ready():
                    _say(f"{type(server).__name__} is gone; starting it again. Its log is {server.log}.")
                    server.start()
            for name, child in self.children.items():
                if child.ended() is not None:
                    self._restarts.setdefault(name, _Restart(child)).when_due()

    def _stop(self) -> None:
        for names in (("web", "worker"), ("mailbox", "sandbox")):
            self._stop_children([self.children[name] for name in names if name in self.children])
        for server in (self.cluster, self.broker):
            if server and not server.stop() and server.ready():
                _say(f"{server.home} is in use by another process, so its server goes on.")
        _say("Everything has stopped.")

    def _stop_children(self, children: Sequence[Child]) -> None:
        for child in children:
            child.ask_to_stop()
        ends = time.monotonic() + STOPS_WITHIN
        while any(child.ended() is None for child in children) and time.monotonic() < ends and not self._hurry:
            time.sleep(0.02)
        for child in children:
            child.finish()


class _Restart:
    """Starts a program again that keeps ending by itself, with growing rests between."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.times = 0
        self.due: float | None = None

    def when_due(self) -> None:
        now = time.monotonic()
        if self.due is None:
            if self.child.ran_for() > SETTLED_AFTER:
                self.times = 0
            rest = RESTS[min(self.times, len(RESTS) - 1)]
            self.due = now + rest
            self.times += 1
            _say(f"{self.child.program.name} ended with {self.child.ended()}; starting it again in {rest:.0f} s. "
                 f"Its log is {self.child.log}.")
        if now >= self.due:
            self.due = None
            self.child.finish()
            self.child.start()


def _cluster(var: Path, env: Mapping[str, str]) -> Cluster:
    """Our PostgreSQL. Raises Unable where the data is of another major version than the programs."""
    binaries = find_binaries(env.get("SEMINARS_PG_BIN"))
    home = var / f"pg-{major_of(binaries)}"
    others = [folder for folder in var.glob("pg-*") if folder != home and (folder / "data" / "PG_VERSION").exists()]
    if others and not (home / "data" / "PG_VERSION").exists():
        raise Unable(f"{others[0]} holds data of another major version than the programs in {binaries}. Dump it with those that "
                     f"made it and restore it, set SEMINARS_PG_BIN to their folder, or move it away to begin anew.")
    return Cluster(home, binaries=binaries, log=var / "log" / "postgres.log")


def _ourselves(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "seminars.cli", *words)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
