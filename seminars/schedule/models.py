"""Resources and the claims on their time."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from seminars.db import Base, Id, Instant

BLOCKING = ("session", "appointment", "hold", "buffer", "leave")
"""Kinds of which two never overlap. What somebody's own calendar says (`busy`) may lie over anything: we did not make it."""
KINDS = (*BLOCKING, "busy")
LAPSING = ("hold", "buffer")


class Resource(Base):
    """A person or a room that can be taken. Speakers, consultants and rooms each point to theirs; who does both points to one."""

    __tablename__ = "resources"
    __table_args__ = (CheckConstraint("kind IN ('person', 'room')", name="kind"),)
    __audited__ = ("name",)

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(6))
    name: Mapped[str] = mapped_column(String(200))


class TimeClaim(Base):
    """A resource is taken from `starts_at` until just before `ends_at`: 9-10 and 10-11 do not clash.

    `lapses_at` is the end of a hold that nobody may ever confirm. A claim with `override_reason` was laid over another one by staff: the
    constraint lets it pass, and everything that looks for free time still sees it.
    """

    __tablename__ = "time_claims"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint("ends_at > starts_at", name="times"),
        CheckConstraint(f"lapses_at IS NULL OR kind IN {LAPSING}", name="lapses"),
        ExcludeConstraint(
            ("resource_id", "="),
            (text("tstzrange(starts_at, ends_at)"), "&&"),
            using="gist",
            where=text(f"kind IN {BLOCKING} AND override_reason = ''"),
            name="ex_time_claims_one_at_a_time",
        ),
        Index("ix_time_claims_resource", text("resource_id"), text("tstzrange(starts_at, ends_at)"), postgresql_using="gist"),
        Index("ix_time_claims_lapsing", "lapses_at", postgresql_where=text("lapses_at IS NOT NULL")),
    )

    id: Mapped[Id]
    resource_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("resources.id"))
    kind: Mapped[str] = mapped_column(String(12))
    holder: Mapped[str] = mapped_column(String(80), index=True)
    starts_at: Mapped[Instant]
    ends_at: Mapped[Instant]
    label: Mapped[str] = mapped_column(Text, default="")
    override_reason: Mapped[str] = mapped_column(Text, default="")
    lapses_at: Mapped[Instant | None]
    created_at: Mapped[Instant]

    resource: Mapped[Resource] = relationship()
