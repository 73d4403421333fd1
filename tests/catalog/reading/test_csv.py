"""Catalogues that arrive as CSV: what is taken, what is left out and why, what has to be asked."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seminars.catalog.reading.csv_guess import CsvChoices, guess_choices
from seminars.catalog.reading.csv_rows import read_csv
from seminars.catalog.reading.plan import LeftOut, Reading, Unreadable


def read(text: str, **changes: object) -> Reading:
    """Read with what the file itself suggests, and these choices."""
    data = text.encode()
    return read_csv(data, replace(guess_choices(data)[0], **changes))


def starts(reading: Reading) -> list[str]:
    return [f"{session.starts_local:%Y-%m-%d %H:%M}" for plan in reading.plans for session in plan.sessions]


def sentences(reading: Reading) -> list[str]:
    return [left.why for left in reading.left_out]


def test_a_row_becomes_an_event_of_the_seminar_of_that_title():
    reading = read(
        "UID,Title,Date,Start,End,Time zone,Location,Speaker,Abstract,Category\n"
        "res-1,Social Media Residency,2027-05-04,09:00,16:30,America/Chicago,Room 2-14,Dr. Noor,Two days of practice,Residency\n"
    )

    plan = reading.plans[0]
    assert (plan.uid, plan.seminar_title, plan.zone, plan.line) == ("res-1", "Social Media Residency", "America/Chicago", 2)
    assert (plan.location, plan.speaker, plan.summary, plan.categories) == (
        "Room 2-14",
        "Dr. Noor",
        "Two days of practice",
        ("Residency",),
    )
    assert [(session.starts_local, session.ends_local, session.all_day) for session in plan.sessions] == [
        (datetime(2027, 5, 4, 9, 0), datetime(2027, 5, 4, 16, 30), False)
    ]
    assert (reading.left_out, reading.warnings, reading.questions) == ((), (), ())


def test_the_mark_at_the_start_of_a_file_is_no_part_of_the_first_header():
    data = b"\xef\xbb\xbfSession Name,Session Date,Level\nPython,22/04/2027,1\n"

    reading = read_csv(data, guess_choices(data)[0])

    assert reading.columns_found == {"title": "Session Name", "date": "Session Date"}
    assert reading.columns_ignored == ("Level",)


def test_without_a_time_column_sessions_are_days_and_have_no_zone():
    reading = read("Title,Date\nPython,22/04/2027\n")

    assert (reading.plans[0].zone, reading.questions) == (None, ())
    assert [(s.starts_local, s.ends_local, s.all_day) for s in reading.plans[0].sessions] == [
        (datetime(2027, 4, 22), datetime(2027, 4, 23), True)
    ]


def test_one_day_above_twelve_decides_the_order_of_the_whole_column():
    reading = read("Title,Date\nA,04/08/2026\nB,17/03/2026\nC,5/05/2026\n")

    assert starts(reading) == ["2026-08-04 00:00", "2026-03-17 00:00", "2026-05-05 00:00"]
    assert starts(read("Title,Date\nA,04/08/2026\nB,03/17/2026\n")) == ["2026-04-08 00:00", "2026-03-17 00:00"]


def test_an_order_that_the_file_contradicts_is_refused():
    with pytest.raises(Unreadable, match="The month can't stand first in this file: it has “22/04/2027”"):
        read("Title,Date\nA,04/08/2027\nB,22/04/2027\n", order="month_first")


def test_where_no_day_decides_the_order_it_is_asked():
    text = "Title,Date\nA,04/08/2026\nB,05/05/2026\n"

    asked = read(text)

    assert [(question.field, question.options) for question in asked.questions] == [("order", ("day_first", "month_first"))]
    assert (starts(asked), [left.line for left in asked.left_out]) == (["2026-05-05 00:00"], [2])
    assert starts(read(text, order="month_first")) == ["2026-04-08 00:00", "2026-05-05 00:00"]


def test_a_column_in_both_orders_is_asked_and_loses_the_rows_of_the_other():
    text = "Title,Date\nA,22/04/2026\nB,04/22/2026\n"

    reading = read(text, order="day_first")

    assert starts(reading) == ["2026-04-22 00:00"]
    assert sentences(reading) == ["“04/22/2026”: there is no month 22."]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-17", "2026-03-17"),
        ("20260317", "2026-03-17"),
        ("2026/3/7", "2026-03-07"),
        ("7.3.2026", "2026-03-07"),
        ("17/03/26", "2026-03-17"),
        ("Tuesday, March 17, 2026", "2026-03-17"),
        ("Tue 17 Mar 2026", "2026-03-17"),
        ("17th of March 2026", "2026-03-17"),
        ("Dienstag, 17. März 2026", "2026-03-17"),
        ("mardi 17 mars 2026", "2026-03-17"),
        ("17 de marzo de 2026", "2026-03-17"),
        ("Tue 17/03/2026", "2026-03-17"),
    ],
)
def test_days_are_read_as_people_write_them(written, meant):
    assert starts(read(f'Title,Date\nA,"{written}"\n')) == [f"{meant} 00:00"]


@pytest.mark.parametrize(
    "written",
    ["soon", "31/02/2026", "2026-13-01", "Monday, March 17, 2026", "17", "0001-01-01", "2026-03", "May 3 or May 4, 2026", ""],
)
def test_a_row_without_a_day_is_left_out_and_the_others_are_taken(written):
    reading = read(f'Title,Date\nA,"{written}"\nB,2026-03-17\n')

    assert [plan.seminar_title for plan in reading.plans] == ["B"]
    assert [left.line for left in reading.left_out] == [2]


def test_a_year_that_other_rows_name_is_taken_for_those_that_name_none_and_said():
    reading = read('Title,Date\nA,"Saturday, March 27"\nB,"Monday, 29 March, 2021"\n')

    assert starts(reading) == ["2021-03-27 00:00", "2021-03-29 00:00"]
    assert reading.warnings == ("The day gives no year; 2021 was taken (line 2)",)


def test_a_year_that_nobody_names_is_asked():
    text = 'Title,Date\nA,"Saturday, March 27"\n'

    assert [question.field for question in read(text).questions] == ["year"]
    assert sentences(read(text, year=2022)) == ["“Saturday, March 27” can't be: 2022-03-27 is a Sunday."]
    assert starts(read(text, year=2027)) == ["2027-03-27 00:00"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("9:00,10:30", "09:00-10:30"),
        ("9 am,1 pm", "09:00-13:00"),
        ("12:30 PM,2:00 p.m.", "12:30-14:00"),
        ("0900,1030", "09:00-10:30"),
        ("14h30,16h", "14:30-16:00"),
        ("9 Uhr,10.30 Uhr", "09:00-10:30"),
        ("10:00-11:30,", "10:00-11:30"),
        ("2-3 pm,", "14:00-15:00"),
        ("11-1 pm,", "11:00-13:00"),
        ("20:00,24:00", "20:00-00:00"),
        ("noon,13:00", "12:00-13:00"),
    ],
)
def test_hours_are_read_as_people_write_them(written, meant):
    reading = read(f"Title,Date,Start,End\nA,2026-03-17,{written}\n", zone="Europe/Berlin")

    session = reading.plans[0].sessions[0]
    assert f"{session.starts_local:%H:%M}-{session.ends_local:%H:%M}" == meant


@pytest.mark.parametrize("written", ["25:00", "9:75", "13 pm", "0 am", "tea time", "9:00-10:00-11:00"])
def test_an_hour_that_does_not_exist_is_left_out(written):
    reading = read(f"Title,Date,Start,End\nA,2026-03-17,{written},23:59\nB,2026-03-17,09:00,10:00\n", zone="Europe/Berlin")

    assert [left.line for left in reading.left_out] == [2]


def test_times_without_a_zone_are_asked_and_not_guessed():
    text = "Title,Date,Start,End\nA,2026-03-17,09:00,10:00\n"

    asked = read(text)

    assert ([question.field for question in asked.questions], asked.plans) == (["zone"], ())
    assert sentences(asked) == ["Its time names no zone; choose one."]
    assert read(text, zone="Europe/Berlin").plans[0].zone == "Europe/Berlin"


def test_a_session_without_an_end_is_asked_for_its_length():
    text = "Title,Start\nA,2026-03-17 09:00\n"

    assert [question.field for question in read(text, zone="UTC").questions] == ["minutes"]
    chosen = read(text, zone="UTC", minutes=90)
    assert chosen.plans[0].sessions[0].ends_local == datetime(2026, 3, 17, 10, 30)


def test_a_column_of_lengths_gives_the_end():
    reading = read("Title,Date,Time,Duration\nA,2026-03-17,09:00,45 min\nB,2026-03-17,09:00,1.5 h\nC,2026-03-17,09:00,2:15\n", zone="UTC")

    assert [f"{plan.sessions[0].ends_local:%H:%M}" for plan in reading.plans] == ["09:45", "10:30", "11:15"]


def test_the_columns_of_google_and_outlook_are_known():
    reading = read(
        "Subject,Start Date,Start Time,End Date,End Time,All Day Event,Description,Location,Private\n"
        "Retreat,05/29/2027,,05/30/2027,,True,,Rochester,False\n"
        "Evening,05/29/2027,10:00 PM,05/30/2027,1:00 AM,False,,Rochester,False\n",
        zone="America/Chicago",
    )

    assert [(s.starts_local, s.ends_local, s.all_day) for plan in reading.plans for s in plan.sessions] == [
        (datetime(2027, 5, 29), datetime(2027, 5, 31), True),
        (datetime(2027, 5, 29, 22), datetime(2027, 5, 30, 1), False),
    ]


def test_headers_are_known_in_other_languages():
    reading = read("Titel;Datum;Beginn;Ende;Ort;Referent\nReden;17.3.2026;9:00;10:00;Saal 1;Dr. Öz\n", zone="Europe/Berlin")

    assert reading.columns_found == {
        "title": "Titel",
        "date": "Datum",
        "start": "Beginn",
        "end": "Ende",
        "location": "Ort",
        "speaker": "Referent",
    }
    assert starts(reading) == ["2026-03-17 09:00"]


def test_a_label_that_its_place_contradicts_is_followed_as_chosen_and_said():
    text = (
        "Title,Date,Start,End,Timezone\n"
        "Winter,2021-03-27,10:00,11:45,Lisbon WET UTC\n"
        "Summer,2021-03-29,10:00,11:00,Lisbon WEST UTC+1\n"
        "Wrong,2021-03-29,14:15,16:15,Lisbon WET UTC\n"
    )

    by_label, by_place = read(text), read(text, follow="place")

    assert {plan.zone for plan in by_label.plans} == {"Europe/Lisbon"}
    assert starts(by_label) == ["2021-03-27 10:00", "2021-03-29 10:00", "2021-03-29 15:15"]
    assert by_label.plans[2].sessions[0].ends_local == datetime(2021, 3, 29, 17, 15)
    assert by_label.warnings == (
        "“Lisbon WET UTC” is not the time that Europe/Lisbon had that day; the label was followed, "
        "so that 14:15 became 15:15 there (line 4)",
    )
    assert starts(by_place)[2] == "2021-03-29 14:15" and "the clock of the place was followed (line 4)" in by_place.warnings[0]


@pytest.mark.parametrize(
    ("label", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("CET", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("PST", "America/Los_Angeles"),
        ("ET", "America/New_York"),
        ("UTC", "UTC"),
        ("UTC+2", "Etc/GMT-2"),
    ],
)
def test_zones_are_known_by_the_names_people_give_them(label, zone):
    assert read(f"Title,Date,Start,End,Zone\nA,2027-01-12,09:00,10:00,{label}\n").plans[0].zone == zone


def test_a_moment_with_its_own_offset_is_kept():
    reading = read("Title,Start,End\nA,2027-07-06T09:00:00Z,2027-07-06T10:00:00Z\n", zone="Europe/Berlin")

    assert starts(reading) == ["2027-07-06 11:00"]
    assert reading.plans[0].sessions[0].ends_local == datetime(2027, 7, 6, 12, 0)


def test_a_moment_in_the_hour_that_comes_twice_is_kept_in_utc():
    reading = read("Title,Start,End\nA,2027-10-31T01:30:00Z,2027-10-31T02:30:00Z\n", zone="Europe/Berlin")

    assert (reading.plans[0].zone, starts(reading)) == ("UTC", ["2027-10-31 01:30"])


def test_what_is_no_event_is_left_out_and_a_missing_title_is_made_from_the_speaker():
    reading = read(
        "date,speaker,title\n7/04/2026,<b> Semester Break</b>,\n12/05/2026, Kate Hill,\n19/05/2026,,\n26/05/2026,A. Ray,On breaks\n"
    )

    assert [plan.seminar_title for plan in reading.plans] == ["Kate Hill (title to be announced)", "On breaks"]
    assert reading.left_out == (
        LeftOut(2, "Semester Break", "“Semester Break” is no event."),
        LeftOut(4, "19/05/2026", "It has no title."),
    )
    assert reading.warnings == ("There is no title; the name of the speaker stands in for it (line 3)",)


def test_a_cancelled_row_is_left_out():
    assert sentences(read("Title,Date,Status\nA,2026-03-17,Cancelled\nB,2026-03-18,abgesagt\nC,2026-03-19,ok\n")) == [
        "It is marked as Cancelled.",
        "It is marked as abgesagt.",
    ]


def test_a_row_that_stands_twice_is_taken_once():
    same_uid = read("UID,Title,Date\n7,A,2026-03-17\n7,B,2026-03-18\n")
    same_text = read("Title,Date\nA,2026-03-17\nA,2026-03-17\nA,2026-03-18\n")

    assert ([plan.seminar_title for plan in same_uid.plans], sentences(same_uid)) == (["A"], ["The same as line 2."])
    assert (starts(same_text), sentences(same_text)) == (["2026-03-17 00:00", "2026-03-18 00:00"], ["The same as line 2."])


def test_a_running_number_of_one_file_is_not_taken_for_that_of_another():
    spring, autumn = read("No,Title,Date\n1,Python,2026-03-17\n"), read("No,Title,Date\n1,Writing,2026-09-17\n")

    assert spring.plans[0].uid != autumn.plans[0].uid
    assert spring.plans[0].uid == read("No,Title,Date\n1,Python,2026-03-17\n").plans[0].uid


def test_formulas_stay_text():
    reading = read(
        'Title,Date\n"=HYPERLINK(""https://x.example"",""y"")",2026-03-17\n@SUM(A1),2026-03-18\n+49,2026-03-19\n-1+2,2026-03-20\n'
    )

    assert [plan.seminar_title for plan in reading.plans] == ['=HYPERLINK("https://x.example","y")', "@SUM(A1)", "+49", "-1+2"]


def test_tags_entities_and_control_characters_are_gone():
    reading = read('Title,Date,Abstract\n"<b>Bold</b> &amp; \x02brave",2026-03-17,"<p>One<br>two</p><script>alert(1)</script>\x02 a < b"\n')

    assert (reading.plans[0].seminar_title, reading.plans[0].summary) == ("Bold & brave", "One\ntwo\na < b")


def test_a_joining_address_is_kept_for_registrants_and_out_of_the_public_text():
    reading = read(
        "Title,Date,Abstract\n"
        'A,2026-03-17,"All welcome.\nJoin via Zoom:\nhttps://example.zoom.us/j/123?pwd=x\nMeeting ID: 123\nBring tea."\n'
    )

    assert reading.plans[0].join_url == "https://example.zoom.us/j/123?pwd=x"
    assert reading.plans[0].summary == "All welcome.\nBring tea."


def test_a_title_that_is_too_long_is_shortened_and_said():
    reading = read(f"Title,Date\n{'x' * 301},2026-03-17\n")

    assert (len(reading.plans[0].seminar_title), reading.plans[0].seminar_title[-1]) == (300, "…")
    assert reading.warnings == ("The title is longer than 300 characters and was shortened (line 2)",)


def test_a_row_with_a_cell_too_many_is_left_out():
    reading = read("Title,Date\nA,2026-03-17\nB,2026-03-18,\nHello, world,2026-03-19\n")

    assert ([plan.seminar_title for plan in reading.plans], [left.line for left in reading.left_out]) == (["A", "B"], [4])


def test_lines_are_those_of_the_file_although_texts_run_over_several():
    reading = read('sep=;\n\nTitle;Date;Abstract\nA;2026-03-17;"one\ntwo"\n\nB;soon;x\n')

    assert [plan.line for plan in reading.plans] == [4]
    assert [left.line for left in reading.left_out] == [7]


def test_columns_are_taken_as_staff_map_them():
    text = "Wer,Was,Wann\nDr. Öz,Reden,17.3.2026\n"

    assert [question.field for question in read(text).questions] == ["columns.title", "columns.date"]
    mapped = read(text, columns={"title": "Was", "date": "Wann", "speaker": "Wer"})
    assert (mapped.plans[0].seminar_title, mapped.plans[0].speaker, starts(mapped)) == ("Reden", "Dr. Öz", ["2026-03-17 00:00"])


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"columns": {"title": "Title", "date": "Nope"}}, "no column “Nope”"),
        ({"columns": {"title": "Title", "date": "Date", "price": "Title"}}, "nothing that an event has"),
        ({"zone": "Mars/Base"}, "no time zone"),
        ({"minutes": 0}, "between 1 and"),
        ({"year": 20}, "between 1970 and 2100"),
        ({"delimiter": "x"}, "divided by"),
        ({"encoding": "rot13"}, "no encoding we read"),
    ],
)
def test_choices_that_cannot_be_are_refused(choices, sentence):
    with pytest.raises(Unreadable, match=sentence):
        read("Title,Date\nA,2026-03-17\n", **choices)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (b"PK\x03\x04rest", "Excel workbook or a ZIP"),
        (b"%PDF-1.7", "PDF"),
        (b"<?xml version='1.0'?><a/>", "web page or XML"),
        (b'{"title": "A"}', "JSON"),
        (b"BEGIN:VCALENDAR\nEND:VCALENDAR\n", "iCalendar file"),
        ("Title,Date\nA,2026-03-17\n".encode("utf-16"), "UTF-16"),
        (b"Title,Date\nA\0,2026-03-17\n", "zero byte in line 2"),
        ("Title,Date\nGrüße,2026-03-17\n".encode("latin-1"), r"isn't in UTF-8 \(line 2 has the byte 0xfc\)"),
        (b"Title,Date\n", "no rows"),
        (b"Dear all,\nthis is no table, but prose, with commas.\nBye\n", "no table"),
        (b"a,b\n1,2,3\n1,2,3,4\n", "no table"),
        (b'Title,Date\n"A,2026-03-17\nB,2026-03-18\n', "never closed"),
        (b'Title,Date\n"' + b"x" * 200_000 + b'",2026-03-17\n', "field limit"),
        (b"Title,Date\n" + b"A,2026-03-17\n" * 20_001, "more than 20,000 rows"),
        (b"Title,Date\n" + b"A" * 20_000_000, "20.0 MB"),
        (
            b"Title,Date,Start,End,Zone\nA,2026-03-17,10:00,09:00,UTC\nB,2026-03-18,10:00,09:00,UTC\n",
            "every row ends before it starts",
        ),
    ],
)
def test_a_file_that_cannot_be_read_gets_one_clear_sentence(data, sentence):
    with pytest.raises(Unreadable, match=sentence):
        read_csv(data, guess_choices(data)[0])


def test_another_encoding_is_read_when_it_is_chosen():
    data = "Title,Date\nGrüße,2026-03-17\n".encode("windows-1252")

    assert read_csv(data, guess_choices(data, "windows-1252")[0]).plans[0].seminar_title == "Grüße"


@settings(deadline=None)
@given(st.lists(st.lists(st.text(max_size=30), min_size=3, max_size=5), max_size=6))
def test_whatever_stands_in_a_file_it_is_read_or_refused(rows):
    text = "title,date,start\n" + "\n".join(",".join(row) for row in rows)

    try:
        reading = read_csv(
            text.encode(errors="ignore"),
            CsvChoices(columns={"title": "title", "date": "date", "start": "start"}, zone="UTC", minutes=60),
        )
    except Unreadable:
        return

    assert all(plan.seminar_title and plan.sessions for plan in reading.plans)
    assert all(left.why for left in reading.left_out)
