"""What a consultant's own calendar says blocks slots; the last good copy serves while a reading fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.calendars.models import CalendarEntry
from seminars.catalog.reading.plan import Unreadable
from seminars.consulting import announcing, busy, consultants
from seminars.consulting.busy_times import feed_uid, read_busy
from seminars.consulting.models import Consultant
from seminars.consulting.queries import slots_of
from seminars.gateways.fetch import Fetcher
from seminars.kit.refusals import BadInput
from seminars.schedule.models import TimeClaim
from tests.clock import NOON, StandingClock
from tests.factories.advice import CHICAGO, a_consultant, an_offering
from tests.factories.meetings import NINE, a_confirmed_one
from tests.gateways.test_fetch import HERE, a_server, says
from tests.messages.conftest import LETTERHEAD

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SINCE, UNTIL = datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)


def ics(*events: str, body: str = "") -> bytes:
    """A calendar of these events, their lines divided by bars."""
    each = "".join(f"BEGIN:VEVENT|{event}|END:VEVENT|" for event in events)
    return f"BEGIN:VCALENDAR|VERSION:2.0|{body}{each}END:VCALENDAR|".replace("|", "\r\n").encode()


def times(*events: str, body: str = "", own: tuple[str, ...] = ()) -> list[str]:
    found = read_busy(ics(*events, body=body), zone=CHICAGO, since=SINCE, until=UNTIL, own=own)
    assert found.unread == 0
    return [f"{start:%d %H:%M}-{end:%d %H:%M}" for start, end in found.times]


def test_what_takes_time_and_what_does_not() -> None:
    at = "DTSTART:20270303T150000Z|DTEND:20270303T160000Z"

    assert times(f"UID:1|{at}") == ["03 15:00-03 16:00"]
    assert times(f"UID:1|{at}|TRANSP:TRANSPARENT") == times(f"UID:1|{at}|STATUS:CANCELLED") == []
    assert times("UID:1|DTSTART:20270303T150000Z") == [] and times("UID:1|DTSTART:20270303T150000Z|DURATION:PT90M") == ["03 15:00-03 16:30"]
    assert times(f"UID:ours|{at}", own=("ours",)) == times(f"UID:{feed_uid('appointment/3')}|{at}") == []
    assert times(f"UID:1|{at}", f"UID:2|{at}", "DTSTART:20270303T160000Z|DTEND:20270303T163000Z") == ["03 15:00-03 16:30"]


def test_days_are_days_of_the_calendars_own_zone() -> None:
    assert times("UID:1|DTSTART;VALUE=DATE:20270303") == ["03 06:00-04 06:00"]
    assert times("UID:1|DTSTART;VALUE=DATE:20270303|DTEND;VALUE=DATE:20270305", body="X-WR-TIMEZONE:Europe/Oslo\r\n") == [
        "02 23:00-04 23:00"
    ]


def test_floating_and_zoned_hours() -> None:
    assert times("UID:1|DTSTART:20270303T090000|DTEND:20270303T100000") == ["03 15:00-03 16:00"]
    assert times("UID:1|DTSTART;TZID=Europe/Oslo:20270303T090000|DTEND;TZID=Europe/Oslo:20270303T100000") == ["03 08:00-03 09:00"]


def test_a_weekly_meeting_keeps_its_hour_when_clocks_change_and_single_ones_may_differ() -> None:
    there = ";TZID=America/Chicago"
    rule = f"RRULE:FREQ=WEEKLY;BYDAY=TU|EXDATE{there}:20270309T090000"
    weekly = f"UID:1|DTSTART{there}:20100105T090000|DURATION:PT1H|{rule}"
    moved = f"UID:1|RECURRENCE-ID{there}:20270323T090000|DTSTART{there}:20270324T130000|DURATION:PT1H"
    off = f"UID:1|RECURRENCE-ID{there}:20270330T090000|DTSTART{there}:20270330T090000|STATUS:CANCELLED"

    assert times(weekly, moved, off) == ["02 15:00-02 16:00", "16 14:00-16 15:00", "24 18:00-24 19:00"]


def test_a_daily_meeting_of_twenty_years_is_followed() -> None:
    found = times("UID:1|DTSTART;TZID=America/Chicago:20060101T090000|DURATION:PT30M|RRULE:FREQ=DAILY;INTERVAL=2")

    assert len(found) in (15, 16) and found[0].endswith("15:30")


def test_a_free_busy_file_is_read_too() -> None:
    lines = (
        "FREEBUSY;FBTYPE=BUSY:20270303T150000Z/20270303T160000Z,20270304T150000Z/PT30M\r\nFREEBUSY;FBTYPE=FREE:20270305T150000Z/PT1H\r\n"
    )

    assert times(body=f"BEGIN:VFREEBUSY\r\n{lines}END:VFREEBUSY\r\n") == ["03 15:00-03 16:00", "04 15:00-04 15:30"]


def test_what_cannot_be_read_is_counted_and_the_rest_is_read() -> None:
    every_second = "UID:2|RRULE:FREQ=SECONDLY|DTSTART:20270303T150000Z|DURATION:PT1M"
    data = ics("UID:1|DTSTART:nonsense", every_second, "UID:3|DTSTART:20270303T150000Z|DURATION:PT1H")

    found = read_busy(data, zone=CHICAGO, since=SINCE, until=UNTIL)

    assert (len(found.times), found.unread) == (1, 2)
    with pytest.raises(Unreadable):
        read_busy(b"<html>sign in</html>", zone=CHICAGO, since=SINCE, until=UNTIL)


class Reading:
    """Rosa, who has subscribed to a calendar that a server on this machine gives."""

    def __init__(self, session: Session, url: str) -> None:
        self.session, self.clock = session, StandingClock()
        self.rosa = a_consultant(session)
        consultants.set_busy_url(session, self.rosa, "https://calendar.example/rosa.ics", now=NOON)
        self.rosa.busy_url = f"{url}/rosa.ics"
        self.offering = an_offering(session, self.rosa)

    @contextmanager
    def work(self) -> Iterator[Session]:
        yield self.session
        self.session.flush()

    def read(self, **networks: object) -> bool:
        return busy.read_one(self.work, Fetcher(HERE), self.rosa.id, clock=self.clock)

    def free(self) -> list[float]:
        found = slots_of(self.session, self.offering, self.offering.lengths[0], since=NINE, until=NINE + 3 * HOUR, now=self.clock())
        return [(slot.starts_at - NINE) / HOUR for slot in found]


def test_the_last_good_copy_serves_while_the_server_is_down(session: Session) -> None:
    good = says(200, ics("UID:1|DTSTART:20270303T150000Z|DURATION:PT2H"), ETag='"a"')
    answers = [good, says(500), good, says(304, ETag='"a"')]
    seen = []
    with a_server(lambda request: answers.pop(0)(request)) as (url, heard):
        reading = Reading(session, url)
        for _ in range(4):
            seen.append((reading.read(), reading.free(), reading.rosa.busy_trouble, reading.rosa.busy_read_at))
            reading.clock.move(hours=1)

    assert seen == [
        (True, [2, 2.5], "", NOON),
        (False, [2, 2.5], "The calendar's server answered 500.", NOON),
        (True, [2, 2.5], "", NOON + 2 * HOUR),
        (True, [2, 2.5], "", NOON + 3 * HOUR),
    ]
    assert [request.endswith('"a"') for request in heard] == [False, True, False, True]


def test_a_new_day_is_read_whole_because_the_window_moves(session: Session) -> None:
    with a_server(says(200, ics(), ETag='"a"')) as (url, heard):
        reading = Reading(session, url)
        reading.read()
        reading.clock.move(days=1)
        reading.read()

    assert not any(request.endswith('"a"') for request in heard)


def test_our_own_invitations_in_it_take_no_more_time(session: Session) -> None:
    with a_server(lambda request: says(200, ics(f"UID:{uid}|DTSTART:20270303T150000Z|DURATION:PT1H"))(request)) as (url, _):
        reading = Reading(session, url)
        one = a_confirmed_one(session, reading.offering)
        announcing.tell_confirmed(session, [one], letterhead=LETTERHEAD, now=NOON)
        uid = session.scalars(select(CalendarEntry.uid).where(CalendarEntry.holder == f"{one.reference}:{reading.rosa.reference}")).one()
        reading.read()

    assert session.scalars(select(TimeClaim.kind).where(TimeClaim.kind == "busy")).all() == []


def test_what_is_no_calendar_is_trouble_and_a_secret_address_stays_out_of_it(session: Session) -> None:
    with a_server(says(200, b"<html>")) as (url, _):
        reading = Reading(session, url)
        reading.rosa.busy_url += "?key=secret-of-rosa"

        assert reading.read() is False

    assert reading.rosa.busy_trouble.startswith("This is a web page") and "secret-of-rosa" not in reading.rosa.busy_trouble


def test_due_are_those_that_were_not_read_for_a_while(session: Session) -> None:
    with a_server(says(200, ics())) as (url, _):
        reading = Reading(session, url)
        a_consultant(session, "Tomas Ibarra")

        assert list(busy.due(session, now=NOON)) == [reading.rosa.id]
        reading.read()
        assert list(busy.due(session, now=NOON)) == []
        assert list(busy.due(session, now=NOON + busy.EVERY)) == [reading.rosa.id]


def test_giving_up_the_subscription_forgets_what_it_said(session: Session) -> None:
    with a_server(says(200, ics("UID:1|DTSTART:20270303T150000Z|DURATION:PT2H"))) as (url, _):
        reading = Reading(session, url)
        reading.read()

    consultants.set_busy_url(session, reading.rosa, "", now=NOON)

    assert reading.free() == [0, 0.5, 1, 1.5, 2, 2.5] and reading.read() is False
    with pytest.raises(BadInput):
        consultants.set_busy_url(session, reading.rosa, "http://calendar.example/", now=NOON)
    webcal = consultants.set_busy_url(session, reading.rosa, "webcal://calendar.example/rosa.ics", now=NOON)
    assert isinstance(webcal, Consultant) and webcal.busy_url == "https://calendar.example/rosa.ics"
