"""The webhook inbox: what arrives is verified at the door, filed here once under its id, and answered later."""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seminars.db import ring
from seminars.gateways.stripe import EventNotice
from seminars.payments.models import StripeEvent


def accept(session: Session, notice: EventNotice, *, source: str, now: datetime) -> bool:
    """File a message; whether it is new. Twice is once. A new one rings the workers' bell at commit."""
    made = session.execute(
        insert(StripeEvent)
        .values(
            id=notice.id,
            type=notice.type,
            object_id=notice.object_id,
            api_version=notice.api_version,
            payload=_kept(notice),
            created=notice.created,
            received_at=now,
            source=source,
            state="pending",
            reason="",
            attempts=0,
            not_before=now,
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(StripeEvent.id)
    ).scalar_one_or_none()
    if made is None:
        return False
    ring(session, "stripe")
    return True


def _kept(notice: EventNotice) -> dict[str, Any]:
    """What is kept of the message for people who look into it: the object named, not the persons in it."""
    found = notice.payload.get("data", {}).get("object", {})
    kept = {
        name: found[name]
        for name in ("id", "object", "status", "payment_status", "amount", "amount_total", "currency", "metadata")
        if name in found
    }
    return {"request": notice.payload.get("request"), "object": kept}
