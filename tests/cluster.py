"""One PostgreSQL for a whole test run: started by the first worker that asks, gone with the run."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from seminars.local.holding import locked
from seminars.local.postgres import APPLICATION, FORGETFUL, OWNER, READER, Cluster, find_binaries
from seminars.migrations.run import upgrade

PREFIX = f"seminars-test-{os.geteuid()}-"
TEMPLATE = "migrated"
ABANDONED_AFTER = 600


def new_home() -> Path:
    """A folder for this run."""
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def cluster_in(home: Path) -> Cluster:
    return Cluster(home / "pg", binaries=find_binaries(os.environ.get("SEMINARS_PG_BIN")), settings=FORGETFUL)


def remove(home: Path, cluster: Cluster) -> None:
    """Stop the server if nobody else uses it, and take the data away."""
    if cluster.stop():
        shutil.rmtree(cluster.socket_folder, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def sweep() -> None:
    """Remove what runs that were killed have left."""
    for home in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if time.time() - home.stat().st_mtime > ABANDONED_AFTER and not cluster_in(home).holders.anyone():
            cluster = cluster_in(home)
            cluster.holders.join()
            remove(home, cluster)


def migrated(cluster: Cluster) -> None:
    """See to it that the template exists; the first worker migrates, the others wait."""
    with locked(cluster.home / "template.lock"):
        if cluster.has_database(TEMPLATE):
            return
        cluster.create_roles()
        cluster.drop_database(f"{TEMPLATE}_new")
        cluster.create_database(f"{TEMPLATE}_new")
        upgrade(cluster.url(OWNER, f"{TEMPLATE}_new"))
        with cluster.connect() as connection:
            connection.execute(f"ALTER DATABASE {TEMPLATE}_new RENAME TO {TEMPLATE}")


class Database:
    """A migrated database of one worker, and its addresses by role."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        migrated(cluster)
        self.renew()

    @property
    def url(self) -> str:
        return self.cluster.url(APPLICATION, self.name)

    @property
    def owner_url(self) -> str:
        return self.cluster.url(OWNER, self.name)

    @property
    def reader_url(self) -> str:
        return self.cluster.url(READER, self.name)

    def renew(self) -> None:
        """A fresh copy of the template. Hardly slower than truncating, and it keeps what migrations have filled."""
        self.drop()
        self.cluster.create_database(self.name, template=TEMPLATE)

    def drop(self) -> None:
        self.cluster.drop_database(self.name)
