"""NUL means nothing: no database keeps it, no mail and no calendar can hold it. A request that carries one is refused at the door."""

from collections.abc import Iterator

from flask import Flask, abort, request

NUL = "\x00"
SENTENCE = "This request holds a character that cannot be kept (NUL). Type it again by hand."


def install(app: Flask) -> None:
    """Refuse such requests before any page looks into them."""

    @app.before_request
    def refuse() -> None:
        if any(NUL in text for text in _texts()):
            abort(400, SENTENCE)


def _texts() -> Iterator[str]:
    yield request.path
    yield from request.cookies.values()
    for name, value in request.args.items(multi=True):
        yield from (name, value)
    # What is no form stays unread here: a webhook's bytes are for its own door, under its own limit.
    if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        for name, value in request.form.items(multi=True):
            yield from (name, value)
        for name, file in request.files.items(multi=True):
            yield from (name, file.filename or "")
