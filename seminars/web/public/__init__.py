"""The public door: programme, seminars, events, cart, checkout, orders, and a registrant's own page."""

from flask import Flask

from seminars.web.public import about, buying, checkout, events, feeds, orders, programme, seats

BLUEPRINTS = (
    programme.blueprint,
    events.blueprint,
    feeds.blueprint,
    about.blueprint,
    buying.blueprint,
    checkout.blueprint,
    orders.blueprint,
    seats.blueprint,
)


def register(app: Flask) -> None:
    """Hang the public pages into the application."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
