"""What every door shares: the joined parts, errors, headers, forms, words for numbers and times, assets, and the cache in front."""

from datetime import datetime

from flask import current_app, g

from seminars.joined import Joined


def joined() -> Joined:
    """The settings, gateways and clock of this installation."""
    parts: Joined = current_app.extensions["seminars"]
    return parts


def now() -> datetime:
    """The present instant as this installation's clock tells it. Only doors read it."""
    return joined().clock()


def request_id() -> str:
    """The name of this request in the log, in the audit and on the page of an error."""
    return str(g.get("request_id", ""))
