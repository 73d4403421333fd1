"""The sandbox's own time, which can be moved forward and can stand still."""

import time
from datetime import UTC, datetime, timedelta

from seminars.sandbox.store import Store


class Clock:
    """Real time plus an offset, or a fixed moment until it is moved. Seconds since 1970."""

    def __init__(self, store: Store, *, fixed: datetime | None) -> None:
        self._store = store
        self._fixed = fixed
        self.restore()

    def restore(self) -> None:
        """Take up the kept time; a store without one begins at the start option."""
        kept = self._store.note("clock")
        if kept is None:
            kept = {"still": self._fixed.timestamp() if self._fixed else None, "offset": 0.0}
            self._store.set_note("clock", kept)
        self._still: float | None = kept["still"]
        self._offset: float = kept["offset"]

    def now(self) -> float:
        return self._still if self._still is not None else time.time() + self._offset

    @property
    def stands_still(self) -> bool:
        return self._still is not None

    def set(self, moment: float) -> None:
        """Put the hands on a moment; a running clock runs on from there."""
        if self._still is not None:
            self._still = moment
        else:
            self._offset = moment - time.time()
        self._keep()

    def start(self) -> None:
        if self._still is not None:
            self._offset, self._still = self._still - time.time(), None
            self._keep()

    def stop(self) -> None:
        if self._still is None:
            self._still = self.now()
            self._keep()

    def _keep(self) -> None:
        self._store.set_note("clock", {"still": self._still, "offset": self._offset})


def business_days_later(moment: float, days: int) -> int:
    """Midnight UTC of the n-th day after `moment`, Saturdays and Sundays not counted."""
    day = datetime.fromtimestamp(moment, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    return int(day.timestamp())
