"""Who may come in: the one decorator of every page behind a sign-in."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from flask import abort, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from seminars.db import db
from seminars.people.models import User
from seminars.people.permissions import Right
from seminars.people.queries import has_second_factor
from seminars.web.shared import joined

View = Callable[..., ResponseReturnValue]


def signed_in_user() -> User | None:
    """Who is signed in in this browser; nobody who only shows a token."""
    if "_user_id" not in session or not current_user.is_authenticated:
        return None
    return cast(User, current_user._get_current_object())


def the_user() -> User:
    """Who is signed in, on a page that nobody else sees."""
    user = signed_in_user()
    assert user is not None, "This page has no guard. Put @needs(right) above the view."
    return user


def by() -> str:
    """How the audit names whoever is signed in."""
    return f"user/{the_user().id}"


def needs(right: Right) -> Callable[[View], View]:
    """Let in who has the right; send who is not signed in to sign in and back here; refuse everybody else."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            user = signed_in_user()
            if user is None:
                return redirect(url_for("security.login", next=_way_back()))
            if not right(user):
                abort(403)
            if right.second_factor and _wanted() and not has_second_factor(db.session(), user):
                flash("Finance pages need a second proof of who you are. Set one up, then open the page again.", "info")
                return redirect(url_for("staff.second_factor"))
            return view(*args, **kwargs)

        vars(guarded)["right"] = right
        return guarded

    return guard


def _wanted() -> bool:
    return joined().settings.center.finance_second_factor


def _way_back() -> str:
    """This page's own address, without host; of a button pressed, the page before it is not known, so Today."""
    if request.method != "GET":
        return url_for("staff.today")
    query = request.query_string.decode("ascii", "ignore")
    return f"{request.path}?{query}" if query else request.path
