"""Places where events are held."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.calendars.zones import known_zone
from seminars.catalog import listings
from seminars.catalog.models import Event, Venue
from seminars.catalog.rooms import full_name
from seminars.kit.typed import Fields


@dataclass(frozen=True)
class VenueFacts:
    """Where it is, in which zone, and how one gets in. `country` is two letters (ISO 3166-1)."""

    name: str
    zone: str
    address: str = ""
    city: str = ""
    region: str = ""
    country: str = "US"
    map_url: str = ""
    access_notes: str = ""


def create(session: Session, facts: VenueFacts) -> Venue:
    """Enter a place. Raises BadInputs."""
    venue = Venue(**vars(_checked(facts)))
    session.add(venue)
    session.flush()
    return venue


def change(session: Session, venue: Venue, facts: VenueFacts, *, now: datetime) -> Venue:
    """Describe a place anew. Events keep the zone that they were planned in. Raises BadInputs."""
    for name, value in vars(_checked(facts)).items():
        setattr(venue, name, value)
    for room in venue.rooms:
        room.resource.name = full_name(room.name, venue)
    session.flush()
    listings.refresh_many(session, session.scalars(select(Event.id).where(Event.venue_id == venue.id)), now=now)
    return venue


def _checked(facts: VenueFacts) -> VenueFacts:
    fields = Fields()
    checked = VenueFacts(
        name=fields.line("name", facts.name, most=200),
        zone=facts.zone.strip(),
        address=fields.text("address", facts.address, most=1_000),
        city=fields.line("city", facts.city, most=120, required=False),
        region=fields.line("region", facts.region, most=120, required=False),
        country=facts.country.strip().upper(),
        map_url=fields.address("map_url", facts.map_url),
        access_notes=fields.text("access_notes", facts.access_notes, most=2_000),
    )
    if not known_zone(checked.zone):
        fields.wrong("zone", "Please choose a zone such as America/Chicago.")
    if not re.fullmatch(r"[A-Z]{2}", checked.country):
        fields.wrong("country", "Please type the two letters of the country, such as US.")
    fields.finish()
    return checked
