"""The book's tables. Triggers in the migration refuse unbalanced, changed and deleted entries, and closed months."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from seminars.db import Amount, Base, Currency, Id, Instant


class Account(Base):
    """A bucket in the chart of accounts (never a login)."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("type IN ('asset', 'liability', 'equity', 'revenue', 'expense')", name="type"),
        CheckConstraint("normal_side IN ('debit', 'credit')", name="normal_side"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(120))
    type: Mapped[str] = mapped_column(String(10))
    normal_side: Mapped[str] = mapped_column(String(6))


class JournalEntry(Base):
    """A balanced set of postings with its date and its cause.

    `posted_in` is the database's number of the transaction that wrote it: its postings are written in the same one or never.
    """

    __tablename__ = "journal_entries"
    __table_args__ = (UniqueConstraint("source_kind", "source"), Index("ix_journal_entries_effective_on", "effective_on", "id"))

    id: Mapped[Id]
    source_kind: Mapped[str] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(120))
    about: Mapped[str] = mapped_column(String(80), index=True, default="")
    effective_on: Mapped[date] = mapped_column(Date)
    posted_at: Mapped[Instant]
    memo: Mapped[str] = mapped_column(Text, default="")
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("journal_entries.id"), unique=True)
    posted_in: Mapped[int] = mapped_column(BigInteger, server_default=text("pg_current_xact_id()::text::bigint"))

    postings: Mapped[list["Posting"]] = relationship(order_by="Posting.id", back_populates="entry")


class Posting(Base):
    """One signed line of an entry, in minor units. `dimension` says of what (`session/7`, `invoice/12`)."""

    __tablename__ = "postings"
    __table_args__ = (
        CheckConstraint("amount <> 0", name="amount"),
        CheckConstraint("currency = upper(currency) AND length(currency) = 3", name="currency"),
        # All that the check of the whole book reads: it goes through this index, in order, and never to the table.
        Index("ix_postings_entry", "entry_id", "currency", postgresql_include=["amount"]),
        Index("ix_postings_account", "account_number", "currency", "entry_id"),
        Index("ix_postings_dimension", "dimension", postgresql_where="dimension <> ''"),
    )

    id: Mapped[Id]
    entry_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("journal_entries.id"))
    account_number: Mapped[int] = mapped_column(ForeignKey("accounts.number"))
    amount: Mapped[Amount]
    currency: Mapped[Currency]
    dimension: Mapped[str] = mapped_column(String(80), default="")

    entry: Mapped[JournalEntry] = relationship(back_populates="postings")


class Period(Base):
    """A month that can be closed. A month without a row is open."""

    __tablename__ = "periods"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'closing', 'closed')", name="state"),
        CheckConstraint("date_trunc('month', month) = month", name="month"),
    )

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    state: Mapped[str] = mapped_column(String(8), default="open")
    closed_at: Mapped[Instant | None]
