"""Browser sessions: a visitor's lives in a signed cookie; from the first step of a sign-in on it lives in our database.

The cookie of somebody who signs in holds a random id and nothing else, and we store only the hash of it. So a session ends when
its row does: at sign-out, when the login is closed, when the password changes, after 12 hours unused, after 7 days in any case.
"""

from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Request, Response
from flask import request as this_request
from flask import session as this_session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from sqlalchemy import and_, delete, insert, or_, select, update

from seminars.db import db
from seminars.kit.references import fingerprint, secret
from seminars.people.models import BrowserSession, User
from seminars.web.shared import now

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=1)
MARK = "desk."


class DeskSession(SecureCookieSession):
    """A session that knows its row, if it has one, and whose it was when the request came in."""

    id_hash: str | None = None
    owner: tuple[Any, Any] = (None, None)
    seen_at: datetime | None = None

    def holder(self) -> tuple[Any, Any]:
        """Who is signed in, and who has passed the first of two steps."""
        return (self.get("_user_id"), self.get("tf_user_id"))


class DeskSessions(SecureCookieSessionInterface):
    """Chooses between cookie and row."""

    session_class = DeskSession

    def open_session(self, app: Flask, request: Request) -> DeskSession | None:
        """The session of this request: from its row if the cookie names one that still stands, else from the cookie itself."""
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        if not cookie.startswith(MARK):
            opened = super().open_session(app, request)
            assert opened is None or isinstance(opened, DeskSession)
            if opened is not None and opened.holder() != (None, None):
                return DeskSession()  # we never write such a cookie: only a row can say who is signed in
            return opened
        instant = now()
        fresh = and_(BrowserSession.seen_at > instant - IDLE, BrowserSession.created_at > instant - LONGEST)
        kept = select(BrowserSession.data, BrowserSession.seen_at).where(BrowserSession.id_hash == fingerprint(cookie), fresh)
        row = db.session.execute(kept).one_or_none()
        if row is None:
            return DeskSession()
        opened = DeskSession(row.data)
        opened.id_hash, opened.owner, opened.seen_at = fingerprint(cookie), opened.holder(), row.seen_at
        return opened

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep what changed. When who is signed in changes, the browser gets a new id and the old one is worth nothing."""
        assert isinstance(session, DeskSession)
        if session.holder() == (None, None):
            if session.id_hash:
                _forget(session.id_hash)
                session.modified = True
            super().save_session(app, session, response)
        elif session.id_hash and session.holder() == session.owner:
            response.vary.add("Cookie")
            _keep(session)
        else:
            response.vary.add("Cookie")
            self._start(app, session, response)

    def _start(self, app: Flask, session: DeskSession, response: Response) -> None:
        cookie, started = MARK + secret() + secret(), now()
        with db.engine.begin() as connection:
            lapsed = or_(BrowserSession.seen_at < started - IDLE, BrowserSession.created_at < started - LONGEST)
            connection.execute(delete(BrowserSession).where(or_(BrowserSession.id_hash == (session.id_hash or ""), lapsed)))
            connection.execute(
                insert(BrowserSession).values(
                    id_hash=fingerprint(cookie),
                    user_id=select(User.id).where(User.fs_uniquifier == session.get("_user_id")).scalar_subquery(),
                    data=dict(session),
                    created_at=started,
                    seen_at=started,
                    address=(this_request.remote_addr or "")[:64],
                    agent=this_request.headers.get("User-Agent", "")[:300],
                )
            )
        response.set_cookie(
            self.get_cookie_name(app),
            cookie,
            path="/",
            secure=self.get_cookie_secure(app),
            httponly=True,
            samesite=self.get_cookie_samesite(app),
        )


def _keep(session: DeskSession) -> None:
    """Write changed data back. A row that was deleted meanwhile stays deleted: the person was signed out."""
    instant = now()
    values: dict[str, Any] = {}
    if session.modified:
        values["data"] = dict(session)
    if session.modified or session.seen_at is None or instant - session.seen_at > SEEN_EVERY:
        values["seen_at"] = instant
        with db.engine.begin() as connection:
            connection.execute(update(BrowserSession).where(BrowserSession.id_hash == session.id_hash).values(**values))


def _forget(id_hash: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(delete(BrowserSession).where(BrowserSession.id_hash == id_hash))


def install(app: Flask) -> None:
    """Give the application these sessions; `base` has set the cookie's name and attributes."""
    app.session_interface = DeskSessions()


def this_browser() -> str | None:
    """How the row of this browser's session is known; nothing for a visitor."""
    here = this_session._get_current_object()  # type: ignore[attr-defined]
    return here.id_hash if isinstance(here, DeskSession) else None
