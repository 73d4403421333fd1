"""Programs that the supervisor starts: each in a session of its own, with a log of its own, found again by the next start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from seminars.local import processes
from seminars.local.processes import Process

STOPS_WITHIN = 15.0


@dataclass(frozen=True)
class Program:
    """What to start, under which name."""

    name: str
    command: Sequence[str]
    stops_within: float = STOPS_WITHIN
    """Seconds it is given to end by itself."""


class Child:
    """One program of ours, running or not. Its number is on file, so that a supervisor that was killed leaves no strangers."""

    def __init__(self, program: Program, var: Path, env: Mapping[str, str]) -> None:
        self.program = program
        self.env = dict(env)
        self.var = var
        self.log = var / "log" / f"{program.name}.log"
        self.note = var / "run" / f"{program.name}.json"
        self._popen: subprocess.Popen[bytes] | None = None
        self._began = 0.0

    def start(self) -> None:
        """Start it; whatever an earlier supervisor left of it is stopped first."""
        self.stop_left_over()
        with open(self.log, "ab") as output:
            self._begin(stdout=output, stderr=output)

    def run(self) -> tuple[int, str]:
        """Start it, wait for its end; its exit code and what it printed. Its log holds what it complained of."""
        with open(self.log, "ab") as complaints:
            popen = self._begin(stdout=subprocess.PIPE, stderr=complaints)
        try:
            printed, _ = popen.communicate()
        finally:
            self.finish()
        return popen.returncode, printed.decode(errors="replace")

    def _begin(self, *, stdout: int | IO[bytes], stderr: IO[bytes]) -> subprocess.Popen[bytes]:
        self._began = time.monotonic()
        self._popen = subprocess.Popen(self.program.command, env=self.env, start_new_session=True, stdin=subprocess.DEVNULL,
                                       stdout=stdout, stderr=stderr)
        if found := processes.look_up(self._popen.pid):
            self.note.write_text(json.dumps(asdict(found)))
        return self._popen

    def stop_left_over(self) -> None:
        """Stop what is on file from an earlier start, if it is still that same process or belongs to its session."""
        if not self.note.exists():
            return
        old = Process(**json.loads(self.note.read_text()))
        _end(lambda: _left_of(old, self.var), self.program.stops_within)
        self.note.unlink()

    def ended(self) -> int | None:
        """Its exit code once it has ended by itself."""
        return self._popen.poll() if self._popen else None

    def ask_to_stop(self) -> None:
        """Tell it to finish what it does and end."""
        if self._popen and self._popen.poll() is None:
            self._popen.terminate()

    def finish(self) -> None:
        """End it by force, with everything it has started and not taken along, such as the beat of a killed worker."""
        if self._popen:
            _kill_session(self._popen.pid)
            self._popen.wait()
            self._popen = None
            self.note.unlink(missing_ok=True)

    def ran_for(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._began

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def _left_of(old: Process, var: Path) -> list[int]:
    """The process on file and those of its session that carry our VAR_DIR; its number alone may be another's by now."""
    mine = [old.pid] if _is_same(old) else []
    return mine + [pid for pid in _session(old.pid) if pid != old.pid and _environment(pid).get("VAR_DIR") == str(var)]


def _is_same(old: Process) -> bool:
    now = processes.look_up(old.pid)
    # A program may rename itself (exec, setproctitle); the moment it began stays.
    return now is not None and now.began == old.began


def _session(leader: int) -> Iterator[int]:
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        try:
            if os.getsid(pid) == leader and processes.look_up(pid):
                yield pid
        except (ProcessLookupError, PermissionError):
            continue


def _environment(pid: int) -> dict[str, str]:
    try:
        text = Path("/proc", str(pid), "environ").read_bytes().decode(errors="replace")
    except OSError:
        return {}
    return dict(pair.partition("=")[::2] for pair in text.split("\0"))


def _end(left: Callable[[], list[int]], within: float) -> None:
    """Ask those that are left to end, then make them."""
    for number, patience in ((signal.SIGTERM, within), (signal.SIGKILL, 5.0)):
        for pid in left():
            _signal(pid, number)
        ends = time.monotonic() + patience
        while left() and time.monotonic() < ends:
            time.sleep(0.05)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _kill_session(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
