"""What search engines read of an event: schema.org's Event as JSON-LD. Templates print it with tojson, which escapes < > & so that no
title can close the script element (a title did, at a peer: CVE-2026-60119)."""

from datetime import datetime
from typing import Any

from seminars.catalog.models import Event, TicketType
from seminars.config import Center
from seminars.kit import format as words
from seminars.kit.money import Money, digits

MODES = {"in_person": "Offline", "online": "Online", "hybrid": "Mixed"}
SCHEMA = "https://schema.org"


def event_data(event: Event, *, center: Center, base_url: str, left: dict[int, int], now: datetime) -> dict[str, Any]:
    """The event as schema.org describes one."""
    address = f"{base_url}/events/{event.reference}"
    status = "EventCancelled" if event.state == "cancelled" else "EventScheduled"
    organizer = {"@type": "Organization", "name": center.name, "url": base_url}
    data: dict[str, Any] = {
        "@context": SCHEMA,
        "@type": "EducationEvent",
        "name": event.title,
        "description": event.seminar.summary or event.seminar.abstract,
        "url": address,
        "eventStatus": f"{SCHEMA}/{status}",
        "eventAttendanceMode": f"{SCHEMA}/{MODES[event.format]}EventAttendanceMode",
        "organizer": organizer,
        "location": _locations(event, address),
        "offers": [_offer(kind, address, left.get(kind.id, 0), now) for kind in event.ticket_types if kind.on_sale],
    }
    if event.starts_at and event.ends_at:
        data["startDate"] = words.local(event.starts_at, event.zone).isoformat()
        data["endDate"] = words.local(event.ends_at, event.zone).isoformat()
    if event.speakers:
        data["performer"] = [{"@type": "Person", "name": speaker.name} for speaker in event.speakers]
    return data


def _locations(event: Event, address: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if event.venue and event.format != "online":
        venue = event.venue
        postal = {
            "@type": "PostalAddress",
            "streetAddress": venue.address,
            "addressLocality": venue.city,
            "addressRegion": venue.region,
            "addressCountry": venue.country,
        }
        found.append({"@type": "Place", "name": venue.name, "address": {name: value for name, value in postal.items() if value}})
    if event.online:
        found.append({"@type": "VirtualLocation", "url": address})
    return found


def _offer(kind: TicketType, address: str, left: int, now: datetime) -> dict[str, Any]:
    price = kind.price_at(now)
    return {
        "@type": "Offer",
        "name": kind.name,
        "price": _machine_amount(price),
        "priceCurrency": price.currency,
        "availability": f"{SCHEMA}/{'InStock' if left > 0 else 'SoldOut'}",
        "url": address,
    }


def _machine_amount(money: Money) -> str:
    """«1190.00», as machines read an amount."""
    return f"{money.amount / 10 ** digits(money.currency):.{digits(money.currency)}f}"
