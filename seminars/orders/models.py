"""Carts, discount codes, orders and their lines."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import CITEXT, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from seminars.catalog.models import TicketType
from seminars.consulting.models import Appointment, OfferingLength
from seminars.db import Amount, Base, Currency, Email, Id, Instant
from seminars.kit.money import Money
from seminars.kit.references import reference
from seminars.registration.models import Hold, Registration

discount_ticket_types = Table(
    "discount_ticket_types",
    Base.metadata,
    Column("discount_code_id", ForeignKey("discount_codes.id", ondelete="CASCADE"), primary_key=True),
    Column("ticket_type_id", ForeignKey("ticket_types.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class DiscountCode(Base):
    """A string that changes a price: percent or amount off each seat, with a limit of seats, dates and ticket types (all when none)."""

    __tablename__ = "discount_codes"
    __table_args__ = (
        CheckConstraint("(percent IS NULL) <> (amount IS NULL)", name="kind"),
        CheckConstraint("percent BETWEEN 1 AND 100", name="percent"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("used BETWEEN 0 AND most", name="used"),
    )
    __audited__ = ("code", "percent", "amount", "most", "starts_at", "ends_at", "active")

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(CITEXT, unique=True)
    percent: Mapped[int | None] = mapped_column(Integer)
    amount: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[Currency]
    most: Mapped[int] = mapped_column(Integer, default=1_000_000)
    used: Mapped[int] = mapped_column(Integer, default=0)
    starts_at: Mapped[Instant | None]
    ends_at: Mapped[Instant | None]
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[Instant]

    ticket_types: Mapped[list[TicketType]] = relationship(secondary=discount_ticket_types)


class Cart(Base):
    """What a buyer is collecting. The browser knows it by `secret`; `client` stands for the address it came from, for a day."""

    __tablename__ = "carts"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'ordered', 'lapsed')", name="state"),
        Index("ix_carts_client", "client", postgresql_where=text("client <> ''")),
    )

    id: Mapped[Id]
    secret: Mapped[str] = mapped_column(String(40), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="open")
    client: Mapped[str] = mapped_column(String(32), default="", server_default="")
    discount_code_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("discount_codes.id"))
    created_at: Mapped[Instant]
    ends_at: Mapped[Instant]

    lines: Mapped[list["CartLine"]] = relationship(back_populates="cart", order_by="CartLine.id", cascade="all, delete-orphan")
    discount_code: Mapped[DiscountCode | None] = relationship()

    @property
    def seat_lines(self) -> list["CartLine"]:
        """Lines that are seats."""
        return [line for line in self.lines if line.ticket_type_id is not None]

    @property
    def meeting_lines(self) -> list["CartLine"]:
        """Lines that are appointments."""
        return [line for line in self.lines if line.appointment_id is not None]

    @property
    def reference(self) -> str:
        """How holds name this cart."""
        return reference("cart", self.id)


class CartLine(Base):
    """Some seats of one ticket type in a cart, held; or one appointment of an offering, held."""

    __tablename__ = "cart_lines"
    __table_args__ = (
        UniqueConstraint("cart_id", "ticket_type_id"),
        CheckConstraint("num_nonnulls(ticket_type_id, appointment_id) = 1", name="one_thing"),
        CheckConstraint("(ticket_type_id IS NULL) = (hold_id IS NULL)", name="seats"),
        CheckConstraint("(appointment_id IS NULL) = (length_id IS NULL) AND (appointment_id IS NULL OR places = 1)", name="appointment"),
    )

    id: Mapped[Id]
    cart_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("carts.id", ondelete="CASCADE"))
    ticket_type_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("ticket_types.id", ondelete="CASCADE"), index=True)
    places: Mapped[int] = mapped_column(Integer)
    hold_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("holds.id"), unique=True)
    appointment_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("appointments.id"), unique=True)
    length_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("offering_lengths.id"))

    cart: Mapped[Cart] = relationship(back_populates="lines")
    ticket_type: Mapped[TicketType | None] = relationship()
    hold: Mapped[Hold | None] = relationship()
    appointment: Mapped[Appointment | None] = relationship()
    length: Mapped[OfferingLength | None] = relationship()

    @property
    def kind(self) -> TicketType:
        """The ticket type of a line that is seats."""
        assert self.ticket_type is not None
        return self.ticket_type

    @property
    def seats_held(self) -> Hold:
        """The hold of a line that is seats."""
        assert self.hold is not None
        return self.hold

    @property
    def meeting(self) -> Appointment:
        """The appointment of a line that is one."""
        assert self.appointment is not None
        return self.appointment

    @property
    def price_list(self) -> OfferingLength:
        """Which length, at which price, a line that is an appointment was chosen as."""
        assert self.length is not None
        return self.length


class Order(Base):
    """The commercial agreement, with prices, policy and buyer as they were when it was placed. `secret` opens its page."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'placed', 'paid', 'cancelled', 'expired')", name="state"),
        CheckConstraint("total >= 0 AND net + tax = total", name="total"),
        CheckConstraint("channel IN ('web', 'desk')", name="channel"),
        Index("ix_orders_state", "state", "id"),
        Index("ix_orders_review", "id", postgresql_where=text("needs_review <> '' OR paid_unplaced OR dispute_open")),
    )
    __audited__ = (
        "state",
        "buyer_name",
        "buyer_email",
        "organisation",
        "address",
        "po_number",
        "needs_review",
        "paid_unplaced",
        "dispute_open",
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(40), unique=True)
    secret: Mapped[str] = mapped_column(String(40), unique=True)
    cart_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("carts.id"), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="placed")
    channel: Mapped[str] = mapped_column(String(4), default="web")
    buyer_name: Mapped[str] = mapped_column(String(200))
    buyer_email: Mapped[Email] = mapped_column(index=True)
    organisation: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(Text, default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    po_number: Mapped[str] = mapped_column(String(80), default="")
    zone: Mapped[str] = mapped_column(String(64), default="")
    currency: Mapped[Currency]
    net: Mapped[Amount]
    tax: Mapped[Amount]
    total: Mapped[Amount]
    discount_code_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("discount_codes.id"))
    policies: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    needs_review: Mapped[str] = mapped_column(Text, default="")
    dispute_open: Mapped[bool] = mapped_column(Boolean, default=False)
    paid_unplaced: Mapped[bool] = mapped_column(Boolean, default=False)
    placed_at: Mapped[Instant]
    paid_at: Mapped[Instant | None]
    closed_at: Mapped[Instant | None]

    lines: Mapped[list["OrderLine"]] = relationship(back_populates="order", order_by="OrderLine.position")
    cart: Mapped[Cart | None] = relationship()
    discount_code: Mapped[DiscountCode | None] = relationship()

    @property
    def seat_lines(self) -> list["OrderLine"]:
        """Lines that are seats."""
        return [line for line in self.lines if line.registration_id is not None]

    @property
    def meeting_lines(self) -> list["OrderLine"]:
        """Lines that are appointments."""
        return [line for line in self.lines if line.appointment_id is not None]

    @property
    def reference(self) -> str:
        """How other rooms name this order."""
        return reference("order", self.id)

    @property
    def total_money(self) -> Money:
        """What the buyer owes in all."""
        return Money(self.total, self.currency)


class OrderLine(Base):
    """One thing in an order, priced for good: list price, early reduction, discount, net, tax.

    It is a seat, an appointment, or what a higher room sells (`subject`: `milestone/4`, `retainer/2`).
    """

    __tablename__ = "order_lines"
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        CheckConstraint("list_price - early_reduction - discount = net AND net >= 0 AND tax >= 0", name="price"),
        CheckConstraint("num_nonnulls(registration_id, appointment_id, subject) = 1", name="one_thing"),
        CheckConstraint("num_nonnulls(registration_id, event_id, ticket_type_id) IN (0, 3)", name="seat"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("orders.id"))
    position: Mapped[int] = mapped_column(Integer)
    registration_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("registrations.id"), unique=True)
    event_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("events.id"), index=True)
    ticket_type_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("ticket_types.id"))
    appointment_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("appointments.id"), unique=True)
    subject: Mapped[str | None] = mapped_column(String(80), unique=True)
    description: Mapped[str] = mapped_column(Text)
    list_price: Mapped[Amount]
    early_reduction: Mapped[Amount]
    discount: Mapped[Amount]
    net: Mapped[Amount]
    tax_rate: Mapped[Any] = mapped_column(Numeric(7, 4), default=0)
    tax: Mapped[Amount]

    order: Mapped[Order] = relationship(back_populates="lines")
    registration: Mapped[Registration | None] = relationship()
    appointment: Mapped[Appointment | None] = relationship()

    @property
    def seat(self) -> Registration:
        """The seat of a line that is one."""
        assert self.registration is not None
        return self.registration

    @property
    def meeting(self) -> Appointment:
        """The appointment of a line that is one."""
        assert self.appointment is not None
        return self.appointment

    @property
    def thing(self) -> str:
        """What is sold, as other rooms name it: `registration/118`, `appointment/3`, `milestone/4`."""
        return thing_of(self.registration_id, self.appointment_id, self.subject)

    @property
    def starts_at(self) -> datetime | None:
        """When it begins, where it has a time."""
        if self.registration is not None:
            return self.registration.event.starts_at
        return self.appointment.starts_at if self.appointment is not None else None


def thing_of(registration_id: int | None, appointment_id: int | None, subject: str | None) -> str:
    """The name of what a line of an order or an invoice is about: one of the three is given."""
    if registration_id is not None:
        return reference("registration", registration_id)
    return reference("appointment", appointment_id) if appointment_id is not None else subject or ""
