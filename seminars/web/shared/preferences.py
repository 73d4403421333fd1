"""A visitor's choice of appearance and zone: kept in two small cookies that say nothing about who they are."""

from urllib.parse import quote, unquote, urlencode

from flask import Flask, Request, Response, redirect, request
from werkzeug.urls import iri_to_uri

from seminars.calendars.zones import known_zone
from seminars.web.shared.cookies import THEMES, set_preference


def theme() -> str:
    """«light», «dark», or nothing: then the visitor's system decides."""
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in THEMES else ""


def visitor_zone(asked: Request) -> str:
    """The zone that the visitor chose (?tz=) or that their browser told; nothing when neither is known."""
    for value in (asked.args.get("tz", ""), unquote(asked.cookies.get("zone", ""))):
        if value and len(value) <= 64 and known_zone(value):
            return value
    return ""


def keep_zone(response: Response) -> Response:
    """Remember the zone that the address asks for."""
    chosen = request.args.get("tz", "")
    if chosen and chosen == visitor_zone(request) and unquote(request.cookies.get("zone", "")) != chosen:
        set_preference(response, "zone", quote(chosen))
    return response


def appearance(choice: str) -> str:
    """The link that shows this page in another appearance, with everything else in its address kept."""
    return f"?{urlencode([*_rest(), ('theme', choice)])}"


def _rest() -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.args.items(multi=True) if name != "theme"]


def install(app: Flask) -> None:
    """Let any page be asked with ?theme= and take the choice out of the address again."""

    @app.before_request
    def take_choice() -> Response | None:
        chosen = request.args.get("theme")
        if chosen is None or request.method != "GET":
            return None
        query = urlencode(_rest())
        answer = app.make_response(redirect(iri_to_uri(request.path) + (f"?{query}" if query else ""), 303))
        set_preference(answer, "theme", chosen if chosen in THEMES else "")
        return answer

    @app.context_processor
    def look() -> dict[str, object]:
        return {"theme": theme(), "appearance": appearance}
