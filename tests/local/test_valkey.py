"""The embedded Valkey."""

from __future__ import annotations

import os
import signal
import time

import pytest
import redis

from seminars.local.valkey import Broker


@pytest.fixture
def broker(tmp_path):
    made = Broker(tmp_path / "valkey")
    yield made.start()
    made.stop()


def client(broker):
    return redis.Redis(unix_socket_path=str(broker.socket))


def test_the_last_to_leave_stops_the_server(broker):
    second = Broker(broker.home).start()

    assert broker.stop() is False
    assert second.ready()
    assert second.stop() is True
    assert not second.answers()


def test_what_it_took_survives_a_killed_server(broker):
    with client(broker) as line:
        line.rpush("queue", *range(1000))
        pid = line.info("server")["process_id"]
    time.sleep(1.1)
    os.kill(pid, signal.SIGKILL)

    broker.start()

    with client(broker) as line:
        assert line.llen("queue") == 1000


def test_what_was_queued_is_there_after_an_orderly_stop(broker):
    with client(broker) as line:
        line.rpush("queue", "task")
    broker.stop()

    broker.start()

    with client(broker) as line:
        assert line.lrange("queue", 0, -1) == [b"task"]
