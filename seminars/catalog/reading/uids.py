"""Names under which an event of another system is known again."""

import hashlib
from collections.abc import Iterable

LONGEST_UID = 255


def usable_uid(given: str) -> str:
    """The UID of a file, as it stands unless it is too long to be kept."""
    return given if len(given) <= LONGEST_UID else content_uid([given])


def content_uid(facts: Iterable[str]) -> str:
    """A UID made of what an event says, for files that give none: the same facts give the same UID every time."""
    told = "\x1f".join(facts)
    return f"content-{hashlib.sha256(told.encode()).hexdigest()[:40]}"
