"""What every answer says about itself to browsers and caches (reliability-security.md §5, browser and HTTP groups)."""

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, g

from seminars.config import STRIPE_LIVE, Settings
from seminars.web.shared.cookies import secure

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

STRIPE_PAGE = "https://checkout.stripe.com"
UNUSED = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=(), browsing-topics=()"


class WithHeaders:
    """Adds what is the same for every answer, whoever made it, where the answer does not say it otherwise itself."""

    def __init__(self, app: "WSGIApplication", settings: Settings) -> None:
        self._app = app
        self._fixed = _fixed(settings)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *exc: Any) -> Any:
            said = {name for name, _ in headers}
            return start_response(status, headers + [one for one in self._fixed if one[0] not in said], *exc)

        return self._app(environ, start)


def install(app: Flask, settings: Settings) -> None:
    """Name each request and put the headers on each answer."""

    @app.before_request
    def name_the_request() -> None:
        g.request_id = secrets.token_hex(8)

    @app.after_request
    def say(response: Response) -> Response:
        # A page is personal until its view says otherwise: a shared proxy must never keep somebody's order.
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        response.headers["X-Request-Id"] = g.get("request_id", "")
        return response

    app.wsgi_app = WithHeaders(app.wsgi_app, settings)  # type: ignore[method-assign]


def _fixed(settings: Settings) -> list[tuple[str, str]]:
    headers = [
        ("Content-Security-Policy", content_policy(settings)),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Permissions-Policy", UNUSED),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("X-Permitted-Cross-Domain-Policies", "none"),
    ]
    if secure(settings):
        headers.append(("Strict-Transport-Security", "max-age=63072000; includeSubDomains"))
    return headers


def content_policy(settings: Settings) -> str:
    """Our own files and nothing else; no inline script or style.

    `form-action` names Stripe's page, because browsers hold the redirect after «Register and pay» against it.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            f"form-action 'self' {_payment_origin(settings)}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def form_may_lead_to(settings: Settings, address: str) -> bool:
    """Whether a form's redirect to that address passes our own policy."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" == _payment_origin(settings)


def _payment_origin(settings: Settings) -> str:
    api = urlsplit(settings.stripe_api_base)
    return STRIPE_PAGE if settings.stripe_api_base == STRIPE_LIVE else f"{api.scheme}://{api.netloc}"
