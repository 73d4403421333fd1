"""What every test may ask for: a database of its own worker, the mailbox, and no network but this machine's own."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seminars.local.mailbox.sink import Sink
from seminars.local.mailbox.store import Mail, Store
from seminars.local.postgres import Cluster
from tests import cluster as clusters

# The machine's own name is looked up by smtplib for its greeting.
HERE = {"localhost", "::1", "::", "0.0.0.0", "", socket.gethostname(), socket.getfqdn()}
_HOME = pytest.StashKey[Path]()


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


def pytest_configure_node(node: Any) -> None:
    """Called by xdist in the process that leads the workers: all of them use the leader's folder."""
    node.workerinput["cluster"] = str(node.config.stash[_HOME])


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
