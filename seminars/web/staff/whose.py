"""Whose week, hours and appointments somebody may open: consultants their own, those who manage them everybody's."""

from flask import abort
from sqlalchemy.orm import Session

from seminars.consulting import queries
from seminars.consulting.models import Appointment, Consultant
from seminars.desk import consulting as reads
from seminars.people import permissions as may
from seminars.people.permissions import Right
from seminars.web.shared.guards import the_user


def own(session: Session) -> Consultant | None:
    """The consultant who is signed in, if it is one."""
    return queries.consultant_of_user(session, the_user().id)


def the_consultant(session: Session, consultant_id: int, *, others: Right) -> Consultant:
    """That consultant, if it is oneself or one has the right to others. Raises NotFound; refuses everybody else."""
    found = reads.consultant_by_id(session, consultant_id)
    if found.user_id != the_user().id and not others(the_user()):
        abort(403)
    return found


def the_appointment(session: Session, appointment_id: int) -> Appointment:
    """That appointment, if it is one's own or one manages them. Raises NotFound; refuses everybody else."""
    found = reads.appointment_by_id(session, appointment_id)
    if not may.manage_appointments(the_user()) and the_user().id not in {one.user_id for one in found.consultants}:
        abort(403)
    return found
