"""Stylesheet, scripts and pictures: read once, compressed once, addressed by their content so that browsers may keep them for good."""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, request

from seminars.config import Center, WrongSetting

FOLDER = Path(__file__).resolve().parent.parent / "static"
STYLESHEET = "seminars.css"
HEX = re.compile(r"#[0-9a-fA-F]{3,8}")
COMPRESSIBLE = (".css", ".js", ".svg")
FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file as it is served."""

    name: str
    kind: str
    plain: bytes
    zipped: bytes | None
    version: str

    @property
    def path(self) -> str:
        """Its address; new content has a new one."""
        return f"/static/{self.version}/{self.name}"


class Assets:
    """All files of the site."""

    def __init__(self, center: Center) -> None:
        found = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()}
        self.logo = f"logo{Path(center.logo).suffix.lower()}" if center.logo else ""
        if self.logo:
            found[self.logo] = Path(center.logo).read_bytes()
        found[STYLESHEET] = _bootstrap() + b"\n" + found[STYLESHEET] + _accent(center)
        self._all = {name: _asset(name, content) for name, content in found.items()}

    def path(self, name: str) -> str:
        """The address of a file. Raises KeyError for one that does not exist."""
        return self._all[name].path

    def get(self, name: str) -> Asset | None:
        """The file of that name."""
        return self._all.get(name)


def install(app: Flask, center: Center) -> None:
    """Serve the files, and let templates say asset('seminars.css')."""
    assets = Assets(center)
    blueprint = Blueprint("assets", __name__)

    @blueprint.get("/static/<version>/<name>")
    def serve(version: str, name: str) -> Response:
        asset = assets.get(name)
        if asset is None:
            abort(404)
        zipped = asset.zipped is not None and "gzip" in request.headers.get("Accept-Encoding", "")
        response = Response(asset.zipped if zipped else asset.plain, content_type=asset.kind)
        response.headers["Cache-Control"] = FOR_GOOD if version == asset.version else "public, no-cache"
        response.headers["Vary"] = "Accept-Encoding"
        if zipped:
            response.headers["Content-Encoding"] = "gzip"
        response.set_etag(asset.version)
        response.make_conditional(request)
        return response

    @blueprint.get("/favicon.ico")
    def icon() -> Response:
        return serve(version="", name="icon.svg")

    app.register_blueprint(blueprint)
    app.jinja_env.globals["asset"] = assets.path
    app.jinja_env.globals["logo"] = assets.logo


def _bootstrap() -> bytes:
    """Bootstrap's stylesheet as its wheel brings it, without the pointer to a map that we do not serve."""
    sheet = files("flask_bootstrap").joinpath("static/bootstrap5/css/bootstrap.min.css").read_bytes()
    return re.sub(rb"/\*# sourceMappingURL=.*?\*/", b"", sheet)


def _accent(center: Center) -> bytes:
    for color in (center.accent, center.accent_dark):
        if not HEX.fullmatch(color):
            raise WrongSetting(f"CENTER_CONFIG has the color «{color}». Use a hexadecimal one such as #0f4c5c.")
    return f":root {{ --center-accent: {center.accent}; --center-accent-dark: {center.accent_dark}; }}\n".encode()


def _asset(name: str, content: bytes) -> Asset:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind.startswith("text/") or kind.endswith(("javascript", "svg+xml")):
        kind += "; charset=utf-8"
    zipped = gzip.compress(content, 9, mtime=0) if name.endswith(COMPRESSIBLE) else None
    return Asset(name, kind, content, zipped, hashlib.sha256(content).hexdigest()[:12])
