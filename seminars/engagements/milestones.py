"""Delivers an engagement part by part: the center submits a milestone, the client accepts it, and that earns and bills it."""

from datetime import datetime

from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.engagements import billing, letters
from seminars.engagements.locking import hold_still
from seminars.engagements.models import Engagement, Milestone
from seminars.kit import format as fmt
from seminars.kit import typed
from seminars.kit.money import Money
from seminars.kit.refusals import Conflict
from seminars.ledger import journal, postings
from seminars.messages import outbox
from seminars.orders.models import Order
from seminars.orders.selling import Sale


def submit(session: Session, milestone: Milestone, *, note: str, letterhead: Letterhead, now: datetime) -> Milestone:
    """Say that a part is done and ask the client to accept it. Raises BadInput, Conflict."""
    _locked(session, milestone)
    if milestone.state != "planned":
        raise Conflict(f"This milestone is {milestone.state} already.")
    milestone.note = typed.paragraphs(note, field="note", most=5_000)
    milestone.state, milestone.submitted_at = "submitted", now
    session.flush()
    outbox.post(session, letters.milestone_submitted(milestone, letterhead=letterhead), now=now)
    return milestone


def take_back(session: Session, milestone: Milestone) -> Milestone:
    """Take a submitted part back, to work on it more. Raises Conflict once the client has accepted it."""
    _locked(session, milestone)
    if milestone.state != "submitted":
        raise Conflict(f"This milestone is {milestone.state}. Only a submitted one can be taken back.")
    milestone.state, milestone.submitted_at = "planned", None
    session.flush()
    return milestone


def accept(session: Session, milestone: Milestone, *, name: str, address: str, letterhead: Letterhead, now: datetime) -> Order:
    """The client accepts a part: it is earned (rule 56), ordered, invoiced, and can be paid. Raises BadInput, Conflict."""
    engagement = _locked(session, milestone)
    if milestone.state == "accepted":
        assert milestone.accepted_at is not None
        when = fmt.moment(milestone.accepted_at, engagement.proposal.zone)
        raise Conflict(f"{milestone.accepted_by} has accepted «{milestone.title}» already, on {when}.")
    if milestone.state != "submitted":
        raise Conflict(f"We are still working on «{milestone.title}». You can accept it when we have submitted it.")
    milestone.accepted_by = typed.one_line(name, field="name", most=200)
    milestone.accepted_from = address[:64]
    milestone.state, milestone.accepted_at = "accepted", now
    _earn(session, milestone, letterhead=letterhead, now=now)
    sale = Sale(milestone.reference, f"{engagement.title}: {milestone.title}", milestone.amount)
    milestone.order = billing.bill(session, [sale], engagement.proposal, letterhead=letterhead, now=now)
    if all(part.state == "accepted" for part in engagement.milestones):
        engagement.state, engagement.closed_at = "completed", now
    session.flush()
    outbox.post(session, letters.milestone_accepted(milestone, letterhead=letterhead), now=now)
    return milestone.order


def _earn(session: Session, milestone: Milestone, *, letterhead: Letterhead, now: datetime) -> None:
    engagement = milestone.engagement
    journal.post(
        session,
        source_kind=postings.ACCEPTANCE,
        source=milestone.reference,
        effective_on=billing.book_day(session, billing.today(letterhead, now)),
        about=engagement.reference,
        lines=postings.milestone_accepted(Money(milestone.amount, engagement.currency), milestone=milestone.reference),
        memo=f"{engagement.number}, {milestone.title}, accepted by {milestone.accepted_by}"[:500],
        now=now,
    )


def _locked(session: Session, milestone: Milestone) -> Engagement:
    """The engagement, held still with all its milestones, so that the last one accepted is known to be the last. Raises Conflict."""
    engagement = milestone.engagement
    hold_still(session, engagement)
    for part in engagement.milestones:
        session.refresh(part)
    if engagement.state == "cancelled":
        raise Conflict("This engagement is cancelled.")
    return engagement
