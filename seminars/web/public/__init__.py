"""The public door: programme, seminars, events, cart, checkout, orders, and a registrant's own page."""

from flask import Flask

from seminars.web.public import events, feeds, programme

BLUEPRINTS = (programme.blueprint, events.blueprint, feeds.blueprint)


def register(app: Flask) -> None:
    """Hang the public pages into the application."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
