"""A zone is described so that a program that has never heard of it keeps every wall clock right."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule, tz
from icalendar import Timezone

from seminars.calendars.zones import known_zone, vtimezone, zone_names

WRITTEN_IN_UTC = {
    "Africa/Cairo",  # the last Thursday at 24:00 is not the last Friday
    "Africa/Casablanca",  # four changes in most years, moved by Ramadan
    "America/Nuuk",  # on the eve of a last Sunday
    "America/Santiago",
    "Asia/Gaza",
    "Asia/Jerusalem",  # the Friday before the last Sunday
}

COMMON = sorted(name for name in zone_names() if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/", "posix", "right")))


def offsets_by_the_component(component: Timezone) -> tz.tzrangebase:
    """What dateutil, which knows nothing of zoneinfo, makes of the printed VTIMEZONE."""
    printed = component.to_ical().decode().replace("\r\n", "\n")
    return tz.tzical(StringIO(printed)).get()


def mornings(first_year: int, last_year: int) -> list[datetime]:
    start, end = datetime(first_year, 1, 1, 9, 30), datetime(last_year, 12, 31)
    return list(rrule.rrule(rrule.DAILY, dtstart=start, until=end, interval=9))


@pytest.mark.parametrize("part", range(4))
def test_every_described_zone_agrees_with_the_zone_database_from_2024_to_2040(part):
    wrong = []
    for name in COMMON[part::4]:
        component = vtimezone(name)
        if component is None:
            continue
        described, known = offsets_by_the_component(component), ZoneInfo(name)
        wrong += [
            (name, wall)
            for wall in mornings(2024, 2040)
            if wall.replace(tzinfo=described).utcoffset() != wall.replace(tzinfo=known).utcoffset()
        ]

    assert wrong == []


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/New_York", "America/Chicago", "Australia/Sydney", "Europe/Dublin"])
def test_the_hours_around_a_change_are_right_to_the_minute(name):
    described, known = offsets_by_the_component(vtimezone(name)), ZoneInfo(name)
    moments = [datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(365 * 48)]
    walls = [moment.astimezone(known) for moment in moments]
    outside_gaps = [wall for wall in walls if wall.fold == 0 and wall.replace(fold=1).utcoffset() == wall.utcoffset()]

    wrong = [wall for wall in outside_gaps if wall.replace(tzinfo=described).utcoffset() != wall.utcoffset()]

    assert wrong == []


def test_rochester_is_described_in_one_standard_and_one_daylight():
    printed = vtimezone("America/Chicago").to_ical()

    assert printed == (
        b"BEGIN:VTIMEZONE\r\nTZID:America/Chicago\r\n"
        b"BEGIN:DAYLIGHT\r\nDTSTART:19700308T020000\r\nRRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3\r\nTZNAME:CDT\r\n"
        b"TZOFFSETFROM:-0600\r\nTZOFFSETTO:-0500\r\nEND:DAYLIGHT\r\n"
        b"BEGIN:STANDARD\r\nDTSTART:19701101T020000\r\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11\r\nTZNAME:CST\r\n"
        b"TZOFFSETFROM:-0500\r\nTZOFFSETTO:-0600\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )


def test_a_zone_whose_clocks_never_change_has_a_standard_and_no_rule():
    printed = vtimezone("Asia/Kolkata").to_ical()

    assert printed == (
        b"BEGIN:VTIMEZONE\r\nTZID:Asia/Kolkata\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZNAME:IST\r\n"
        b"TZOFFSETFROM:+0530\r\nTZOFFSETTO:+0530\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )


@pytest.mark.parametrize("name", sorted(WRITTEN_IN_UTC | {"UTC", "Etc/UTC", "Etc/GMT"}))
def test_zones_without_a_plain_rule_are_left_to_utc(name):
    assert vtimezone(name) is None


def test_a_rule_that_was_changed_by_law_counts_only_for_the_years_asked():
    assert vtimezone("America/Asuncion", 2024, 2024) is None
    assert b"TZOFFSETTO:-0300" in vtimezone("America/Asuncion", 2026, 2027).to_ical()


def test_only_zones_of_the_database_are_known():
    asked = ["Europe/Berlin", "UTC", "W. Europe Standard Time", "+01:00", "../../etc/passwd", "Factory", ""]

    assert [name for name in asked if known_zone(name)] == ["Europe/Berlin", "UTC"]
