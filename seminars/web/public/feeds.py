"""What programs read: an event's .ics, the programme as a calendar to subscribe to, the sitemap, and robots.txt."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from flask import Blueprint, Response, request

from seminars.calendars import ics
from seminars.calendars.entries import CANCELLED, Entry
from seminars.calendars.invites import Occasion
from seminars.catalog import queries
from seminars.catalog.occasions import occasions_of
from seminars.catalog.queries import Listed
from seminars.config import Letterhead
from seminars.consulting.queries import offerings_on_sale
from seminars.db import db
from seminars.web.public import about, narrowing
from seminars.web.public.events import visible_event
from seminars.web.shared import joined, now

blueprint = Blueprint("feeds", __name__)

CALENDAR = "text/calendar; charset=utf-8"
# Subscribers ask every hour (REFRESH-INTERVAL); what lies between may answer for one minute.
FEED_AGE = "public, max-age=60"
PRIVATE = (
    "/cart", "/checkout", "/orders/", "/registrations/", "/appointments/", "/consulting/answers/", "/consulting/request/", "/calendars/",
    "/proposals/", "/engagements/", "/retainers/", "/staff", "/zone",
)  # fmt: skip
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


@blueprint.get("/events/<reference>.ics")
def event_ics(reference: str) -> Response:
    """One event, to be added to a calendar by hand. Has no joining address: that is for people with a seat."""
    event = visible_event(db.session(), reference)
    letterhead = joined().settings.letterhead
    page = f"{letterhead.base_url}/events/{event.reference}"
    stamp = event.published_at or event.created_at
    cancelled = event.state == "cancelled"
    entries = [entry_of(one, letterhead, stamp=stamp, cancelled=cancelled) for one in occasions_of(event, page=page)]
    return calendar(entries, ics.Feed(name=event.title, url=page), f"{event.reference}.ics")


@blueprint.get("/programme.ics")
def programme_ics() -> Response:
    """Every session of the programme, narrowed like the list; cancelled ones stay, marked, so that calendars take them down."""
    asked, letterhead = narrowing.read(request.args), joined().settings.letterhead
    rows = queries.calendar_sessions(db.session(), asked.narrowed, now=now())
    query = narrowing.query(asked.narrowed)
    feed = ics.Feed(
        name=letterhead.center.name,
        source=f"{letterhead.base_url}/programme.ics{query}",
        url=f"{letterhead.base_url}/{query}",
        description=f"The programme of {letterhead.center.name}, {letterhead.center.parent}",
    )
    response = calendar([_listed(row, letterhead) for row in rows], feed, "programme.ics")
    response.headers["Cache-Control"] = FEED_AGE
    if rows:
        response.last_modified = max(row.changed_at for row in rows)
    return response


def _listed(row: Listed, letterhead: Letterhead) -> Entry:
    occasion = Occasion(
        reference=f"session/{row.id}",
        summary=f"{row.title}: {row.part}" if row.part else row.title,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        zone=row.zone,
        all_day=row.all_day,
        location=", ".join(part for part in (row.room, row.place) if part),
        url=f"{letterhead.base_url}{row.path}",
        description=row.summary,
    )
    return entry_of(occasion, letterhead, stamp=row.changed_at, cancelled=row.state == "cancelled" or not row.listed)


def entry_of(occasion: Occasion, letterhead: Letterhead, *, stamp: datetime, cancelled: bool = False) -> Entry:
    """An occasion as anybody's calendar may show it, under a UID that download and feed share."""
    host = urlsplit(letterhead.base_url).hostname or "localhost"
    return Entry(
        uid=f"{occasion.reference.replace('/', '-')}@{host}",
        sequence=0,
        dtstamp=stamp.astimezone(UTC),
        summary=occasion.summary,
        starts_at=occasion.starts_at,
        ends_at=occasion.ends_at,
        zone=occasion.zone,
        organizer_email=letterhead.mail_from,
        organizer_name=letterhead.center.name,
        all_day=occasion.all_day,
        location=occasion.location,
        url=occasion.url,
        join_url=occasion.join_url,
        description=occasion.description,
        status=CANCELLED if cancelled else "CONFIRMED",
    )


def calendar(entries: Sequence[Entry], feed: ics.Feed, name: str) -> Response:
    """A calendar file."""
    response = Response(ics.publish_bytes(entries, feed), content_type=CALENDAR)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.get("/sitemap.xml")
def sitemap() -> Response:
    """Every page that search engines should know (sitemaps.org)."""
    base = joined().settings.base_url
    rows = queries.addresses(db.session(), now=now())
    changed: dict[str, datetime] = {}
    for row in rows:
        changed[row.path] = row.changed_at
        if not row.seminar_slug:
            continue
        page = f"/seminars/{row.seminar_slug}"
        changed[page] = max(row.changed_at, changed.get(page, row.changed_at))
    lines = [f"<url><loc>{escape(base + path)}</loc><lastmod>{when:%Y-%m-%dT%H:%M:%SZ}</lastmod></url>" for path, when in changed.items()]
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{SITEMAP}">'
    offerings = offerings_on_sale(db.session())
    people = sorted({one.slug for offering in offerings for one in offering.consultants if one.listed and one.active})
    others = ("/consulting", *(f"/consultants/{slug}" for slug in people)) if offerings else ()
    standing = [f"<url><loc>{escape(base + path)}</loc></url>" for path in ("/", *about.PATHS, *others)]
    body = "\n".join([head, *standing, *lines, "</urlset>\n"])
    return _public(Response(body, content_type="application/xml; charset=utf-8"))


@blueprint.get("/robots.txt")
def robots() -> Response:
    """What search engines may read: the programme; nobody's order."""
    closed = "\n".join(f"Disallow: {path}" for path in PRIVATE)
    body = f"User-agent: *\n{closed}\n\nSitemap: {joined().settings.base_url}/sitemap.xml\n"
    return _public(Response(body, content_type="text/plain; charset=utf-8"))


def _public(response: Response) -> Response:
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
