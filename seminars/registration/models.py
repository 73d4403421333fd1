"""Holds and registrations."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from seminars.catalog.models import Event, TicketType
from seminars.db import Base, Email, Id, Instant
from seminars.kit.references import reference

LIVE = ("held", "confirmed", "attended", "no_show")


class Hold(Base):
    """A claim on seats of one ticket type until `ends_at`; `since` is when its holder first took seats of this event.

    Placing the order consumes it: the seats are then held by registrations, which have no end of their own, so that nothing but
    what Stripe says (or the proof that no payment page exists) can free a seat somebody may be paying for (payments.md §0.6).
    """

    __tablename__ = "holds"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'consumed', 'released')", name="state"),
        CheckConstraint("places BETWEEN 1 AND 20", name="places"),
        Index("ix_holds_lapsing", "ends_at", postgresql_where=text("state = 'active'")),
        Index("ix_holds_event_active", "event_id", "ends_at", postgresql_where=text("state = 'active'")),
    )

    id: Mapped[Id]
    holder: Mapped[str] = mapped_column(String(80), index=True)
    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("events.id"))
    ticket_type_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ticket_types.id"), index=True)
    places: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(10), default="active")
    ends_at: Mapped[Instant]
    since: Mapped[Instant] = mapped_column(server_default=func.now())
    created_at: Mapped[Instant]

    ticket_type: Mapped[TicketType] = relationship()


class Registration(Base):
    """One person (or a seat not yet named) in one event, with a status.

    `secret` opens the person's own page (join link, calendar). `order_reference` names the order it belongs to.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        CheckConstraint("state IN ('held', 'confirmed', 'cancelled', 'attended', 'no_show')", name="state"),
        CheckConstraint("(attendee_name IS NULL) = (attendee_email IS NULL)", name="named"),
        Index("ix_registrations_event", "event_id", "state", "attendee_name", "id"),
        Index("ix_registrations_order", "order_reference"),
    )
    __audited__ = ("state", "attendee_name", "attendee_email", "profession", "needs", "comp_reason")

    id: Mapped[Id]
    secret: Mapped[str] = mapped_column(String(40), unique=True)
    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("events.id"))
    ticket_type_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ticket_types.id"), index=True)
    order_reference: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(10), default="held")
    attendee_name: Mapped[str | None] = mapped_column(String(200))
    attendee_email: Mapped[Email | None] = mapped_column(index=True)
    organisation: Mapped[str] = mapped_column(String(200), default="")
    profession: Mapped[str] = mapped_column(String(200), default="")
    needs: Mapped[str] = mapped_column(Text, default="")
    zone: Mapped[str] = mapped_column(String(64), default="")
    comp: Mapped[bool] = mapped_column(Boolean, default=False)
    comp_reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Instant]
    confirmed_at: Mapped[Instant | None]
    cancelled_at: Mapped[Instant | None]

    event: Mapped[Event] = relationship()
    ticket_type: Mapped[TicketType] = relationship()

    @property
    def reference(self) -> str:
        """How other rooms name this registration."""
        return reference("registration", self.id)

    @property
    def named(self) -> bool:
        """Whether it is known who takes the seat."""
        return self.attendee_email is not None
