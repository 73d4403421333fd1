"""The exact bytes of iCalendar: an invitation, its withdrawal, and what people download or subscribe to.

Nothing is invented here: the same entry gives the same bytes on every machine and every day, so that a mail that is sent twice is
the same mail.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, time, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress, vDuration, vText, vUri

from seminars.calendars.entries import CANCELLED, NEEDS_ACTION, Entry, one_line, person_name, several_lines, web_address
from seminars.calendars.zones import vtimezone

PRODUCT = "-//Seminars//Seminars//EN"
REFRESH = timedelta(hours=1)
REFRESH_IN_WORDS = "PT1H"

# What a mail address may contain as it stands behind mailto: (RFC 6068 2).
MAILTO_SAFE = "@!$&'*+-/=^_`{|}~."


@dataclass(frozen=True, kw_only=True)
class Feed:
    """How a download or a feed introduces itself. `source` is its own address, `url` a page for people; both may be absent."""

    name: str
    source: str = ""
    url: str = ""
    description: str = ""


def request_bytes(entry: Entry) -> bytes:
    """The invitation, and every update of it (RFC 5546 3.2.2). A cancelled entry is withdrawn instead: ValueError."""
    if entry.status == CANCELLED:
        raise ValueError("a REQUEST can't say CANCELLED (RFC 5546 3.2.2); use cancel_bytes")
    event = _event(entry, joinable=True)
    event.add("organizer", _organizer(entry))
    partstat = NEEDS_ACTION if entry.ask_again else entry.partstat
    event.add("attendee", _attendee(entry, partstat=partstat, rsvp="TRUE" if partstat == NEEDS_ACTION else "FALSE"))
    event.add("x-microsoft-disallow-counter", "TRUE")
    return _bytes(_calendar("REQUEST"), [entry], [event])


def cancel_bytes(entry: Entry) -> bytes:
    """The withdrawal of an entry (RFC 5546 3.2.5). Its SEQUENCE must be above all that were sent before."""
    event = _event(entry, joinable=False, status=CANCELLED)
    event.add("organizer", _organizer(entry))
    event.add("attendee", _attendee(entry))
    return _bytes(_calendar("CANCEL"), [entry], [event])


def publish_bytes(entries: Iterable[Entry], feed: Feed) -> bytes:
    """A download or a feed (RFC 5546 3.2.1, RFC 7986): many entries, nobody invited, cancelled ones kept and marked.

    The joining address is printed where an entry has one, so leave it out of entries for people who have not registered.
    """
    shown = sorted(entries, key=lambda entry: (entry.starts_at, entry.uid))
    events = []
    for entry in shown:
        event = _event(entry, joinable=entry.status != CANCELLED)
        event.add("organizer", _organizer(entry))
        events.append(event)
    return _bytes(_introduce(_calendar("PUBLISH"), feed), shown, events)


def _calendar(method: str) -> Calendar:
    # Not Calendar.new(): it invents a UID, and the bytes would differ every time.
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    return calendar


def _introduce(calendar: Calendar, feed: Feed) -> Calendar:
    # Wrapped in vText: icalendar does not know NAME and X-WR-… as text and would print ; and line breaks bare.
    calendar.add("name", vText(one_line(feed.name)))
    calendar.add("x-wr-calname", vText(one_line(feed.name)))
    if feed.description:
        calendar.add("description", vText(several_lines(feed.description)))
        calendar.add("x-wr-caldesc", vText(several_lines(feed.description)))
    refresh = vDuration(REFRESH)
    refresh.params["VALUE"] = "DURATION"
    calendar.add("refresh-interval", refresh)
    calendar.add("x-published-ttl", REFRESH_IN_WORDS)
    if source := web_address(feed.source):
        link = vUri(source)
        link.params["VALUE"] = "URI"
        calendar.add("source", link)
    if page := web_address(feed.url):
        calendar.add("url", vUri(page))
    return calendar


def _event(entry: Entry, *, joinable: bool, status: str | None = None) -> Event:
    status = status or entry.status
    cancelled = status == CANCELLED
    event = Event()
    event.add("uid", one_line(entry.uid))
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.dtstamp.astimezone(UTC))
    start, end = _span(entry)
    event.add("dtstart", start)
    event.add("dtend", end)
    event.add("summary", one_line(entry.summary))
    event.add("status", status)
    # Programs that keep a cancelled entry should at least not show the person as busy.
    event.add("transp", "TRANSPARENT" if cancelled else "OPAQUE")
    event.add("x-microsoft-cdo-busystatus", "FREE" if cancelled else "BUSY")
    join = web_address(entry.join_url) if joinable else ""
    location = one_line(entry.location)
    description = several_lines(entry.description)
    # Few programs show CONFERENCE, so the joining address stands where everybody looks as well.
    if join and location:
        description = f"{description}\nJoin online: {join}".lstrip("\n")
    if location or join:
        event.add("location", location or join)
    if description:
        event.add("description", description)
    if page := web_address(entry.url):
        event.add("url", vUri(page))
    if join:
        event.add("conference", _conference(join))
    return event


def _conference(address: str) -> vUri:
    # Not Conference(feature=[...]): it prints both features as one quoted value.
    conference = vUri(address)
    conference.params["VALUE"] = "URI"
    conference.params["FEATURE"] = ["AUDIO", "VIDEO"]
    conference.params["LABEL"] = "Join online"
    return conference


def _organizer(entry: Entry) -> vCalAddress:
    return _address(entry.organizer_email, entry.organizer_name)


def _attendee(entry: Entry, **params: str) -> vCalAddress:
    attendee = _address(entry.attendee_email, entry.attendee_name)
    attendee.params["CUTYPE"] = "INDIVIDUAL"
    attendee.params["ROLE"] = "REQ-PARTICIPANT"
    for name, value in params.items():
        attendee.params[name.upper()] = value
    return attendee


def _address(email: str, name: str) -> vCalAddress:
    plain = "".join(one_line(email).split())
    if "@" not in plain:
        raise ValueError(f"{email!r} is no mail address")
    address = vCalAddress(f"mailto:{quote(plain, safe=MAILTO_SAFE)}")
    if shown := person_name(name):
        address.params["CN"] = shown
    return address


def _bytes(calendar: Calendar, entries: list[Entry], events: list[Event]) -> bytes:
    for name in sorted({entry.zone for entry in entries if not entry.all_day}):
        if zone := vtimezone(name, *_years(entries)):
            calendar.add_component(zone)
    described = {str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")}
    for entry, event in zip(entries, events, strict=True):
        if not entry.all_day and entry.zone in described:
            _put_in_zone(event, ZoneInfo(entry.zone))
        calendar.add_component(event)
    printed: bytes = calendar.to_ical()
    return printed


def _put_in_zone(event: Event, zone: ZoneInfo) -> None:
    for name in ("dtstart", "dtend"):
        moment = event.pop(name).dt
        event.add(name, moment.astimezone(zone))


def _years(entries: list[Entry]) -> tuple[int, int]:
    return min(entry.starts_at.year for entry in entries) - 1, max(entry.ends_at.year for entry in entries) + 1


def _span(entry: Entry) -> tuple[date, date]:
    """Start and end as printed: days, or moments in UTC (put into their zone once it is known to have a description)."""
    if not entry.all_day:
        return entry.starts_at.astimezone(UTC), entry.ends_at.astimezone(UTC)
    zone = ZoneInfo(entry.zone)
    start, end = entry.starts_at.astimezone(zone), entry.ends_at.astimezone(zone)
    past_midnight = timedelta(days=0 if end.time() == time(0) else 1)
    return start.date(), max(end.date() + past_midnight, start.date() + timedelta(days=1))
