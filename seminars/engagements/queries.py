"""Proposals, engagements and retainers as pages and the desk ask for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from seminars.catalog.models import Event
from seminars.consulting.models import Consultant, Offering
from seminars.engagements.models import (
    Engagement,
    EngagementAppointment,
    EngagementEvent,
    Milestone,
    Proposal,
    ProposalLine,
    Retainer,
    TimeLog,
)
from seminars.kit.refusals import NotFound

PAGE = 50
_LINES = (
    selectinload(Proposal.lines).options(
        joinedload(ProposalLine.consultant), joinedload(ProposalLine.event), joinedload(ProposalLine.offering)
    ),
    selectinload(Proposal.milestones),
)
_DELIVERY = (
    joinedload(Engagement.proposal),
    selectinload(Engagement.milestones).joinedload(Milestone.order),
    selectinload(Engagement.appointments).joinedload(EngagementAppointment.appointment),
    selectinload(Engagement.events).joinedload(EngagementEvent.event),
    selectinload(Engagement.documents),
)


@dataclass(frozen=True)
class Choices:
    """What the lines of a proposal can name."""

    consultants: Sequence[Consultant]
    offerings: Sequence[Offering]
    events: Sequence[Event]


def proposal_by_secret(session: Session, secret: str) -> Proposal | None:
    """The version that this link opens; a draft has no link yet."""
    return session.scalar(select(Proposal).where(Proposal.secret == secret, Proposal.state != "draft").options(*_LINES))


def proposal_by_id(session: Session, proposal_id: int) -> Proposal:
    """One version. Raises NotFound."""
    found = session.scalar(select(Proposal).where(Proposal.id == proposal_id).options(*_LINES))
    if found is None:
        raise NotFound("There is no such proposal.")
    return found


def proposals_page(session: Session, *, state: str = "", before: int | None = None) -> Sequence[Proposal]:
    """Versions, newest first: one more than a page holds, so that the page knows of the next. Superseded ones only when asked for."""
    asked = select(Proposal).order_by(Proposal.id.desc()).limit(PAGE + 1)
    asked = asked.where(Proposal.state == state) if state else asked.where(Proposal.state != "superseded")
    return session.scalars(asked.where(Proposal.id < before) if before else asked).all()


def engagement_by_secret(session: Session, secret: str) -> Engagement | None:
    """The engagement that this link opens."""
    return session.scalar(select(Engagement).where(Engagement.secret == secret).options(*_DELIVERY))


def engagement_by_id(session: Session, engagement_id: int) -> Engagement:
    """One engagement. Raises NotFound."""
    found = session.scalar(select(Engagement).where(Engagement.id == engagement_id).options(*_DELIVERY))
    if found is None:
        raise NotFound("There is no such engagement.")
    return found


def engagement_of(session: Session, proposal: Proposal) -> Engagement | None:
    """What became of an accepted proposal."""
    return session.scalar(select(Engagement).where(Engagement.proposal_id == proposal.id))


def engagements_page(session: Session, *, before: int | None = None) -> Sequence[Engagement]:
    """Engagements, newest first: one more than a page holds."""
    asked = select(Engagement).options(joinedload(Engagement.proposal), selectinload(Engagement.milestones))
    asked = asked.order_by(Engagement.id.desc()).limit(PAGE + 1)
    return session.scalars(asked.where(Engagement.id < before) if before else asked).all()


def milestone_of(engagement: Engagement, milestone_id: int) -> Milestone:
    """One of this engagement's milestones. Raises NotFound, also for another engagement's."""
    for milestone in engagement.milestones:
        if milestone.id == milestone_id:
            return milestone
    raise NotFound("There is no such milestone here.")


def retainer_by_secret(session: Session, secret: str) -> Retainer | None:
    """The retainer that this link opens."""
    return session.scalar(select(Retainer).where(Retainer.secret == secret).options(joinedload(Retainer.order)))


def retainer_by_id(session: Session, retainer_id: int) -> Retainer:
    """One retainer. Raises NotFound."""
    found = session.scalar(select(Retainer).where(Retainer.id == retainer_id).options(joinedload(Retainer.order)))
    if found is None:
        raise NotFound("There is no such retainer.")
    return found


def retainers_page(session: Session, *, before: int | None = None) -> Sequence[Retainer]:
    """Retainers, newest first: one more than a page holds."""
    asked = select(Retainer).options(joinedload(Retainer.order)).order_by(Retainer.id.desc()).limit(PAGE + 1)
    return session.scalars(asked.where(Retainer.id < before) if before else asked).all()


def logs_of(session: Session, retainer: Retainer) -> Sequence[TimeLog]:
    """Hours worked for a retainer, in the order in which they were logged: the balance runs along them."""
    asked = select(TimeLog).where(TimeLog.retainer_id == retainer.id).options(joinedload(TimeLog.consultant))
    return session.scalars(asked.order_by(TimeLog.id)).all()


def consultant_of_user(session: Session, user_id: int) -> Consultant | None:
    """The consultant that this login is, if it is one."""
    return session.scalar(select(Consultant).where(Consultant.user_id == user_id))


def choices(session: Session) -> Choices:
    """Consultants, offerings and private events that a line can name."""
    private = select(Event).where(Event.listed.is_(False), Event.state.in_(("draft", "published")))
    return Choices(
        session.scalars(select(Consultant).where(Consultant.active).order_by(Consultant.name)).all(),
        session.scalars(select(Offering).where(Offering.state != "archived").order_by(Offering.title)).all(),
        session.scalars(private.order_by(Event.starts_at, Event.id)).all(),
    )


def unanswered(session: Session, *, since: datetime, most: int = PAGE) -> Sequence[Proposal]:
    """Proposals whose time ran out since then without an answer, and that no newer version has replaced."""
    asked = select(Proposal).where(Proposal.state == "expired", Proposal.valid_until >= since)
    return session.scalars(asked.order_by(Proposal.valid_until).limit(most)).all()


def overdue(session: Session, *, today: date, most: int = PAGE) -> Sequence[Milestone]:
    """Parts of engagements that were expected before today and are not submitted."""
    asked = select(Milestone).join(Engagement).where(Engagement.state == "active", Milestone.state == "planned", Milestone.due_on < today)
    return session.scalars(asked.options(contains_eager(Milestone.engagement)).order_by(Milestone.due_on, Milestone.id).limit(most)).all()


def to_be_billed(session: Session, *, most: int = PAGE) -> Sequence[tuple[Retainer, int, datetime]]:
    """Retainers beyond which hours were worked that no order bills: how much in minor units, and since when."""
    asked = (
        select(Retainer, func.sum(TimeLog.unbilled), func.min(TimeLog.logged_at))
        .join(TimeLog, TimeLog.retainer_id == Retainer.id)
        .where(TimeLog.unbilled > 0, TimeLog.order_id.is_(None))
        .group_by(Retainer.id)
        .order_by(func.min(TimeLog.logged_at))
        .limit(most)
    )
    return [(retainer, int(amount), since) for retainer, amount, since in session.execute(asked)]


def find(session: Session, words: str, *, most: int) -> list[Proposal | Engagement | Retainer]:
    """Proposals, engagements and retainers by number, title, client or organisation, newest first; of a proposal its newest version."""

    def fits(*fields: Any) -> ColumnElement[bool]:
        return or_(*(field.icontains(words, autoescape=True) for field in fields))

    client = ("number", "title", "client_name", "client_email", "organisation")
    offers = select(Proposal).where(fits(*(getattr(Proposal, name) for name in client)), Proposal.state != "superseded")
    bought = select(Retainer).where(fits(*(getattr(Retainer, name) for name in client)))
    agreed = select(Engagement).where(fits(Engagement.number, Engagement.title))
    return [
        *session.scalars(offers.order_by(Proposal.id.desc()).limit(most)),
        *session.scalars(agreed.order_by(Engagement.id.desc()).limit(most)),
        *session.scalars(bought.order_by(Retainer.id.desc()).limit(most)),
    ]
