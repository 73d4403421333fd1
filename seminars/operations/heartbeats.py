"""What workers tell of the outside, so that the web can say how things stand without trying them itself."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seminars.operations.models import Heartbeat

BROKER, BEAT, MAIL, STRIPE, STRIPE_EVENTS = "broker", "beat", "mail", "stripe", "stripe_events"
LONGEST = 500


def record(session: Session, name: str, *, well: bool, detail: str = "", now: datetime) -> None:
    """Note how a neighbour did just now."""
    told = {"at": now, "well": well, "detail": detail[:LONGEST]}
    session.execute(insert(Heartbeat).values(name=name, **told).on_conflict_do_update(index_elements=[Heartbeat.name], set_=told))


def tried(try_it: Callable[[], object], *, troubles: tuple[type[Exception], ...]) -> tuple[bool, str]:
    """Whether a neighbour answered, and what is wrong where it did not."""
    try:
        try_it()
    except troubles as trouble:
        return False, str(trouble)
    return True, ""
