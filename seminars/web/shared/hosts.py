"""Only our own name: a request for another host is refused before anything reads it (no link can then be built from it)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOCAL = ("127.0.0.1", "localhost", "[::1]")
DEFAULT_PORTS = {"http": "80", "https": "443"}
REFUSED = b"This server does not answer for that host name.\n"
SAID = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", str(len(REFUSED))),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
]


class OwnHostOnly:
    """Answers 400 to a foreign Host. Health may also be asked for by local names, as supervisors and proxies do."""

    def __init__(self, app: "WSGIApplication", base_url: str) -> None:
        self._app = app
        self._ours = _names(base_url)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        host = environ.get("HTTP_HOST", "").lower()
        if host in self._ours or (_is_health(environ["PATH_INFO"]) and _without_port(host) in LOCAL):
            return self._app(environ, start_response)
        start_response("400 Bad Request", list(SAID))
        return [REFUSED]


def _names(base_url: str) -> frozenset[str]:
    parts = urlsplit(base_url.lower())
    port = DEFAULT_PORTS[parts.scheme]
    host = parts.netloc
    bare = host.removesuffix(f":{port}")
    return frozenset({bare, f"{bare}:{port}"} if bare != host or not parts.port else {host})


def _is_health(path: str) -> bool:
    return path.startswith("/health/") or path == "/metrics"


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
