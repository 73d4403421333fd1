"""The ground under every door: cookies, tokens, headers, errors, words, assets, and what stands in front of the application."""

from collections.abc import Callable

from flask import Flask, request

from seminars.config import Settings
from seminars.web.shared import assets, cookies, errors, filters, headers, preferences
from seminars.web.shared.hosts import OwnHostOnly
from seminars.web.shared.microcache import MicroCache

CART = "cart"
SESSION = "seminars"


def install(app: Flask, settings: Settings, *, public: Callable[[str], bool], hit: Callable[[str], None]) -> None:
    """Lay the ground. `public` names the paths that may be served from the cache, `hit` counts what was."""
    app.config.update(
        SESSION_COOKIE_NAME=cookies.personal_name(settings, SESSION),
        SESSION_COOKIE_SECURE=cookies.secure(settings),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # A form lives as long as the browser's session: a checkout that was left open over lunch still works.
        WTF_CSRF_TIME_LIMIT=None,
    )
    headers.install(app, settings)
    errors.install(app)
    filters.install(app, settings.center)
    assets.install(app, settings.center)
    preferences.install(app)
    app.jinja_env.globals["base_url"] = settings.base_url
    cart = cookies.personal_name(settings, CART)
    app.context_processor(lambda: {"has_cart": cart in request.cookies})
    personal = (app.config["SESSION_COOKIE_NAME"], cart, "remember_token")
    cached = MicroCache(app.wsgi_app, paths=public, personal=personal, hit=hit)
    app.wsgi_app = OwnHostOnly(cached, settings.base_url)  # type: ignore[method-assign]
