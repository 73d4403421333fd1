"""Rows that workers leave about the outside."""

from sqlalchemy import Boolean, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from seminars.db import Base, Instant


class Heartbeat(Base):
    """The last time a worker tried one neighbour (broker, mail, stripe, beat), and how it went."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[Instant]
    well: Mapped[bool] = mapped_column(Boolean)
    detail: Mapped[str] = mapped_column(Text)
