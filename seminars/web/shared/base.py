"""The ground under every door: cookies, tokens, headers, errors, words, assets, and what stands in front of the application."""

from collections.abc import Callable

from flask import Flask, request
from werkzeug.routing import IntegerConverter, Map

from seminars.config import Settings
from seminars.web.shared import assets, cookies, errors, filters, headers, nul, preferences
from seminars.web.shared.hosts import OwnHostOnly
from seminars.web.shared.microcache import MicroCache

CART = "cart"
SESSION = "seminars"


class Whole(IntegerConverter):
    """A number in an address, as our tables count (bigint) and in plain digits: what no row can have is no page, before anybody looks."""

    regex = "[0-9]{1,19}"

    def __init__(self, map: Map, fixed_digits: int = 0, min: int | None = None, max: int = 2**63 - 1) -> None:
        super().__init__(map, fixed_digits=fixed_digits, min=min, max=max)


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
    nul.install(app)
    filters.install(app, settings.center)
    assets.install(app, settings.center)
    preferences.install(app)
    app.url_map.converters["int"] = Whole
    app.jinja_env.globals["base_url"] = settings.base_url
    cart = cookies.personal_name(settings, CART)
    app.context_processor(lambda: {"has_cart": cart in request.cookies})
    personal = (app.config["SESSION_COOKIE_NAME"], cart, "remember_token")
    cached = MicroCache(app.wsgi_app, paths=public, personal=personal, hit=hit)
    app.wsgi_app = OwnHostOnly(cached, settings.base_url)  # type: ignore[method-assign]
