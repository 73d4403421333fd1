"""What we last told each person's calendar."""

from typing import Any

from sqlalchemy import CheckConstraint, Integer, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from seminars.db import Base, Email, Id, Instant


class CalendarEntry(Base):
    """What one person's calendar should show for one session: UID, SEQUENCE, and the last committed revision.

    `holder` and `occasion` are references (`registration/118`, `session/7`); a withdrawn entry is never revived: the next one is a new
    `generation` with a new UID (calendar-mail §0.1, §9).
    """

    __tablename__ = "calendar_entries"
    __table_args__ = (
        UniqueConstraint("holder", "occasion", "generation"),
        CheckConstraint("state IN ('draft', 'active', 'cancelled')", name="state"),
        CheckConstraint("sequence >= 0", name="sequence"),
    )

    id: Mapped[Id]
    uid: Mapped[str] = mapped_column(String(255), unique=True)
    holder: Mapped[str] = mapped_column(String(80), index=True)
    occasion: Mapped[str] = mapped_column(String(80), index=True)
    generation: Mapped[int] = mapped_column(Integer, default=1)
    recipient: Mapped[Email]
    recipient_name: Mapped[str] = mapped_column(String(200))
    organizer: Mapped[Email]
    organizer_name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10), default="draft")
    sequence: Mapped[int] = mapped_column(Integer, default=0)
    dtstamp: Mapped[Instant]
    content_hash: Mapped[str] = mapped_column(String(64))
    schedule_hash: Mapped[str] = mapped_column(String(64))
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSONB)
    partstat: Mapped[str] = mapped_column(String(16), default="NEEDS-ACTION")
    thread: Mapped[str | None] = mapped_column(String(200))
