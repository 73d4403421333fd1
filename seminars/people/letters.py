"""The facts of letters about logins. Their wording lies under templates/mail/people/."""

from datetime import datetime

from seminars.kit.references import fingerprint, reference
from seminars.messages.outbox import Letter
from seminars.people.models import User

INVITED = "people/invited"
PASSWORD_RESET = "people/password_reset"  # noqa: S105  names a letter
PASSWORD_CHANGED = "people/password_changed"  # noqa: S105  names a letter


def invited(user: User, *, link: str, invited_by: str) -> Letter:
    """You have a login: choose a password by this link."""
    facts = {"name": user.name, "link": link, "invited_by": invited_by}
    return _letter(INVITED, user, fingerprint(link)[:16], facts)


def password_reset(user: User, *, link: str) -> Letter:
    """Somebody asked for a new password for your login: choose it by this link, or do nothing."""
    return _letter(PASSWORD_RESET, user, fingerprint(link)[:16], {"name": user.name, "link": link})


def password_changed(user: User, *, now: datetime) -> Letter:
    """Your password was changed; if that was not you, tell us."""
    return _letter(PASSWORD_CHANGED, user, f"{now:%Y%m%dT%H%M%S%f}", {"name": user.name, "at": now.isoformat()})


def _letter(kind: str, user: User, occasion: str, facts: dict[str, str]) -> Letter:
    return Letter(
        kind=kind,
        key=f"{kind.replace('/', '.')}:{user.id}:{occasion}",
        to=user.email,
        name=user.name,
        facts=facts,
        references=(reference("user", user.id),),
    )
