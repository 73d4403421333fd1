"""Whether the database is at the newest migration, told without loading the application: a second start must be quick."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg

from seminars.local.postgres import APPLICATION, Cluster

VERSIONS = Path(__file__).resolve().parent.parent / "migrations" / "versions"


def newest_revision(folder: Path = VERSIONS) -> str | None:
    """The revision that no other names as its forerunner."""
    text = "\n".join(file.read_text() for file in folder.glob("*.py"))
    newest = _named("revision", text) - _named("down_revision", text)
    return newest.pop() if len(newest) == 1 else None


def _named(word: str, text: str) -> set[str]:
    return set(re.findall(rf'^{word}\b[^=\n]*= *"([^"]+)"', text, re.MULTILINE))


def is_migrated(cluster: Cluster, database: str) -> bool:
    """Whether nothing is left to migrate, for certain. Doubt is answered by running the migrations, which then do nothing."""
    try:
        with cluster.connect(database, role=APPLICATION) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        return False
    return row is not None and row[0] == newest_revision()
