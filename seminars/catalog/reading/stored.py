"""A plan as it is kept between the dry run and the press of the button: plain facts that a database can hold."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from seminars.catalog.reading.plan import EventPlan, SessionRow


def facts_of(plan: EventPlan) -> dict[str, Any]:
    """All of a plan, in text, numbers and lists."""
    facts = asdict(plan)
    for session in facts["sessions"]:
        session["starts_local"] = session["starts_local"].isoformat()
        session["ends_local"] = session["ends_local"].isoformat()
    return {**facts, "sessions": list(facts["sessions"]), "categories": list(plan.categories)}


def plan_of(facts: dict[str, Any]) -> EventPlan:
    """The plan that these facts tell."""
    sessions = tuple(
        SessionRow(
            **{
                **session,
                "starts_local": datetime.fromisoformat(session["starts_local"]),
                "ends_local": datetime.fromisoformat(session["ends_local"]),
            }
        )
        for session in facts["sessions"]
    )
    return EventPlan(**{**facts, "sessions": sessions, "categories": tuple(facts["categories"])})
