"""Which zone of the IANA database another system means by the name it gives."""

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from seminars.calendars.zones import known_zone, zone_names

# Abbreviations as they are used by hand. Each names a zone and the offset its user believes to be in force there.
ABBREVIATIONS = {
    "WET": ("Europe/Lisbon", 0), "WEST": ("Europe/Lisbon", 60), "GMT": ("Europe/London", 0), "BST": ("Europe/London", 60),
    "CET": ("Europe/Berlin", 60), "CEST": ("Europe/Berlin", 120), "MEZ": ("Europe/Berlin", 60), "MESZ": ("Europe/Berlin", 120),
    "EET": ("Europe/Athens", 120), "EEST": ("Europe/Athens", 180),
    "EST": ("America/New_York", -300), "EDT": ("America/New_York", -240), "ET": ("America/New_York", None),
    "CST": ("America/Chicago", -360), "CDT": ("America/Chicago", -300), "CT": ("America/Chicago", None),
    "MST": ("America/Denver", -420), "MDT": ("America/Denver", -360), "MT": ("America/Denver", None),
    "PST": ("America/Los_Angeles", -480), "PDT": ("America/Los_Angeles", -420), "PT": ("America/Los_Angeles", None),
    "AEST": ("Australia/Sydney", 600), "AEDT": ("Australia/Sydney", 660), "JST": ("Asia/Tokyo", 540),
    "IST": ("Asia/Kolkata", 330),
}  # fmt: skip
OFFSET = re.compile(r"(?:UTC|GMT)\s*([+-\u2212])\s*(\d{1,2})(?::?(\d{2}))?\b", re.IGNORECASE)
UTC_NAMES = {"UTC", "Z", "ZULU", "UT", "ETC/UTC", "COORDINATED UNIVERSAL TIME"}


@dataclass(frozen=True)
class ZoneLabel:
    """What a label says: a zone, and perhaps the offset from UTC that its writer believes to be in force."""

    zone: str
    offset: timedelta | None = None


def iana_name(name: str) -> str | None:
    """The IANA name behind a TZID: itself, in other capitals, behind the prefix of a program, or a Windows name."""
    plain = name.strip().strip('"').strip()
    if plain.upper() in UTC_NAMES:
        return "UTC"
    if windows := WINDOWS_TO_OLSON.get(plain):
        return windows
    parts = plain.strip("/").split("/")
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        if known := _by_lower_case().get(tail.lower()):
            # EST and the like are fixed offsets in the database and mean a city's time when people write them.
            return None if known.upper() in ABBREVIATIONS else known
    return None


@lru_cache(maxsize=512)
def zone_label(label: str) -> ZoneLabel | None:
    """What somebody means who writes “Lisbon WEST UTC+1”, “CET” or “Central Standard Time”. None when it says nothing known."""
    plain = label.strip()
    if known := iana_name(plain):
        return ZoneLabel(known)
    words = re.findall(r"[A-Za-z]+", plain)
    place = _city_in(words)
    offset = _offset_in(plain)
    short = next((ABBREVIATIONS[word.upper()] for word in words if word.upper() in ABBREVIATIONS and word.upper() != "GMT"), None)
    if offset is None and short is not None and short[1] is not None:
        offset = timedelta(minutes=short[1])
    if place or short:
        return ZoneLabel(place or (short[0] if short else ""), offset)
    if "GMT" in plain.upper().split():
        return ZoneLabel("Europe/London", timedelta(0))
    return _fixed(offset)


def _offset_in(label: str) -> timedelta | None:
    if found := OFFSET.search(label):
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        return timedelta(minutes=minutes if found[1] == "+" else -minutes)
    return timedelta(0) if re.search(r"\bUTC\b", label, re.IGNORECASE) else None


def _fixed(offset: timedelta | None) -> ZoneLabel | None:
    """A zone of whole hours from UTC. The database names them by the sign the other way round."""
    if offset is None or offset % timedelta(hours=1):
        return None
    hours = int(offset / timedelta(hours=1))
    name = f"Etc/GMT{-hours:+d}" if hours else "UTC"
    return ZoneLabel(name) if known_zone(name) else None


def _city_in(words: list[str]) -> str | None:
    for length in (3, 2, 1):
        for start in range(len(words) - length + 1):
            if city := _cities().get(" ".join(words[start : start + length]).lower()):
                return city
    return None


@lru_cache(maxsize=1)
def _cities() -> dict[str, str]:
    areas = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    names = sorted(name for name in zone_names() if name.startswith(areas))
    return {name.rsplit("/", 1)[1].replace("_", " ").lower(): name for name in reversed(names)}


@lru_cache(maxsize=1)
def _by_lower_case() -> dict[str, str]:
    return {name.lower(): name for name in zone_names()}
