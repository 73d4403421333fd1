"""The client says yes: engagement, milestones, meetings and private events are made in one go, or nothing is."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Sequence as SqlSequence
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog import claims as event_claims
from seminars.catalog import events
from seminars.catalog.models import Event
from seminars.config import Letterhead
from seminars.consulting import announcing
from seminars.consulting.consultants import CODE, CODE_LETTERS
from seminars.consulting.models import Appointment
from seminars.engagements import letters, proposals
from seminars.engagements.locking import hold_still
from seminars.engagements.models import (
    Engagement,
    EngagementAppointment,
    EngagementEvent,
    Milestone,
    Proposal,
    ProposalLine,
)
from seminars.kit import typed
from seminars.kit.references import secret
from seminars.kit.refusals import Conflict, Refusal
from seminars.messages import outbox
from seminars.schedule import claims
from seminars.schedule.claims import Taken

ENGAGEMENT_IDS = SqlSequence("engagements_id_seq")


class SlotsGone(Conflict):
    """Somebody else has taken what was proposed, or its time has passed. Names what is gone."""

    def __init__(self, gone: Sequence[str]) -> None:
        self.gone = list(gone)
        super().__init__(
            f"Nothing was accepted, because this can no longer be held: {'; '.join(gone)}. "
            "We have been told, and will send you a new version with other days."
        )


def accept(
    session: Session,
    proposal: Proposal,
    *,
    name: str,
    address: str,
    po_number: str = "",
    letterhead: Letterhead,
    now: datetime,
) -> Engagement:
    """Accept a proposal in the name that was typed, from that address. All of it or nothing.

    Raises BadInput without a name, Superseded, Expired, Answered, and SlotsGone.
    """
    hold_still(session, proposal)
    proposals.must_be_open(proposal, now=now)
    with session.begin_nested():
        proposals.answer(proposal, "accepted", name=name, address=address, now=now)
        proposal.po_number = typed.one_line(po_number, field="po_number", most=80, required=False) or proposal.po_number
        engagement = _engagement(session, proposal, prefix=letterhead.center.order_prefix, now=now)
        _hold_still(session, proposal)
        appointments = _take_days(session, engagement, now=now)
        _take_events(session, engagement, now=now)
        session.flush()
    outbox.post_all(
        session,
        [letters.agreed(engagement, appointments, letterhead=letterhead), letters.proposal_answered(proposal, letterhead=letterhead)],
        now=now,
    )
    announcing.tell_confirmed(session, appointments, letterhead=letterhead, now=now)
    return engagement


def _engagement(session: Session, proposal: Proposal, *, prefix: str, now: datetime) -> Engagement:
    engagement_id: int = session.scalar(select(ENGAGEMENT_IDS.next_value()))  # type: ignore[assignment]
    engagement = Engagement(
        id=engagement_id,
        proposal=proposal,
        number=f"{prefix}-E-{now.year}-{engagement_id:04d}",
        secret=secret(),
        title=proposal.title,
        state="active",
        currency=proposal.currency,
        total=proposal.total,
        created_at=now,
    )
    engagement.milestones = [
        Milestone(position=part.position, title=part.title, amount=part.amount, due_on=part.due_on, state="planned")
        for part in proposal.milestones
    ]
    session.add(engagement)
    session.flush()
    return engagement


def _hold_still(session: Session, proposal: Proposal) -> None:
    """Lock what will be taken in the order that everybody locks it: events, then people and rooms."""
    listed = sorted((line.event for line in proposal.lines if line.event is not None), key=lambda event: event.id)
    for event in listed:
        event_claims.hold_still(session, event)
    resources = {line.consultant.resource_id for line in proposal.lines if line.consultant is not None}
    for event in listed:
        resources |= {span.resource_id for spans in event_claims.wanted(event).values() for span in spans}
    claims.hold_still(session, resources)


def _take_days(session: Session, engagement: Engagement, *, now: datetime) -> list[Appointment]:
    """An appointment for each dated day, with the consultant's time. Raises SlotsGone."""
    lines = proposals.dated(engagement.proposal)
    zone = engagement.proposal.zone
    past = [line for line in lines if line.starts_at is not None and line.starts_at <= now]
    if past:
        raise SlotsGone([f"{_day(line, zone)} has passed" for line in past])
    made = [_appointment(engagement, line, now=now) for line in lines]
    session.add_all(made)
    session.flush()
    session.add_all(EngagementAppointment(engagement=engagement, appointment=one) for one in made)
    try:
        claims.take_all(session, {one.reference: [proposals.span_of(line)] for one, line in zip(made, lines, strict=True)}, now=now)
    except Taken as taken:
        lost = [line for line in lines if claims.clashes(session, [proposals.span_of(line)], now=now)]
        raise SlotsGone([_day(line, zone) for line in lost]) from taken
    session.flush()
    return made


def _appointment(engagement: Engagement, line: ProposalLine, *, now: datetime) -> Appointment:
    proposal, offering, consultant = engagement.proposal, line.offering, line.consultant
    assert offering and consultant and line.starts_at and line.ends_at
    place = {"in_person": offering.place, "client_site": proposal.organisation}.get(offering.mode, "")
    return Appointment(
        secret=secret(),
        offering=offering,
        minutes=int((line.ends_at - line.starts_at).total_seconds()) // 60,
        starts_at=line.starts_at,
        ends_at=line.ends_at,
        zone=proposal.zone,
        state="confirmed",
        client_name=proposal.client_name,
        client_email=proposal.client_email,
        organisation=proposal.organisation,
        place=place,
        join_url=consultant.video_link.replace(CODE, secret()[:CODE_LETTERS]) if offering.mode == "video" else "",
        consultants=[consultant],
        created_at=now,
        confirmed_at=now,
    )


def _take_events(session: Session, engagement: Engagement, *, now: datetime) -> None:
    """Publish the private events, which takes the time of who teaches and of their rooms. Raises SlotsGone."""
    for line in engagement.proposal.lines:
        if line.event is None:
            continue
        _must_be_free(session, line.event)
        try:
            if line.event.state != "published":
                events.publish(session, line.event, now=now)
        except Refusal as refused:
            raise SlotsGone([f"the event «{line.event.title}»"]) from refused
        engagement.events.append(EngagementEvent(event=line.event))


def _must_be_free(session: Session, event: Event) -> None:
    theirs = session.get(EngagementEvent, event.id) is not None
    if theirs or event.listed or event.state not in ("draft", "published"):
        raise SlotsGone([f"the event «{event.title}»"])


def _day(line: ProposalLine, zone: str) -> str:
    assert line.consultant is not None
    return f"{line.consultant.name}, {proposals.when(line, zone)}"
