"""What programs read: calendars, the sitemap, robots."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree

from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy.orm import Session

from seminars.catalog import listings
from tests.clock import NOON
from tests.factories.programme import an_event

LATER = datetime(2027, 2, 2, tzinfo=UTC)


def titles(data: bytes) -> list[tuple[str, str]]:
    return [(str(event["SUMMARY"]), str(event["STATUS"])) for event in Calendar.from_ical(data).walk("VEVENT")]


def test_the_feed_holds_every_session_to_come_narrowed_like_the_list(client: FlaskClient, session: Session) -> None:
    an_event(session, title="Residency", days=2)
    an_event(session, title="Policy", topic="policy")

    assert titles(client.get("/programme.ics").data) == [("Residency", "CONFIRMED"), ("Policy", "CONFIRMED"), ("Residency", "CONFIRMED")]
    assert titles(client.get("/programme.ics?topic=policy").data) == [("Policy", "CONFIRMED")]


def test_an_event_that_is_called_off_stays_in_the_feed_and_says_so(client: FlaskClient, session: Session) -> None:
    event = an_event(session, title="Summit")
    event.state = "cancelled"
    listings.refresh(session, event, now=LATER)

    assert titles(client.get("/programme.ics").data) == [("Summit", "CANCELLED")] and ">Summit<" not in client.get("/").text
    assert titles(client.get(f"/events/{event.reference}.ics").data) == [("Summit", "CANCELLED")]


def test_a_subscriber_who_has_the_newest_is_told_so_and_an_edit_shows(client: FlaskClient, session: Session) -> None:
    event = an_event(session, title="Before", now=LATER)
    first = client.get("/programme.ics")

    same = client.get("/programme.ics", headers={"If-None-Match": first.headers["ETag"]})
    since = client.get("/programme.ics", headers={"If-Modified-Since": first.headers["Last-Modified"]})
    event.title = "After"
    listings.refresh(session, event, now=NOON)
    client.set_cookie("cart", "anything")
    edited = client.get("/programme.ics", headers={"If-None-Match": first.headers["ETag"]})

    assert (same.status_code, since.status_code) == (304, 304)
    assert edited.status_code == 200 and titles(edited.data) == [("After", "CONFIRMED")]


def test_download_and_feed_name_a_session_alike(client: FlaskClient, session: Session) -> None:
    event = an_event(session)

    feed, single = (
        Calendar.from_ical(client.get(path).data).walk("VEVENT")[0] for path in ("/programme.ics", f"/events/{event.reference}.ics")
    )

    assert feed["UID"] == single["UID"] == f"session-{event.sessions[0].id}@localhost"


def test_the_sitemap_names_what_is_to_come_and_robots_name_the_sitemap(client: FlaskClient, session: Session) -> None:
    event = an_event(session)
    an_event(session, title="Draft", state="draft")

    found = ElementTree.fromstring(client.get("/sitemap.xml").data)
    addresses = [place.text for place in found.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]

    assert addresses == [
        "http://localhost/",
        *(f"http://localhost/{page}" for page in ("refunds", "privacy", "accessibility", "contact")),
        f"http://localhost/events/{event.reference}",
        f"http://localhost/seminars/{event.seminar.slug}",
    ]
    assert (
        "Sitemap: http://localhost/sitemap.xml" in client.get("/robots.txt").text and "Disallow: /orders/" in client.get("/robots.txt").text
    )
