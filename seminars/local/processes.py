"""Telling processes apart that may have died since, and whose number may belong to another by now."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process as the system knows it: its number, its program's name, and when it began (in the system's own words)."""

    pid: int
    name: str
    began: str


def look_up(pid: int) -> Process | None:
    """The living process of that number; None if there is none or it is a zombie that nobody has reaped."""
    if Path("/proc/self/stat").exists():
        return _from_proc(pid)
    return _from_ps(pid)


def _from_proc(pid: int) -> Process | None:
    try:
        text = Path("/proc", str(pid), "stat").read_text()
    except OSError:
        return None
    # The name stands in brackets and may itself hold brackets and blanks.
    name, rest = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
    if rest[0] in "ZX":
        return None
    return Process(pid, name, rest[19])


def _from_ps(pid: int) -> Process | None:
    asked = ["ps", "-o", "stat=,lstart=,comm=", "-p", str(pid)]
    words = subprocess.run(asked, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}).stdout.split()
    if len(words) < 7 or words[0].startswith("Z"):
        return None
    return Process(pid, Path(" ".join(words[6:])).name, " ".join(words[1:6]))
