"""The PDF of a proposal: made from what was frozen when it was sent, outside any transaction, and kept for good."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.engagements.models import Proposal, ProposalDocument, ProposalLine
from seminars.gateways.pdf import Typesetter
from seminars.invoices.facts import seller
from seminars.invoices.wording import addressed_page
from seminars.kit import format as fmt
from seminars.kit.clock import Clock
from seminars.kit.money import Money

Transaction = Callable[[], AbstractContextManager[Session]]
PREFIX = "proposal/"


def facts_of(proposal: Proposal, *, letterhead: Letterhead, now: datetime) -> dict[str, Any]:
    """All that the document shows. Amounts are minor units."""
    zone = proposal.zone
    return {
        "document": "proposal",
        "number": proposal.number,
        "version": proposal.version,
        "sent_at": now.isoformat(),
        "sent_on": fmt.local(now, letterhead.center.zone).date().isoformat(),
        "valid_until": fmt.moment(proposal.valid_until, zone),
        "title": proposal.title,
        "intro": _paragraphs(proposal.intro),
        "terms": _paragraphs(proposal.terms),
        "seller": seller(letterhead.center),
        "buyer": {
            "name": proposal.client_name,
            "email": proposal.client_email,
            "organisation": proposal.organisation,
            "address": [line.strip() for line in proposal.address.splitlines() if line.strip()],
            "country": proposal.country,
            "po_number": proposal.po_number,
        },
        "currency": proposal.currency,
        "lines": [_line(line, zone) for line in proposal.lines],
        "milestones": [
            {"title": part.title, "amount": part.amount, "due_on": fmt.day(part.due_on) if part.due_on else ""}
            for part in proposal.milestones
        ],
        "total": proposal.total,
    }


def words_of(facts: dict[str, Any]) -> dict[str, Any]:
    """What `templates/documents/proposal.typ` shows."""
    currency = facts["currency"]
    po_number = facts["buyer"]["po_number"]
    return addressed_page(facts) | {
        "title": facts["title"],
        "subject": f"Proposal {facts['number']}, version {facts['version']}",
        "about": [
            ["Proposal", facts["number"]],
            ["Version", str(facts["version"])],
            ["Date", fmt.day(datetime.fromisoformat(facts["sent_on"]).date())],
            ["Valid until", facts["valid_until"]],
            *([["Your PO number", po_number]] if po_number else []),
        ],
        "intro": facts["intro"],
        "lines": [
            {
                "title": line["description"],
                "details": line["details"],
                "people": "",
                "quantity": f"{line['quantity']} {line['unit']}".strip(),
                "price": fmt.amount(Money(line["unit_price"], currency)),
                "amount": fmt.amount(Money(line["amount"], currency)),
            }
            for line in facts["lines"]
        ],
        "sums": [["Total", fmt.money(Money(facts["total"], currency)), True]],
        "milestones": [[part["title"], part["due_on"], fmt.amount(Money(part["amount"], currency))] for part in facts["milestones"]],
        "terms": facts["terms"],
        "closing": ["This proposal is accepted on the page that the link in our mail opens. Each milestone is billed when you accept it."],
    }


def bytes_of(facts: dict[str, Any], *, typesetter: Typesetter) -> bytes:
    """The PDF: the same facts give the same bytes."""
    sent_at = datetime.fromisoformat(facts["sent_at"])
    return typesetter.render("proposal", words_of(facts), dated=sent_at, logo=facts["seller"]["logo"])


def render_due(transaction: Transaction, *, clock: Clock, most: int = 20) -> int:
    """Render what was sent and has no PDF yet; how many were tried. One that can't be rendered does not hold up the others."""
    with transaction() as session:
        due = session.execute(
            select(ProposalDocument.proposal_id, ProposalDocument.facts)
            .where(ProposalDocument.rendered_at.is_(None))
            .order_by(ProposalDocument.proposal_id)
            .limit(most)
        ).all()
    troubles: list[Exception] = []
    with Typesetter() as typesetter:
        for proposal_id, facts in due:
            try:
                made = bytes_of(facts, typesetter=typesetter)
                with transaction() as session:
                    _keep(session, proposal_id, made, clock())
            except Exception as trouble:
                trouble.add_note(f"while rendering {facts['number']}, version {facts['version']}")
                troubles.append(trouble)
    if troubles:
        raise ExceptionGroup("proposals that could not be rendered", troubles)
    return len(due)


def pdf_of(session: Session, reference: str) -> bytes | None:
    """The kept PDF of a proposal (`proposal/12`); None while it is being rendered, and for anything else."""
    number = reference.removeprefix(PREFIX)
    if not reference.startswith(PREFIX) or not number.isdecimal():
        return None
    return session.scalar(select(ProposalDocument.pdf).where(ProposalDocument.proposal_id == int(number)))


def _keep(session: Session, proposal_id: int, made: bytes, now: datetime) -> None:
    mine = update(ProposalDocument).where(ProposalDocument.proposal_id == proposal_id, ProposalDocument.rendered_at.is_(None))
    session.execute(mine.values(pdf=made, sha256=sha256(made).hexdigest(), rendered_at=now))


def _line(line: ProposalLine, zone: str) -> dict[str, Any]:
    return {
        "description": line.description,
        "details": details_of(line, zone),
        "quantity": f"{line.quantity.normalize():f}",
        "unit": line.unit,
        "unit_price": line.unit_price,
        "amount": line.amount,
    }


def details_of(line: ProposalLine, zone: str) -> str:
    """With whom and when, for a dated day; which days, for a private event."""
    parts: list[str] = []
    if line.consultant is not None and line.starts_at and line.ends_at:
        parts = [line.consultant.name, fmt.weekday(fmt.local(line.starts_at, zone)), fmt.time_range(line.starts_at, line.ends_at, zone)]
    elif line.event is not None and line.event.starts_at and line.event.ends_at:
        first, last = (fmt.local(at, line.event.zone).date() for at in (line.event.starts_at, line.event.ends_at))
        parts = [line.event.title, fmt.day_span(first, last)]
    return ", ".join(parts)


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.split("\n\n") if part.strip()]
