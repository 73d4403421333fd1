"""A connection that lay idle is tried before it is used, so that a restart of the database costs no visitor a page."""

from sqlalchemy import create_engine, text

from seminars.db import try_idle_connections
from seminars.joined import driver_url


def test_a_connection_whose_server_is_gone_is_replaced(database_url: str) -> None:
    engine, killer = create_engine(driver_url(database_url), pool_size=1), create_engine(driver_url(database_url))
    try_idle_connections(engine, after=0.0)
    with engine.connect() as connection:
        first = connection.scalar(text("SELECT pg_backend_pid()"))
    with killer.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": first})

    with engine.connect() as connection:
        second = connection.scalar(text("SELECT pg_backend_pid()"))

    assert second != first
    engine.dispose()
    killer.dispose()


def test_a_connection_just_used_is_not_asked_again(database_url: str) -> None:
    engine = create_engine(driver_url(database_url), pool_size=1)
    try_idle_connections(engine, after=60.0)
    pings: list[object] = []
    engine.dialect.do_ping = pings.append  # type: ignore[assignment, method-assign]

    for _ in range(3):
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    assert pings == []
    engine.dispose()
