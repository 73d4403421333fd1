"""The promises that every other test leans on."""

from __future__ import annotations

import socket

import psycopg
import pytest


def test_the_network_is_shut():
    with pytest.raises(OSError, match="this machine only"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(OSError, match="this machine only"):
        socket.getaddrinfo("example.org", 80)


def test_this_machine_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as line:
        assert line.getpeername() == server.getsockname()


def test_the_workers_database_is_migrated_and_ours_to_write(database_url):
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT current_user, version_num <> '' FROM alembic_version").fetchone()

    assert row == ("seminars_app", True)


def test_a_fresh_database_forgets(fresh_database):
    with psycopg.connect(fresh_database.owner_url) as connection:
        connection.execute("CREATE TABLE left_behind (n int)")
    fresh_database.renew()

    with psycopg.connect(fresh_database.owner_url) as connection:
        assert connection.execute("SELECT to_regclass('left_behind')").fetchone() == (None,)
