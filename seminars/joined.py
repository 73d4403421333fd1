"""What is handed in at the doors: settings, the neighbours, and the clock; and the application they hang on, still without doors."""

from dataclasses import dataclass

from flask import Flask

from seminars import tables  # noqa: F401  every mapper must be known before the first query
from seminars.audit import recording
from seminars.config import Settings
from seminars.db import db, join_at_once, try_idle_connections
from seminars.gateways.fetch import Fetcher
from seminars.gateways.smtp import Postman
from seminars.gateways.stripe import Gateway
from seminars.kit import clock
from seminars.kit.clock import Clock


@dataclass(frozen=True)
class Joined:
    """One installation's settings, gateways and clock, joined once by `join`."""

    settings: Settings
    stripe: Gateway
    smtp: Postman
    fetch: Fetcher
    clock: Clock


def join(settings: Settings, *, templates: str | None = None, now: Clock = clock.now) -> Flask:
    """Settings, database and gateways in one application. Workers need no more; the web hangs its doors into it."""
    app = Flask("seminars", template_folder=templates, static_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=driver_url(settings.database_url),
        # What a failed statement was given, names and secrets among it, stays out of the log.
        SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 5, "max_overflow": 5, "hide_parameters": True},
    )
    app.extensions["seminars"] = Joined(
        settings=settings,
        stripe=Gateway(settings.stripe_secret_key, settings.stripe_api_base, settings.stripe_webhook_secrets),
        smtp=Postman(settings.smtp_url),
        fetch=Fetcher(settings.fetch_networks),
        clock=now,
    )
    db.init_app(app)
    with app.app_context():
        join_at_once()
        try_idle_connections(db.engine)
    recording.listen()
    return app


def driver_url(url: str) -> str:
    """The address with the driver named, as SQLAlchemy wants it."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
