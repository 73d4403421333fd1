"""Builders of larger work: a consultant with an offering, a proposal with two days and two milestones, a retainer. Fictional people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from seminars.catalog.models import Event
from seminars.consulting.models import Consultant, Offering
from seminars.engagements import acceptance, drafting, files, proposals, retainers
from seminars.engagements.drafting import LineFacts, MilestoneFacts, ProposalFacts
from seminars.engagements.models import Proposal, ProposalDocument, Retainer
from seminars.engagements.retainers import RetainerFacts
from seminars.kit.references import secret
from seminars.ledger.models import JournalEntry, Posting
from seminars.messages.models import Message
from seminars.orders.models import Order
from seminars.schedule.models import Resource, TimeClaim
from tests.clock import NOON
from tests.factories.seats import LETTERHEAD

FIRST_DAY = datetime(2027, 5, 4, 14, 0, tzinfo=UTC)
"""Nine in the morning in Rochester."""
SECOND_DAY = datetime(2027, 5, 5, 14, 0, tzinfo=UTC)
VALID = NOON + timedelta(days=30)
ANNA = "Anna Vestergren"


def a_consultant(session: Session, name: str = "Ingrid Malmstedt", **more: Any) -> Consultant:
    made = Consultant(
        slug=secret(), name=name, email=f"{name.split()[0].lower()}@northfield.example", zone="America/Chicago",
        resource=Resource(kind="person", name=name), feed_secret=secret(), created_at=NOON, **more,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def an_offering(session: Session, *consultants: Consultant, mode: str = "client_site") -> Offering:
    made = Offering(
        slug=secret(), title="A day with your team", mode=mode, currency="USD", listed=False, consultants=list(consultants), created_at=NOON
    )
    session.add(made)
    session.flush()
    return made


def a_day(consultant: Consultant, offering: Offering, starts_at: datetime = FIRST_DAY, *, row: int = 1, hours: int = 8) -> LineFacts:
    return LineFacts(
        row=row, kind="day", description="A day on site", quantity=Decimal(1), unit="day", unit_price=400_000,
        consultant=consultant, offering=offering, starts_at=starts_at, ends_at=starts_at + timedelta(hours=hours),
    )  # fmt: skip


def materials(row: int = 3, price: int = 100_000) -> LineFacts:
    return LineFacts(row=row, kind="material", description="Handbook for the team", quantity=Decimal(1), unit_price=price)


def facts(*lines: LineFacts, milestones: tuple[MilestoneFacts, ...] = (), **more: Any) -> ProposalFacts:
    told: dict[str, Any] = {
        "title": "Crisis readiness",
        "client_name": ANNA,
        "client_email": "anna.vestergren@quillhaven.example",
        "organisation": "Quillhaven Regional Hospital",
        "zone": "America/Chicago",
        "valid_until": VALID,
    }
    return ProposalFacts(lines=lines, milestones=milestones, **(told | more))


def two_parts(first: int = 500_000, second: int = 400_000) -> tuple[MilestoneFacts, ...]:
    return (
        MilestoneFacts(row=1, title="Workshops held", amount=first, due_on=date(2027, 5, 6)),
        MilestoneFacts(row=2, title="Handbook delivered", amount=second),
    )


def a_draft(session: Session, *lines: LineFacts, now: datetime = NOON, **more: Any) -> Proposal:
    """Two days of Ingrid and a handbook for $9,000.00 in two parts, unless lines are named."""
    if not lines:
        ingrid = a_consultant(session)
        offering = an_offering(session, ingrid)
        lines = (a_day(ingrid, offering), a_day(ingrid, offering, SECOND_DAY, row=2), materials())
        more.setdefault("milestones", two_parts())
    return drafting.draft(session, facts(*lines, **more), currency="USD", prefix="NC", now=now)


def a_proposal(session: Session, *lines: LineFacts, now: datetime = NOON, **more: Any) -> Proposal:
    """The same, sent."""
    return proposals.send(session, a_draft(session, *lines, now=now, **more), letterhead=LETTERHEAD, now=now)


def a_private_event(session: Session, event: Event) -> Event:
    """An event that is planned and on no list."""
    event.listed, event.state = False, "draft"
    session.flush()
    return event


def a_retainer(session: Session, *, hours: int = 10, rate: int = 15_000, low: int = 0, expires_on: date | None = None) -> Retainer:
    """Sold, not paid."""
    sold = RetainerFacts(
        title="Advice by telephone", client_name=ANNA, client_email="anna.vestergren@quillhaven.example",
        organisation="Quillhaven Regional Hospital", zone="America/Chicago", minutes=hours * 60, rate=rate, low_minutes=low * 60,
        expires_on=expires_on,
    )  # fmt: skip
    return retainers.sell(session, sold, currency="USD", letterhead=LETTERHEAD, now=NOON)


def an_active_retainer(session: Session, **more: Any) -> Retainer:
    """Sold, paid and ready."""
    retainer = a_retainer(session, **more)
    paid(session, retainer.order)
    retainers.settle_paid(session, letterhead=LETTERHEAD, now=NOON)
    return retainer


def paid(session: Session, order: Order | None) -> None:
    """The order is paid, as settling it leaves it."""
    assert order is not None
    session.execute(update(Order).where(Order.id == order.id).values(state="paid", paid_at=NOON))
    session.refresh(order)


def letters_to(session: Session, address: str) -> list[str]:
    """Kinds of the letters posted to somebody, oldest first."""
    return list(session.scalars(select(Message.kind).where(Message.recipient == address).order_by(Message.id)))


def booked(session: Session, source_kind: str) -> list[tuple[str, list[tuple[int, int, str]]]]:
    """What was posted for facts of that kind: source, and account, amount, dimension of each line."""
    entries = session.scalars(select(JournalEntry).where(JournalEntry.source_kind == source_kind).order_by(JournalEntry.id))
    found = []
    for entry in entries:
        lines = session.scalars(select(Posting).where(Posting.entry_id == entry.id).order_by(Posting.id))
        found.append((entry.source, [(line.account_number, line.amount, line.dimension) for line in lines]))
    return found


def claimed(session: Session, consultant: Consultant) -> list[tuple[str, str, datetime]]:
    """What takes somebody's time: holder, kind, from when."""
    asked = select(TimeClaim.holder, TimeClaim.kind, TimeClaim.starts_at).where(TimeClaim.resource_id == consultant.resource_id)
    return [(holder, kind, starts_at) for holder, kind, starts_at in session.execute(asked.order_by(TimeClaim.starts_at))]


def larger_work(session: Session) -> dict[str, Any]:
    """A little of everything for the pages: a draft, a sent proposal with its PDF, an engagement with a shared file, a paid retainer."""
    draft, sent, agreed = a_draft(session, materials()), a_proposal(session, materials()), a_proposal(session)
    session.get_one(ProposalDocument, sent.id).pdf = b"%PDF-1.7"
    engagement = acceptance.accept(session, agreed, name=ANNA, address="192.0.2.7", letterhead=LETTERHEAD, now=NOON)
    shared = files.share(session, engagement, name="Workbook.pdf", data=b"%PDF-1.7 of the workbook", now=NOON)
    retainer = an_active_retainer(session)
    return {
        "proposal_draft": draft.id,
        "proposal_secret": sent.secret,
        "engagement": engagement.id,
        "engagement_secret": engagement.secret,
        "milestone": engagement.milestones[0].id,
        "document": shared.id,
        "retainer": retainer.id,
        "retainer_secret": retainer.secret,
    }
