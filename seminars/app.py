"""The one place where everything is joined: settings, database and gateways by `join`, and the doors of the web."""

from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from seminars.config import Settings
from seminars.joined import join
from seminars.kit import clock
from seminars.web import register

LARGEST_REQUEST = 21 * 1024 * 1024


def template_dir() -> Path:
    """Where the templates are: inside the installed package, or beside it in a checkout."""
    here = Path(__file__).resolve().parent
    return next(place for place in (here / "_templates", here.parent / "templates") if place.is_dir())


def create_app(settings: Settings, *, now: clock.Clock = clock.now) -> Flask:
    """Join one installation. The same function serves web, workers, commands and tests."""
    app = join(settings, templates=str(template_dir()), now=now)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_REQUEST, MAX_FORM_PARTS=2_000)
    register(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0, x_port=0, x_prefix=0)  # type: ignore[method-assign]
    return app
