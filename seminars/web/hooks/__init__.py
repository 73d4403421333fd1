"""The door for messages from outside: verified, filed, answered; nothing is decided here."""

from flask import Flask

from seminars.web.hooks import stripe


def register(app: Flask) -> None:
    """Hang the webhook door into the application."""
    app.register_blueprint(stripe.bp)
