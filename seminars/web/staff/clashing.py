"""Somebody or some room is taken already: staff see who is where and when, and may do it all the same with a reason."""

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
    """Nothing has been changed: who is where, and the same once more with a reason."""
    typed = [(name, value) for name, value in all_typed() if name != REASON]
    facts = {"section": "Programme", "sentences": clashing.sentences, "typed": typed, "back": back, "most": LONGEST_REASON}
    return page("events/clash.html", **facts), 409
