from datetime import UTC, date, datetime

import pytest

from seminars.catalog.timing import NoSuchTime, place_day, place_in_time, shift


@pytest.mark.parametrize(
    ("wall", "zone", "hour"),
    [
        (datetime(2027, 3, 13, 9), "America/Chicago", 15),
        (datetime(2027, 3, 15, 9), "America/Chicago", 14),
        (datetime(2027, 3, 15, 9), "America/Phoenix", 16),
        (datetime(2027, 3, 15, 9), "Asia/Tokyo", 0),
    ],
)
def test_nine_stays_nine_on_the_clock_of_the_zone(wall: datetime, zone: str, hour: int) -> None:
    assert place_in_time(wall, zone) == datetime(wall.year, wall.month, wall.day, hour, tzinfo=UTC)


def test_a_time_that_clocks_skip_is_refused_with_the_nearest_ones() -> None:
    with pytest.raises(NoSuchTime) as refusal:
        place_in_time(datetime(2027, 3, 14, 2, 30), "America/Chicago", field="starts")

    assert (refusal.value.before, refusal.value.after) == (datetime(2027, 3, 14, 1, 59), datetime(2027, 3, 14, 3, 0))
    assert refusal.value.field == "starts"
    assert "1:59\u00a0am and 3:00\u00a0am" in str(refusal.value)


def test_a_half_hour_gap_and_a_skipped_day_name_their_own_edges() -> None:
    with pytest.raises(NoSuchTime) as half:
        place_in_time(datetime(2027, 10, 3, 2, 15), "Australia/Lord_Howe")
    with pytest.raises(NoSuchTime) as whole:
        place_in_time(datetime(2011, 12, 30, 9), "Pacific/Apia")

    assert half.value.after == datetime(2027, 10, 3, 2, 30)
    assert (whole.value.before, whole.value.after) == (datetime(2011, 12, 29, 23, 59), datetime(2011, 12, 31))


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    assert place_in_time(datetime(2027, 11, 7, 1, 30), "America/Chicago") == datetime(2027, 11, 7, 6, 30, tzinfo=UTC)


def test_a_day_begins_even_where_midnight_is_skipped() -> None:
    assert place_day(date(2027, 3, 28), "Asia/Beirut") == datetime(2027, 3, 27, 22, tzinfo=UTC)
    assert place_day(date(2027, 3, 29), "Asia/Beirut") == datetime(2027, 3, 28, 21, tzinfo=UTC)


def test_a_shift_keeps_the_clock_and_steps_out_of_a_gap() -> None:
    nine = datetime(2027, 3, 8, 15, tzinfo=UTC)

    assert shift(nine, "America/Chicago", 14) == datetime(2027, 3, 22, 14, tzinfo=UTC)
    assert shift(datetime(2027, 3, 13, 8, 30, tzinfo=UTC), "America/Chicago", 1) == datetime(2027, 3, 14, 8, 0, tzinfo=UTC)
