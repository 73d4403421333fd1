"""Rows in a form that people add and take out without scripts: a button sends the form, and it comes back with one row more or fewer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import request

CHANGE = "rows"
"""The name of the buttons: `add:hours`, `drop:hours:3`."""
MOST = 80


@dataclass(frozen=True)
class Kind:
    """One kind of row: what its fields are called before and behind the number, and which of them say nothing on their own."""

    name: str
    fields: tuple[str, ...]
    idle: tuple[str, ...] = ()

    def typed(self, form: Mapping[str, str]) -> list[dict[str, str]]:
        """The rows that hold something, in their order; so the row of number n is always the n-th."""
        found = []
        for number in range(1, MOST + 1):
            row = {field: form.get(f"{self.name}-{number}-{field}", "") for field in self.fields}
            if any(value.strip() for field, value in row.items() if field not in self.idle):
                found.append(row)
        return found

    def every(self, form: Mapping[str, str]) -> list[dict[str, str]]:
        """All rows as they stood in the form, empty ones among them."""
        return [
            {field: form.get(f"{self.name}-{number}-{field}", "") for field in self.fields}
            for number in range(1, MOST + 1)
            if any(f"{self.name}-{number}-{field}" in form for field in self.fields)
        ]

    def as_changed(self, form: Mapping[str, str], new: Mapping[str, str]) -> list[dict[str, str]]:
        """The rows after the button that was pressed; what it does to rows of another kind does nothing here."""
        rows = self.every(form)
        match form.get(CHANGE, "").split(":"):
            case ["add", self.name] if len(rows) < MOST:
                return [*rows, {field: new.get(field, "") for field in self.fields}]
            case ["drop", self.name, number] if number.isascii() and number.isdecimal() and len(number) <= 3:
                return [row for at, row in enumerate(rows, start=1) if at != int(number)]
        return rows


def changing() -> bool:
    """Whether a button that changes the rows was pressed, and nothing is to be kept yet."""
    return bool(request.form.get(CHANGE))


def named(errors: Mapping[str, str], kind: Kind, verb_name: str, fields: Sequence[str]) -> dict[str, str]:
    """Errors that a verb gave as `hours.3`, moved to the first field of that row."""
    moved = {}
    for field, sentence in errors.items():
        noun, _, number = field.partition(".")
        ours = noun == verb_name and number.isdecimal()
        moved[f"{kind.name}-{number}-{fields[0]}" if ours else field] = sentence
    return moved
