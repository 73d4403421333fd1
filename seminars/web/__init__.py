"""The doors on the web, cut by audience: public, staff, hooks; and what machines ask."""

from importlib import import_module
from importlib.util import find_spec

from flask import Flask

from seminars.joined import Joined
from seminars.web import ops
from seminars.web.public import register as register_public
from seminars.web.public.caching import may_be_cached
from seminars.web.shared import base

DOORS = ("seminars.web.staff", "seminars.web.hooks")


def register(app: Flask) -> None:
    """Hang every door into the application."""
    parts: Joined = app.extensions["seminars"]
    base.install(app, parts.settings, public=may_be_cached, hit=ops.count_cached)
    ops.install(app)
    register_public(app)
    for door in DOORS:
        if find_spec(door) and hasattr(module := import_module(door), "register"):
            module.register(app)
