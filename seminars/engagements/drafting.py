"""Writing proposals: lines with their prices, milestones that add up to them, and a new version of what was sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import TypeVar

from sqlalchemy import Sequence as SqlSequence
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.calendars.zones import known_zone
from seminars.catalog.models import Event
from seminars.consulting.models import Consultant, Offering
from seminars.engagements.locking import hold_still
from seminars.engagements.models import LINE_KINDS, Proposal, ProposalLine, ProposedMilestone
from seminars.kit import format as fmt
from seminars.kit import typed
from seminars.kit.money import Money
from seminars.kit.references import secret
from seminars.kit.refusals import Conflict
from seminars.kit.typed import Fields

Part = TypeVar("Part", ProposalLine, ProposedMilestone)
PROPOSAL_IDS = SqlSequence("proposals_id_seq")
MOST_LINES = 40
MOST_MILESTONES = 20
MOST_QUANTITY = Decimal("9999.99")
MOST_TOTAL = 9_999_999_999
LONGEST_DAY = timedelta(hours=24)
COPIED = (
    "number", "title", "intro", "terms", "client_name", "client_email", "organisation", "address", "country", "po_number", "zone",
    "currency", "total",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LineFacts:
    """One line as staff write it: `row` is where in the form it stands, `unit_price` in minor units.

    A consultant, an offering and both times make it a meeting, which takes time when the proposal is accepted.
    """

    row: int
    kind: str
    description: str
    quantity: Decimal
    unit_price: int
    unit: str = ""
    consultant: Consultant | None = None
    offering: Offering | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    event: Event | None = None


@dataclass(frozen=True, kw_only=True)
class MilestoneFacts:
    """A part of the price, billed when the client accepts it. Minor units."""

    row: int
    title: str
    amount: int
    due_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class ProposalFacts:
    """What a proposal says."""

    title: str
    client_name: str
    client_email: str
    valid_until: datetime
    zone: str
    lines: Sequence[LineFacts]
    milestones: Sequence[MilestoneFacts] = ()
    intro: str = ""
    terms: str = ""
    organisation: str = ""
    address: str = ""
    country: str = ""
    po_number: str = ""


def draft(session: Session, facts: ProposalFacts, *, currency: str, prefix: str, now: datetime) -> Proposal:
    """Write a proposal, not yet sent. Without milestones all is billed at once, when the work is done. Raises BadInputs."""
    checked = _checked(facts, currency, now=now)
    proposal_id: int = session.scalar(select(PROPOSAL_IDS.next_value()))  # type: ignore[assignment]
    number = f"{prefix}-P-{now.year}-{proposal_id:04d}"
    proposal = Proposal(id=proposal_id, number=number, version=1, secret=secret(), state="draft", currency=currency, created_at=now)
    _write(session, proposal, checked)
    return proposal


def change(session: Session, proposal: Proposal, facts: ProposalFacts, *, now: datetime) -> Proposal:
    """Write a draft anew. Raises BadInputs, and Conflict for one that was sent: that is what the client has in hand."""
    hold_still(session, proposal)
    if proposal.state != "draft":
        raise Conflict("This version has been sent and stays as it is. Write a new version instead.")
    checked = _checked(facts, proposal.currency, now=now)
    proposal.lines, proposal.milestones = [], []
    session.flush()
    _write(session, proposal, checked)
    return proposal


def revise(session: Session, proposal: Proposal, *, now: datetime) -> Proposal:
    """Begin the next version, as a draft that says the same; the one that was sent stands until the new one is sent. Raises Conflict."""
    versions = versions_of(session, proposal.number, lock=True)
    newest = versions[-1]
    if any(one.state == "accepted" for one in versions):
        raise Conflict("This proposal has been accepted. Write a new one for what comes on top.")
    if newest.state == "draft":
        raise Conflict(f"Version {newest.version} is being written already. Go on with that one.")
    copy = Proposal(
        **{name: getattr(proposal, name) for name in COPIED},
        version=newest.version + 1,
        secret=secret(),
        state="draft",
        valid_until=max(proposal.valid_until, now + timedelta(days=14)),
        created_at=now,
    )
    copy.lines = [_copied(ProposalLine, line) for line in proposal.lines]
    copy.milestones = [_copied(ProposedMilestone, part) for part in proposal.milestones]
    session.add(copy)
    session.flush()
    return copy


def versions_of(session: Session, number: str, *, lock: bool = False) -> list[Proposal]:
    """All versions under one number, oldest first."""
    asked = select(Proposal).where(Proposal.number == number).order_by(Proposal.version)
    if lock:
        asked = asked.with_for_update(of=Proposal).execution_options(populate_existing=True)
    return list(session.scalars(asked))


def amount_of(quantity: Decimal, unit_price: int) -> int:
    """What a line costs, rounded half up to a whole minor unit."""
    return int((quantity * unit_price).to_integral_value(ROUND_HALF_UP))


def _copied(kind: type[Part], one: Part) -> Part:
    left_out = ("id", "proposal_id")
    return kind(**{column.key: getattr(one, column.key) for column in kind.__mapper__.column_attrs if column.key not in left_out})


def _write(session: Session, proposal: Proposal, facts: ProposalFacts) -> None:
    for name in (
        "title", "intro", "terms", "client_name", "client_email", "organisation", "address", "country", "po_number", "zone", "valid_until",
    ):  # fmt: skip
        setattr(proposal, name, getattr(facts, name))
    proposal.lines = [
        ProposalLine(
            position=position,
            kind=line.kind,
            description=line.description,
            quantity=line.quantity,
            unit=line.unit,
            unit_price=line.unit_price,
            amount=amount_of(line.quantity, line.unit_price),
            consultant=line.consultant,
            offering=line.offering,
            starts_at=line.starts_at,
            ends_at=line.ends_at,
            event=line.event,
        )
        for position, line in enumerate(facts.lines, start=1)
    ]
    proposal.total = sum(line.amount for line in proposal.lines)
    parts = facts.milestones or ([MilestoneFacts(row=1, title="Delivered in full", amount=proposal.total)] if proposal.total else [])
    proposal.milestones = [
        ProposedMilestone(position=position, title=part.title, amount=part.amount, due_on=part.due_on)
        for position, part in enumerate(parts, start=1)
    ]
    session.add(proposal)
    session.flush()


def _checked(facts: ProposalFacts, currency: str, *, now: datetime) -> ProposalFacts:
    fields = Fields()
    lines = [_line(line, fields) for line in facts.lines]
    checked = ProposalFacts(
        title=fields.line("title", facts.title, most=300),
        client_name=fields.line("client_name", facts.client_name, most=200),
        client_email=fields.read(lambda: typed.email(facts.client_email, field="client_email"), ""),
        valid_until=facts.valid_until,
        zone=facts.zone.strip(),
        lines=lines,
        milestones=[_milestone(part, fields) for part in facts.milestones],
        intro=fields.text("intro", facts.intro, most=5_000),
        terms=fields.text("terms", facts.terms, most=10_000),
        organisation=fields.line("organisation", facts.organisation, most=200, required=False),
        address=fields.text("address", facts.address, most=1_000),
        country=fields.line("country", facts.country, most=2, required=False).upper(),
        po_number=fields.line("po_number", facts.po_number, most=80, required=False),
    )
    if not known_zone(checked.zone):
        fields.wrong("zone", "Please choose a zone such as America/Chicago.")
    if checked.valid_until <= now:
        fields.wrong("valid_until", "Please choose a day that lies ahead.")
    if not lines:
        fields.wrong("lines", "A proposal needs at least one line.")
    if len(lines) > MOST_LINES or len(checked.milestones) > MOST_MILESTONES:
        fields.wrong("lines", f"At most {MOST_LINES} lines and {MOST_MILESTONES} milestones.")
    _apart(lines, fields)
    fields.finish()
    _adding_up(checked, currency, fields)
    fields.finish()
    return checked


def _line(line: LineFacts, fields: Fields) -> LineFacts:
    name = f"l{line.row}"
    checked = LineFacts(
        row=line.row,
        kind=line.kind,
        description=fields.line(f"{name}-description", line.description, most=500),
        quantity=line.quantity,
        unit_price=line.unit_price,
        unit=fields.line(f"{name}-unit", line.unit, most=20, required=False),
        consultant=line.consultant,
        offering=line.offering,
        starts_at=line.starts_at,
        ends_at=line.ends_at,
        event=line.event,
    )
    if line.kind not in LINE_KINDS:
        fields.wrong(f"{name}-kind", "Please choose from the list.")
    if not 0 < line.quantity <= MOST_QUANTITY or line.quantity != round(line.quantity, 2):
        fields.wrong(f"{name}-quantity", "Please type a number from 0.01 to 9,999.99.")
    if line.unit_price < 0:
        fields.wrong(f"{name}-price", "Please type a price of nothing or more.")
    if (line.kind == "event") != (line.event is not None):
        fields.wrong(f"{name}-event", "Please choose the private event of this line, and of no other kind of line.")
    elif line.event is not None and (line.event.listed or line.event.state not in ("draft", "published")):
        fields.wrong(f"{name}-event", "This event is on the public list or called off. A private one is planned and not listed.")
    _meeting(line, name, fields)
    return checked


def _meeting(line: LineFacts, name: str, fields: Fields) -> None:
    given = [part is not None for part in (line.consultant, line.offering, line.starts_at, line.ends_at)]
    if not any(given):
        return
    if line.kind != "day":
        fields.wrong(f"{name}-starts", "Only consulting days have a consultant and a time.")
    if not all(given):
        fields.wrong(f"{name}-starts", "A dated day needs a consultant, an offering, a beginning and an end; a day without a date none.")
        return
    assert line.starts_at and line.ends_at and line.offering and line.consultant
    if not timedelta() < line.ends_at - line.starts_at <= LONGEST_DAY:
        fields.wrong(f"{name}-ends", "A day ends after it begins, and within 24 hours. Write one line for each day.")
    if line.consultant not in line.offering.consultants:
        fields.wrong(f"{name}-offering", f"{line.consultant.name} does not deliver {line.offering.title}.")


def _apart(lines: Sequence[LineFacts], fields: Fields) -> None:
    """Nobody is promised to be in two places, and no event twice."""
    dated = [(line.consultant, line.starts_at, line.ends_at, line.row) for line in lines]
    whole = sorted(
        ((who.name, who.id, starts, ends, row) for who, starts, ends, row in dated if who and starts and ends),
        key=lambda one: one[1:3],
    )
    for (_, first, _, until, _), (name, second, since, _, row) in pairwise(whole):
        if first == second and since < until:
            fields.wrong(f"l{row}-starts", f"{name} is with another line of this proposal then.")
    seen: set[int] = set()
    for line in lines:
        if line.event is not None and line.event.id in seen:
            fields.wrong(f"l{line.row}-event", "This event stands on another line already.")
        elif line.event is not None:
            seen.add(line.event.id)


def _milestone(part: MilestoneFacts, fields: Fields) -> MilestoneFacts:
    if part.amount <= 0:
        fields.wrong(f"m{part.row}-amount", "A milestone needs an amount.")
    title = fields.line(f"m{part.row}-title", part.title, most=300)
    return MilestoneFacts(row=part.row, title=title, amount=part.amount, due_on=part.due_on)


def _adding_up(facts: ProposalFacts, currency: str, fields: Fields) -> None:
    total = sum(amount_of(line.quantity, line.unit_price) for line in facts.lines)
    parts = sum(part.amount for part in facts.milestones)
    if total > MOST_TOTAL:
        fields.wrong("lines", "This is more than one proposal can hold. Write two.")
    if facts.milestones and parts != total:
        more = "more" if parts > total else "less"
        difference = fmt.money(Money(abs(parts - total), currency))
        fields.wrong("milestones", f"The milestones make {difference} {more} than the lines. Both have to come to the same sum.")
