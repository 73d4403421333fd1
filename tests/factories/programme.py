"""Builders of the public programme: an event sets only what the test speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from seminars.catalog import listings
from seminars.catalog.models import Event, EventSession, Quota, RefundPolicy, Seminar, TicketType, Venue
from seminars.kit import format as words
from seminars.kit.references import secret, slug

CHICAGO = "America/Chicago"


def a_seminar(
    session: Session, title: str = "Social Media Residency", *, topic: str = "strategy", summary: str = "Two days in small groups."
) -> Seminar:
    made = Seminar(
        slug=f"{slug(title)}-{secret()[:5]}", title=title, summary=summary, topic=topic, created_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    session.add(made)
    session.flush()
    return made


def a_venue(session: Session, city: str = "Rochester", region: str = "Minnesota", zone: str = CHICAGO) -> Venue:
    made = Venue(name="Alder Hall", address="210 Second Street", city=city, region=region, zone=zone)
    session.add(made)
    session.flush()
    return made


def an_event(
    session: Session,
    *,
    starts: datetime = datetime(2027, 3, 22, 14, tzinfo=UTC),
    hours: float = 8,
    days: int = 1,
    title: str = "Social Media Residency",
    seminar: Seminar | None = None,
    topic: str = "strategy",
    format: str = "in_person",
    venue: Venue | None = None,
    zone: str = CHICAGO,
    price: int = 119_000,
    places: int = 10,
    taken: int = 0,
    state: str = "published",
    policy: RefundPolicy | None = None,
    now: datetime = datetime(2027, 1, 1, tzinfo=UTC),
) -> Event:
    """A listed event with one ticket type, «Seat»."""
    seminar = seminar or a_seminar(session, title, topic=topic)
    event = Event(
        seminar=seminar, reference=f"{slug(title)}-{secret()[:6]}", title=title, state=state, format=format, zone=zone,
        venue=venue if format != "online" else None, policy=policy, preview_secret=secret(), created_at=now,
        published_at=None if state == "draft" else now, join_url="https://meet.example/private-room" if format != "in_person" else "",
    )  # fmt: skip
    for day in range(days):
        begin = starts + timedelta(days=day)
        end = begin + timedelta(hours=hours)
        wall = [words.local(moment, zone).replace(tzinfo=None) for moment in (begin, end)]
        event.sessions.append(EventSession(starts_at=begin, ends_at=end, starts_local=wall[0], ends_local=wall[1]))
    event.starts_at, event.ends_at = event.sessions[0].starts_at, event.sessions[-1].ends_at
    event.quotas.append(Quota(size=places, taken=taken))
    event.ticket_types.append(TicketType(name="Seat", price=price, currency="USD", quotas=[event.quotas[0]]))
    session.add(event)
    listings.refresh(session, event, now=now)
    return event


def a_ticket_type(session: Session, event: Event, name: str, *, quotas: Sequence[Quota], price: int = 64_000) -> TicketType:
    made = TicketType(event=event, name=name, price=price, currency="USD", position=1, quotas=list(quotas))
    session.add(made)
    listings.refresh(session, event, now=datetime(2027, 1, 1, tzinfo=UTC))
    return made
