"""What the desk reads of consulting: the meetings of a week, what waits for a person, and what surrounds one appointment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from seminars.catalog.models import Speaker
from seminars.consulting.models import Appointment, Consultant, Offering
from seminars.engagements.models import Engagement, EngagementAppointment, Retainer, TimeLog
from seminars.kit.refusals import NotFound
from seminars.orders.models import OrderLine
from seminars.people.models import Role, User

BOOKED = ("held", "requested", "confirmed", "delivered", "no_show")
LATE = timedelta(hours=24)
"""After so long without a fresh copy, a calendar counts as one that cannot be read."""
_WITH_OFFERING = (joinedload(Appointment.offering).selectinload(Offering.lengths), selectinload(Appointment.consultants))


@dataclass(frozen=True)
class Surroundings:
    """What belongs to an appointment: the order line that sold it, the engagement it is part of, the hours logged, open retainers."""

    line: OrderLine | None
    engagement: Engagement | None
    log: TimeLog | None
    retainers: Sequence[Retainer]

    @property
    def loggable(self) -> bool:
        """Whether hours may be logged: what was paid for by itself, or is part of an engagement, draws on no retainer."""
        return self.log is None and self.engagement is None and (self.line is None or not self.line.net)


def appointment_by_id(session: Session, appointment_id: int) -> Appointment:
    """One appointment that has a client, with its offering and people. Raises NotFound."""
    asked = select(Appointment).where(Appointment.id == appointment_id, Appointment.client_email.is_not(None))
    found = session.scalar(asked.options(*_WITH_OFFERING))
    if found is None:
        raise NotFound("There is no such appointment.")
    return found


def offering_by_id(session: Session, offering_id: int) -> Offering:
    """One offering with its lengths and people. Raises NotFound."""
    people = selectinload(Offering.consultants).options(selectinload(Consultant.hours), selectinload(Consultant.exceptions))
    asked = select(Offering).where(Offering.id == offering_id)
    found = session.scalar(asked.options(people, selectinload(Offering.lengths), joinedload(Offering.policy)))
    if found is None:
        raise NotFound("There is no such offering.")
    return found


def consultant_by_id(session: Session, consultant_id: int) -> Consultant:
    """One consultant with hours and exceptions. Raises NotFound."""
    asked = select(Consultant).where(Consultant.id == consultant_id)
    found = session.scalar(asked.options(selectinload(Consultant.hours), selectinload(Consultant.exceptions)))
    if found is None:
        raise NotFound("There is no such consultant.")
    return found


def meetings_between(session: Session, first: datetime, last: datetime, *, most: int = 200) -> Sequence[Appointment]:
    """Appointments of everybody that have a client and begin in the window, earliest first."""
    asked = (
        select(Appointment)
        .where(
            Appointment.starts_at >= first,
            Appointment.starts_at < last,
            Appointment.state.in_(BOOKED),
            Appointment.client_email.is_not(None),
        )
        .options(*_WITH_OFFERING)
    )
    return session.scalars(asked.order_by(Appointment.starts_at, Appointment.id).limit(most)).all()


def to_mark(session: Session, *, consultant_user: int | None, now: datetime, most: int = 50) -> Sequence[Appointment]:
    """Confirmed appointments that are over, oldest first; only those of the consultant who signs in as that user, if one is named."""
    asked = select(Appointment).where(Appointment.state == "confirmed", Appointment.ends_at <= now).options(*_WITH_OFFERING)
    if consultant_user is not None:
        asked = asked.where(Appointment.consultants.any(Consultant.user_id == consultant_user))
    return session.scalars(asked.order_by(Appointment.ends_at, Appointment.id).limit(most)).all()


def unread_calendars(session: Session, *, now: datetime) -> Sequence[Consultant]:
    """Consultants whose own calendar could not be read, or not for a day: what stands in it blocks nothing new."""
    stale = Consultant.busy_read_at < now - LATE
    asked = select(Consultant).where(Consultant.active, Consultant.busy_url != "", or_(Consultant.busy_trouble != "", stale))
    return session.scalars(asked.order_by(Consultant.name, Consultant.id)).all()


def surroundings_of(session: Session, appointment: Appointment) -> Surroundings:
    """All that belongs to this appointment outside of consulting."""
    line = select(OrderLine).where(OrderLine.appointment_id == appointment.id).options(joinedload(OrderLine.order))
    part = (
        select(Engagement)
        .join(EngagementAppointment, EngagementAppointment.engagement_id == Engagement.id)
        .where(EngagementAppointment.appointment_id == appointment.id)
    )
    log = select(TimeLog).where(TimeLog.appointment_id == appointment.id).options(joinedload(TimeLog.retainer))
    theirs = select(Retainer).where(Retainer.state == "active", Retainer.client_email == appointment.client_email)
    return Surroundings(
        session.scalar(line), session.scalar(part), session.scalar(log), session.scalars(theirs.order_by(Retainer.id)).all()
    )


def logins_of_consultants(session: Session) -> Sequence[User]:
    """Open logins with the role of a consultant, by name."""
    asked = select(User).where(User.active, User.roles.any(Role.name == "consultant"))
    return session.scalars(asked.order_by(User.name, User.id)).all()


def speakers_who_do_not_advise(session: Session) -> Sequence[Speaker]:
    """People who teach and are not known as consultants, by name: a new consultant can be one of them."""
    advise = select(Consultant.resource_id)
    return session.scalars(select(Speaker).where(Speaker.resource_id.not_in(advise)).order_by(Speaker.name, Speaker.id)).all()


def speaker_of(session: Session, consultant: Consultant) -> Speaker | None:
    """Under which name this consultant teaches, if they do."""
    return session.scalar(select(Speaker).where(Speaker.resource_id == consultant.resource_id).limit(1))
