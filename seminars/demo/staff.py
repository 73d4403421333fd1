"""Who may sign in to the demo world, and as what."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from seminars.people import users

PASSWORD = "northfield-demo"  # noqa: S105  printed at start: it opens a world of made-up people on one's own machine


@dataclass(frozen=True)
class Login:
    """One person of the center's staff."""

    role: str
    name: str
    email: str
    roles: tuple[str, ...]


LOGINS = (
    Login("program", "Hedda Lindqvist", "program@northfield.example", ("program",)),
    Login("front desk", "Milo Arendt", "desk@northfield.example", ("front_desk",)),
    Login("consultant", "Teddy Okonjo-Hale", "consultant@northfield.example", ("consultant",)),
    Login("finance", "Priya Raman-Voss", "finance@northfield.example", ("finance",)),
    Login("finance approver", "Olaf Brenner", "approver@northfield.example", ("finance", "finance_approver")),
    Login("admin", "Ines Calloway", "admin@northfield.example", ("admin",)),
)


def hire(session: Session, hash_password: Callable[[str], str], *, now: datetime) -> None:
    """Make the logins."""
    for login in LOGINS:
        users.create(session, name=login.name, email=login.email, roles=login.roles, password_hash=hash_password(PASSWORD), now=now)
