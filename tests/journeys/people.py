"""Who registers in the journeys; each story has people of its own, so that a mailbox tells one story only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """Somebody who works at a hospital."""

    name: str
    email: str


def person(name: str, story: str) -> Person:
    """Somebody whose address says in which story they appear."""
    return Person(name, f"{name.split()[0].lower()}.{story.lower()}@quillhaven.example")
