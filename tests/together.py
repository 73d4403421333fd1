"""Which tests stay together on one worker: those that share something that takes long to start."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

JOURNEYS = "tests/journeys/"


class Together(LoadScopeScheduling):
    """Every test goes to whichever worker is free; the journeys all go to one, because they share a running center."""

    def _split_scope(self, nodeid: str) -> str:
        # xdist would read its own mark here; it writes that mark into a name that pytest 9.2 does not let it change.
        return JOURNEYS if nodeid.startswith(JOURNEYS) else nodeid
