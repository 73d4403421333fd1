"""Several processes use one server of this machine; the last one to leave stops it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else starts or stops the server meanwhile."""
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Holders:
    """Who is using the server, as shared locks on one file. The kernel drops the lock of a process that is killed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mine: IO[str] | None = None

    def join(self) -> None:
        """From now on the server is not stopped by others. Joining twice is joining once."""
        if self._mine is None:
            self._mine = open(self.path, "w")  # noqa: SIM115  open for as long as we use the server
            fcntl.flock(self._mine, fcntl.LOCK_SH)

    def leave(self) -> bool:
        """Let go; true if nobody else is left. Call it under the server's lock."""
        if self._mine is None:
            return False
        try:
            fcntl.flock(self._mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False
        finally:
            # An exclusive lock kept open here would block the next start of this very process.
            self._mine.close()
            self._mine = None

    def anyone(self) -> bool:
        """Whether somebody, in this process or another, is using the server."""
        with open(self.path, "a") as probe:
            try:
                fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False
