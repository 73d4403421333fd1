"""Names and attributes of our cookies, in one place, because the cache in front must know which of them make a page personal."""

from flask import Response

from seminars.config import Settings
from seminars.web.shared import joined

A_YEAR = 365 * 24 * 3600
THEMES = ("light", "dark")


def secure(settings: Settings) -> bool:
    """Whether visitors reach us by https."""
    return settings.base_url.startswith("https://")


def personal_name(settings: Settings, name: str) -> str:
    """The cookie's name; under https with the prefix that binds it to this host and to encryption (RFC 6265bis 4.1.3.2)."""
    return f"__Host-{name}" if secure(settings) else name


def set_personal(response: Response, name: str, value: str, *, seconds: int) -> None:
    """Give the browser a secret that no script may read."""
    settings = joined().settings
    response.set_cookie(
        personal_name(settings, name), value, max_age=seconds, path="/", secure=secure(settings), httponly=True, samesite="Lax"
    )


def forget_personal(response: Response, name: str) -> None:
    """Take such a secret back."""
    settings = joined().settings
    response.delete_cookie(personal_name(settings, name), path="/", secure=secure(settings), httponly=True, samesite="Lax")


def set_preference(response: Response, name: str, value: str) -> None:
    """Remember a visitor's choice of appearance or zone; scripts may read and write it."""
    response.set_cookie(name, value, max_age=A_YEAR if value else 0, path="/", secure=secure(joined().settings), samesite="Lax")
