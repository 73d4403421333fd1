"""Metadata: what an update leaves of it."""


def merged(old: dict[str, str], new: dict[str, str] | None) -> dict[str, str]:
    """Metadata after an update: None clears all, an empty value deletes its key."""
    if new is None:
        return {}
    return {key: value for key, value in (old | new).items() if value != ""}
