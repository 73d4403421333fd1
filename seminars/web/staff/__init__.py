"""The staff door: sign-in, the work queue, the programme, who comes, orders, money, mails, logins."""

from flask import Flask

from seminars.joined import Joined
from seminars.web.shared import sessions
from seminars.web.staff import (
    appointments,
    asking,
    availability,
    catalogue,
    codes,
    consultants,
    consulting,
    desk,
    engagements,
    finance,
    imports,
    logins,
    messages,
    money,
    orders,
    planning,
    programme,
    proposals,
    retainers,
    reviewing,
    roster,
    settings,
    tickets,
    week,
)
from seminars.web.staff.door import staff
from seminars.web.staff.security import init_security

PAGES = (
    desk,
    programme,
    planning,
    tickets,
    roster,
    catalogue,
    codes,
    imports,
    orders,
    reviewing,
    messages,
    finance,
    money,
    logins,
    settings,
    proposals,
    engagements,
    retainers,
    week,
    appointments,
    asking,
    consulting,
    consultants,
    availability,
)


def register(app: Flask) -> None:
    """Hang the desk into the application, with sessions that end on the server."""
    parts: Joined = app.extensions["seminars"]
    sessions.install(app)
    init_security(app, parts.settings)
    app.register_blueprint(staff)
