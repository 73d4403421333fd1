"""Which start times can be booked: hours, exceptions, buffers, caps, and what clocks do to them."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seminars.consulting.availability import DayHours, Diary, Hours, Slot, Taken, Terms, open_times, slots

CHICAGO, BERLIN, BRISBANE, BEIRUT = "America/Chicago", "Europe/Berlin", "Australia/Brisbane", "Asia/Beirut"
MONDAY = datetime(2027, 3, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def terms(minutes: int = 60, **given: object) -> Terms:
    usual = {
        "step": 30,
        "buffer_before": 0,
        "buffer_after": 0,
        "earliest": datetime(2026, 1, 1, tzinfo=UTC),
        "latest": datetime(2029, 1, 1, tzinfo=UTC),
    }
    return Terms(minutes=minutes, **usual | given)  # type: ignore[arg-type]


def diary(*hours: Hours, number: int = 1, zone: str = CHICAGO, exceptions: Sequence[DayHours] = ()) -> Diary:
    return Diary(number, number * 10, zone, hours, tuple(exceptions))


def every_day(starts: int, ends: int, zone: str = CHICAGO) -> tuple[Hours, ...]:
    return tuple(Hours(weekday, time(starts), time(ends % 24), zone) for weekday in range(7))


def shown(found: Sequence[Slot], zone: str) -> list[str]:
    return [slot.starts_at.astimezone(ZoneInfo(zone)).strftime("%d %H:%M %Z") for slot in found]


def local(zone: str, *when: int, fold: int = 0) -> datetime:
    return datetime(*when, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)  # type: ignore[misc,arg-type]


def on(zone: str, day: date, asked: Terms, *diaries: Diary, taken: Sequence[Taken] = ()) -> list[str]:
    since = local(zone, day.year, day.month, day.day)
    later = day + DAY
    return shown(slots(asked, diaries, taken, since=since, until=local(zone, later.year, later.month, later.day)), zone)


def test_slots_fill_the_hours_and_end_with_them() -> None:
    found = on(CHICAGO, date(2027, 3, 1), terms(), diary(Hours(0, time(9), time(11), CHICAGO)))

    assert found == ["01 09:00 CST", "01 09:30 CST", "01 10:00 CST"]


def test_a_night_whose_clocks_go_forward_has_no_hour_from_two_to_three() -> None:
    found = on(CHICAGO, date(2027, 3, 14), terms(step=60), diary(*every_day(0, 6)))

    assert found == ["14 00:00 CST", "14 01:00 CST", "14 03:00 CDT", "14 04:00 CDT", "14 05:00 CDT"]


def test_a_night_whose_clocks_go_back_has_the_hour_twice_as_it_is_lived() -> None:
    found = on(CHICAGO, date(2027, 11, 7), terms(step=60), diary(*every_day(0, 4)))

    assert found == ["07 00:00 CDT", "07 01:00 CDT", "07 01:00 CST", "07 02:00 CST", "07 03:00 CST"]


def test_the_same_nights_in_europe() -> None:
    asked = terms(step=60)

    assert on(BERLIN, date(2027, 3, 28), asked, diary(*every_day(1, 5, BERLIN))) == ["28 01:00 CET", "28 03:00 CEST", "28 04:00 CEST"]
    assert on(BERLIN, date(2027, 10, 31), asked, diary(*every_day(1, 4, BERLIN))) == [
        "31 01:00 CEST", "31 02:00 CEST", "31 02:00 CET", "31 03:00 CET",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        (time(2, 30), time(4), ["14 03:00 CDT", "14 03:30 CDT"]),
        (time(1), time(2, 30), ["14 01:00 CST", "14 01:30 CST"]),
        (time(2), time(3), []),
    ],
)
def test_hours_that_begin_or_end_in_the_gap_are_cut_at_it(starts: time, ends: time, expected: list[str]) -> None:
    assert on(CHICAGO, date(2027, 3, 14), terms(30), diary(Hours(6, starts, ends, CHICAGO))) == expected


def test_hours_that_end_in_the_hour_that_comes_twice_end_the_first_time() -> None:
    found = on(CHICAGO, date(2027, 11, 7), terms(30), diary(Hours(6, time(0, 30), time(1, 30), CHICAGO)))

    assert found == ["07 00:30 CDT", "07 01:00 CDT"]


def test_a_day_without_midnight_begins_at_one() -> None:
    """In Beirut clocks go from 24:00 to 1:00."""
    found = open_times(
        diary(*every_day(0, 2, BEIRUT), zone=BEIRUT), since=local(BEIRUT, 2027, 3, 27, 12), until=local(BEIRUT, 2027, 3, 28, 12)
    )

    assert [(a.astimezone(ZoneInfo(BEIRUT)).hour, b - a) for a, b in found] == [(1, HOUR)]


def test_nine_stays_nine_when_the_clocks_change() -> None:
    one = diary(*every_day(9, 10))

    assert [on(CHICAGO, day, terms(), one) for day in (date(2027, 3, 13), date(2027, 3, 14), date(2027, 11, 7))] == [
        ["13 09:00 CST"], ["14 09:00 CDT"], ["07 09:00 CST"],
    ]  # fmt: skip


def test_ends_are_half_open() -> None:
    busy = [Taken(10, local(CHICAGO, 2027, 3, 1, 10), local(CHICAGO, 2027, 3, 1, 11))]

    found = on(CHICAGO, date(2027, 3, 1), terms(step=60), diary(*every_day(9, 13)), taken=busy)

    assert found == ["01 09:00 CST", "01 11:00 CST", "01 12:00 CST"]


def test_buffers_keep_their_distance_from_what_is_taken_but_may_lie_outside_of_the_hours() -> None:
    busy = [Taken(10, local(CHICAGO, 2027, 3, 1, 11), local(CHICAGO, 2027, 3, 1, 12))]

    found = on(CHICAGO, date(2027, 3, 1), terms(30, buffer_before=15, buffer_after=30), diary(*every_day(9, 14)), taken=busy)

    assert found == ["01 09:00 CST", "01 09:30 CST", "01 10:00 CST", "01 12:30 CST", "01 13:00 CST", "01 13:30 CST"]


def test_somebody_elses_time_takes_nothing() -> None:
    busy = [Taken(999, MONDAY, MONDAY + DAY)]

    assert on(CHICAGO, date(2027, 3, 1), terms(), diary(*every_day(9, 10)), taken=busy) == ["01 09:00 CST"]


def test_the_daily_cap_counts_meetings_of_the_consultants_own_day() -> None:
    """Two claims of one meeting are one meeting; leave is none; and the day is the one in Brisbane."""
    at = local(BRISBANE, 2027, 3, 2, 9)
    busy = [
        Taken(10, at, at + HOUR, "appointment/1"),
        Taken(10, at + 2 * HOUR, at + 3 * HOUR, "appointment/1"),
        Taken(10, at + 3 * HOUR, at + 4 * HOUR),
    ]
    one = diary(*every_day(9, 11, BRISBANE), zone=BRISBANE)
    second, third = date(2027, 3, 2), date(2027, 3, 3)

    assert on(BRISBANE, second, terms(30, daily_cap=2), one, taken=busy) == ["02 10:00 AEST", "02 10:30 AEST"]
    assert on(BRISBANE, second, terms(30, daily_cap=1), one, taken=busy) == []
    assert on(BRISBANE, third, terms(step=60, daily_cap=1), one, taken=busy) == ["03 09:00 AEST", "03 10:00 AEST"]


def test_two_together_need_both_free() -> None:
    rosa, tomas = diary(*every_day(9, 12)), diary(*every_day(10, 14), number=2)
    busy = [Taken(20, local(CHICAGO, 2027, 3, 1, 11), local(CHICAGO, 2027, 3, 1, 12))]
    day = {"since": local(CHICAGO, 2027, 3, 1), "until": local(CHICAGO, 2027, 3, 2)}

    found = slots(terms(step=60, together=2), [rosa, tomas], busy, **day)
    alone = slots(terms(step=60), [rosa, tomas], busy, **day)

    assert [(slot.starts_at, slot.consultant_ids) for slot in found] == [(local(CHICAGO, 2027, 3, 1, 10), (1, 2))]
    assert [slot.consultant_ids for slot in alone] == [(1,), (1, 2), (1,), (2,), (2,)]


def test_an_exception_stands_instead_of_the_weeks_hours() -> None:
    week = every_day(9, 11)
    short = DayHours(date(2027, 3, 2), time(13), time(14), CHICAGO)
    off = DayHours(date(2027, 3, 3), None, None, CHICAGO)
    one = diary(*week, exceptions=[short, off])

    assert on(CHICAGO, date(2027, 3, 1), terms(step=60), one) == ["01 09:00 CST", "01 10:00 CST"]
    assert on(CHICAGO, date(2027, 3, 2), terms(step=60), one) == ["02 13:00 CST"]
    assert on(CHICAGO, date(2027, 3, 3), terms(step=60), one) == []


def test_hours_may_be_written_in_several_zones() -> None:
    """Mondays on Chicago's clock, and from Berlin on its own: there are three weeks in March in which they are six hours apart."""
    one = diary(Hours(0, time(9), time(10), CHICAGO), Hours(0, time(9), time(10), BERLIN))

    assert on(CHICAGO, date(2027, 3, 8), terms(), one) == ["08 02:00 CST", "08 09:00 CST"]
    assert on(CHICAGO, date(2027, 3, 15), terms(), one) == ["15 03:00 CDT", "15 09:00 CDT"]


def test_hours_until_midnight_go_on_in_those_of_the_next_day() -> None:
    one = diary(Hours(0, time(23), time(0), CHICAGO), Hours(1, time(0), time(1), CHICAGO))
    since = local(CHICAGO, 2027, 3, 1, 12)

    found = slots(terms(90), [one], [], since=since, until=since + DAY)

    assert shown(found, CHICAGO) == ["01 23:00 CST", "01 23:30 CST"]


def test_short_hours_within_long_ones_end_nothing() -> None:
    one = diary(Hours(0, time(9), time(12), CHICAGO), Hours(0, time(10), time(11), CHICAGO))

    assert on(CHICAGO, date(2027, 3, 1), terms(step=60), one) == ["01 09:00 CST", "01 10:00 CST", "01 11:00 CST"]


def test_nothing_starts_before_notice_is_over_or_after_the_horizon() -> None:
    one = diary(*every_day(9, 12))
    earliest, latest = local(CHICAGO, 2027, 3, 1, 9, 30), local(CHICAGO, 2027, 3, 1, 11)

    found = on(CHICAGO, date(2027, 3, 1), terms(earliest=earliest, latest=latest), one)

    assert found == ["01 09:30 CST", "01 10:00 CST", "01 10:30 CST"]
    assert slots(terms(earliest=latest, latest=earliest), [one], [], since=MONDAY, until=MONDAY + DAY) == []


QUARTER = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
STRETCHES = st.builds(Hours, st.integers(0, 6), QUARTER, QUARTER, st.sampled_from([CHICAGO, BERLIN, BEIRUT])).filter(
    lambda one: one.ends > one.starts or one.ends == time(0)
)
NIGHTS = [date(2027, 3, 13), date(2027, 11, 6), date(2027, 3, 27), date(2027, 10, 30), date(2027, 6, 1)]
SPANS = st.tuples(st.integers(-600, 3_600), st.integers(1, 400), st.sampled_from(["", "appointment/1", "appointment/2"]))


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_is_found_is_what_a_look_at_every_minute_finds(data: st.DataObject) -> None:
    since = datetime.combine(data.draw(st.sampled_from(NIGHTS)), time(12), UTC)
    until = since + timedelta(hours=40)
    first = since.date()
    exceptions = data.draw(st.lists(st.builds(
        lambda ahead, starts, ends, zone: DayHours(first + ahead * DAY, starts, ends, zone) if ends > starts
        else DayHours(first + ahead * DAY, None, None, zone),
        st.integers(-1, 3), QUARTER, QUARTER, st.sampled_from([CHICAGO, BERLIN]),
    ), max_size=2))  # fmt: skip
    one = diary(*data.draw(st.lists(STRETCHES, max_size=10)), zone=data.draw(st.sampled_from([CHICAGO, BERLIN])), exceptions=exceptions)
    taken = [Taken(10, since + a * MINUTE, since + (a + b) * MINUTE, meeting) for a, b, meeting in data.draw(st.lists(SPANS, max_size=6))]
    asked = terms(
        data.draw(st.sampled_from([15, 45, 60, 200])), step=data.draw(st.sampled_from([15, 25, 60])),
        buffer_before=data.draw(st.sampled_from([0, 10])), buffer_after=data.draw(st.sampled_from([0, 20])),
        daily_cap=data.draw(st.sampled_from([None, 1, 2])), earliest=since + data.draw(st.integers(-100, 2_000)) * MINUTE,
        latest=until - data.draw(st.integers(-100, 1_000)) * MINUTE,
    )  # fmt: skip

    found = [slot.starts_at for slot in slots(asked, [one], taken, since=since, until=until)]
    half = since + timedelta(hours=17)
    in_parts = slots(asked, [one], taken, since=since, until=half) + slots(asked, [one], taken, since=half, until=until)

    assert found == _minute_by_minute(asked, one, taken, since, until)
    assert [slot.starts_at for slot in in_parts] == found


def _minute_by_minute(asked: Terms, one: Diary, taken: Sequence[Taken], since: datetime, until: datetime) -> list[datetime]:
    """The same by brute force: the clock is read at every minute of the days around."""
    minutes = [since - 3 * DAY + number * MINUTE for number in range(8 * 24 * 60)]
    stretches = _stretches(one, minutes)
    is_open = {minute for first, last in stretches for minute in minutes[first:last]}
    origins = sorted({minutes[first] for first, _ in stretches})
    zone = ZoneInfo(one.zone)
    full = {
        day for day in {minute.astimezone(zone).date() for minute in minutes}
        if asked.daily_cap
        and len({m.meeting for m in taken if m.meeting and m.starts_at.astimezone(zone).date() == day}) >= asked.daily_cap
    }  # fmt: skip
    found = []
    for minute in minutes:
        if not (max(since, asked.earliest) <= minute < min(until, asked.latest)) or minute not in is_open:
            continue
        end = minute + asked.minutes * MINUTE
        origin = origins[bisect_right(origins, minute) - 1]
        before, after = minute - asked.buffer_before * MINUTE, end + asked.buffer_after * MINUTE
        if (
            (minute - origin) % (asked.step * MINUTE) == timedelta(0)
            and all(minute + number * MINUTE in is_open for number in range(asked.minutes))
            and not any(t.starts_at < after and before < t.ends_at for t in taken)
            and minute.astimezone(zone).date() not in full
        ):
            found.append(minute)
    return found


def _stretches(one: Diary, minutes: Sequence[datetime]) -> list[tuple[int, int]]:
    """Each stretch as the first minute whose clock shows its beginning or later, and the first that shows its end or later."""
    found = []
    days = sorted({(minutes[0] + number * DAY).date() for number in range(len(minutes) // 1440 + 1)})[1:-1]
    for name in {each.zone for each in (*one.hours, *one.exceptions)}:
        shows = [minute.astimezone(ZoneInfo(name)).replace(tzinfo=None) for minute in minutes]
        assert any(a > b for a, b in pairwise(shows)) or all(a < b for a, b in pairwise(shows))
        for day in days:
            special = [each for each in one.exceptions if each.day == day]
            for each in special or [hours for hours in one.hours if hours.weekday == day.weekday()]:
                if each.zone != name or each.starts is None or each.ends is None:
                    continue
                ends_on = day + DAY if each.ends == time(0) else day
                first = next((at for at, show in enumerate(shows) if show >= datetime.combine(day, each.starts)), len(minutes))
                last = next((at for at, show in enumerate(shows) if show >= datetime.combine(ends_on, each.ends)), len(minutes))
                if first < last:
                    found.append((first, last))
    return found
