"""References: names of things in text (`order/118`) and secrets that cannot be guessed."""

import hashlib
import re
import secrets
import unicodedata

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def secret() -> str:
    """A token of 130 random bits for addresses that must not be guessed, in letters that read well aloud."""
    return "".join(secrets.choice(_LETTERS) for _ in range(26))


def reference(kind: str, number: int | str) -> str:
    """How rows are named across rooms and in the audit: `order/118`."""
    return f"{kind}/{number}"


def slug(text: str, most: int = 60) -> str:
    """Lower-case words joined by hyphens, for addresses of public pages."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:most].strip("-") or "untitled"


def fingerprint(text: str) -> str:
    """SHA-256 in hexadecimal: how secrets are stored and facts are compared."""
    return hashlib.sha256(text.encode()).hexdigest()
