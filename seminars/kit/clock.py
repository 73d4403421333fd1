"""The clock. Doors and jobs read it and tell the verbs; nobody else looks."""

from collections.abc import Callable
from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


Clock = Callable[[], datetime]
