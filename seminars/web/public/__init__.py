"""The public door: programme, seminars, events, consulting, cart, checkout, orders, and the own pages of who registered or booked."""

from flask import Flask

from seminars.web.public import (
    about,
    buying,
    checkout,
    consulting,
    engagements,
    events,
    feeds,
    meetings,
    orders,
    programme,
    proposals,
    retainers,
    seats,
)  # fmt: skip

BLUEPRINTS = (
    programme.blueprint,
    events.blueprint,
    feeds.blueprint,
    about.blueprint,
    consulting.blueprint,
    meetings.blueprint,
    buying.blueprint,
    checkout.blueprint,
    orders.blueprint,
    seats.blueprint,
    proposals.blueprint,
    engagements.blueprint,
    retainers.blueprint,
)


def register(app: Flask) -> None:
    """Hang the public pages into the application."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
