"""Somebody or some room is taken already: staff see who is where and when, and may do it all the same with a reason."""

from collections.abc import Sequence

from flask import request
from flask.typing import ResponseReturnValue

from seminars.catalog.claims import Clashing
from seminars.web.staff.door import page
from seminars.web.staff.telling import all_typed

REASON = "override_reason"
LONGEST_REASON = 300


def reason_typed() -> str:
    """Why staff do it all the same, if they do."""
    return request.form.get(REASON, "").strip()[:LONGEST_REASON]


def why_typed() -> str:
    """What stands on the timeline: the reason of the change, and the one to lay it over something else."""
    return "; ".join(why for why in (request.form.get("why", "").strip(), reason_typed()) if why)


def clash_page(clashing: Clashing, *, back: str) -> ResponseReturnValue:
    """An event would be where somebody or some room is taken already."""
    return taken_page(clashing.sentences, section="Programme", back=back, hint="Stands on the event's page and on its timeline.")


def taken_page(sentences: Sequence[str], *, section: str, back: str, hint: str) -> ResponseReturnValue:
    """Nothing has been changed: who is where, and the same once more with a reason, of which `hint` says where it will stand."""
    typed = [(name, value) for name, value in all_typed() if name != REASON]
    facts = {"sentences": sentences, "typed": typed, "back": back, "most": LONGEST_REASON, "hint": hint}
    return page("clash.html", section=section, **facts), 409
