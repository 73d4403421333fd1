"""Calendars of other systems: what each VEVENT becomes, in every dialect that was met."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seminars.catalog.reading.ics_events import read_ics
from seminars.catalog.reading.ics_lines import read_components
from seminars.catalog.reading.ics_repeats import MOST_STEPS, Effort, repetition
from seminars.catalog.reading.ics_times import When, clocks_of
from seminars.catalog.reading.plan import EventPlan, LeftOut, Notes, Reading, Unreadable

HORIZON = date(2028, 1, 1)
VENDOR_ZONE = """BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


def calendar(*events: str, head: str = "") -> bytes:
    body = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Test//EN\n{head}{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def event(lines: str, *, uid: str = "a@x", title: str = "Writing") -> str:
    return f"UID:{uid}\nSUMMARY:{title}\n{lines}"


def read(*events: str, head: str = "", zone: str | None = None) -> Reading:
    return read_ics(calendar(*events, head=head), default_zone=zone, horizon=HORIZON)


def only(reading: Reading) -> EventPlan:
    assert (len(reading.plans), reading.left_out) == (1, ())
    return reading.plans[0]


def locals_of(plan: EventPlan) -> list[str]:
    return [f"{session.starts_local:%Y-%m-%d %H:%M}" for session in plan.sessions]


def instants_of(plan: EventPlan) -> list[str]:
    zone = ZoneInfo(plan.zone or "")
    return [f"{session.starts_local.replace(tzinfo=zone).astimezone(UTC):%m-%d %H:%M}" for session in plan.sessions]


def test_a_vevent_becomes_an_event_of_the_seminar_of_that_title():
    reading = read(
        "UID:res@x\nSUMMARY:Social Media\\, the Residency\nDTSTART;TZID=America/Chicago:20270504T090000\n"
        "DTEND;TZID=America/Chicago:20270504T163000\nLOCATION:Room 2-14\\; Siebens\nURL:https://x.example/residency\n"
        "CATEGORIES:Residency,Social\\, media\nDESCRIPTION:One\\ntwo\nDTSTAMP:20270101T000000\nATTENDEE:mailto:anna@x.example"
    )

    plan = only(reading)
    assert (plan.uid, plan.seminar_title, plan.zone, plan.line) == ("res@x", "Social Media, the Residency", "America/Chicago", 4)
    assert (plan.location, plan.url, plan.categories, plan.summary) == (
        "Room 2-14; Siebens",
        "https://x.example/residency",
        ("Residency", "Social, media"),
        "One\ntwo",
    )
    assert [(s.starts_local, s.ends_local, s.all_day) for s in plan.sessions] == [
        (datetime(2027, 5, 4, 9), datetime(2027, 5, 4, 16, 30), False)
    ]
    assert (reading.warnings, reading.questions, reading.horizon) == ((), (), None)
    assert "anna" not in repr(reading)


def test_a_series_stays_at_the_hour_of_the_clock_when_the_clocks_change():
    plan = only(
        read(event("DTSTART;TZID=Europe/Berlin:20270314T090000\nDTEND;TZID=Europe/Berlin:20270314T100000\nRRULE:FREQ=WEEKLY;COUNT=4"))
    )

    assert locals_of(plan) == ["2027-03-14 09:00", "2027-03-21 09:00", "2027-03-28 09:00", "2027-04-04 09:00"]
    assert instants_of(plan) == ["03-14 08:00", "03-21 08:00", "03-28 07:00", "04-04 07:00"]


def test_an_endless_series_ends_at_the_horizon_and_says_so():
    reading = read(event("DTSTART:20271217T090000Z\nDTEND:20271217T100000Z\nRRULE:FREQ=WEEKLY"))

    assert locals_of(only(reading)) == ["2027-12-17 09:00", "2027-12-24 09:00", "2027-12-31 09:00"]
    assert (reading.horizon, reading.warnings) == (
        HORIZON,
        ("It repeats without end; sessions before 2028-01-01 were taken (line 4)",),
    )


def test_a_series_that_ends_is_not_cut_at_the_horizon():
    reading = read(event("DTSTART:20271231T090000Z\nDTEND:20271231T100000Z\nRRULE:FREQ=DAILY;UNTIL=20280102T090000Z"))

    assert (locals_of(only(reading)), reading.horizon) == (["2027-12-31 09:00", "2028-01-01 09:00", "2028-01-02 09:00"], None)


@pytest.mark.parametrize("until", ["20270507T150000", "20270507T130000Z", "20270507"])
def test_the_end_of_a_rule_is_local_time_where_it_has_no_z(until):
    plan = only(read(event(f"DTSTART;TZID=Europe/Stockholm:20270505T150000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL={until}")))

    assert locals_of(plan) == ["2027-05-05 15:00", "2027-05-06 15:00", "2027-05-07 15:00"]


def test_exceptions_and_further_dates_count():
    plan = only(
        read(
            event(
                "DTSTART;TZID=Europe/Berlin:20270301T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=5\n"
                "EXDATE;TZID=Europe/Berlin:20270302T090000\nEXDATE:20270303T080000Z\nEXDATE;VALUE=DATE:20270304\n"
                "RDATE;TZID=Europe/Berlin:20270310T140000,20270311T140000"
            )
        )
    )

    assert locals_of(plan) == ["2027-03-01 09:00", "2027-03-05 09:00", "2027-03-10 14:00", "2027-03-11 14:00"]


def test_a_moved_occurrence_stands_where_it_was_moved_to():
    reading = read(
        event("DTSTART;TZID=Europe/Berlin:20270301T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nLOCATION:Room 1"),
        event(
            "RECURRENCE-ID:20270302T080000Z\nDTSTART;TZID=Europe/Berlin:20270309T140000\nDURATION:PT2H\nLOCATION:Room 2",
            title="Moved",
        ),
        event("RECURRENCE-ID;TZID=Europe/Berlin:20270303T090000\nDTSTART;TZID=Europe/Berlin:20270303T090000\nSTATUS:CANCELLED"),
    )

    assert [(f"{s.starts_local:%d %H:%M}", f"{s.ends_local:%H:%M}", s.title, s.location) for s in reading.plans[0].sessions] == [
        ("01 09:00", "10:00", "", "Room 1"),
        ("09 14:00", "16:00", "Moved", "Room 2"),
    ]
    assert reading.left_out == (LeftOut(20, "Writing", "This occurrence is cancelled."),)


def test_a_change_of_all_later_occurrences_moves_them_all():
    plan = only(
        read(
            event("DTSTART:20270301T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4"),
            event("RECURRENCE-ID;RANGE=THISANDFUTURE:20270303T090000Z\nDTSTART:20270303T140000Z\nDURATION:PT1H"),
        )
    )

    assert locals_of(plan) == ["2027-03-01 09:00", "2027-03-02 09:00", "2027-03-03 14:00", "2027-03-04 14:00"]


def test_changed_occurrences_without_uid_are_events_of_their_own():
    reading = read_ics(
        calendar(
            "SUMMARY:Call\nRECURRENCE-ID:20270302T080000Z\nDTSTART:20270302T080000Z\nDURATION:PT1H",
            "SUMMARY:Call\nRECURRENCE-ID:20270309T080000Z\nDTSTART:20270309T080000Z\nDURATION:PT1H",
        ),
        default_zone=None,
        horizon=HORIZON,
    )

    assert [locals_of(plan) for plan in reading.plans] == [["2027-03-02 08:00"], ["2027-03-09 08:00"]]
    assert reading.warnings == ("The event has no UID; one was made from what it says (2 times: lines 4, 10)",)
    assert len({plan.uid for plan in reading.plans}) == 2


def test_a_uid_that_was_made_is_the_same_the_next_time():
    once, again = (read("SUMMARY:Call\nDTSTART:20270302T080000Z\nDURATION:PT1H") for _ in range(2))

    assert once.plans[0].uid == again.plans[0].uid


def test_all_day_events_stay_on_their_days():
    two_days = only(read(event("DTSTART;VALUE=DATE:20270504\nDTEND;VALUE=DATE:20270506")))
    one_day = only(read(event("DTSTART;VALUE=DATE:20270504"), zone="Pacific/Auckland"))

    assert [(s.starts_local, s.ends_local, s.all_day) for s in two_days.sessions] == [(datetime(2027, 5, 4), datetime(2027, 5, 6), True)]
    assert [(s.starts_local, s.ends_local, s.all_day) for s in one_day.sessions] == [(datetime(2027, 5, 4), datetime(2027, 5, 5), True)]
    assert (two_days.zone, one_day.zone) == (None, "Pacific/Auckland")


def test_days_of_a_file_whose_hours_are_in_one_zone_are_days_there():
    reading = read(
        event("DTSTART;VALUE=DATE:20270504", uid="day"),
        event("DTSTART;TZID=Europe/Stockholm:20270504T090000\nDURATION:PT1H", uid="hour"),
    )

    assert [plan.zone for plan in reading.plans] == ["Europe/Stockholm", "Europe/Stockholm"]


@pytest.mark.parametrize(
    ("tzid", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("/ics.py/2020.1/Europe/Berlin", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ('"Pacific Standard Time"', "America/Los_Angeles"),
        ("europe/berlin", "Europe/Berlin"),
        ("(UTC-05:00) New York", "America/New_York"),
        ("UTC", "UTC"),
    ],
)
def test_zones_are_known_by_the_names_programs_give_them(tzid, zone):
    plan = only(read(event(f"DTSTART;TZID={tzid}:20270504T090000\nDTEND;TZID={tzid}:20270504T100000")))

    assert (plan.zone, locals_of(plan)) == (zone, ["2027-05-04 09:00"])


def test_a_zone_without_a_known_name_is_known_by_its_rules():
    reading = read(event("DTSTART;TZID=Customized Time Zone:20270504T090000\nDURATION:PT1H"), head=VENDOR_ZONE)

    assert (only(reading).zone, locals_of(only(reading))) == ("Europe/Berlin", ["2027-05-04 09:00"])
    assert "its clock is that of Europe/Berlin" in reading.warnings[0]


def test_a_file_that_defines_a_zone_anew_does_not_change_the_next_file():
    shifted = VENDOR_ZONE.replace("Customized Time Zone", "Europe/Berlin").replace("+0100", "+0700").replace("+0200", "+0800")
    lines = event("DTSTART;TZID=Europe/Berlin:20270504T090000\nDURATION:PT1H")

    poisoned, clean = read(lines, head=shifted), read(lines)

    assert instants_of(only(poisoned)) == instants_of(only(clean)) == ["05-04 07:00"]


def test_a_zone_that_nobody_knows_leaves_its_event_out():
    reading = read(event("DTSTART;TZID=Atlantis:20270504T090000\nDURATION:PT1H"))

    assert [left.why for left in reading.left_out] == ["“Atlantis” is no time zone we know."]


def test_times_without_a_zone_take_that_of_the_calendar():
    plan = only(read(event("DTSTART:20270504T090000\nDURATION:PT1H"), head="X-WR-TIMEZONE:America/Chicago\n"))

    assert (plan.zone, locals_of(plan)) == ("America/Chicago", ["2027-05-04 09:00"])


def test_times_without_any_zone_are_asked_and_not_guessed():
    lines = event("DTSTART:20270504T090000\nDURATION:PT1H")

    asked, chosen = read(lines), read(lines, zone="America/Chicago")

    assert ([question.field for question in asked.questions], asked.plans) == (["zone"], ())
    assert [left.why for left in asked.left_out] == ["Its time names no zone; choose one."]
    assert (only(chosen).zone, chosen.questions) == ("America/Chicago", ())
    assert chosen.warnings == ("The time names no zone; America/Chicago was taken, as chosen (line 7)",)


def test_utc_in_a_calendar_with_a_zone_is_shown_on_its_clock():
    reading = read(event("DTSTART:20270326T160000Z\nDTEND:20270328T150000Z"), head="X-WR-TIMEZONE:Europe/Berlin\n")

    session = only(reading).sessions[0]
    assert (session.starts_local, session.ends_local) == (datetime(2027, 3, 26, 17), datetime(2027, 3, 28, 17))
    assert "shown in Europe/Berlin" in reading.warnings[0]


def test_the_hour_that_comes_twice_is_kept_in_utc():
    reading = read(event("DTSTART:20271031T013000Z\nDURATION:PT1H"), head="X-WR-TIMEZONE:Europe/Berlin\n")

    assert (only(reading).zone, locals_of(only(reading))) == ("UTC", ["2027-10-31 01:30"])


def test_an_event_that_ends_when_it_begins_lasts_an_hour_and_says_so():
    reading = read(event("DTSTART:20270504T090000Z\nDTEND:20270504T090000Z"))

    assert only(reading).sessions[0].ends_local == datetime(2027, 5, 4, 10)
    assert reading.warnings == ("It ends when it begins; 60 minutes were taken (line 4)",)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("SUMMARY:A\nDTSTART:20270504T090000Z\nSTATUS:CANCELLED", "It is cancelled."),
        ("DTSTART:20270504T090000Z", "It has no title."),
        ("SUMMARY:A", "There is no day."),
        ("SUMMARY:A\nDTSTART:20271304T090000Z", "“20271304T090000Z” is no date."),
        ("SUMMARY:A\nDTSTART:soon", "“soon” is no date."),
        ("SUMMARY:A\nDTSTART:00010101T090000Z", "It is in the year 1."),
        ("SUMMARY:A\nDTSTART:20270504T090000Z\nDURATION:-PT1H", "It ends before it starts."),
        ("SUMMARY:A\nDTSTART:20270504T090000Z\nDTEND:20270504T080000Z", "It ends before it starts."),
        ("SUMMARY:A\nDTSTART:20270504T090000Z\nDURATION:PT", "“PT” is no length of time."),
        ("SUMMARY:A\nDTSTART:20270504T090000Z\nRRULE:FREQ=SECONDLY", "It repeats in a way we can't read: FREQ=SECONDLY."),
        (
            "SUMMARY:A\nDTSTART:20270504T090000Z\nRRULE:FREQ=DAILY;INTERVAL=0",
            "It repeats in a way we can't read: FREQ=DAILY;INTERVAL=0.",
        ),
        (
            "SUMMARY:A\nDTSTART:20270504T090000Z\nRRULE:FREQ=DAILY;BYDAY=XX",
            "It repeats in a way we can't read: FREQ=DAILY;BYDAY=XX.",
        ),
        ("SUMMARY:A\nDTSTART:20270504T090000Z\nRRULE:FREQ=DAILY;COUNT=100000", "It repeats 100000 times."),
        ("SUMMARY:A\nDTSTART:20270504T090000Z\nRRULE:FREQ=DAILY;UNTIL=20990101", "It repeats more than 5,000 times."),
    ],
)
def test_an_event_that_cannot_be_taken_is_left_out_with_the_reason(lines, why):
    reading = read(f"UID:bad\n{lines}", event("DTSTART:20270504T090000Z\nDURATION:PT1H", uid="good"))

    assert [plan.uid for plan in reading.plans] == ["good"]
    assert [(left.line, left.why) for left in reading.left_out] == [(4, why)]


def test_of_two_events_with_one_uid_the_later_revision_is_taken():
    reading = read(
        event("SEQUENCE:2\nDTSTART:20270504T110000Z\nDURATION:PT1H"), event("SEQUENCE:1\nDTSTART:20270504T090000Z\nDURATION:PT1H")
    )

    assert [locals_of(plan) for plan in reading.plans] == [["2027-05-04 11:00"]]
    assert reading.left_out == (LeftOut(11, "Writing", "The same UID as line 4."),)


def test_text_is_unfolded_within_characters_and_freed_of_tags():
    folded = (
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20270504T090000Z\nSUMMARY:Grüße\n"
        "X-ALT-DESC;FMTTYPE=text/html:<p>One; two</p><p>three</p>\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    raw = folded.encode().replace("ü".encode(), b"\xc3\n \xbc")

    plan = only(read_ics(raw, default_zone=None, horizon=HORIZON))

    assert (plan.seminar_title, plan.summary) == ("Grüße", "One; two\nthree")


def test_a_joining_address_is_kept_for_registrants_and_out_of_the_public_text():
    plan = only(
        read(
            event(
                "DTSTART:20270504T090000Z\nDURATION:PT1H\n"
                "DESCRIPTION:Welcome.\\nJoin: https://x.zoom.us/j/99?pwd=a\\nPasscode: 1\\nBring tea."
            )
        )
    )

    assert (plan.join_url, plan.summary) == ("https://x.zoom.us/j/99?pwd=a", "Welcome.\nBring tea.")


def test_a_file_that_breaks_off_keeps_what_was_whole():
    raw = calendar(
        event("DTSTART:20270504T090000Z\nDURATION:PT1H", uid="whole"), event("DTSTART:20270505T090000Z\nDURATION:PT1H", uid="cut")
    )

    reading = read_ics(raw[: raw.rindex(b"END:VEVENT")], default_zone=None, horizon=HORIZON)

    assert ([plan.uid for plan in reading.plans], [left.why for left in reading.left_out]) == (
        ["whole"],
        ["The file breaks off within it."],
    )


def test_an_empty_calendar_has_no_events():
    assert read() == Reading(())


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"Title,Date\nA,2026-03-17\n", "no iCalendar file"),
        (b"", "empty"),
        (b"BEGIN:VCALENDAR\n\0\nEND:VCALENDAR\n", "zero byte in line 2"),
        ("BEGIN:VCALENDAR\nX-WR-CALNAME:Grüße\nEND:VCALENDAR\n".encode("latin-1"), "isn't in UTF-8.*Save it as UTF-8 and try again"),
        ("BEGIN:VCALENDAR\n".encode("utf-16"), "UTF-16"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 20, "nested deeper"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\nEND:VEVENT\n" * 20_001, "more than 20,000 events"),
        (b"X" * 20_000_000, "20.0 MB"),
        (calendar(event("DTSTART:20270504T090000Z\nDTEND:20270504T080000Z")), "every event ends before it starts"),
        (
            calendar(*(event("DTSTART:20150101T090000Z\nRRULE:FREQ=DAILY", uid=str(n)) for n in range(6))),
            "more than 20,000 sessions",
        ),
    ],
)
def test_a_file_that_cannot_be_read_gets_one_clear_sentence(data, sentence):
    with pytest.raises(Unreadable, match=sentence):
        read_ics(data, default_zone=None, horizon=HORIZON)


def test_rules_that_never_give_a_day_are_not_followed_for_hours():
    effort = Effort()
    impossible = event("DTSTART:20240101T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")
    clocks = clocks_of(read_components(calendar(impossible))[0], None, Notes())
    first = When(datetime(2024, 1, 1, 9), "UTC")

    vevent = next(read_components(calendar(impossible))[0].walk("VEVENT"))
    found = repetition(vevent, first, clocks, horizon=HORIZON, notes=Notes(), effort=effort)

    assert (found.starts, effort.steps) == ((first.wall,), 1460)
    with pytest.raises(Unreadable, match="too long to follow"):
        effort.spend(MOST_STEPS)


def test_a_zone_to_choose_has_to_exist():
    with pytest.raises(Unreadable, match="no time zone"):
        read_ics(calendar(), default_zone="Mars/Base", horizon=HORIZON)


LINES = st.lists(
    st.sampled_from(
        ["DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE", "RECURRENCE-ID", "UID", "SUMMARY", "STATUS", "BEGIN", "END"]
    )
    .flatmap(
        lambda name: st.tuples(
            st.just(name), st.sampled_from(["", ";VALUE=DATE", ";TZID=Europe/Berlin", ";TZID=x:y"]), st.text(max_size=20)
        )
    )
    .map(lambda parts: f"{parts[0]}{parts[1]}:{parts[2]}"),
    max_size=8,
)


@settings(deadline=None)
@given(LINES, st.text(max_size=40))
def test_whatever_stands_in_a_file_it_is_read_or_refused(lines, rule):
    raw = calendar(event("DTSTART:20270504T090000Z\n" + "\n".join(lines)), event(f"DTSTART:20270504T090000Z\nRRULE:{rule}", uid="b"))

    try:
        reading = read_ics(raw.decode().encode(errors="ignore"), default_zone="Europe/Berlin", horizon=HORIZON)
    except Unreadable:
        return

    assert all(plan.seminar_title and plan.sessions for plan in reading.plans)
    assert all(left.why for left in reading.left_out)
