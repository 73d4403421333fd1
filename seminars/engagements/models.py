"""Proposals with their lines and milestones, engagements, retainers, hours worked."""

from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from seminars.catalog.models import Event
from seminars.consulting.models import Appointment, Consultant, Offering
from seminars.db import Amount, Base, Currency, Email, Id, Instant
from seminars.kit.references import reference
from seminars.orders.models import Order

LINE_KINDS = ("day", "event", "material", "other")


class Proposal(Base):
    """One version of a priced offer to one client. `number` is shared by its versions; `secret` opens this one."""

    __tablename__ = "proposals"
    __table_args__ = (
        UniqueConstraint("number", "version"),
        CheckConstraint("state IN ('draft', 'sent', 'accepted', 'declined', 'expired', 'superseded')", name="state"),
        CheckConstraint("total >= 0 AND version > 0", name="amounts"),
        CheckConstraint("(state IN ('accepted', 'declined')) = (answered_at IS NOT NULL)", name="answered"),
        # Whatever is pressed at once: of the versions of one proposal, one is open and one is accepted, at most.
        Index("uq_proposals_sent", "number", unique=True, postgresql_where=text("state = 'sent'")),
        Index("uq_proposals_accepted", "number", unique=True, postgresql_where=text("state = 'accepted'")),
    )
    __audited__ = ("state", "title", "client_name", "client_email", "organisation", "total", "valid_until", "answered_by", "answered_from")

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(40), index=True)
    version: Mapped[int] = mapped_column(Integer, default=1)
    secret: Mapped[str] = mapped_column(String(40), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="draft")
    title: Mapped[str] = mapped_column(String(300))
    intro: Mapped[str] = mapped_column(Text, default="")
    terms: Mapped[str] = mapped_column(Text, default="")
    client_name: Mapped[str] = mapped_column(String(200))
    client_email: Mapped[Email]
    organisation: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(Text, default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    po_number: Mapped[str] = mapped_column(String(80), default="")
    zone: Mapped[str] = mapped_column(String(64))
    currency: Mapped[Currency]
    total: Mapped[Amount]
    valid_until: Mapped[Instant]
    created_at: Mapped[Instant]
    sent_at: Mapped[Instant | None]
    facts_hash: Mapped[str] = mapped_column(String(64), default="")
    answered_at: Mapped[Instant | None]
    answered_by: Mapped[str] = mapped_column(String(200), default="")
    answered_from: Mapped[str] = mapped_column(String(64), default="")
    answer_note: Mapped[str] = mapped_column(Text, default="")

    lines: Mapped[list["ProposalLine"]] = relationship(
        back_populates="proposal", order_by="ProposalLine.position", cascade="all, delete-orphan"
    )
    milestones: Mapped[list["ProposedMilestone"]] = relationship(
        back_populates="proposal", order_by="ProposedMilestone.position", cascade="all, delete-orphan"
    )

    @property
    def reference(self) -> str:
        """How other rooms name this version."""
        return reference("proposal", self.id)


class ProposalLine(Base):
    """One thing that is offered: consulting days, a private event, materials.

    A dated one is a meeting of an offering with a consultant: it takes their time when the proposal is accepted.
    """

    __tablename__ = "proposal_lines"
    __table_args__ = (
        UniqueConstraint("proposal_id", "position"),
        CheckConstraint(f"kind IN {LINE_KINDS}", name="kind"),
        CheckConstraint("quantity > 0 AND unit_price >= 0 AND amount >= 0", name="amounts"),
        CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL)", name="dated"),
        CheckConstraint("ends_at > starts_at", name="times"),
        CheckConstraint("num_nonnulls(consultant_id, offering_id, starts_at) IN (0, 3)", name="meeting"),
        CheckConstraint("(kind = 'event') = (event_id IS NOT NULL)", name="event"),
    )

    id: Mapped[Id]
    proposal_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("proposals.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(10))
    description: Mapped[str] = mapped_column(Text)
    quantity: Mapped[Any] = mapped_column(Numeric(9, 2), default=1)
    unit: Mapped[str] = mapped_column(String(20), default="")
    unit_price: Mapped[Amount]
    amount: Mapped[Amount]
    consultant_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("consultants.id"), index=True)
    offering_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("offerings.id"))
    starts_at: Mapped[Instant | None]
    ends_at: Mapped[Instant | None]
    event_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("events.id"))

    proposal: Mapped[Proposal] = relationship(back_populates="lines")
    consultant: Mapped[Consultant | None] = relationship()
    offering: Mapped[Offering | None] = relationship()
    event: Mapped[Event | None] = relationship()


class ProposedMilestone(Base):
    """A part of the price that will be billed when the client accepts it. The parts add up to the proposal's total."""

    __tablename__ = "proposed_milestones"
    __table_args__ = (UniqueConstraint("proposal_id", "position"), CheckConstraint("amount > 0", name="amount"))

    id: Mapped[Id]
    proposal_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("proposals.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(300))
    amount: Mapped[Amount]
    due_on: Mapped[date | None] = mapped_column(Date)

    proposal: Mapped[Proposal] = relationship(back_populates="milestones")


class Engagement(Base):
    """An accepted proposal under delivery. `secret` opens the client's page; `total` is the quote, and its milestones add up to it
    whenever anything is committed (a trigger on both tables looks)."""

    __tablename__ = "engagements"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'completed', 'cancelled')", name="state"),
        CheckConstraint("total >= 0", name="total"),
    )
    __audited__ = ("state", "title")

    id: Mapped[Id]
    proposal_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("proposals.id"), unique=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    secret: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(10), default="active")
    currency: Mapped[Currency]
    total: Mapped[Amount]
    created_at: Mapped[Instant]
    closed_at: Mapped[Instant | None]

    proposal: Mapped[Proposal] = relationship()
    milestones: Mapped[list["Milestone"]] = relationship(back_populates="engagement", order_by="Milestone.position")
    appointments: Mapped[list["EngagementAppointment"]] = relationship(back_populates="engagement")
    events: Mapped[list["EngagementEvent"]] = relationship(back_populates="engagement")
    documents: Mapped[list["EngagementDocument"]] = relationship(back_populates="engagement", order_by="EngagementDocument.id")

    @property
    def reference(self) -> str:
        """How other rooms name this engagement."""
        return reference("engagement", self.id)


class Milestone(Base):
    """A part of an engagement: planned, submitted by the center, accepted by the client. Accepting earns and bills it, once."""

    __tablename__ = "milestones"
    __table_args__ = (
        UniqueConstraint("engagement_id", "position"),
        CheckConstraint("state IN ('planned', 'submitted', 'accepted')", name="state"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("(state = 'accepted') = (accepted_at IS NOT NULL)", name="accepted"),
    )
    __audited__ = ("state", "title", "note", "accepted_by", "accepted_from")

    id: Mapped[Id]
    engagement_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("engagements.id"))
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(300))
    amount: Mapped[Amount]
    due_on: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(10), default="planned")
    note: Mapped[str] = mapped_column(Text, default="")
    submitted_at: Mapped[Instant | None]
    accepted_at: Mapped[Instant | None]
    accepted_by: Mapped[str] = mapped_column(String(200), default="")
    accepted_from: Mapped[str] = mapped_column(String(64), default="")
    order_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("orders.id"), unique=True)

    engagement: Mapped[Engagement] = relationship(back_populates="milestones")
    order: Mapped[Order | None] = relationship()

    @property
    def reference(self) -> str:
        """How other rooms name this milestone."""
        return reference("milestone", self.id)


class EngagementAppointment(Base):
    """An appointment that belongs to an engagement and is paid by its milestones."""

    __tablename__ = "engagement_appointments"

    appointment_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("appointments.id"), primary_key=True)
    engagement_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("engagements.id"), index=True)

    engagement: Mapped[Engagement] = relationship(back_populates="appointments")
    appointment: Mapped[Appointment] = relationship()


class EngagementEvent(Base):
    """A private event that an engagement includes."""

    __tablename__ = "engagement_events"

    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("events.id"), primary_key=True)
    engagement_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("engagements.id"), index=True)

    engagement: Mapped[Engagement] = relationship(back_populates="events")
    event: Mapped[Event] = relationship()


class EngagementDocument(Base):
    """A file that the center shares with the client of an engagement."""

    __tablename__ = "engagement_documents"
    __audited__ = ("name", "sha256", "engagement_id")

    id: Mapped[Id]
    engagement_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("engagements.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    sha256: Mapped[str] = mapped_column(String(64))
    data: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    added_at: Mapped[Instant]

    engagement: Mapped[Engagement] = relationship(back_populates="documents")


class Retainer(Base):
    """Hours bought ahead by one client, drawn down by logged time. Minutes; `rate` is the price of an hour, before tax.

    `drawn` never exceeds `minutes`: what goes beyond is unbilled until it is billed.
    """

    __tablename__ = "retainers"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'active', 'expired', 'cancelled')", name="state"),
        CheckConstraint("minutes > 0 AND rate > 0 AND drawn BETWEEN 0 AND minutes", name="amounts"),
        CheckConstraint("low_minutes BETWEEN 0 AND minutes", name="low"),
    )
    __audited__ = ("state", "title", "client_name", "client_email", "organisation", "minutes", "rate", "expires_on", "low_minutes")

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(40), unique=True)
    secret: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(10), default="open")
    client_name: Mapped[str] = mapped_column(String(200))
    client_email: Mapped[Email]
    organisation: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(Text, default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    po_number: Mapped[str] = mapped_column(String(80), default="")
    zone: Mapped[str] = mapped_column(String(64))
    currency: Mapped[Currency]
    minutes: Mapped[int] = mapped_column(Integer)
    drawn: Mapped[int] = mapped_column(Integer, default=0)
    rate: Mapped[Amount]
    low_minutes: Mapped[int] = mapped_column(Integer, default=0)
    expires_on: Mapped[date | None] = mapped_column(Date)
    order_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("orders.id"), unique=True)
    created_at: Mapped[Instant]
    activated_at: Mapped[Instant | None]
    closed_at: Mapped[Instant | None]

    order: Mapped[Order | None] = relationship()
    logs: Mapped[list["TimeLog"]] = relationship(back_populates="retainer", order_by="TimeLog.worked_on, TimeLog.id")

    @property
    def reference(self) -> str:
        """How other rooms name this retainer."""
        return reference("retainer", self.id)


class TimeLog(Base):
    """Hours that a consultant worked for a retainer: `drawn` minutes of it were bought ahead, the rest is billed with `order_id`.

    Earned amounts are frozen in minor units when the time is logged, so that what is billed later is what was posted.
    """

    __tablename__ = "time_logs"
    __table_args__ = (
        CheckConstraint("minutes BETWEEN 1 AND 1440 AND drawn BETWEEN 0 AND minutes", name="minutes"),
        CheckConstraint("earned >= 0 AND unbilled >= 0", name="amounts"),
        Index("ix_time_logs_unbilled", "retainer_id", postgresql_where=text("unbilled > 0 AND order_id IS NULL")),
    )
    __audited__ = ("minutes", "worked_on", "note", "retainer_id", "consultant_id")

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(80), unique=True)
    retainer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("retainers.id"), index=True)
    consultant_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("consultants.id"), index=True)
    appointment_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("appointments.id"), unique=True)
    worked_on: Mapped[date] = mapped_column(Date)
    minutes: Mapped[int] = mapped_column(Integer)
    drawn: Mapped[int] = mapped_column(Integer)
    earned: Mapped[Amount]
    unbilled: Mapped[Amount]
    note: Mapped[str] = mapped_column(Text, default="")
    order_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("orders.id"), index=True)
    logged_at: Mapped[Instant]

    retainer: Mapped[Retainer] = relationship(back_populates="logs")
    consultant: Mapped[Consultant] = relationship()

    @property
    def reference(self) -> str:
        """How other rooms name this entry."""
        return reference("timesheet", self.id)


class ProposalDocument(Base):
    """The PDF of a sent proposal, kept for good."""

    __tablename__ = "proposal_documents"

    proposal_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("proposals.id"), primary_key=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    pdf: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    rendered_at: Mapped[Instant | None]
