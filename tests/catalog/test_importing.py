"""A file of another system on its way into the catalogue: shown first, then taken exactly as shown, and never twice."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seminars.catalog import importing
from seminars.catalog.importing import IcsChoices
from seminars.catalog.models import Event, EventSession, ImportRow, ImportRun, Listing, Seminar, Speaker, Venue
from seminars.catalog.reading.csv_guess import CsvChoices
from seminars.catalog.reading.plan import Unreadable
from seminars.kit.refusals import BadInput, Conflict

NOON = datetime(2027, 1, 11, 18, 0, tzinfo=UTC)
CSV = b"""UID,Title,Date,Start,End,Time zone,Location,Speaker,Abstract,Category,Zoom
res-1,Social Media Residency,2027-05-04,09:00,16:30,America/Chicago,Siebens Building,Adaeze Castellane,Two days of practice.,strategy,
res-2,Social Media Residency,2027-10-31,09:00,10:00,Europe/Berlin,Saal 1,Adaeze Castellane,Another text.,strategy,
web-1,Writing for the web,2027-06-01,12:00,13:00,America/Chicago,,,,,https://x.zoom.us/j/1
bad-1,Writing for the web,someday,12:00,13:00,America/Chicago,,,,,
"""
ICS = b"""BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:weekly@x
SUMMARY:Open office
DTSTART;TZID=Europe/Berlin:20270315T090000
DURATION:PT1H
RRULE:FREQ=WEEKLY
END:VEVENT
BEGIN:VEVENT
UID:days@x
SUMMARY:Retreat
DTSTART;VALUE=DATE:20270529
DTEND;VALUE=DATE:20270531
END:VEVENT
END:VCALENDAR
"""


def planned(session: Session, data: bytes = CSV, *, name: str = "catalogue.csv", **given: object) -> ImportRun:
    return importing.plan_import(session, name=name, data=data, center_zone="America/Chicago", now=NOON, **given)


def taken(session: Session, data: bytes = CSV, **given: object) -> ImportRun:
    run = importing.press(session, planned(session, data, **given))
    while run.state == "running":
        importing.carry_out(session, run, now=NOON)
    return run


def rows_of(session: Session, run: ImportRun) -> list[tuple[int, str, str]]:
    rows = session.scalars(select(ImportRow).where(ImportRow.run_id == run.id).order_by(ImportRow.position))
    return [(row.line, row.outcome, row.why) for row in rows]


def catalogue(session: Session) -> list[tuple[str, str, str]]:
    events = session.scalars(select(Event).where(Event.source_uid.is_not(None)).order_by(Event.id))
    return [(event.source_uid or "", event.title, event.reference) for event in events]


def test_a_dry_run_shows_each_row_and_makes_nothing(session):
    run = planned(session)

    assert rows_of(session, run) == [(2, "new", ""), (3, "new", ""), (4, "new", ""), (5, "left_out", "“someday” is no day.")]
    assert (run.state, run.total, run.done, run.kind, catalogue(session)) == ("planned", 3, 0, "csv", [])
    assert {name: run.summary[name] for name in ("new", "duplicates", "left_out", "sessions", "questions")} == {
        "new": 3,
        "duplicates": 0,
        "left_out": 1,
        "sessions": 3,
        "questions": [],
    }


def test_pressing_makes_drafts_of_the_seminars_of_those_titles(session):
    venue = Venue(name="Siebens building", zone="America/Chicago")
    session.add(venue)

    run = taken(session, seats=24)

    assert (run.state, run.done, run.finished_at) == ("done", 3, NOON)
    first, second, third = session.scalars(select(Event).order_by(Event.id))
    assert [event.seminar.title for event in (first, second, third)] == ["Social Media Residency"] * 2 + ["Writing for the web"]
    assert first.seminar is second.seminar and first.seminar.abstract == "Two days of practice."
    assert (first.state, first.zone, first.format, first.venue, first.reference) == (
        "draft",
        "America/Chicago",
        "in_person",
        venue,
        "social-media-residency-2027-05-04",
    )
    assert [(q.size, q.taken) for q in first.quotas] == [(24, 0)]
    assert [speaker.name for speaker in second.speakers] == ["Adaeze Castellane"] and first.speakers == second.speakers
    assert (third.format, third.join_url, third.venue) == ("online", "https://x.zoom.us/j/1", None)
    assert [(s.starts_local, s.starts_at, s.room) for s in second.sessions] == [
        (datetime(2027, 10, 31, 9), datetime(2027, 10, 31, 8, tzinfo=UTC), "Saal 1")
    ]
    assert (first.starts_at, first.ends_at) == (datetime(2027, 5, 4, 14, tzinfo=UTC), datetime(2027, 5, 4, 21, 30, tzinfo=UTC))
    assert session.scalar(select(func.count()).select_from(Listing)) == 0
    assert session.scalar(select(func.count()).select_from(Speaker)) == 1


def test_importing_the_same_file_twice_changes_nothing(session):
    taken(session)
    before = catalogue(session)

    again = taken(session)

    assert catalogue(session) == before and len(before) == 3
    assert [outcome for _, outcome, _ in rows_of(session, again)] == ["duplicate", "duplicate", "duplicate", "left_out"]
    assert rows_of(session, again)[0][2] == "It is in the catalogue already: Social Media Residency."
    assert (again.state, again.total, session.scalar(select(func.count()).select_from(Seminar))) == ("done", 0, 2)


def test_a_file_without_uids_is_known_again_under_other_choices(session):
    data = b"Title,Date,Start,End\nReading,2027-03-17,09:00,10:00\n"
    columns = {"title": "Title", "date": "Date", "start": "Start", "end": "End"}
    taken(session, data, choices=CsvChoices(columns=columns, zone="Europe/Berlin"))

    again = planned(session, data, choices=CsvChoices(columns=columns, zone="America/Chicago"))

    assert [outcome for _, outcome, _ in rows_of(session, again)] == ["duplicate"]


def test_an_event_that_came_between_the_dry_run_and_the_press_is_not_made_twice(session):
    shown = planned(session)
    taken(session)
    importing.press(session, shown)

    importing.carry_out(session, shown, now=NOON)

    assert (shown.state, shown.done, len(catalogue(session))) == ("done", 3, 3)
    assert rows_of(session, shown)[0] == (2, "duplicate", "It came into the catalogue after this dry run: Social Media Residency.")


def test_an_import_goes_on_where_it_was_interrupted(session):
    run = importing.press(session, planned(session))

    importing.carry_out(session, run, now=NOON, batch=2)
    assert (run.state, run.done, len(catalogue(session)), importing.running(session)) == ("running", 2, 2, [run])

    importing.carry_out(session, run, now=NOON, batch=2)
    importing.carry_out(session, run, now=NOON, batch=2)
    assert (run.state, run.done, len(catalogue(session)), importing.running(session)) == ("done", 3, 3, [])


def test_a_series_becomes_one_event_with_a_session_for_each_occurrence(session):
    run = taken(session, ICS, name="calendar.ics", choices=IcsChoices(horizon=date(2027, 4, 12)))

    weekly, days = session.scalars(select(Event).order_by(Event.id))
    assert [f"{part.starts_local:%m-%d %H:%M} {part.starts_at:%H:%M}" for part in weekly.sessions] == [
        "03-15 09:00 08:00",
        "03-22 09:00 08:00",
        "03-29 09:00 07:00",
        "04-05 09:00 07:00",
    ]
    assert (run.horizon, run.summary["warnings"]) == (
        date(2027, 4, 12),
        ["It repeats without end; sessions before 2027-04-12 were taken (line 3)"],
    )
    retreat = days.sessions[0]
    assert (retreat.all_day, retreat.starts_local, retreat.ends_local) == (True, datetime(2027, 5, 29), datetime(2027, 5, 31))
    assert (days.zone, retreat.starts_at) == ("Europe/Berlin", datetime(2027, 5, 28, 22, tzinfo=UTC))


def test_days_of_a_file_without_any_zone_are_days_at_the_center(session):
    taken(session, b"Title,Date\nRetreat,2027-05-29\n")

    event = session.scalars(select(Event)).one()
    assert (event.zone, event.starts_at) == ("America/Chicago", datetime(2027, 5, 29, 5, tzinfo=UTC))


def test_a_time_that_clocks_skip_is_moved_and_said(session):
    run = planned(session, b"Title,Date,Start,End,Zone\nNight,2027-03-28,02:30,04:00,Europe/Berlin\n")

    row = session.scalars(select(ImportRow).where(ImportRow.run_id == run.id)).one()
    assert row.plan["sessions"][0]["starts_local"] == "2027-03-28T03:30:00"
    assert run.summary["warnings"] == ["2027-03-28 02:30 does not exist in Europe/Berlin; 03:30 was taken (line 2)"]


def test_a_session_that_no_event_could_hold_is_left_out(session):
    run = planned(
        session,
        b"Title,Start Date,End Date\nSummer school,2027-06-01,2027-08-30\nRetreat,2027-06-01,2027-06-02\n",
        choices=CsvChoices(columns={"title": "Title", "date": "Start Date", "end_date": "End Date"}),
    )

    assert rows_of(session, run) == [(2, "left_out", "A session of it lasts longer than 31 days."), (3, "new", "")]


def test_choices_are_kept_to_be_changed_and_planned_again(session):
    csv_choices = CsvChoices(columns={"title": "Title", "date": "Date"}, order="day_first", zone="Europe/Berlin")
    ics_choices = IcsChoices(zone="Europe/Berlin", horizon=date(2028, 1, 1))

    kept = [planned(session, b"Title,Date\nA,04/08/2027\n", choices=csv_choices), planned(session, ICS, choices=ics_choices)]
    session.flush()
    session.expire_all()

    assert [importing.choices_of(run) for run in kept] == [csv_choices, ics_choices]
    other = planned(session, kept[0].data, choices=replace(importing.choices_of(kept[0]), order="month_first"))
    assert session.scalars(select(ImportRow).where(ImportRow.run_id == other.id)).one().plan["sessions"][0]["starts_local"] == (
        "2027-04-08T00:00:00"
    )


def test_what_a_file_leaves_open_is_kept_as_questions(session):
    run = planned(session, b"Title,Date,Start,End\nA,2027-03-17,09:00,10:00\n")

    assert run.summary["questions"] == [{"field": "zone", "sentence": "The times name no zone. In which zone are they?", "options": []}]
    assert (run.total, rows_of(session, run)) == (0, [(2, "left_out", "Its time names no zone; choose one.")])


def test_a_file_that_cannot_be_read_keeps_nothing(session):
    with pytest.raises(Unreadable, match="Excel"):
        planned(session, b"PK\x03\x04rest")
    with pytest.raises(Unreadable, match="no iCalendar file"):
        planned(session, b"hello", name="calendar.ics")
    with pytest.raises(BadInput, match="seats"):
        planned(session, seats=-1)

    assert session.scalar(select(func.count()).select_from(ImportRun)) == 0


def test_a_run_is_pressed_once_and_discarded_only_before(session):
    run, other = planned(session), planned(session)
    with pytest.raises(Conflict, match="not been pressed"):
        importing.carry_out(session, run, now=NOON)
    importing.discard(session, other)
    importing.press(session, run)

    with pytest.raises(Conflict, match="under way"):
        importing.press(session, run)
    with pytest.raises(Conflict, match="discarded"):
        importing.press(session, other)
    with pytest.raises(Conflict, match="pressed already"):
        importing.discard(session, run)


def test_hostile_text_is_kept_as_text(session):
    taken(session, b'Title,Date\n"=HYPERLINK(""x"")",2027-05-29\n"<script>alert(1)</script>Robert\'); DROP TABLE events;--",2027-05-30\n')

    assert [title for _, title, _ in catalogue(session)] == ['=HYPERLINK("x")', "Robert'); DROP TABLE events;--"]


def test_many_rows_of_one_title_get_addresses_of_their_own(session):
    first = date(2027, 1, 1)
    rows = "".join(f"u{n},Reading,{first + timedelta(days=n % 50)},Room {n}\n" for n in range(300))

    run = taken(session, f"UID,Title,Date,Location\n{rows}".encode())

    assert (run.done, len({reference for _, _, reference in catalogue(session)})) == (300, 300)
    assert session.scalar(select(func.count()).select_from(EventSession)) == 300
    assert session.scalar(select(func.count()).select_from(Seminar)) == 1


NO_ZONE = b"""Title,Date,Start
Open office,2027-03-15,09:00
Retreat,someday,09:00
"""
CHOSEN = {"columns": {"title": "Title", "date": "Date", "start": "Start"}, "zone": "Europe/Berlin", "minutes": 45}


def test_a_file_that_is_read_again_is_read_with_the_choices_made_before(session):
    asked = planned(session, NO_ZONE)
    planned(session, NO_ZONE, choices=CsvChoices(**CHOSEN))

    again = planned(session, NO_ZONE, name="the same under another name.csv")
    other = planned(session, NO_ZONE + b"Lunch,2027-03-15,12:00\n")

    assert {one["field"] for one in asked.summary["questions"]} == {"zone", "minutes"}
    assert (again.summary["questions"], again.total) == ([], 1)
    assert importing.choices_of(again) == CsvChoices(**CHOSEN)
    assert {one["field"] for one in other.summary["questions"]} == {"zone", "minutes"}


def test_a_horizon_that_is_past_is_not_chosen_again(session):
    planned(session, ICS, name="x.ics", choices=IcsChoices(zone="Europe/Berlin", horizon=date(2027, 1, 10)))

    again = planned(session, ICS, name="x.ics")

    assert importing.choices_of(again) == IcsChoices(zone="Europe/Berlin")
    assert again.total == 2


@pytest.mark.parametrize(
    ("row", "choices"),
    [
        ("Open office,2027-03-15,09:00,10:00", CsvChoices()),
        ("Open office,2027-03-15,09:00,", CsvChoices(zone="Europe/Berlin")),
        ("Open office,04/08/2027,09:00,10:00", CsvChoices(zone="Europe/Berlin")),
        ("Open office,15 March,09:00,10:00", CsvChoices(zone="Europe/Berlin")),
    ],
    ids=["zone", "minutes", "order", "year"],
)
def test_a_row_that_lacks_a_choice_waits_and_one_that_cannot_be_read_is_left_out(session, row, choices):
    data = f"Title,Date,Start,End\n{row}\nRetreat,someday,09:00,10:00\n".encode()
    choices = replace(choices, columns={"title": "Title", "date": "Date", "start": "Start", "end": "End"})

    run = planned(session, data, choices=choices)

    shown = session.scalars(select(ImportRow).where(ImportRow.run_id == run.id).order_by(ImportRow.position)).all()
    assert [importing.waits(one) for one in shown] == [True, False]
    assert (run.summary["waiting"], run.summary["left_out"]) == (1, 2)
