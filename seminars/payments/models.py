"""Attempts, payments, refunds and the webhook inbox."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from seminars.db import Amount, Base, Currency, Id, Instant
from seminars.kit.money import Money
from seminars.kit.references import reference
from seminars.orders.models import Order

FINAL = ("succeeded", "failed", "expired", "superseded")


class PaymentAttempt(Base):
    """One try to be paid for an order. `params` are exactly what Stripe is sent, however often it is sent (payments.md §0.4)."""

    __tablename__ = "payment_attempts"
    __table_args__ = (
        UniqueConstraint("order_id", "number"),
        CheckConstraint(
            "state IN ('intent', 'submitting', 'open', 'processing', 'succeeded', 'failed', 'expired', 'superseded', 'unknown')",
            name="state",
        ),
        Index("uq_payment_attempts_live", "order_id", unique=True, postgresql_where=text(f"state NOT IN {FINAL}")),
        Index("ix_payment_attempts_open", "state", "checked_at", postgresql_where=text(f"state NOT IN {FINAL}")),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("orders.id"))
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(12), default="intent")
    key: Mapped[str] = mapped_column(String(120), unique=True)
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
    session_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    url: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[Instant]
    payment_intent_id: Mapped[str | None] = mapped_column(String(120), index=True)
    decline_reason: Mapped[str] = mapped_column(Text, default="")
    trouble: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Instant]
    submitted_at: Mapped[Instant | None]
    checked_at: Mapped[Instant | None]
    settled_at: Mapped[Instant | None]
    found_by: Mapped[str] = mapped_column(String(20), default="")

    order: Mapped[Order] = relationship()

    @property
    def live(self) -> bool:
        """Whether it can still become a payment, as far as we know."""
        return self.state not in FINAL


class Payment(Base):
    """A captured charge. `role` says what its money is: for the order, a surplus, or not yet allocated.

    `promised` is what refunds have been promised from it: the database keeps it within the amount.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("role IN ('settles', 'surplus', 'unallocated')", name="role"),
        CheckConstraint("promised BETWEEN 0 AND amount", name="promised"),
        Index("uq_payments_settles", "order_id", unique=True, postgresql_where=text("role = 'settles'")),
        Index("ix_payments_fee_missing", "id", postgresql_where=text("balance_transaction_id IS NULL")),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("orders.id"), index=True)
    attempt_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("payment_attempts.id"), index=True)
    charge_id: Mapped[str] = mapped_column(String(120), unique=True)
    payment_intent_id: Mapped[str] = mapped_column(String(120), index=True)
    amount: Mapped[Amount]
    currency: Mapped[Currency]
    role: Mapped[str] = mapped_column(String(12))
    promised: Mapped[int] = mapped_column(BigInteger, default=0)
    method: Mapped[str] = mapped_column(String(40), default="card")
    brand: Mapped[str] = mapped_column(String(40), default="")
    last4: Mapped[str] = mapped_column(String(4), default="")
    paid_at: Mapped[Instant]
    recorded_at: Mapped[Instant]
    balance_transaction_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    fee: Mapped[int | None] = mapped_column(BigInteger)

    order: Mapped[Order] = relationship()
    refunds: Mapped[list["Refund"]] = relationship(back_populates="payment", order_by="Refund.id")

    @property
    def reference(self) -> str:
        """How other rooms name this payment."""
        return reference("payment", self.id)

    @property
    def money(self) -> Money:
        """The gross amount charged."""
        return Money(self.amount, self.currency)


class Refund(Base):
    """Money promised back from one payment, and what became of the promise. `succeeded` is not final for 35 days.

    `key` names the promise, so that it is made once; `number` counts under how many keys Stripe has been asked to pay it. `answer` is
    what a person did about it, with the `answer_reference` of a bank transfer or a document, where it went another way than ours.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint(
            "state IN ('requested', 'submitting', 'pending', 'requires_action', 'succeeded', 'failed', 'needs_manual', 'settled_otherwise',"
            " 'canceled')",
            name="state",
        ),
        CheckConstraint("amount > 0", name="amount"),
        Index(
            "ix_refunds_due",
            "state",
            "id",
            postgresql_where=text("state IN ('requested', 'submitting', 'pending', 'requires_action')"),
        ),
        Index(
            "ix_refunds_waiting",
            "id",
            postgresql_where=text("state = 'needs_manual' OR (external AND answered_at IS NULL)"),
        ),
    )
    __audited__ = ("state", "amount", "reason", "answer", "answer_reference")

    id: Mapped[Id]
    payment_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("payments.id"), index=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    amount: Mapped[Amount]
    currency: Mapped[Currency]
    reason: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(20), default="requested")
    number: Mapped[int] = mapped_column(Integer, default=1)
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
    external: Mapped[bool] = mapped_column(Boolean, default=False)
    refund_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    balance_transaction_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    failure_balance_transaction_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    failure_reason: Mapped[str] = mapped_column(Text, default="")
    trouble: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[str] = mapped_column(Text, default="", server_default="")
    answer_reference: Mapped[str] = mapped_column(String(120), default="", server_default="")
    answered_at: Mapped[Instant | None]
    promised_at: Mapped[Instant]
    submitted_at: Mapped[Instant | None]
    checked_at: Mapped[Instant | None]
    settled_at: Mapped[Instant | None]

    payment: Mapped[Payment] = relationship(back_populates="refunds")

    @property
    def stripe_key(self) -> str:
        """Under which idempotency key Stripe is asked: as frozen as the parameters."""
        whose = self.params["metadata"]
        return f"seminars:{whose['installation']}:refund:{whose['row']}:{whose['attempt']}:{whose['mark']}"

    @property
    def reference(self) -> str:
        """How other rooms name this refund."""
        return reference("refund", self.id)

    @property
    def money(self) -> Money:
        """What goes back."""
        return Money(self.amount, self.currency)


class StripeEvent(Base):
    """A webhook message, stored once under its id. What it is about is fetched afresh; its payload is only kept for people."""

    __tablename__ = "stripe_events"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'handled', 'ignored', 'dead')", name="state"),
        Index("ix_stripe_events_due", "not_before", postgresql_where=text("state = 'pending'")),
        Index("ix_stripe_events_object", "object_id"),
    )

    id: Mapped[str] = mapped_column(String(120), primary_key=True)
    type: Mapped[str] = mapped_column(String(100))
    object_id: Mapped[str] = mapped_column(String(120), default="")
    api_version: Mapped[str] = mapped_column(String(60), default="")
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created: Mapped[Instant]
    received_at: Mapped[Instant]
    source: Mapped[str] = mapped_column(String(10), default="webhook")
    state: Mapped[str] = mapped_column(String(10), default="pending")
    reason: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    not_before: Mapped[Instant]
    handled_at: Mapped[Instant | None]


EVENTS = "events"
"""The cursor of the list of events."""


class StripeCursor(Base):
    """How far the backfill of events has read, and how many of the last day Stripe could not deliver by itself."""

    __tablename__ = "stripe_cursors"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    read_until: Mapped[Instant]
    read_at: Mapped[Instant]
    undelivered: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
