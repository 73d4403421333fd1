"""Run the migrations from Python: upgrade, and compare the tables of a database with the models."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from seminars.db import UtcDateTime
from seminars.tables import metadata

UPGRADE_LOCK = 7_308_224


def config(url: str = "") -> Config:
    """Alembic's configuration without a file of its own."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return made


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database up to a revision. Two that start at once wait for each other."""
    engine = create_engine(url)
    with engine.connect() as gate:
        gate.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": UPGRADE_LOCK})
        gate.commit()
        with engine.connect() as connection:
            made = config(url)
            made.attributes["connection"] = connection
            command.upgrade(made, revision)
            connection.commit()
    engine.dispose()


def head() -> str:
    """The newest revision that this code knows."""
    found = ScriptDirectory.from_config(config()).get_current_head()
    assert found is not None
    return found


def current(connection: Connection) -> str | None:
    """The revision that a database is at."""
    return MigrationContext.configure(connection).get_current_revision()


def differences(connection: Connection) -> list[Any]:
    """What the models have and the database has not, or the reverse; empty when they agree."""
    context = MigrationContext.configure(connection, opts={"compare_type": _compare_type, "target_metadata": metadata})
    return list(compare_metadata(context, metadata))


def _compare_type(_context: object, _column: object, _meta: object, _found: object, wanted: object) -> bool | None:
    return False if isinstance(wanted, UtcDateTime) else None
