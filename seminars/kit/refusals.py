"""Refusals: what we will not do, said so that a customer can read it.

Refusal
├── NotFound     there is no such thing, or it is not yours
├── Conflict     it was possible a moment ago, or the thing is in another state
└── BadInput     what was typed cannot be used; knows its field
"""


class Refusal(Exception):
    """Something a person asked for and cannot have; its text is a sentence for that person."""


class NotFound(Refusal):
    """There is no such thing, or it belongs to somebody else."""


class Conflict(Refusal):
    """The thing is no longer in the state that the request needs."""


class BadInput(Refusal):
    """A value that cannot be used. Carries the field it came in, so that the page can say so beside it."""

    def __init__(self, sentence: str, field: str | None = None) -> None:
        self.field = field
        super().__init__(sentence)


class BadInputs(Refusal):
    """Several fields at once, each with its own sentence."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        count = len(errors)
        super().__init__("One thing to correct before we can go on" if count == 1 else f"{count} things to correct before we can go on")
