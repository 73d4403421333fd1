"""What one person's calendar should show for one session, and whether a change of it must be told."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from seminars.calendars.zones import known_zone

NEEDS_ACTION = "NEEDS-ACTION"
CANCELLED = "CANCELLED"
STATUSES = ("CONFIRMED", "TENTATIVE", CANCELLED)
WEB = ("http", "https")

# Everything an address on the web may contain as it stands (RFC 3986), with the percent sign of what is already encoded.
URI_SAFE = ":/?#[]@!$&'()*+,;=%-._~"

LINE_ENDS = re.compile("\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one person's calendar should show for one session.

    Times are aware and in UTC; `zone` is the IANA name in which they are printed. An all-day entry covers the days, in its zone,
    from that of `starts_at` until that of `ends_at`, which is left out when it is midnight. Raises ValueError for what no
    calendar program could read: naive times, an unknown zone, an end that is not after the start, no UID.
    """

    uid: str
    sequence: int
    dtstamp: datetime
    summary: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    organizer_email: str
    organizer_name: str = ""
    all_day: bool = False
    location: str = ""
    url: str = ""
    join_url: str = ""
    description: str = ""
    attendee_email: str = ""
    attendee_name: str = ""
    partstat: str = NEEDS_ACTION
    ask_again: bool = False
    status: str = "CONFIRMED"

    def __post_init__(self) -> None:
        if not one_line(self.uid):
            raise ValueError("a calendar entry needs a UID")
        if self.sequence < 0:
            raise ValueError("SEQUENCE starts at 0 and only rises")
        if self.status not in STATUSES:
            raise ValueError(f"{self.status!r} is no status of an entry; use one of {', '.join(STATUSES)}")
        if not known_zone(self.zone):
            raise ValueError(f"{self.zone!r} is no zone of the IANA database")
        if any(moment.tzinfo is None for moment in (self.dtstamp, self.starts_at, self.ends_at)):
            raise ValueError("a calendar entry takes aware times only; naive ones would float")
        if self.ends_at <= self.starts_at:
            raise ValueError("a calendar entry ends after it starts")


def snapshot(entry: Entry) -> dict[str, str | bool]:
    """What is printed in an entry and worth telling when it changes. Prose is left out, so that an edit of it tells nobody."""
    return {
        "summary": one_line(entry.summary),
        "start": _moment(entry.starts_at),
        "end": _moment(entry.ends_at),
        "zone": entry.zone,
        "all_day": entry.all_day,
        "location": one_line(entry.location),
        "join_url": web_address(entry.join_url),
        "url": web_address(entry.url),
        "organizer": f"{person_name(entry.organizer_name)} <{one_line(entry.organizer_email)}>",
        "status": entry.status,
    }


def content_hash(entry: Entry) -> str:
    """Two entries with the same hash print the same; a new one asks for a higher SEQUENCE."""
    return _hash(snapshot(entry))


def schedule_hash(entry: Entry) -> str:
    """Two entries with the same hash are at the same time; a new one asks the person again whether they come."""
    told = snapshot(entry)
    return _hash({name: told[name] for name in ("start", "end", "zone", "all_day")})


def _hash(facts: dict[str, str | bool]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()


def several_lines(value: str) -> str:
    """Text of several lines without what breaks parsers: control characters, half characters, exotic line ends."""
    return UNPRINTABLE.sub("", LINE_ENDS.sub("\n", value))


def one_line(value: str) -> str:
    """Text on one line."""
    return " ".join(several_lines(value).replace("\t", " ").split("\n")).strip()


def person_name(name: str) -> str:
    """A name for the parameter CN. Quotes go: RFC 6868 could write them, and older programs would show its signs."""
    return one_line(name).translate({ord(sign): None for sign in '"^'})


def web_address(value: str) -> str:
    """An address on the web, made safe to print bare; nothing when it is none."""
    plain = one_line(value)
    try:
        known = urlsplit(plain).scheme in WEB
    except ValueError:
        return ""
    return quote(plain, safe=URI_SAFE) if known else ""
