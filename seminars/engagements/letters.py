"""The facts of letters about proposals, engagements and retainers. Their wording lies under templates/mail/engagements/."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.consulting.models import Appointment
from seminars.engagements import hours
from seminars.engagements.models import Engagement, Milestone, Proposal, Retainer
from seminars.kit import format as fmt
from seminars.kit.references import fingerprint
from seminars.messages.outbox import Letter
from seminars.messages.render import Posted
from seminars.orders.letters import order_page

PROPOSAL = "engagements/proposal"
ANSWERED = "engagements/proposal_answered"
SLOTS_GONE = "engagements/slots_gone"
AGREED = "engagements/agreed"
SUBMITTED = "engagements/milestone_submitted"
ACCEPTED = "engagements/milestone_accepted"
CANCELLED = "engagements/cancelled"
SOLD = "engagements/retainer_sold"
ACTIVE = "engagements/retainer_active"
LOW = "engagements/retainer_low"
EXPIRED = "engagements/retainer_expired"


def proposal_page(proposal: Proposal, letterhead: Letterhead) -> str:
    """The secret address of one version."""
    return f"{letterhead.base_url}/proposals/{proposal.secret}"


def engagement_page(engagement: Engagement, letterhead: Letterhead) -> str:
    """The secret address of the client's page."""
    return f"{letterhead.base_url}/engagements/{engagement.secret}"


def retainer_page(retainer: Retainer, letterhead: Letterhead) -> str:
    """The secret address of the statement."""
    return f"{letterhead.base_url}/retainers/{retainer.secret}"


def proposal_sent(proposal: Proposal, *, letterhead: Letterhead) -> Letter:
    """The offer, with its PDF and the link under which it is answered. A newer version takes the place of one that has not gone out."""
    name = f"proposal-{proposal.number}-{proposal.version}.pdf"
    facts = _of_proposal(proposal, letterhead) | {"attachments": [{"reference": proposal.reference, "name": name}]}
    return _to_client(PROPOSAL, proposal.reference, proposal, facts, proposal.reference)


def proposal_answered(proposal: Proposal, *, letterhead: Letterhead) -> Letter:
    """To the center: the client said yes or no."""
    facts = _of_proposal(proposal, letterhead) | {
        "answer": proposal.state,
        "by": proposal.answered_by,
        "note": proposal.answer_note,
        "desk": f"{letterhead.base_url}/staff/proposals/{proposal.id}",
    }
    return _to_center(ANSWERED, proposal.reference, facts, letterhead, proposal.reference)


def slots_gone(proposal: Proposal, gone: Sequence[str], *, letterhead: Letterhead) -> Letter:
    """To the center: the client wanted to accept, and something is taken. Once for the same things."""
    facts = _of_proposal(proposal, letterhead) | {"gone": list(gone), "desk": f"{letterhead.base_url}/staff/proposals/{proposal.id}"}
    key = f"{proposal.reference}:{fingerprint(';'.join(gone))[:16]}"
    return _to_center(SLOTS_GONE, key, facts, letterhead, proposal.reference)


def agreed(engagement: Engagement, appointments: Sequence[Appointment], *, letterhead: Letterhead) -> Letter:
    """The client has accepted: what was agreed, what comes next, and their page."""
    proposal = engagement.proposal
    facts = _of_proposal(proposal, letterhead) | {
        "page": engagement_page(engagement, letterhead),
        "engagement": engagement.number,
        "by": proposal.answered_by,
        "on": _moment(proposal.answered_at, proposal.zone),
        "days": [
            f"{fmt.weekday(fmt.local(one.starts_at, one.zone))}, {fmt.time_range(one.starts_at, one.ends_at, one.zone)}"
            for one in appointments
        ],
        "milestones": [{"title": part.title, "amount": _money(part.amount, part.engagement.currency)} for part in engagement.milestones],
    }
    return _to_client(AGREED, engagement.reference, proposal, facts, engagement.reference, proposal.reference)


def milestone_submitted(milestone: Milestone, *, letterhead: Letterhead) -> Letter:
    """A part is done: the client is asked to look at it and accept it."""
    since = f"{milestone.submitted_at:%Y%m%dT%H%M%S}" if milestone.submitted_at else ""
    facts = _of_milestone(milestone, letterhead) | {"note": milestone.note}
    return _of_engagement(SUBMITTED, f"{milestone.reference}:{since}", milestone, facts)


def milestone_accepted(milestone: Milestone, *, letterhead: Letterhead) -> Letter:
    """The client has accepted a part: who and when, and how it is paid. The invoice follows with its document."""
    assert milestone.order is not None
    facts = _of_milestone(milestone, letterhead) | {
        "by": milestone.accepted_by,
        "on": _moment(milestone.accepted_at, milestone.engagement.proposal.zone),
        "order": milestone.order.number,
        "order_page": order_page(milestone.order, letterhead),
    }
    return _of_engagement(ACCEPTED, milestone.reference, milestone, facts)


def engagement_cancelled(engagement: Engagement, reason: str, *, letterhead: Letterhead) -> Letter:
    """It ends here: why, and what was billed and will not be."""
    proposal = engagement.proposal
    done = sum(part.amount for part in engagement.milestones if part.state == "accepted")
    facts = {
        "title": engagement.title,
        "number": engagement.number,
        "client": proposal.client_name,
        "reason": reason,
        "done": _money(done, engagement.currency),
        "not_billed": _money(engagement.total - done, engagement.currency),
        "page": engagement_page(engagement, letterhead),
    }
    return _to_client(CANCELLED, engagement.reference, proposal, facts, engagement.reference)


def retainer_sold(retainer: Retainer, *, letterhead: Letterhead) -> Letter:
    """Hours were sold: what they cost, and how they are paid."""
    return _to_client(SOLD, retainer.reference, retainer, _of_retainer(retainer, letterhead), retainer.reference)


def retainer_active(retainer: Retainer, *, letterhead: Letterhead) -> Letter:
    """The hours are paid and can be used."""
    return _to_client(ACTIVE, retainer.reference, retainer, _of_retainer(retainer, letterhead), retainer.reference)


def retainer_low(retainer: Retainer, *, letterhead: Letterhead) -> Letter:
    """Little is left. Said once."""
    return _to_client(LOW, retainer.reference, retainer, _of_retainer(retainer, letterhead), retainer.reference)


def retainer_expired(retainer: Retainer, unused: int, *, letterhead: Letterhead) -> Letter:
    """The last day is over, and what came of the hours that were left."""
    facts = _of_retainer(retainer, letterhead) | {"unused": hours.told(unused) if unused else ""}
    return _to_client(EXPIRED, retainer.reference, retainer, facts, retainer.reference)


def still_open(session: Session, messages: Sequence[Posted]) -> Collection[int]:
    """The ids of those whose proposal can still be answered."""
    return _wanted(session, messages, select(Proposal.id).where(Proposal.state == "sent"), Proposal.id)


def still_submitted(session: Session, messages: Sequence[Posted]) -> Collection[int]:
    """The ids of those whose milestone still waits for the client."""
    return _wanted(session, messages, select(Milestone.id).where(Milestone.state == "submitted"), Milestone.id)


def _wanted(session: Session, messages: Sequence[Posted], asked: Any, column: Any) -> Collection[int]:
    about = {message.id: int(message.references[0].partition("/")[2]) for message in messages}
    found = set(session.scalars(asked.where(column.in_(about.values()))))
    return [message_id for message_id, number in about.items() if number in found]


def _of_proposal(proposal: Proposal, letterhead: Letterhead) -> dict[str, Any]:
    return {
        "number": proposal.number,
        "version": proposal.version,
        "title": proposal.title,
        "client": proposal.client_name,
        "organisation": proposal.organisation,
        "total": _money(proposal.total, proposal.currency),
        "valid_until": _moment(proposal.valid_until, proposal.zone),
        "page": proposal_page(proposal, letterhead),
    }


def _of_milestone(milestone: Milestone, letterhead: Letterhead) -> dict[str, Any]:
    engagement = milestone.engagement
    return {
        "title": milestone.title,
        "engagement": engagement.title,
        "number": engagement.number,
        "client": engagement.proposal.client_name,
        "amount": _money(milestone.amount, engagement.currency),
        "page": engagement_page(engagement, letterhead),
    }


def _of_retainer(retainer: Retainer, letterhead: Letterhead) -> dict[str, Any]:
    assert retainer.order is not None
    return {
        "number": retainer.number,
        "title": retainer.title,
        "client": retainer.client_name,
        "hours": hours.told(retainer.minutes),
        "left": hours.told(retainer.minutes - retainer.drawn),
        "rate": _money(retainer.rate, retainer.currency),
        "total": _money(retainer.order.total, retainer.currency),
        "expires_on": fmt.day(retainer.expires_on) if retainer.expires_on else "",
        "page": retainer_page(retainer, letterhead),
        "order": retainer.order.number,
        "order_page": order_page(retainer.order, letterhead),
    }


def _of_engagement(kind: str, key: str, milestone: Milestone, facts: dict[str, Any]) -> Letter:
    engagement = milestone.engagement
    return _to_client(kind, key, engagement.proposal, facts, milestone.reference, engagement.reference)


def _to_client(kind: str, key: str, client: Proposal | Retainer, facts: dict[str, Any], *references: str) -> Letter:
    return Letter(kind=kind, key=f"{kind}:{key}", to=client.client_email, name=client.client_name, facts=facts, references=references)


def _to_center(kind: str, key: str, facts: dict[str, Any], letterhead: Letterhead, *references: str) -> Letter:
    center = letterhead.center
    return Letter(kind=kind, key=f"{kind}:{key}", to=center.email, name=center.name, facts=facts, references=references)


def _money(amount: int, currency: str) -> dict[str, Any]:
    return {"amount": amount, "currency": currency}


def _moment(at: datetime | None, zone: str) -> str:
    return fmt.moment(at, zone) if at is not None else ""
