"""The public door: programme, seminars, events, cart, checkout, orders, a registrant's own page, and what clients of larger work see."""

from flask import Flask

from seminars.web.public import about, buying, checkout, engagements, events, feeds, orders, programme, proposals, retainers, seats

BLUEPRINTS = (
    programme.blueprint,
    events.blueprint,
    feeds.blueprint,
    about.blueprint,
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
