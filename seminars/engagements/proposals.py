"""Sends proposals, and takes the client's no. The yes is in `acceptance`."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog import events
from seminars.config import Letterhead
from seminars.db import ring
from seminars.engagements import documents, letters
from seminars.engagements.drafting import versions_of
from seminars.engagements.locking import hold_still
from seminars.engagements.models import Proposal, ProposalDocument, ProposalLine
from seminars.invoices.facts import hash_of
from seminars.kit import format as fmt
from seminars.kit import typed
from seminars.kit.refusals import Conflict
from seminars.messages import outbox
from seminars.schedule import claims
from seminars.schedule.claims import Clash, Span

SENT = "proposals"
"""The bell that wakes who renders proposals."""


class Superseded(Conflict):
    """A newer version has been sent, and only that one can be answered."""

    def __init__(self) -> None:
        super().__init__("A newer version of this proposal has taken its place. Please use the link in our newest mail.")


class Expired(Conflict):
    """The time in which it could be accepted is over."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(
            f"This proposal could be accepted until {fmt.moment(proposal.valid_until, proposal.zone)}. Write to us, and we will renew it."
        )


class Answered(Conflict):
    """It has been answered already. Says by whom and when."""

    def __init__(self, proposal: Proposal) -> None:
        assert proposal.answered_at is not None
        when = fmt.moment(proposal.answered_at, proposal.zone)
        super().__init__(f"{proposal.answered_by} has {proposal.state} this proposal already, on {when}.")


def send(session: Session, proposal: Proposal, *, letterhead: Letterhead, now: datetime) -> Proposal:
    """Send a draft to the client: from now on it says what it says, and it takes the place of the version sent before. Raises Conflict."""
    versions = versions_of(session, proposal.number, lock=True)
    if proposal.state != "draft":
        raise Conflict("This version has been sent already.")
    if any(one.state == "accepted" for one in versions):
        raise Conflict("An earlier version of this proposal has been accepted meanwhile.")
    _must_be_possible(proposal, now=now)
    for older in versions:
        if older.state in ("sent", "expired"):
            older.state = "superseded"
    session.flush()
    facts = documents.facts_of(proposal, letterhead=letterhead, now=now)
    proposal.state, proposal.sent_at, proposal.facts_hash = "sent", now, hash_of(facts)
    session.add(ProposalDocument(proposal_id=proposal.id, facts=facts))
    session.flush()
    outbox.post(session, letters.proposal_sent(proposal, letterhead=letterhead), now=now)
    ring(session, SENT)
    return proposal


def decline(session: Session, proposal: Proposal, *, name: str, note: str, address: str, letterhead: Letterhead, now: datetime) -> Proposal:
    """The client says no. Raises BadInput without a name, and Superseded, Expired or Answered."""
    hold_still(session, proposal)
    must_be_open(proposal, now=now)
    answer(proposal, "declined", name=name, address=address, now=now)
    proposal.answer_note = typed.paragraphs(note, field="note", most=2_000)
    session.flush()
    outbox.post(session, letters.proposal_answered(proposal, letterhead=letterhead), now=now)
    return proposal


def expire_due(session: Session, *, now: datetime) -> int:
    """Close proposals whose time is over; how many there were."""
    over = select(Proposal.id).where(Proposal.state == "sent", Proposal.valid_until <= now).order_by(Proposal.id)
    due = session.scalars(over.with_for_update(skip_locked=True)).all()
    for proposal in session.scalars(select(Proposal).where(Proposal.id.in_(due)).execution_options(populate_existing=True)):
        proposal.state = "expired"
    session.flush()
    return len(due)


def standing(proposal: Proposal, *, now: datetime) -> str:
    """Its state as it is at this moment, whether or not the timetable has come round."""
    return "expired" if proposal.state == "sent" and proposal.valid_until <= now else proposal.state


def must_be_open(proposal: Proposal, *, now: datetime) -> None:
    """Raises Superseded, Expired or Answered when the client can no longer answer this version."""
    match standing(proposal, now=now):
        case "sent":
            return
        case "accepted" | "declined":
            raise Answered(proposal)
        case "expired":
            raise Expired(proposal)
        case _:
            raise Superseded()


def answer(proposal: Proposal, state: str, *, name: str, address: str, now: datetime) -> None:
    """Write down who answered, when and from where. Raises BadInput without a name."""
    proposal.answered_by = typed.one_line(name, field="name", most=200)
    proposal.state, proposal.answered_at, proposal.answered_from = state, now, address[:64]


def dated(proposal: Proposal) -> list[ProposalLine]:
    """The lines that take time when it is accepted, earliest first."""
    return sorted((line for line in proposal.lines if line.starts_at), key=lambda line: (line.starts_at, line.position))


def span_of(line: ProposalLine) -> Span:
    """The time that a dated line takes."""
    assert line.consultant and line.starts_at and line.ends_at
    return Span(line.consultant.resource_id, line.starts_at, line.ends_at, "appointment", line.proposal.title)


def in_the_way(session: Session, proposal: Proposal, *, now: datetime) -> Sequence[tuple[ProposalLine, Clash]]:
    """What lies over the proposed days at this moment: for staff, who may still write another version."""
    found = []
    for line in dated(proposal):
        found += [(line, clash) for clash in claims.clashes(session, [span_of(line)], now=now)]
    return found


def when(line: ProposalLine, zone: str) -> str:
    """«Tuesday 4 May 2027, 9:00 am to 5:00 pm CDT»."""
    assert line.starts_at and line.ends_at
    return f"{fmt.weekday(fmt.local(line.starts_at, zone))}, {fmt.time_range(line.starts_at, line.ends_at, zone)}"


def _must_be_possible(proposal: Proposal, *, now: datetime) -> None:
    if proposal.valid_until <= now:
        raise Conflict("The time in which this could be accepted is over. Choose a later day first.")
    gone = [line for line in dated(proposal) if line.starts_at and line.starts_at <= now]
    if gone:
        raise Conflict(f"{when(gone[0], proposal.zone)} has passed. Choose another day first.")
    for line in proposal.lines:
        if line.event is not None and line.event.state == "draft":
            missing = events.missing(line.event, now=now)
            if missing:
                raise Conflict(f"{line.event.title} is not ready: {'; '.join(missing)}. It is published when the client accepts.")
