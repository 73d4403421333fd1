"""The database: base class of all tables, column types, and the one way to do all-or-nothing work."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, Dialect, Engine, Identity, MetaData, String, event, func, select, types
from sqlalchemy.dialects.postgresql import CITEXT, JSONB
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection


class UtcDateTime(types.TypeDecorator[datetime]):
    """An instant. Naive times are refused at the boundary: an hour lost there is found by a customer."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value!r} has no zone. Give an aware time, such as clock.now().")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Instant = Annotated[datetime, mapped_column(UtcDateTime)]
Amount = Annotated[int, mapped_column(BigInteger)]
Currency = Annotated[str, mapped_column(String(3))]
Email = Annotated[str, mapped_column(CITEXT)]
Json = Annotated[dict[str, Any], mapped_column(JSONB)]


class Base(DeclarativeBase):
    """Every table's base. Constraint names are fixed, so that migrations can name what they change."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


@contextmanager
def transaction(*, by: str = "system", why: str = "", request_id: str = "") -> Iterator[Session]:
    """One all-or-nothing piece of work. Doors, jobs and commands open it; rooms never do.

    `by` and `why` are laid on the session, where the audit finds them.
    """
    session = db.session()
    session.info.update(by=by, why=why, request_id=request_id)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        for name in ("by", "why", "request_id"):
            session.info.pop(name, None)


AT_ONCE = "at_once"
"""The engine whose connections commit each statement by itself; it shares the pool of the usual one."""


def join_at_once() -> None:
    """Make that engine, for the application in whose context this is called."""
    engines: dict[str | None, Engine] = db.engines  # type: ignore[assignment]  # typed read-only, made to be added to
    engines[AT_ONCE] = db.engine.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def at_once() -> Iterator[Session]:
    """A session in which each statement is a transaction of its own, for noting one fact after another with nothing open in between."""
    with Session(db.engines[AT_ONCE], expire_on_commit=False) as session:
        yield session


IDLE_SECONDS = 5.0


def try_idle_connections(engine: Engine, *, after: float = IDLE_SECONDS) -> None:
    """Try a pooled connection before it is used, if it lay idle for some seconds: the server may have gone meanwhile.

    SQLAlchemy's own pre-ping tries each one each time, which is a trip to the database for every page.
    """

    @event.listens_for(engine, "checkin")
    def put_back(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def take_out(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        if time.monotonic() - record.info.get("since", time.monotonic()) < after:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as gone:
            raise DisconnectionError("the server is gone: the pool takes another connection") from gone


BELL = "seminars_bell"


def ring(session: Session, what: str) -> None:
    """Wake the workers that listen for `what` (outbox, stripe), at the moment this work is committed and not before.

    A transaction that rings twice for the same thing is heard once (PostgreSQL, NOTIFY).
    """
    session.execute(select(func.pg_notify(BELL, what)))
