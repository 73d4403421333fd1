"""Reads about logins."""

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from seminars.kit.refusals import NotFound
from seminars.people.models import BrowserSession, User, WebAuthn


def everyone(session: Session, *, words: str = "") -> Sequence[User]:
    """All logins by name, open ones first; with words, those whose name or address contains them."""
    found = select(User).order_by(User.active.desc(), func.lower(User.name), User.id)
    if words:
        like = f"%{_literal(words)}%"
        found = found.where(or_(User.name.ilike(like), User.email.ilike(like)))
    return session.scalars(found).all()


def user_by_id(session: Session, user_id: int) -> User:
    """One login. Raises NotFound."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such login.")
    return user


def user_by_uniquifier(session: Session, uniquifier: str) -> User | None:
    """Whose session or link this is."""
    return session.scalar(select(User).where(User.fs_uniquifier == uniquifier))


def names(session: Session, user_ids: set[int]) -> dict[int, str]:
    """Names of logins, for pages that say who did something."""
    if not user_ids:
        return {}
    return {row.id: row.name for row in session.execute(select(User.id, User.name).where(User.id.in_(user_ids)))}


def sign_ins_of(session: Session, user: User) -> Sequence[BrowserSession]:
    """Where a person is signed in, the browser used last on top."""
    theirs = select(BrowserSession).where(BrowserSession.user_id == user.id)
    return session.scalars(theirs.order_by(BrowserSession.seen_at.desc())).all()


def has_second_factor(session: Session, user: User) -> bool:
    """Whether more than the password is asked of this person at sign-in: an authenticator or a passkey."""
    if user.tf_primary_method:
        return True
    return session.scalar(select(WebAuthn.id).where(WebAuthn.user_id == user.id).limit(1)) is not None


def _literal(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
