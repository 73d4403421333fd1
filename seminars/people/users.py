"""Logins: made, changed, closed, and slowed down after wrong passwords."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.orm import Session

from seminars.kit.refusals import BadInput, Conflict, Refusal
from seminars.kit.typed import email as typed_email
from seminars.kit.typed import one_line
from seminars.people.models import ROLES, BrowserSession, Role, User

FREE_TRIES = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)


class LastAdmin(Refusal):
    """The login cannot be closed or changed, because nobody could hand out rights afterwards."""


def create(session: Session, *, name: str, email: str, roles: Iterable[str], password_hash: str | None = None, now: datetime) -> User:
    """Make a login. Without a password its owner first follows a link that sets one. Raises BadInput."""
    address = typed_email(email, field="email")
    if session.scalar(select(User.id).where(User.email == address)):
        raise BadInput("There is a login with this address already. Change its roles instead.", "email")
    user = User(
        name=one_line(name, field="name", most=200),
        email=address,
        password=password_hash,
        active=True,
        fs_uniquifier=uuid.uuid4().hex,
        fs_webauthn_user_handle=uuid.uuid4().hex,
        failed_sign_ins=0,
        confirmed_at=now,
        create_datetime=now,
        update_datetime=now,
        roles=_roles(session, roles),
    )
    session.add(user)
    session.flush()
    return user


def change(session: Session, user: User, *, name: str, email: str, now: datetime) -> User:
    """Change name and address of a login. Raises BadInput."""
    address = typed_email(email, field="email")
    if session.scalar(select(User.id).where(User.email == address, User.id != user.id)):
        raise BadInput("Another login has this address already.", "email")
    user.name = one_line(name, field="name", most=200)
    user.email = address
    user.update_datetime = now
    session.flush()
    return user


def set_roles(session: Session, user: User, roles: Iterable[str], *, now: datetime) -> User:
    """Give a login these roles and no others; what they allow holds from the next page on. Raises BadInput, LastAdmin."""
    wanted = _roles(session, roles)
    if "admin" not in {role.name for role in wanted}:
        _keep_an_admin(session, user)
    user.roles = wanted
    user.update_datetime = now
    session.flush()
    return user


def deactivate(session: Session, user: User, *, now: datetime) -> User:
    """Close a login: whatever is open under it ends at once, and links sent to it stop working. Raises Conflict, LastAdmin."""
    if not user.active:
        raise Conflict(f"The login of {user.name} is closed already.")
    _keep_an_admin(session, user)
    user.active = False
    user.fs_uniquifier = uuid.uuid4().hex
    user.update_datetime = now
    session.flush()
    end_sign_ins(session, user)
    return user


def reactivate(session: Session, user: User, *, now: datetime) -> User:
    """Open a closed login again, with the roles it had. Raises Conflict."""
    if user.active:
        raise Conflict(f"The login of {user.name} is open already.")
    user.active = True
    user.failed_sign_ins = 0
    user.locked_until = None
    user.update_datetime = now
    session.flush()
    return user


def end_sign_ins(session: Session, user: User, *, keep: str | None = None) -> int:
    """Sign a person out of every browser, except the one whose id hash is to be kept. Returns how many ended."""
    others = (BrowserSession.user_id == user.id, BrowserSession.id_hash != (keep or ""))
    ended = session.execute(delete(BrowserSession).where(*others))
    assert isinstance(ended, CursorResult)
    return ended.rowcount


def end_sign_in(session: Session, user: User, id_hash: str) -> None:
    """Sign a person out of one browser. One that has ended already is no reason to complain."""
    session.execute(delete(BrowserSession).where(BrowserSession.user_id == user.id, BrowserSession.id_hash == id_hash))


def begin_try(session: Session, user_id: int, *, now: datetime) -> bool:
    """Count a password or code as wrong before it is looked at; false while that name pauses.

    After five in a row each one doubles the pause before the next, up to 15 minutes. Counted under the row's lock and committed before
    anybody looks: of a hundred guesses sent at once five are looked at, however long the look takes.
    """
    user = session.get_one(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    if paused(user, now=now):
        return False
    user.failed_sign_ins += 1
    if user.failed_sign_ins >= FREE_TRIES:
        user.locked_until = now + pause_after(user.failed_sign_ins)
    session.flush()
    return True


def take_try_back(session: Session, user_id: int) -> None:
    """What was counted before it was looked at was right, or no guess at all: it does not count, and causes no pause."""
    user = session.get_one(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    user.failed_sign_ins, user.locked_until = max(0, user.failed_sign_ins - 1), None
    session.flush()


def pause_after(failures: int) -> timedelta:
    """How long nobody is let in under that name after so many failures in a row."""
    if failures < FREE_TRIES:
        return timedelta()
    return min(FIRST_PAUSE * (1 << min(failures - FREE_TRIES, 10)), LONGEST_PAUSE)


def paused(user: User, *, now: datetime) -> bool:
    """Whether sign-in under that name has to wait."""
    return user.locked_until is not None and now < user.locked_until


def signed_in(session: Session, user: User, *, now: datetime) -> None:
    """Forget the failures before a complete sign-in."""
    if user.failed_sign_ins or user.locked_until:
        user.failed_sign_ins = 0
        user.locked_until = None
        session.flush()


def _roles(session: Session, names: Iterable[str]) -> list[Role]:
    """The rows of those roles, made where the installation has none yet. Raises BadInput."""
    wanted = sorted(set(names))
    if not wanted or any(name not in ROLES for name in wanted):
        raise BadInput("Please choose at least one role.", "roles")
    found = {role.name: role for role in session.scalars(select(Role).where(Role.name.in_(wanted)))}
    for name in wanted:
        if name not in found:
            found[name] = Role(name=name, description="")
            session.add(found[name])
    return [found[name] for name in wanted]


def _keep_an_admin(session: Session, user: User) -> None:
    """Raises LastAdmin when nobody else could hand out rights."""
    admins = select(func.count()).select_from(User).join(User.roles).where(Role.name == "admin", User.active, User.id != user.id)
    if not session.scalar(admins) and user.active and any(role.name == "admin" for role in user.roles):
        raise LastAdmin(f"{user.name} is the only admin. Make somebody else an admin first.")
