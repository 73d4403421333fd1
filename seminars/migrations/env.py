"""How alembic finds the database and the tables. The connection, or the owner's address, is handed in by `migrations.run`."""

from typing import Literal

from alembic import context
from flask_security import AsaList
from sqlalchemy import Connection, create_engine
from sqlalchemy.types import TypeEngine

from seminars.db import UtcDateTime
from seminars.tables import metadata


def _as_plain_type(type_: str, item: object, autogen: object) -> str | Literal[False]:
    """Migrations stand on their own: they name SQL types, not our Python ones."""
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, AsaList):
        return "sa.UnicodeText()"
    return False


def _same_type(_context: object, _column: object, _meta: object, found: TypeEngine[object], wanted: TypeEngine[object]) -> bool | None:
    return False if isinstance(wanted, UtcDateTime) else None


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=metadata, compare_type=_same_type, render_item=_as_plain_type, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "")
    with engine.connect() as connection:
        _run(connection)
    engine.dispose()
