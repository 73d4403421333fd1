"""The one place where parts are joined: settings, database, gateways, rooms and doors."""

from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from seminars import tables  # noqa: F401  every mapper must be known before the first query
from seminars.audit import recording
from seminars.config import Settings
from seminars.db import db, join_at_once
from seminars.gateways.smtp import Postman
from seminars.gateways.stripe import Gateway
from seminars.joined import Joined
from seminars.kit import clock
from seminars.web import register

LARGEST_REQUEST = 21 * 1024 * 1024


def template_dir() -> Path:
    """Where the templates are: inside the installed package, or beside it in a checkout."""
    here = Path(__file__).resolve().parent
    return next(place for place in (here / "_templates", here.parent / "templates") if place.is_dir())


def create_app(settings: Settings, *, now: clock.Clock = clock.now) -> Flask:
    """Join one installation. The same function serves web, workers, commands and tests."""
    app = Flask("seminars", template_folder=str(template_dir()), static_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=driver_url(settings.database_url),
        SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 5, "max_overflow": 5, "pool_pre_ping": True},
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_PARTS=2_000,
    )
    app.extensions["seminars"] = Joined(
        settings=settings,
        stripe=Gateway(settings.stripe_secret_key, settings.stripe_api_base, settings.stripe_webhook_secrets),
        smtp=Postman(settings.smtp_url),
        clock=now,
    )
    db.init_app(app)
    with app.app_context():
        join_at_once()
    recording.listen()
    register(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0, x_port=0, x_prefix=0)  # type: ignore[method-assign]
    return app


def driver_url(url: str) -> str:
    """The address with the driver named, as SQLAlchemy wants it."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
