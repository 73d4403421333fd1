"""The form of a proposal: so many rows of lines and milestones, of which empty ones do not count."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from seminars.calendars.zones import known_zone, zone_names
from seminars.catalog.models import Event
from seminars.catalog.timing import place_in_time
from seminars.consulting.models import Consultant, Offering
from seminars.engagements import queries
from seminars.engagements.drafting import MOST_LINES, MOST_MILESTONES, LineFacts, MilestoneFacts, ProposalFacts
from seminars.engagements.models import Proposal
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.refusals import BadInput
from seminars.web.shared import joined
from seminars.web.staff.door import Typed

MORE = "more"
KINDS = (("day", "Consulting day"), ("event", "Private event"), ("material", "Materials"), ("other", "Something else"))
TELLING = ("description", "price", "consultant", "offering", "starts", "ends", "event")
"""A row in which none of these is filled in is empty: the others have a value before anybody types."""
MILESTONE_FIELDS = ("title", "amount", "due")
LAST_MINUTE = time(23, 59)


def rows_wanted(proposal: Proposal | None) -> tuple[int, int]:
    """How many rows of lines and of milestones the form shows."""
    lines, parts = _sent("lines_shown"), _sent("parts_shown")
    if not lines:
        lines = max(4, len(proposal.lines) + 2 if proposal else 0)
        parts = max(3, len(proposal.milestones) + 1 if proposal else 0)
    if request.form.get("act") == MORE:
        lines, parts = lines + 4, parts + 2
    return min(lines, MOST_LINES), min(parts, MOST_MILESTONES)


def _sent(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else 0


def form_facts(session: Session, proposal: Proposal | None, rows: tuple[int, int]) -> dict[str, Any]:
    """What the form offers to choose from."""
    return {
        "section": "Engagements",
        "proposal": proposal,
        "choices": queries.choices(session),
        "kinds": KINDS,
        "zones": sorted(zone_names()),
        "lines_shown": rows[0],
        "parts_shown": rows[1],
        "currency": proposal.currency if proposal else joined().settings.center.currency,
    }


def blank(instant: datetime) -> dict[str, Any]:
    """The form before anybody typed."""
    zone = joined().settings.center.zone
    return {"zone": zone, "valid_until": (words.local(instant, zone).date() + timedelta(days=30)).isoformat()}


def as_typed(proposal: Proposal) -> dict[str, Any]:
    """A draft as it would have been typed."""
    typed: dict[str, Any] = {
        name: getattr(proposal, name)
        for name in ("title", "intro", "terms", "client_name", "client_email", "organisation", "address", "country", "po_number", "zone")
    }
    typed["valid_until"] = words.local(proposal.valid_until, proposal.zone).date().isoformat()
    for number, line in enumerate(proposal.lines, start=1):
        told = {
            "kind": line.kind,
            "description": line.description,
            "quantity": f"{line.quantity.normalize():f}",
            "unit": line.unit,
            "price": words.amount(Money(line.unit_price, proposal.currency)),
            "consultant": line.consultant_id or "",
            "offering": line.offering_id or "",
            "starts": _wall(line.starts_at, proposal.zone),
            "ends": _wall(line.ends_at, proposal.zone),
            "event": line.event_id or "",
        }
        typed |= {f"l{number}-{name}": value for name, value in told.items()}
    for number, part in enumerate(proposal.milestones, start=1):
        typed[f"m{number}-title"] = part.title
        typed[f"m{number}-amount"] = words.amount(Money(part.amount, proposal.currency))
        typed[f"m{number}-due"] = part.due_on.isoformat() if part.due_on else ""
    return typed


def _wall(at: datetime | None, zone: str) -> str:
    return f"{words.local(at, zone):%Y-%m-%dT%H:%M}" if at else ""


def facts_of(session: Session, typed: Typed, currency: str) -> ProposalFacts:
    """Read the form. Raises BadInputs with all that cannot be read."""
    zone = typed.text("zone").strip()
    zone = zone if known_zone(zone) else ""
    if not zone:
        typed.wrong("zone", "Please choose a zone such as America/Chicago.")
    lines = [_line(session, typed, number, currency, zone) for number in _filled(typed, "l", MOST_LINES, TELLING)]
    parts = [_milestone(typed, number, currency) for number in _filled(typed, "m", MOST_MILESTONES, MILESTONE_FIELDS)]
    until = typed.day("valid_until")
    facts = ProposalFacts(
        title=typed.text("title"),
        client_name=typed.text("client_name"),
        client_email=typed.text("client_email"),
        valid_until=place_in_time(datetime.combine(until, LAST_MINUTE), zone or "UTC", field="valid_until"),
        zone=zone,
        lines=lines,
        milestones=parts,
        intro=typed.text("intro"),
        terms=typed.text("terms"),
        organisation=typed.text("organisation"),
        address=typed.text("address"),
        country=typed.text("country"),
        po_number=typed.text("po_number"),
    )
    typed.finish()
    return facts


def _filled(typed: Typed, letter: str, most: int, telling: tuple[str, ...]) -> list[int]:
    return [number for number in range(1, most + 1) if any(typed.text(f"{letter}{number}-{name}").strip() for name in telling)]


def _line(session: Session, typed: Typed, number: int, currency: str, zone: str) -> LineFacts:
    name = f"l{number}"
    return LineFacts(
        row=number,
        kind=typed.text(f"{name}-kind"),
        description=typed.text(f"{name}-description"),
        quantity=_quantity(typed, f"{name}-quantity"),
        unit_price=typed.money(f"{name}-price", currency).amount,
        unit=typed.text(f"{name}-unit"),
        consultant=session.get(Consultant, typed.choice(f"{name}-consultant") or 0),
        offering=session.get(Offering, typed.choice(f"{name}-offering") or 0),
        starts_at=_instant(typed, f"{name}-starts", zone),
        ends_at=_instant(typed, f"{name}-ends", zone),
        event=session.get(Event, typed.choice(f"{name}-event") or 0),
    )


def _quantity(typed: Typed, name: str) -> Decimal:
    text = typed.text(name).strip() or "1"
    try:
        value = Decimal(text.replace(",", "")) if len(text) <= 12 and text.isascii() else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        typed.wrong(name, "Please type a number such as 2 or 0.5.")
        return Decimal(1)
    return value


def _instant(typed: Typed, name: str, zone: str) -> datetime | None:
    if not typed.text(name).strip():
        return None
    wall = typed.clock(name)
    try:
        return place_in_time(wall, zone or "UTC", field=name)
    except BadInput as wrong:
        typed.wrong(name, str(wrong))
        return None


def _milestone(typed: Typed, number: int, currency: str) -> MilestoneFacts:
    name = f"m{number}"
    due: date | None = typed.day(f"{name}-due") if typed.text(f"{name}-due").strip() else None
    amount = typed.money(f"{name}-amount", currency)
    return MilestoneFacts(row=number, title=typed.text(f"{name}-title"), amount=amount.amount, due_on=due)
