"""The whole system on one machine: start, kill, start again, stop."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import time

import pytest
import requests

from seminars.local import processes
from seminars.local.postgres import Cluster
from tests.running import System


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    """One for all tests of this file: each leaves it running, but for the last."""
    made = System(tmp_path_factory.mktemp("system") / "var")
    yield made.start()
    if made.supervisor.poll() is None:
        made.stop()


def children(system):
    return {name: system.pid(name) for name in ("web", "mailbox", "sandbox")}


def alive(pids):
    return {name for name, pid in pids.items() if processes.look_up(pid)}


def servers(system):
    """The numbers of the two servers, which outlive a supervisor."""
    [home] = system.var.glob("pg-*")
    with Cluster(home).connect("seminars") as connection:
        backend_of = int((home / "data" / "postmaster.pid").read_text().split()[0])
        connection.execute("SELECT 1")
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(system.var / "valkey" / "s"))
        line.sendall(b"INFO server\r\n")
        info = line.recv(8192).decode()
    return {"postgres": backend_of, "valkey": int(info.partition("process_id:")[2].split()[0])}


def until(true, seconds=60):
    """Wait for something that comes about in another process; while it does, files and servers may be missing."""
    ends = time.monotonic() + seconds
    while True:
        try:
            if true():
                return
            problem = "not yet"
        except (OSError, requests.RequestException) as error:
            problem = error
        assert time.monotonic() < ends, problem
        time.sleep(0.1)


def test_a_killed_supervisor_loses_nothing_and_the_next_start_takes_over(system):
    [home] = system.var.glob("pg-*")
    with smtplib.SMTP("127.0.0.1", system.ports["smtp"]) as smtp:
        smtp.sendmail("a@northfield.example", ["anna@mercy.example"], b"Subject: before the kill\r\n\r\n")
    with Cluster(home).connect("seminars") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    orphans, ports, running = children(system), system.ports, servers(system)

    system.tell(signal.SIGKILL)
    system.supervisor.wait()
    left = alive(orphans)
    system.start()

    assert left == {"web", "mailbox", "sandbox"}
    assert alive(orphans) == set()
    assert system.ports == ports
    assert servers(system) == running
    assert requests.get(f"{system.url}/health/ready", timeout=10).status_code == 200
    assert [mail["subject"] for mail in requests.get(f"{system.mailbox}/api/messages", timeout=10).json()] == ["before the kill"]
    with Cluster(home).connect("seminars") as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]


def test_what_ends_by_itself_is_started_again(system):
    old, ready = system.pid("mailbox"), servers(system)
    os.kill(old, signal.SIGKILL)
    os.kill(ready["postgres"], signal.SIGKILL)

    until(lambda: system.pid("mailbox") != old and requests.get(system.mailbox, timeout=5).status_code == 200)
    until(lambda: requests.get(f"{system.url}/health/ready", timeout=5).status_code == 200)

    assert servers(system)["postgres"] != ready["postgres"]


def test_one_folder_has_one_supervisor(system):
    second = System(system.var)

    with pytest.raises(AssertionError, match="running already"):
        second.start()


def test_two_that_want_the_same_port_both_run_and_say_where(system, tmp_path):
    other = System(tmp_path / "other", PORT=str(system.ports["web"])).start()

    try:
        assert other.ports["web"] != system.ports["web"]
        assert any(other.url in line for line in other.printed)
        assert not set(other.ports.values()) & set(system.ports.values())
        for one in (system, other):
            assert requests.get(f"{one.url}/health/ready", timeout=10).status_code == 200
    finally:
        other.stop()


def test_being_told_to_stop_ends_everything_and_leaves_no_note(system):
    everything = {**children(system), **servers(system)}

    code = system.stop(signal.SIGINT)

    assert code == 0
    assert alive(everything) == set()
    assert list((system.var / "run").glob("*.json")) == []


def test_a_wrong_setting_is_told_and_stops_the_start(tmp_path):
    system = System(tmp_path / "var", MAIL_FROM="nobody")

    with pytest.raises(AssertionError, match="MAIL_FROM is «nobody»"):
        system.start()

    assert system.supervisor.wait(30) == 1
