"""Bracketed form fields to nested objects, as `line_items[0][price_data][currency]=usd`. Lists have numbers as names."""

import re
from typing import Any
from urllib.parse import parse_qsl

from seminars.sandbox.errors import ApiError

Raw = str | dict[str, Any]
NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def parse(text: str) -> dict[str, Raw]:
    """The parameters of a query string or form body. Raises ApiError for a name that can't be read."""
    tree: dict[str, Raw] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=10_000):
        _put(tree, _steps(name), value, name)
    return tree


def _steps(name: str) -> list[str]:
    match = NAME.fullmatch(name)
    if match is None:
        raise ApiError(f"Invalid parameter name: {name}", param=name)
    return [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]


def _put(tree: dict[str, Any], steps: list[str], value: str, name: str) -> None:
    for nth, step in enumerate(steps):
        step = step or str(len(tree))  # a[]=x appends
        if nth == len(steps) - 1:
            if isinstance(tree.get(step), dict):
                raise ApiError(f"Invalid parameter: {name} is given both as a value and as an object", param=name)
            tree[step] = value
            return
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise ApiError(f"Invalid parameter: {name} is given both as a value and as an object", param=name)


def where(parent: str, name: str | int) -> str:
    return f"{parent}[{name}]" if parent else str(name)


def words(text: str) -> tuple[str, ...]:
    """The words of a text, for long lists of names."""
    return tuple(text.split())
