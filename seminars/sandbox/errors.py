"""Refusals in the shape of the API."""

from typing import Any

DOCS = "https://stripe.com/docs/error-codes/"


class ApiError(Exception):
    """A refusal with its HTTP status and error body.

    `executed` says that work had begun when it was refused: only such answers are kept under an idempotency key
    (Stripe documentation, Idempotent requests).
    """

    def __init__(
        self, message: str, *, status: int = 400, kind: str = "invalid_request_error", code: str | None = None,
        param: str | None = None, executed: bool = False, retry: bool | None = None, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status = status
        self.executed = executed
        self.retry = retry
        self.error: dict[str, Any] = {"type": kind, "message": message}
        if code:
            self.error |= {"code": code, "doc_url": DOCS + code.replace("_", "-")}
        if param:
            self.error["param"] = param
        self.error |= more


class Declined(ApiError):
    """A card was declined. Unlike other refusals it leaves something: the failed charge stays."""


def missing(what: str, id_: str, *, param: str = "id", status: int = 404) -> ApiError:
    """No such object; as a parameter of another call it is a 400."""
    return ApiError(f"No such {what}: '{id_}'", status=status, code="resource_missing", param=param)


def refused(message: str, *, code: str | None = None, param: str | None = None, **more: Any) -> ApiError:
    """The act can't be done in the state things are in."""
    return ApiError(message, code=code, param=param, executed=True, **more)
