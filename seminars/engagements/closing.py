"""Ends an engagement before all of it is done."""

from datetime import datetime

from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.consulting import announcing, appointments
from seminars.consulting.models import Appointment
from seminars.engagements import letters
from seminars.engagements.locking import hold_still
from seminars.engagements.models import Engagement
from seminars.kit import typed
from seminars.kit.refusals import Conflict
from seminars.messages import outbox


def cancel(session: Session, engagement: Engagement, *, reason: str, letterhead: Letterhead, now: datetime) -> list[Appointment]:
    """Call it off: days to come are given back, parts that nobody accepted are never billed; what was accepted stays as it is.

    Private events stay in the programme, because people may have seats in them. Raises BadInput without a reason, Conflict.
    """
    hold_still(session, engagement)
    if engagement.state != "active":
        raise Conflict(f"This engagement is {engagement.state}.")
    reason = typed.one_line(reason, field="reason", most=300)
    engagement.state, engagement.closed_at = "cancelled", now
    given_back = appointments.cancel(session, days_ahead(engagement, now=now), reason=reason, now=now)
    session.flush()
    announcing.tell_cancelled(session, given_back, letterhead=letterhead, now=now)
    outbox.post(session, letters.engagement_cancelled(engagement, reason, letterhead=letterhead), now=now)
    return given_back


def days_ahead(engagement: Engagement, *, now: datetime) -> list[Appointment]:
    """The days that would be given back."""
    return [one.appointment for one in engagement.appointments if one.appointment.state == "confirmed" and one.appointment.starts_at > now]
