"""How mails write when something is."""

from typing import Any

import pytest

from seminars.messages.filters import When, brief, was_when, when


def a_session(starts: str, ends: str, zone: str = "America/Chicago", **given: Any) -> dict[str, Any]:
    return {"starts_at": f"{starts}:00+00:00", "ends_at": f"{ends}:00+00:00", "zone": zone, "all_day": False, **given}


FIRST = a_session("2027-03-22T14:00", "2027-03-22T22:00")
SECOND = a_session("2027-03-23T14:00", "2027-03-23T22:00")


def told(*sessions: dict[str, Any], home: str = "") -> list[When]:
    return [When(*(text.replace("\u00a0", " ") for text in (one.days, one.hours, one.home))) for one in when(sessions, home)]


def test_two_days_in_a_row_stand_together() -> None:
    assert told(FIRST, SECOND) == [When("Monday 22 and Tuesday 23 March 2027", "9:00 am to 5:00 pm CDT, both days")]


def test_days_apart_stand_apart() -> None:
    later = a_session("2027-03-29T14:00", "2027-03-29T22:00")

    assert told(FIRST, later) == [
        When("Monday 22 March 2027", "9:00 am to 5:00 pm CDT"),
        When("Monday 29 March 2027", "9:00 am to 5:00 pm CDT"),
    ]


def test_the_same_hours_on_the_wall_over_a_change_of_clocks_stand_together() -> None:
    saturday, sunday = a_session("2027-03-13T15:00", "2027-03-13T17:00"), a_session("2027-03-14T14:00", "2027-03-14T16:00")

    assert [one.days for one in told(saturday, sunday)] == ["Saturday 13 and Sunday 14 March 2027"]


def test_three_days_over_the_end_of_a_month() -> None:
    days = [a_session(f"2027-{day}T14:00", f"2027-{day}T16:00") for day in ("04-29", "04-30", "05-01")]

    assert told(*days) == [When("Thursday 29 April 2027 to Saturday 1 May 2027", "9:00 to 11:00 am CDT, each day")]


def test_hours_at_home_stand_beside_where_they_differ() -> None:
    assert told(FIRST, home="America/Denver")[0].home == "8:00 am to 4:00 pm MDT, your time at home"
    assert told(FIRST, home="America/Winnipeg")[0].home == ""
    assert told(FIRST, home="Asia/Tokyo")[0].home == "from 11:00 pm JST, your time at home"
    assert (
        told(a_session("2027-03-22T22:00", "2027-03-22T23:00"), home="Asia/Tokyo")[0].home
        == "23 March 2027, 7:00 to 8:00 am JST, your time at home"
    )


def test_hours_at_home_are_for_what_is_online() -> None:
    hall, door = {"place": "Alder Hall"}, {"join_url": "https://meet.northfield.example/calm"}

    assert told(FIRST | hall, home="America/Denver")[0].home == ""
    assert told(FIRST | hall | door, home="America/Denver")[0].home != "" != told(FIRST | door, home="America/Denver")[0].home


def test_a_whole_day_has_no_hours() -> None:
    assert told(a_session("2027-03-22T05:00", "2027-03-24T05:00", all_day=True)) == [When("Monday 22 and Tuesday 23 March 2027", "All day")]


def test_a_night_names_both_days() -> None:
    assert told(a_session("2027-03-22T22:00", "2027-03-23T20:00")) == [
        When("From Monday 22 March 2027, 5:00 pm CDT", "to Tuesday 23 March 2027, 3:00 pm CDT")
    ]


def test_what_was_comes_from_the_calendar() -> None:
    was = {"start": "2027-03-22T14:00:00+00:00", "end": "2027-03-22T15:00:00+00:00", "zone": "America/Chicago", "all_day": False}

    assert [one.hours.replace("\u00a0", " ") for one in was_when(was)] == ["9:00 to 10:00 am CDT"]


@pytest.mark.parametrize(("text", "most", "short"), [
    ("Social Media Residency", 40, "Social Media Residency"),
    ("Social Media Residency", 15, "Social Media…"),
    ("x" * 30, 10, "x" * 9 + "…"),
    ("A: b", 3, "A…"),
])  # fmt: skip
def test_long_titles_are_cut_at_words(text: str, most: int, short: str) -> None:
    assert brief(text, most) == short
    assert len(brief(text, most)) <= most
