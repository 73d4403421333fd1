"""Programs of the supervisor: found again after a kill, and not mistaken for others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from seminars.local import processes
from seminars.local.children import Child, Program

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")
DEAF = (sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)")
PARENT = (sys.executable, "-c", "import subprocess, sys; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); p.wait()")


@pytest.fixture
def var(tmp_path):
    for folder in ("log", "run"):
        (tmp_path / folder).mkdir()
    return tmp_path


@pytest.fixture
def child(var):
    made = []

    def start(*command):
        one = Child(Program("web", command), var, {**os.environ, "VAR_DIR": str(var)})
        one.start()
        made.append(one)
        return one

    yield start
    for one in made:
        one.finish()


def pid_on_file(var):
    return json.loads((var / "run" / "web.json").read_text())["pid"]


def as_next_start_sees_it(var, **given):
    return Child(Program("web", SLEEP, **given), var, dict(os.environ))


def test_what_a_killed_supervisor_left_is_stopped(child, var):
    child(*SLEEP)
    pid = pid_on_file(var)

    as_next_start_sees_it(var).stop_left_over()

    assert processes.look_up(pid) is None
    assert not (var / "run" / "web.json").exists()


def test_another_process_with_the_same_number_is_left_alone(var):
    stranger = subprocess.Popen(SLEEP)
    note = {"pid": stranger.pid, "name": "python", "began": "1"}
    (var / "run" / "web.json").write_text(json.dumps(note))

    as_next_start_sees_it(var).stop_left_over()

    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_the_children_of_a_killed_program_are_found_by_their_session(child, var):
    parent = child(*PARENT)
    while not parent.log.read_text().strip():
        time.sleep(0.02)
    grandchild = int(parent.log.read_text())
    os.kill(pid_on_file(var), 9)

    as_next_start_sees_it(var).stop_left_over()

    assert processes.look_up(grandchild) is None


def test_finishing_takes_along_what_the_program_has_started(child, var):
    parent = child(*PARENT)
    while not parent.log.read_text().strip():
        time.sleep(0.02)

    parent.finish()

    ends = time.monotonic() + 10
    while processes.look_up(int(parent.log.read_text())):
        assert time.monotonic() < ends, "it goes on"
        time.sleep(0.02)


def test_one_that_does_not_listen_is_ended_by_force(child, var):
    deaf = child(*DEAF)
    while "deaf" not in deaf.log.read_text():
        time.sleep(0.02)
    pid = pid_on_file(var)

    as_next_start_sees_it(var, stops_within=0.3).stop_left_over()

    assert processes.look_up(pid) is None


def test_a_zombie_counts_as_gone():
    quick = subprocess.Popen([sys.executable, "-c", ""])
    while processes.look_up(quick.pid):
        time.sleep(0.01)

    assert quick.returncode is None
    quick.wait()


def test_both_ways_to_ask_the_system_agree():
    with subprocess.Popen(SLEEP) as running:
        ways = [processes._from_proc(running.pid), processes._from_ps(running.pid)]
        running.kill()

    assert all(found and found.pid == running.pid for found in ways)


def test_a_command_that_is_run_once_says_what_it_printed(var):
    child = Child(Program("demo", (sys.executable, "-c", "import sys; print('told'); print('why', file=sys.stderr); sys.exit(3)")), var,
                  dict(os.environ))

    assert child.run() == (3, "told\n")
    assert child.last_words() == "why"
    assert not child.note.exists()
