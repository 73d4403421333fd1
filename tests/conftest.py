"""What every test may ask for: a database of its own worker, the joined application, its neighbours, and no other network.

`session`, `app` and `client` share one transaction, which is undone after the test. A test that needs true commits (several
connections, threads, NOTIFY) asks for `fresh_database` as well: the same fixtures then commit, and the database is made anew.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.orm import Session

from seminars.config import Settings
from seminars.local.mailbox.sink import Sink
from seminars.local.mailbox.store import Mail, Store
from seminars.local.postgres import Cluster
from tests import chromium
from tests import cluster as clusters
from tests.clock import StandingClock
from tests.sandbox.shop import Sandbox, free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The application is imported where it is asked for: tests of a pure function need not wait for it.
# The machine's own name is looked up by smtplib for its greeting.
HERE = {"localhost", "::1", "::", "0.0.0.0", "", socket.gethostname(), socket.getfqdn()}
_HOME = pytest.StashKey[Path]()
WEBHOOK_SECRET = "whsec_of_the_test_run_only"


class NetworkShut(OSError):
    """A test reached for a machine other than this one."""


def _shut(event: str, arguments: tuple[Any, ...]) -> None:
    match event, arguments:
        case "socket.connect" | "socket.sendto", (_, (host, *_)) if isinstance(host, str):
            pass
        case "socket.getaddrinfo" | "socket.gethostbyname", (host, *_):
            host = host.decode() if isinstance(host, bytes) else host or ""
        case _:
            return
    if host not in HERE and not host.startswith("127."):
        raise NetworkShut(f"{event} to {host}: tests reach this machine only.")


def pytest_configure(config: pytest.Config) -> None:
    sys.addaudithook(_shut)
    given = getattr(config, "workerinput", {}).get("cluster")
    config.stash[_HOME] = Path(given) if given else clusters.new_home()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without a browser the tests that need one are skipped, and counted; where CI runs them they must run."""
    if not item.get_closest_marker("browser") or chromium.find():
        return
    if chromium.is_ci():
        pytest.fail(f"This needs Chromium and there is none. {chromium.HOW}", pytrace=False)
    pytest.skip("no Chromium")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "no Chromium" in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} browser tests were skipped, because there is no Chromium. {chromium.HOW}", yellow=True)


def pytest_configure_node(node: Any) -> None:
    """Called by xdist in the process that leads the workers: all of them use the leader's folder."""
    node.workerinput["cluster"] = str(node.config.stash[_HOME])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Called by xdist in the process that leads the workers: tests that share a running center stay on one of them."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from tests.together import Together

    return Together(config, log)


def pytest_sessionstart(session: pytest.Session) -> None:
    """The leader holds the server's place, so that no worker that ends early stops it for the others."""
    if not hasattr(session.config, "workerinput"):
        clusters.sweep()
        _cluster(session.config).holders.join()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and _CLUSTER in config.stash:
        clusters.remove(config.stash[_HOME], config.stash[_CLUSTER])


_CLUSTER = pytest.StashKey[Cluster]()


def _cluster(config: pytest.Config) -> Cluster:
    if _CLUSTER not in config.stash:
        config.stash[_CLUSTER] = clusters.cluster_in(config.stash[_HOME])
    return config.stash[_CLUSTER]


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """The PostgreSQL of this run."""
    running = _cluster(pytestconfig).start()
    yield running
    if hasattr(pytestconfig, "workerinput"):
        running.stop()


@pytest.fixture(scope="session")
def database(cluster: Cluster) -> Iterator[clusters.Database]:
    """This worker's migrated database. What a test commits stays: such tests ask for `fresh_database`."""
    made = clusters.Database(cluster, f"seminars_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}")
    yield made
    made.drop()


@pytest.fixture
def fresh_database(database: clusters.Database) -> Iterator[clusters.Database]:
    """This worker's database for a test that commits: nothing in it before, nothing left of it after."""
    yield database
    database.renew()


@pytest.fixture(scope="session")
def database_url(database: clusters.Database) -> str:
    """The address for the application's role."""
    return database.url


@pytest.fixture(scope="session")
def owner_url(database: clusters.Database) -> str:
    """The address for the role that owns the tables."""
    return database.owner_url


class Mailbox:
    """What has arrived, oldest first."""

    def __init__(self, sink: Sink) -> None:
        self.url = sink.url
        self.port = sink.port
        self.store = sink.store

    @property
    def mails(self) -> list[Mail]:
        return sorted(self.store.mails(), key=lambda mail: mail.id)

    def to(self, recipient: str) -> list[Mail]:
        return [mail for mail in self.mails if recipient in mail.recipients]


@pytest.fixture(scope="session")
def _sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sink]:
    sink = Sink(Store(tmp_path_factory.mktemp("mail"))).start()
    yield sink
    sink.stop()


@pytest.fixture
def mailbox(_sink: Sink) -> Mailbox:
    """A real SMTP server, empty at the start of the test."""
    _sink.store.clear()
    return Mailbox(_sink)


@pytest.fixture(scope="session")
def _engine(database: clusters.Database) -> Iterator[Engine]:
    engine = create_engine(database.url, poolclass=NullPool)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(_engine: Engine, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """The application role's connection: undone after the test, unless the test asks for a fresh database."""
    if "fresh_database" in request.fixturenames:
        request.getfixturevalue("fresh_database")
        with _engine.connect() as connection:
            yield connection
        return
    with _engine.connect() as connection, connection.begin() as outer:
        yield connection
        if outer.is_active:
            # What a commit would have refused is refused here, or it would go unseen.
            connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            outer.rollback()


@pytest.fixture
def session(connection: Connection) -> Iterator[Session]:
    """A session as rooms get it."""
    from seminars import tables  # noqa: F401  every mapper must be known before the first query
    from seminars.audit import recording

    recording.listen()
    with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
        yield session
        if session.is_active:
            session.flush()


@pytest.fixture
def clock() -> StandingClock:
    """The clock of `app`: noon on 1 March 2027 in Rochester until the test moves it."""
    return StandingClock()


@pytest.fixture(scope="session")
def _stripe_port() -> int:
    return free_port()


@pytest.fixture
def settings(database_url: str, owner_url: str, _sink: Sink, _stripe_port: int, tmp_path: Path) -> Settings:
    """Settings as an environment would give them; the neighbours are the test's own."""
    return Settings.from_env({
        "BASE_URL": "http://localhost",
        "SECRET_KEY": "of no use to anybody outside of this test run",
        "DATABASE_URL": database_url,
        "DATABASE_OWNER_URL": owner_url,
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
        "SMTP_URL": _sink.url,
        "MAIL_FROM": "seminars@northfield.example",
        "STRIPE_API_BASE": f"http://127.0.0.1:{_stripe_port}",
        "STRIPE_SECRET_KEY": "sk_test_sandbox",
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "VAR_DIR": str(tmp_path / "var"),
    })


@pytest.fixture(scope="session")
def _compiled(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(settings: Settings, clock: StandingClock, request: pytest.FixtureRequest, _compiled: FileSystemBytecodeCache) -> Iterator[Flask]:
    """The application, joined anew for each test, in the transaction of `session`."""
    from seminars.app import create_app
    from seminars.db import AT_ONCE, db

    made = create_app(settings, now=clock)
    made.config["PROPAGATE_EXCEPTIONS"] = True
    # The application is new for each test, its templates are not.
    made.jinja_env.bytecode_cache = _compiled
    with made.app_context():
        engine = db.engines[None]
        if "fresh_database" not in request.fixturenames:
            # Flask-SQLAlchemy asks this mapping for an engine; a connection serves as well and keeps the test in one transaction.
            db.engines[None] = db.engines[AT_ONCE] = request.getfixturevalue("connection")
            db.session.configure(join_transaction_mode="create_savepoint")
    yield made
    engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a window, that has visited nothing yet."""
    return app.test_client()


@pytest.fixture(scope="session")
def _running_sandbox(_stripe_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("stripe"), _stripe_port).start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def stripe_sandbox(_running_sandbox: Sandbox) -> Sandbox:
    """The server that speaks Stripe at the address in `settings`, emptied. It sends no webhooks: the application has no port."""
    _running_sandbox.control("reset")
    return _running_sandbox


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, for tests that are marked as `browser`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.flags())
        yield started
        started.close()
