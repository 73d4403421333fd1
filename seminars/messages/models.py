"""The outbox."""

from typing import Any

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from seminars.db import Base, Email, Id, Instant

STATES = ("pending", "sending", "sent", "unknown", "superseded", "suppressed", "failed")


class Message(Base):
    """An outgoing mail with its delivery state.

    `lane` groups revisions of one thing (a calendar entry's UID): within it only the newest goes, one at a time, in order.
    `facts` is all that the wording needs; `attachments` lists references that the renderer fetches (`invoice/12`).
    """

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index("ix_messages_due", "not_before", "id", postgresql_where=text("state IN ('pending', 'sending', 'unknown')")),
        Index("ix_messages_lane", "lane", "revision", postgresql_where=text("lane IS NOT NULL")),
        Index("ix_messages_references", "references", postgresql_using="gin"),
        Index("uq_messages_sending_lane", "lane", unique=True, postgresql_where=text("lane IS NOT NULL AND state = 'sending'")),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(80))
    recipient: Mapped[Email]
    recipient_name: Mapped[str] = mapped_column(String(200), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    references: Mapped[list[str]] = mapped_column(ARRAY(String(80)), default=list)
    lane: Mapped[str | None] = mapped_column(String(255))
    revision: Mapped[int | None] = mapped_column(Integer)
    calendar_method: Mapped[str | None] = mapped_column(String(10))
    calendar: Mapped[bytes | None] = mapped_column(LargeBinary)
    thread: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12), default="pending")
    reason: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    not_before: Mapped[Instant]
    lease_until: Mapped[Instant | None]
    subject: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[str | None] = mapped_column(String(200))
    raw: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    reply: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Instant]
    sent_at: Mapped[Instant | None]
