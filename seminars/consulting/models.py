"""Offerings, consultants with their hours, appointments."""

from datetime import date, time
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from seminars.catalog.models import RefundPolicy
from seminars.db import Amount, Base, Currency, Email, Id, Instant
from seminars.kit.money import Money
from seminars.kit.references import reference
from seminars.schedule.models import Resource

MODES = ("video", "in_person", "client_site")
STATES = ("requested", "held", "confirmed", "delivered", "no_show", "cancelled")
LIVE = ("requested", "held", "confirmed", "delivered", "no_show")


class Consultant(Base):
    """Someone who advises. `feed_secret` opens the private calendar feed; `busy_url` is a calendar of their own that blocks slots."""

    __tablename__ = "consultants"
    __audited__ = ("name", "email", "credentials", "role", "bio", "zone", "listed", "active", "busy_url", "video_link", "user_id")

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[Email]
    credentials: Mapped[str] = mapped_column(String(100), default="")
    role: Mapped[str] = mapped_column(String(300), default="")
    bio: Mapped[str] = mapped_column(Text, default="")
    zone: Mapped[str] = mapped_column(String(64))
    listed: Mapped[bool] = mapped_column(Boolean, default=True)
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    resource_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("resources.id"), unique=True)
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"), unique=True)
    video_link: Mapped[str] = mapped_column(Text, default="")
    feed_secret: Mapped[str] = mapped_column(String(40), unique=True)
    busy_url: Mapped[str] = mapped_column(Text, default="")
    busy_etag: Mapped[str] = mapped_column(Text, default="")
    busy_tried_at: Mapped[Instant | None]
    busy_read_at: Mapped[Instant | None]
    busy_trouble: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Instant]

    resource: Mapped[Resource] = relationship()
    hours: Mapped[list["AvailabilityRule"]] = relationship(
        back_populates="consultant", order_by="AvailabilityRule.weekday, AvailabilityRule.starts", cascade="all, delete-orphan"
    )
    exceptions: Mapped[list["AvailabilityException"]] = relationship(
        back_populates="consultant", order_by="AvailabilityException.day, AvailabilityException.starts", cascade="all, delete-orphan"
    )

    @property
    def reference(self) -> str:
        """How other rooms name this consultant."""
        return reference("consultant", self.id)


class AvailabilityRule(Base):
    """Hours of one weekday (0 is Monday) on the wall clock of `zone`; the consultant's own zone when that is empty."""

    __tablename__ = "availability_rules"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("ends > starts OR ends = '00:00'", name="times"),
    )

    id: Mapped[Id]
    consultant_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("consultants.id", ondelete="CASCADE"), index=True)
    weekday: Mapped[int] = mapped_column(SmallInteger)
    starts: Mapped[time] = mapped_column(Time)
    ends: Mapped[time] = mapped_column(Time)
    zone: Mapped[str] = mapped_column(String(64), default="")

    consultant: Mapped[Consultant] = relationship(back_populates="hours")


class AvailabilityException(Base):
    """What holds on one day instead of the weekly hours: these hours, or none at all when both ends are empty."""

    __tablename__ = "availability_exceptions"
    __table_args__ = (
        CheckConstraint("(starts IS NULL) = (ends IS NULL)", name="both"),
        CheckConstraint("ends > starts OR ends = '00:00'", name="times"),
    )

    id: Mapped[Id]
    consultant_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("consultants.id", ondelete="CASCADE"), index=True)
    day: Mapped[date] = mapped_column(Date)
    starts: Mapped[time | None] = mapped_column(Time)
    ends: Mapped[time | None] = mapped_column(Time)
    zone: Mapped[str] = mapped_column(String(64), default="")
    note: Mapped[str] = mapped_column(String(200), default="")

    consultant: Mapped[Consultant] = relationship(back_populates="exceptions")


offering_consultants = Table(
    "offering_consultants",
    Base.metadata,
    Column("offering_id", ForeignKey("offerings.id", ondelete="CASCADE"), primary_key=True),
    Column("consultant_id", ForeignKey("consultants.id"), primary_key=True, index=True),
)


class Offering(Base):
    """A consulting service without a fixed date. What people book a slot of.

    `together` is how many of its consultants sit in each meeting (one: whoever is free, or the chosen one). Times are in minutes,
    `notice_hours` before a slot and `horizon_days` after today bound what can be booked. `questions` is a list of
    {key, label, kind: line|text|choice|yes_no, choices, required, when: {key, equals}}.
    """

    __tablename__ = "offerings"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'published', 'archived')", name="state"),
        CheckConstraint(f"mode IN {MODES}", name="mode"),
        CheckConstraint("notice_hours >= 0 AND horizon_days BETWEEN 1 AND 730", name="window"),
        CheckConstraint("buffer_before BETWEEN 0 AND 480 AND buffer_after BETWEEN 0 AND 480", name="buffers"),
        CheckConstraint("step BETWEEN 5 AND 480 AND together BETWEEN 1 AND 5", name="step"),
        CheckConstraint("daily_cap > 0", name="daily_cap"),
        CheckConstraint("change_hours >= 0", name="change"),
    )
    __audited__ = (
        "title", "summary", "description", "topic", "mode", "place", "state", "listed", "needs_approval", "together", "notice_hours",
        "horizon_days", "daily_cap", "buffer_before", "buffer_after", "step", "change_hours", "policy_id", "questions",
    )  # fmt: skip

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    summary: Mapped[str] = mapped_column(Text, default="")
    description: Mapped[str] = mapped_column(Text, default="")
    topic: Mapped[str] = mapped_column(String(40), default="")
    mode: Mapped[str] = mapped_column(String(12), default="video")
    place: Mapped[str] = mapped_column(String(300), default="")
    currency: Mapped[Currency]
    state: Mapped[str] = mapped_column(String(10), default="draft")
    listed: Mapped[bool] = mapped_column(Boolean, default=True)
    needs_approval: Mapped[bool] = mapped_column(Boolean, default=False)
    together: Mapped[int] = mapped_column(Integer, default=1)
    notice_hours: Mapped[int] = mapped_column(Integer, default=24)
    horizon_days: Mapped[int] = mapped_column(Integer, default=60)
    daily_cap: Mapped[int | None] = mapped_column(Integer)
    buffer_before: Mapped[int] = mapped_column(Integer, default=0)
    buffer_after: Mapped[int] = mapped_column(Integer, default=0)
    step: Mapped[int] = mapped_column(Integer, default=30)
    change_hours: Mapped[int] = mapped_column(Integer, default=24)
    questions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    policy_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("refund_policies.id"))
    created_at: Mapped[Instant]
    published_at: Mapped[Instant | None]

    policy: Mapped[RefundPolicy | None] = relationship()
    lengths: Mapped[list["OfferingLength"]] = relationship(
        back_populates="offering", order_by="OfferingLength.minutes", cascade="all, delete-orphan"
    )
    consultants: Mapped[list[Consultant]] = relationship(secondary=offering_consultants, order_by=Consultant.name)

    @property
    def reference(self) -> str:
        """How other rooms name this offering."""
        return reference("offering", self.id)


class OfferingLength(Base):
    """How long a meeting may be, and what that costs: nothing, for a discovery call. One that was sold before is withdrawn, not removed."""

    __tablename__ = "offering_lengths"
    __table_args__ = (
        UniqueConstraint("offering_id", "minutes"),
        CheckConstraint("minutes BETWEEN 5 AND 1440 AND price >= 0", name="amounts"),
    )
    __audited__ = ("minutes", "price", "offered")

    id: Mapped[Id]
    offering_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("offerings.id", ondelete="CASCADE"))
    minutes: Mapped[int] = mapped_column(Integer)
    price: Mapped[Amount]
    offered: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))

    offering: Mapped[Offering] = relationship(back_populates="lengths")

    @property
    def list_price(self) -> Money:
        """What such a meeting costs now."""
        return Money(self.price, self.offering.currency)


appointment_consultants = Table(
    "appointment_consultants",
    Base.metadata,
    Column("appointment_id", ForeignKey("appointments.id", ondelete="CASCADE"), primary_key=True),
    Column("consultant_id", ForeignKey("consultants.id"), primary_key=True, index=True),
)


class Appointment(Base):
    """One booked consulting meeting, from the choice of a slot on. `secret` opens its page.

    `holder` names the cart while it is only chosen; `order_reference` the order that sells it. `held_until` is the end of a hold that
    nobody may ever confirm; paying begins by taking that end away. `held_since` is when this cart began to hold slots of the offering.
    """

    __tablename__ = "appointments"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("ends_at > starts_at", name="times"),
        CheckConstraint("held_until IS NULL OR state = 'held'", name="held"),
        CheckConstraint("state IN ('held', 'cancelled') OR client_email IS NOT NULL", name="client"),
        CheckConstraint("(client_name IS NULL) = (client_email IS NULL)", name="named"),
        Index("ix_appointments_start", "starts_at", "id", postgresql_where=text("state <> 'cancelled'")),
        Index("ix_appointments_lapsing", "held_until", postgresql_where=text("held_until IS NOT NULL")),
        Index("ix_appointments_order", "order_reference"),
        Index("ix_appointments_requested", "id", postgresql_where=text("state = 'requested'")),
    )
    __audited__ = ("state", "starts_at", "ends_at", "client_name", "client_email", "join_url", "place", "cancel_reason", "notes")

    id: Mapped[Id]
    secret: Mapped[str] = mapped_column(String(40), unique=True)
    offering_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("offerings.id"), index=True)
    minutes: Mapped[int] = mapped_column(Integer)
    starts_at: Mapped[Instant]
    ends_at: Mapped[Instant]
    zone: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(10), default="held")
    held_until: Mapped[Instant | None]
    held_since: Mapped[Instant | None]
    holder: Mapped[str] = mapped_column(String(80), default="", index=True)
    order_reference: Mapped[str] = mapped_column(String(80), default="")
    client_name: Mapped[str | None] = mapped_column(String(200))
    client_email: Mapped[Email | None] = mapped_column(index=True)
    organisation: Mapped[str] = mapped_column(String(200), default="")
    answers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    place: Mapped[str] = mapped_column(String(300), default="")
    join_url: Mapped[str] = mapped_column(Text, default="")
    notes: Mapped[str] = mapped_column(Text, default="")
    cancel_reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Instant]
    confirmed_at: Mapped[Instant | None]
    cancelled_at: Mapped[Instant | None]
    delivered_at: Mapped[Instant | None]

    offering: Mapped[Offering] = relationship()
    consultants: Mapped[list[Consultant]] = relationship(secondary=appointment_consultants, order_by=Consultant.name)

    @property
    def reference(self) -> str:
        """How other rooms name this appointment."""
        return reference("appointment", self.id)
