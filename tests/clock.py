"""A clock that stands until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOON = datetime(2027, 3, 1, 18, 0, tzinfo=UTC)
"""Noon in Rochester, Minnesota."""


class StandingClock:
    """Answers as `kit.clock.now` does, with the time that the test has set."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, **span: float) -> datetime:
        """Forward by days, hours, minutes …; the new time."""
        self.at += timedelta(**span)
        return self.at
