"""The doors on the web, cut by audience: public, staff, hooks; and what machines ask."""

from flask import Flask

from seminars.joined import Joined
from seminars.web import hooks, ops, public, staff
from seminars.web.public.caching import may_be_cached
from seminars.web.shared import base


def register(app: Flask) -> None:
    """Hang every door into the application."""
    parts: Joined = app.extensions["seminars"]
    base.install(app, parts.settings, public=may_be_cached, hit=ops.count_cached)
    ops.install(app)
    for door in (public, staff, hooks):
        door.register(app)
