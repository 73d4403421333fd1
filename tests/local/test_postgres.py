"""The embedded PostgreSQL: roles, doors, and what happens when it is killed."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import psycopg
import pytest

from seminars.local import postgres
from seminars.local.postgres import APPLICATION, OWNER, READER, Cluster, PostgresUnavailable


@pytest.fixture
def small(tmp_path):
    made = Cluster(tmp_path / "pg")
    yield made.start()
    made.stop()


def test_the_last_to_leave_stops_the_server(small):
    second = Cluster(small.home).start()

    assert small.stop() is False
    assert second.ready()
    assert second.stop() is True
    assert not second.ready()


def test_a_stopped_cluster_starts_again_in_the_same_process(small):
    small.stop()

    assert small.start().ready()


def test_committed_rows_survive_a_killed_server(small):
    with small.connect() as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")
    os.kill(int((small.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    small.start()

    with small.connect() as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]


def test_a_start_is_not_kept_off_by_a_number_that_another_program_has(small):
    pid_file = small.data / "postmaster.pid"
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
    rest = pid_file.read_text().partition("\n")[2]
    pid_file.write_text(f"{os.getpid()}\n{rest}")

    small.start()

    assert small.ready()


def test_no_role_of_ours_is_a_superuser_and_only_ours_may_enter(small):
    small.create_roles()
    small.create_roles()
    small.create_database("shop")
    with small.connect() as connection:
        connection.execute("CREATE ROLE stranger LOGIN")
        supers = connection.execute("SELECT rolname FROM pg_roles WHERE rolsuper").fetchall()

    assert supers == [("postgres",)]
    for role in (OWNER, APPLICATION, READER):
        small.connect("shop", role=role).close()
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        small.connect("shop", role="stranger")


def test_the_application_may_not_make_tables(small):
    small.create_roles()
    small.create_database("shop")

    with small.connect("shop", role=APPLICATION) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE mine (n int)")


def test_a_long_path_moves_the_socket(tmp_path):
    deep = Cluster(tmp_path / ("d" * 60) / ("e" * 60) / "pg")

    deep.start()

    assert deep.ready()
    assert len(os.fsencode(deep.socket_folder)) < 90
    deep.stop()
    deep.socket_folder.rmdir()


def test_missing_binaries_are_named_with_the_remedy(tmp_path):
    with pytest.raises(PostgresUnavailable, match="Set DATABASE_URL"):
        postgres.find_binaries(str(tmp_path))


def test_a_failing_tool_says_why(tmp_path):
    broken = Cluster(tmp_path / "pg", settings={"shared_buffers": "much"})

    with pytest.raises(PostgresUnavailable, match=str(Path(tmp_path, "pg", "log"))):
        broken.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_without_namespaces_runs_it_as_nobody(monkeypatch):
    monkeypatch.setattr(postgres, "_unshare_works", lambda: False)
    # Not below pytest's folder, which is closed to nobody.
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o711)
        lowly = Cluster(Path(place, "pg"), log=Path(place, "elsewhere")).start()

        pid = int((lowly.data / "postmaster.pid").read_text().split()[0])
        assert Path("/proc", str(pid)).stat().st_uid == postgres.NOBODY
        assert lowly.stop()
