"""Seminars, events, sessions, ticket types and their quotas, speakers, venues, policies, listings, imports.

A session's wall-clock time and its event's zone are what staff decided; the instants are computed from them (`events.place_in_time`),
so that 09:00 stays 09:00 when the rules of summer time change.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from seminars.db import Amount, Base, Currency, Id, Instant
from seminars.kit.money import Money
from seminars.schedule.models import Resource

FORMATS = ("in_person", "online", "hybrid")


class Seminar(Base):
    """The reusable description of what is taught. Has no date."""

    __tablename__ = "seminars"
    __audited__ = ("title", "summary", "abstract", "audience", "outcomes", "topic", "credits")

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    summary: Mapped[str] = mapped_column(Text, default="")
    abstract: Mapped[str] = mapped_column(Text, default="")
    outcomes: Mapped[str] = mapped_column(Text, default="")
    audience: Mapped[str] = mapped_column(Text, default="")
    credits: Mapped[str] = mapped_column(Text, default="")
    topic: Mapped[str] = mapped_column(String(40), default="")
    created_at: Mapped[Instant]

    events: Mapped[list["Event"]] = relationship(back_populates="seminar")


class Venue(Base):
    """A place with an address and a zone."""

    __tablename__ = "venues"
    __audited__ = ("name", "address", "city", "region", "country", "zone", "map_url", "access_notes")

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(Text, default="")
    city: Mapped[str] = mapped_column(String(120), default="")
    region: Mapped[str] = mapped_column(String(120), default="")
    country: Mapped[str] = mapped_column(String(2), default="US")
    zone: Mapped[str] = mapped_column(String(64))
    map_url: Mapped[str] = mapped_column(Text, default="")
    access_notes: Mapped[str] = mapped_column(Text, default="")

    rooms: Mapped[list["Room"]] = relationship(back_populates="venue", order_by="Room.name")


class Room(Base):
    """A room of a venue that can be taken by one thing at a time."""

    __tablename__ = "rooms"
    __table_args__ = (UniqueConstraint("venue_id", "name"),)
    __audited__ = ("name",)

    id: Mapped[Id]
    venue_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("venues.id"))
    name: Mapped[str] = mapped_column(String(200))
    resource_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("resources.id"), unique=True)

    venue: Mapped[Venue] = relationship(back_populates="rooms")
    resource: Mapped[Resource] = relationship()


class Speaker(Base):
    """Someone who teaches. Their resource says when they are taken: it is the one of the consultant who is the same person."""

    __tablename__ = "speakers"
    __audited__ = ("name", "credentials", "role", "bio")

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(200))
    credentials: Mapped[str] = mapped_column(String(100), default="")
    role: Mapped[str] = mapped_column(String(300), default="")
    bio: Mapped[str] = mapped_column(Text, default="")
    resource_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("resources.id"), unique=True)

    resource: Mapped[Resource] = relationship()


class RefundPolicy(Base):
    """Rules as data, agreed at purchase and frozen on the order: full refund less a fee until so many days before the start."""

    __tablename__ = "refund_policies"
    __table_args__ = (CheckConstraint("days_before >= 0 AND fee >= 0", name="amounts"),)
    __audited__ = ("name", "days_before", "fee", "currency")

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(120))
    days_before: Mapped[int] = mapped_column(Integer)
    fee: Mapped[Amount]
    currency: Mapped[Currency]


event_speakers = Table(
    "event_speakers",
    Base.metadata,
    Column("event_id", ForeignKey("events.id", ondelete="CASCADE"), primary_key=True),
    Column("speaker_id", ForeignKey("speakers.id"), primary_key=True),
    Column("position", Integer, nullable=False, server_default="0"),
)

ticket_type_quotas = Table(
    "ticket_type_quotas",
    Base.metadata,
    Column("ticket_type_id", ForeignKey("ticket_types.id", ondelete="CASCADE"), primary_key=True),
    Column("quota_id", ForeignKey("quotas.id"), primary_key=True, index=True),
)

ticket_type_sessions = Table(
    "ticket_type_sessions",
    Base.metadata,
    Column("ticket_type_id", ForeignKey("ticket_types.id", ondelete="CASCADE"), primary_key=True),
    Column("session_id", ForeignKey("event_sessions.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Event(Base):
    """One scheduled, sellable run of a seminar. What people register for.

    `starts_at` and `ends_at` span its live sessions. `reference` is its public address; `preview_secret` opens a draft to a reviewer.
    """

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'published', 'archived', 'cancelled')", name="state"),
        CheckConstraint(f"format IN {FORMATS}", name="format"),
        Index("ix_events_start", "starts_at"),
    )
    __audited__ = ("title", "state", "format", "zone", "venue_id", "join_url", "notes", "policy_id", "listed", "starts_at", "ends_at")

    id: Mapped[Id]
    seminar_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("seminars.id"), index=True)
    reference: Mapped[str] = mapped_column(String(120), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(10), default="draft")
    format: Mapped[str] = mapped_column(String(10), default="in_person")
    zone: Mapped[str] = mapped_column(String(64))
    venue_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("venues.id"), index=True)
    join_url: Mapped[str] = mapped_column(Text, default="")
    notes: Mapped[str] = mapped_column(Text, default="")
    listed: Mapped[bool] = mapped_column(Boolean, default=True)
    policy_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("refund_policies.id"))
    starts_at: Mapped[Instant | None]
    ends_at: Mapped[Instant | None]
    preview_secret: Mapped[str] = mapped_column(String(40))
    source_uid: Mapped[str | None] = mapped_column(String(512), unique=True)
    created_at: Mapped[Instant]
    published_at: Mapped[Instant | None]

    seminar: Mapped[Seminar] = relationship(back_populates="events")
    venue: Mapped[Venue | None] = relationship()
    policy: Mapped[RefundPolicy | None] = relationship()
    sessions: Mapped[list["EventSession"]] = relationship(
        back_populates="event", order_by="EventSession.starts_at, EventSession.id", cascade="all, delete-orphan"
    )
    ticket_types: Mapped[list["TicketType"]] = relationship(
        back_populates="event", order_by="TicketType.position, TicketType.id", cascade="all, delete-orphan"
    )
    quotas: Mapped[list["Quota"]] = relationship(back_populates="event", order_by="Quota.id", cascade="all, delete-orphan")
    speakers: Mapped[list[Speaker]] = relationship(secondary=event_speakers, order_by=event_speakers.c.position)

    @property
    def online(self) -> bool:
        """Whether one can take part without travelling."""
        return self.format in ("online", "hybrid")


class EventSession(Base):
    """One dated block of an event, with its own delivery mark."""

    __tablename__ = "event_sessions"
    __noun__ = "session"
    __table_args__ = (
        CheckConstraint("state IN ('planned', 'delivered', 'cancelled')", name="state"),
        CheckConstraint("ends_at > starts_at", name="times"),
        Index("ix_event_sessions_event_start", "event_id", "starts_at"),
    )
    __audited__ = ("title", "starts_local", "ends_local", "all_day", "room", "join_url", "state", "agenda")

    id: Mapped[Id]
    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("events.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(300), default="")
    agenda: Mapped[str] = mapped_column(Text, default="")
    starts_local: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    ends_local: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    all_day: Mapped[bool] = mapped_column(Boolean, default=False)
    starts_at: Mapped[Instant]
    ends_at: Mapped[Instant]
    room: Mapped[str] = mapped_column(String(300), default="")
    room_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("rooms.id"), index=True)
    join_url: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(10), default="planned")
    delivered_at: Mapped[Instant | None]

    event: Mapped[Event] = relationship(back_populates="sessions")
    held_in: Mapped[Room | None] = relationship()


class Quota(Base):
    """A counter that ticket types draw on; an event's capacity is one. The database keeps 0 <= taken <= size."""

    __tablename__ = "quotas"
    __table_args__ = (CheckConstraint("taken BETWEEN 0 AND size", name="taken"),)
    __audited__ = ("name", "size")

    id: Mapped[Id]
    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("events.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(120), default="Seats")
    size: Mapped[int] = mapped_column(Integer)
    taken: Mapped[int] = mapped_column(Integer, default=0)

    event: Mapped[Event] = relationship(back_populates="quotas")


class TicketType(Base):
    """A priced way to attend an event. Draws on each of its quotas; admits to its sessions, or to all when none is named."""

    __tablename__ = "ticket_types"
    __table_args__ = (
        CheckConstraint("price >= 0 AND (early_price IS NULL OR (early_price >= 0 AND early_price <= price))", name="price"),
        CheckConstraint("(early_price IS NULL) = (early_until IS NULL)", name="early"),
    )
    __audited__ = ("name", "price", "currency", "early_price", "early_until", "on_sale", "most_per_order")

    id: Mapped[Id]
    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("events.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    position: Mapped[int] = mapped_column(Integer, default=0)
    price: Mapped[Amount]
    currency: Mapped[Currency]
    early_price: Mapped[int | None] = mapped_column(BigInteger)
    early_until: Mapped[Instant | None]
    on_sale: Mapped[bool] = mapped_column(Boolean, default=True)
    most_per_order: Mapped[int] = mapped_column(Integer, default=20)

    event: Mapped[Event] = relationship(back_populates="ticket_types")
    quotas: Mapped[list[Quota]] = relationship(secondary=ticket_type_quotas, order_by=Quota.id)
    sessions: Mapped[list[EventSession]] = relationship(secondary=ticket_type_sessions, order_by=EventSession.starts_at)

    @property
    def list_price(self) -> Money:
        """The price without any reduction."""
        return Money(self.price, self.currency)

    def price_at(self, now: datetime) -> Money:
        """What one seat costs at that instant: the early price until its end, then the list price."""
        if self.early_price is not None and self.early_until is not None and now < self.early_until:
            return Money(self.early_price, self.currency)
        return self.list_price


class Listing(Base):
    """One row per thing on sale, with its search text; the public list, search, feeds and sitemap read this table and no other.

    An offering has no date: it starts and ends at the same instant, an empty range, which is never going on and never to come.
    """

    __tablename__ = "listings"
    __table_args__ = (
        UniqueConstraint("subject"),
        Index("ix_listings_search", "search", postgresql_using="gin"),
        Index("ix_listings_upcoming", "starts_at", "id", postgresql_where=text("listed")),
        # What is going on at an instant, found without reading all that is over or all that is to come.
        Index("ix_listings_running", text("tstzrange(starts_at, ends_at)"), postgresql_using="gist", postgresql_where=text("listed")),
        Index("ix_listings_topic", "topic", "starts_at", postgresql_where=text("listed")),
        Index("ix_listings_city", "city", "starts_at", postgresql_where=text("listed")),
        Index("ix_listings_offerings", "title", "id", postgresql_where=text("kind = 'offering' AND listed")),
        CheckConstraint("(kind = 'offering') = (starts_at = ends_at)", name="dateless"),
    )

    id: Mapped[Id]
    subject: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))
    path: Mapped[str] = mapped_column(String(200))
    seminar_slug: Mapped[str] = mapped_column(String(80), index=True)
    title: Mapped[str] = mapped_column(String(300))
    summary: Mapped[str] = mapped_column(Text)
    people: Mapped[str] = mapped_column(Text, default="")
    topic: Mapped[str] = mapped_column(String(40))
    format: Mapped[str] = mapped_column(String(10))
    city: Mapped[str] = mapped_column(String(120))
    place: Mapped[str] = mapped_column(String(300))
    zone: Mapped[str] = mapped_column(String(64))
    all_day: Mapped[bool] = mapped_column(Boolean, default=False)
    starts_at: Mapped[Instant]
    first_ends_at: Mapped[Instant]
    ends_at: Mapped[Instant]
    price_from: Mapped[int | None] = mapped_column(BigInteger)
    several_prices: Mapped[bool] = mapped_column(Boolean, default=False)
    currency: Mapped[Currency]
    quota_id: Mapped[int | None] = mapped_column(BigInteger)
    listed: Mapped[bool] = mapped_column(Boolean, default=True)
    changed_at: Mapped[Instant]
    search: Mapped[Any] = mapped_column(
        TSVECTOR,
        Computed(
            "setweight(to_tsvector('english', title), 'A')"
            " || setweight(to_tsvector('english', place || ' ' || city || ' ' || topic || ' ' || people), 'B')"
            " || setweight(to_tsvector('english', summary), 'C')",
            persisted=True,
        ),
        deferred=True,
    )


class ImportRun(Base):
    """One file of another system on its way into the catalogue: what the dry run showed, and how far taking it has come."""

    __tablename__ = "import_runs"
    __table_args__ = (CheckConstraint("state IN ('planned', 'running', 'done', 'discarded')", name="state"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(300))
    kind: Mapped[str] = mapped_column(String(4))
    fingerprint: Mapped[str] = mapped_column(String(64), index=True)
    data: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    choices: Mapped[dict[str, Any]] = mapped_column(JSONB)
    summary: Mapped[dict[str, Any]] = mapped_column(JSONB)
    horizon: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(10), default="planned")
    total: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[Instant]
    finished_at: Mapped[Instant | None]


class ImportRow(Base):
    """One event (or one row left out) of an import, exactly as the dry run showed it."""

    __tablename__ = "import_rows"
    __table_args__ = (
        UniqueConstraint("run_id", "position"),
        CheckConstraint("outcome IN ('new', 'duplicate', 'left_out', 'made')", name="outcome"),
    )

    id: Mapped[Id]
    run_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("import_runs.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    line: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(10))
    why: Mapped[str] = mapped_column(Text, default="")
    what: Mapped[str] = mapped_column(Text)
    plan: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    event_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("events.id", ondelete="SET NULL"))
