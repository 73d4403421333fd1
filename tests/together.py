"""Which tests stay together on one worker: those that share something that takes long to start."""

from __future__ import annotations

import zlib

from xdist.scheduler import LoadScopeScheduling

JOURNEYS = "tests/journeys/"
CENTERS = 2
"""So many running centers: one would be busy longest of all, while the other worker has nothing left to do."""


class Together(LoadScopeScheduling):
    """Every test goes to whichever worker is free; the journeys of a file go where others are that share their running center."""

    def _split_scope(self, nodeid: str) -> str:
        # xdist would read its own mark here; it writes that mark into a name that pytest 9.2 does not let it change.
        if not nodeid.startswith(JOURNEYS):
            return nodeid
        file = nodeid.partition("::")[0]
        return f"{JOURNEYS}{zlib.crc32(file.encode()) % CENTERS}"
