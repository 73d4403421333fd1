"""Series, invoices with their lines, what of them is deferred, credit notes, and the bytes of their documents."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from seminars.db import Amount, Base, Currency, Id, Instant
from seminars.kit.money import Money
from seminars.kit.references import reference
from seminars.orders.models import Order, thing_of

ISSUED = "documents"
"""The bell of what was issued and has no PDF yet."""


class Series(Base):
    """A row of numbers without gaps, one per kind of document and year."""

    __tablename__ = "series"
    __table_args__ = (UniqueConstraint("kind", "year"), CheckConstraint("kind IN ('invoice', 'credit_note')", name="kind"))

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(12))
    year: Mapped[int] = mapped_column(Integer)
    next: Mapped[int] = mapped_column(Integer, default=1)


class Invoice(Base):
    """What the buyer owes or has paid, numbered and frozen at issue. `facts` is all that the document shows.

    `paid` is how much of the total came; while that is less, the invoice stays issued and the rest is receivable.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("series_id", "serial"),
        CheckConstraint("state IN ('issued', 'paid', 'credited', 'void')", name="state"),
        CheckConstraint("net + tax = total AND total > 0", name="total"),
        CheckConstraint("paid BETWEEN 0 AND total", name="paid"),
        Index("ix_invoices_unrendered", "id", postgresql_where=text("rendered_at IS NULL")),
        Index("ix_invoices_issued_on", "issued_on", "id"),
    )
    __audited__ = ("state",)

    id: Mapped[Id]
    series_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("series.id"))
    serial: Mapped[int] = mapped_column(Integer)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    order_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("orders.id"), index=True)
    issued_on: Mapped[date] = mapped_column(Date)
    issued_at: Mapped[Instant]
    state: Mapped[str] = mapped_column(String(10), default="issued")
    currency: Mapped[Currency]
    net: Mapped[Amount]
    tax: Mapped[Amount]
    total: Mapped[Amount]
    paid: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    facts_hash: Mapped[str] = mapped_column(String(64))
    rendered_at: Mapped[Instant | None]

    order: Mapped[Order] = relationship()
    lines: Mapped[list["InvoiceLine"]] = relationship(back_populates="invoice", order_by="InvoiceLine.id")

    @property
    def reference(self) -> str:
        """How other rooms name this invoice."""
        return reference("invoice", self.id)

    @property
    def total_money(self) -> Money:
        """The amount of the document."""
        return Money(self.total, self.currency)


class InvoiceLine(Base):
    """What one seat, appointment or other subject costs on an invoice, and what of it has been credited. Each is invoiced once."""

    __tablename__ = "invoice_lines"
    __table_args__ = (
        CheckConstraint("net >= 0 AND tax >= 0", name="amounts"),
        CheckConstraint("credited_net BETWEEN 0 AND net AND credited_tax BETWEEN 0 AND tax", name="credited"),
        CheckConstraint("num_nonnulls(registration_id, appointment_id, subject) = 1", name="one_thing"),
    )

    id: Mapped[Id]
    invoice_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("invoices.id"), index=True)
    registration_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("registrations.id"), unique=True)
    appointment_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("appointments.id"), unique=True)
    subject: Mapped[str | None] = mapped_column(String(80), unique=True)
    currency: Mapped[Currency]
    net: Mapped[Amount]
    tax: Mapped[Amount]
    credited_net: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    credited_tax: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")

    invoice: Mapped[Invoice] = relationship(back_populates="lines")
    shares: Mapped[list["RevenueShare"]] = relationship(back_populates="line", order_by="RevenueShare.id")

    @property
    def thing(self) -> str:
        """What it is about, as other rooms name it: `registration/118`, `appointment/3`, `milestone/4`."""
        return thing_of(self.registration_id, self.appointment_id, self.subject)


class RevenueShare(Base):
    """The part of a line's net that is deferred for one session, appointment or retainer: recognised as it is delivered, unless credited.

    The split is made when the invoice is issued and never changes; so what is recognised is what was deferred, to the cent.
    """

    __tablename__ = "revenue_shares"
    __table_args__ = (
        UniqueConstraint("line_id", "session_id"),
        CheckConstraint("num_nonnulls(session_id, appointment_id, subject) = 1", name="one_thing"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("credited >= 0 AND recognised >= 0 AND credited + recognised <= amount", name="used"),
        Index("ix_revenue_shares_session", "session_id", "recognised"),
    )

    id: Mapped[Id]
    line_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("invoice_lines.id"))
    session_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("event_sessions.id"))
    appointment_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("appointments.id"), unique=True)
    subject: Mapped[str | None] = mapped_column(String(80), unique=True)
    amount: Mapped[Amount]
    credited: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    recognised: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")

    line: Mapped[InvoiceLine] = relationship(back_populates="shares")

    @property
    def dimension(self) -> str:
        """What it is deferred for, as the book names it: `session/7`, `appointment/3`, `retainer/2`."""
        if self.session_id is not None:
            return reference("session", self.session_id)
        return reference("appointment", self.appointment_id) if self.appointment_id is not None else self.subject or ""


class CreditNote(Base):
    """A numbered document that takes back all or part of one invoice, and names it."""

    __tablename__ = "credit_notes"
    __table_args__ = (
        UniqueConstraint("series_id", "serial"),
        UniqueConstraint("key"),
        CheckConstraint("net + tax = total AND total > 0", name="total"),
        Index("ix_credit_notes_unrendered", "id", postgresql_where=text("rendered_at IS NULL")),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(120))
    series_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("series.id"))
    serial: Mapped[int] = mapped_column(Integer)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    invoice_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("invoices.id"), index=True)
    issued_on: Mapped[date] = mapped_column(Date)
    issued_at: Mapped[Instant]
    currency: Mapped[Currency]
    net: Mapped[Amount]
    tax: Mapped[Amount]
    total: Mapped[Amount]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    facts_hash: Mapped[str] = mapped_column(String(64))
    rendered_at: Mapped[Instant | None]

    invoice: Mapped[Invoice] = relationship()

    @property
    def reference(self) -> str:
        """How other rooms name this credit note."""
        return reference("credit_note", self.id)

    @property
    def total_money(self) -> Money:
        """The amount of the document."""
        return Money(self.total, self.currency)


class Document(Base):
    """The rendered PDF of an invoice or a credit note, kept for good."""

    __tablename__ = "documents"

    subject: Mapped[str] = mapped_column(String(80), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    pdf: Mapped[bytes] = mapped_column(LargeBinary)
    rendered_at: Mapped[Instant]
