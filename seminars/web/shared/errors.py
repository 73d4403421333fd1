"""Refusals and failures as pages: a status, a sentence, and what to do next. No page shows more of a failure than its number."""

import logging
from types import TracebackType

from flask import Flask, render_template, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from seminars.kit.refusals import BadInput, BadInputs, Conflict, NotFound, Refusal
from seminars.web.shared import request_id

log = logging.getLogger(__name__)

Failure = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
Answer = tuple[str, int] | tuple[str, int, dict[str, str]]

HEADINGS = {
    400: "This request cannot be used",
    401: "Sign in first",
    403: "This is not open to you",
    404: "There is no such page",
    405: "This page cannot be used that way",
    409: "That is no longer possible",
    413: "That is too large",
    422: "Something has to be corrected",
    429: "Too many tries",
    500: "Something went wrong on our side",
    503: "We cannot answer right now",
}
SENTENCES = {
    404: "The address may be mistyped, or what stood here has been taken down.",
    405: "Go back and use the buttons on the page.",
    413: "Send at most 20 MB.",
    429: "Wait a minute, then try again.",
    500: "We do not know what came of it. Open the page again and look before you try once more; if it happens again, write to us and "
    "name the number below.",
    503: "Our database does not answer. Nothing was charged or changed. Try again in a minute.",
}


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal."""
    match refusal:
        case NotFound():
            return 404
        case BadInput() | BadInputs():
            return 422
        case Conflict() | Refusal():
            return 409


def install(app: Flask) -> None:
    """Answer refusals and failures with pages of the house."""
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _no_database)
    app.log_exception = _failed  # type: ignore[assignment, method-assign]


def _refused(refusal: Refusal) -> Answer:
    details = list(refusal.errors.values()) if isinstance(refusal, BadInputs) else []
    return page(status_of(refusal), str(refusal), details)


def _http(error: HTTPException) -> Answer:
    code = error.code or 500
    sentence = SENTENCES.get(code) or (error.description or "")
    allowed = {"Allow": ", ".join(sorted(error.valid_methods))} if getattr(error, "valid_methods", None) else {}  # type: ignore[attr-defined]
    return (*page(code, sentence), allowed)


def _failed(what: Failure) -> None:
    """The log names a failure by its number, which its page shows too, and by its route: an address may hold a secret or line breaks."""
    log.error("request %s failed: %s %s", request_id(), request.method, request.endpoint or "at no page", exc_info=what)


def _no_database(error: OperationalError) -> Answer:
    log.error("request %s: the database does not answer: %s", request_id(), " ".join(str(error.orig).split()))
    return (*page(503, SENTENCES[503]), {"Retry-After": "30"})


def page(code: int, sentence: str, details: list[str] | None = None) -> tuple[str, int]:
    """The page of an error. It asks nothing of the database, because that may be what is missing."""
    heading = HEADINGS.get(code, "This did not work")
    return render_template(
        "public/error.html", code=code, heading=heading, sentence=sentence, details=details or [], request_id=request_id()
    ), code
