"""The bytes of invitations, withdrawals and feeds, read again by a parser that shares no code with the one that wrote them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import vobject
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seminars.calendars.entries import Entry, content_hash, schedule_hash, snapshot
from seminars.calendars.ics import Feed, cancel_bytes, publish_bytes, request_bytes

MORNING = datetime(2027, 5, 4, 14, 0, tzinfo=UTC)
ANNA = Entry(
    uid="5f1c9a7e0b6d4c2fa3e8@calendar.example.org",
    sequence=0,
    dtstamp=datetime(2027, 1, 11, 8, 30, 5, tzinfo=UTC),
    summary="Social Media Residency, Rochester",
    starts_at=MORNING,
    ends_at=MORNING + timedelta(hours=7),
    zone="America/Chicago",
    location="Siebens Building, room 2-14; 100 Second Street, Rochester",
    url="https://seminars.example.org/orders/4711?secret=a,b;c",
    description="Your place and all that belongs to it:\nhttps://seminars.example.org/r/abc",
    organizer_email="calendar@seminars.example.org",
    organizer_name="Center for Social Media",
    attendee_email="anna.berg@hospital.example",
    attendee_name="Berg, Anna",
)
FEED = Feed(name="Seminars; all, of them", source="https://seminars.example.org/feed.ics", url="https://seminars.example.org/")


def lines(raw: bytes) -> list[str]:
    assert raw.endswith(b"\r\n") and b"\n" not in raw.replace(b"\r\n", b"")
    return raw.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]


def component_lines(raw: bytes, name: str) -> list[str]:
    unfolded = lines(raw)
    return unfolded[unfolded.index(f"BEGIN:{name}") + 1 : unfolded.index(f"END:{name}")]


def test_an_invitation_is_these_bytes():
    raw = request_bytes(ANNA)

    assert lines(raw)[:5] == [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Seminars//Seminars//EN", "CALSCALE:GREGORIAN", "METHOD:REQUEST",
    ]  # fmt: skip
    assert component_lines(raw, "VEVENT") == [
        "SUMMARY:Social Media Residency\\, Rochester",
        "DTSTART;TZID=America/Chicago:20270504T090000",
        "DTEND;TZID=America/Chicago:20270504T160000",
        "DTSTAMP:20270111T083005Z",
        "UID:5f1c9a7e0b6d4c2fa3e8@calendar.example.org",
        "SEQUENCE:0",
        'ATTENDEE;CN="Berg, Anna";CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:anna.berg@hospital.example',
        "DESCRIPTION:Your place and all that belongs to it:\\nhttps://seminars.example.org/r/abc",
        "LOCATION:Siebens Building\\, room 2-14\\; 100 Second Street\\, Rochester",
        'ORGANIZER;CN="Center for Social Media":mailto:calendar@seminars.example.org',
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "URL:https://seminars.example.org/orders/4711?secret=a,b;c",
        "X-MICROSOFT-CDO-BUSYSTATUS:BUSY",
        "X-MICROSOFT-DISALLOW-COUNTER:TRUE",
    ]
    assert lines(raw).count("BEGIN:VTIMEZONE") == 1
    assert not any("VALARM" in line or line.startswith("X-WR") for line in lines(raw))


def test_the_same_entry_gives_the_same_bytes():
    assert request_bytes(ANNA) == request_bytes(replace(ANNA))
    assert cancel_bytes(ANNA) == cancel_bytes(replace(ANNA))
    assert publish_bytes([ANNA], FEED) == publish_bytes([replace(ANNA)], FEED)


def test_no_line_is_longer_than_75_octets_and_no_character_is_cut():
    long = replace(ANNA, summary="Grüße aus Zürich, 漢字 " * 20, attendee_name="Łucja Żółć " * 12)

    raw = request_bytes(long)

    folded = raw.split(b"\r\n")
    assert max(len(line) for line in folded) <= 75
    assert all(line.decode() is not None for line in folded)
    assert vobject.readOne(raw.decode()).vevent.summary.value == ("Grüße aus Zürich, 漢字 " * 20).strip()


def test_another_parser_reads_the_local_hour_on_both_sides_of_the_change():
    winter = datetime(2027, 11, 8, 15, 0, tzinfo=UTC)
    both = [ANNA, replace(ANNA, uid="winter@x", starts_at=winter, ends_at=winter + timedelta(hours=1))]

    read = [vobject.readOne(request_bytes(entry).decode()).vevent for entry in both]

    assert [event.dtstart.value.strftime("%d %H:%M %z") for event in read] == ["04 09:00 -0500", "08 09:00 -0600"]
    assert [event.dtend.value.astimezone(UTC) for event in read] == [entry.ends_at for entry in both]


def test_a_zone_without_a_plain_rule_is_written_in_utc():
    santiago = replace(ANNA, zone="America/Santiago")

    raw = request_bytes(santiago)

    assert "DTSTART:20270504T140000Z" in lines(raw)
    assert b"VTIMEZONE" not in raw


def test_an_all_day_session_stays_on_its_days():
    kiritimati = ZoneInfo("Pacific/Kiritimati")
    start = datetime(2027, 5, 4, tzinfo=kiritimati).astimezone(UTC)
    two_days = replace(ANNA, all_day=True, zone="Pacific/Kiritimati", starts_at=start, ends_at=start + timedelta(days=2))
    until_evening = replace(two_days, ends_at=start + timedelta(hours=20))

    assert component_lines(request_bytes(two_days), "VEVENT")[1:3] == ["DTSTART;VALUE=DATE:20270504", "DTEND;VALUE=DATE:20270506"]
    assert component_lines(request_bytes(until_evening), "VEVENT")[2] == "DTEND;VALUE=DATE:20270505"
    assert b"VTIMEZONE" not in request_bytes(two_days)


def test_an_online_session_says_how_to_join_where_every_program_looks():
    online = replace(ANNA, location="", join_url="https://meet.example.org/j/88?pwd=a,b")
    both = replace(online, location="Room 2-14")

    assert "LOCATION:https://meet.example.org/j/88?pwd=a\\,b" in lines(request_bytes(online))
    assert "CONFERENCE;FEATURE=AUDIO,VIDEO;LABEL=Join online;VALUE=URI:https://meet.example.org/j/88?pwd=a,b" in lines(
        request_bytes(online)
    )
    assert "LOCATION:Room 2-14" in lines(request_bytes(both))
    assert vobject.readOne(request_bytes(both).decode()).vevent.description.value.endswith(
        "\nJoin online: https://meet.example.org/j/88?pwd=a,b"
    )


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "mailto:x@y.example", "https://[", "room 5"])
def test_an_address_that_is_not_on_the_web_is_not_printed(address):
    raw = request_bytes(replace(ANNA, url=address, join_url=address))

    assert not any(line.startswith(("URL", "CONFERENCE")) for line in lines(raw))


def test_an_update_of_the_room_keeps_the_answer_and_an_update_of_the_time_asks_again():
    accepted = replace(ANNA, sequence=1, partstat="ACCEPTED")

    kept = component_lines(request_bytes(accepted), "VEVENT")[6]
    asked = component_lines(request_bytes(replace(accepted, ask_again=True)), "VEVENT")[6]

    assert "PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE" in kept
    assert "PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT;RSVP=TRUE" in asked


def test_a_withdrawal_is_these_bytes():
    raw = cancel_bytes(replace(ANNA, sequence=3, join_url="https://meet.example.org/j/88"))

    assert "METHOD:CANCEL" in lines(raw)
    assert component_lines(raw, "VEVENT") == [
        "SUMMARY:Social Media Residency\\, Rochester",
        "DTSTART;TZID=America/Chicago:20270504T090000",
        "DTEND;TZID=America/Chicago:20270504T160000",
        "DTSTAMP:20270111T083005Z",
        "UID:5f1c9a7e0b6d4c2fa3e8@calendar.example.org",
        "SEQUENCE:3",
        'ATTENDEE;CN="Berg, Anna";CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT:mailto:anna.berg@hospital.example',
        "DESCRIPTION:Your place and all that belongs to it:\\nhttps://seminars.example.org/r/abc",
        "LOCATION:Siebens Building\\, room 2-14\\; 100 Second Street\\, Rochester",
        'ORGANIZER;CN="Center for Social Media":mailto:calendar@seminars.example.org',
        "STATUS:CANCELLED",
        "TRANSP:TRANSPARENT",
        "URL:https://seminars.example.org/orders/4711?secret=a,b;c",
        "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
    ]


def test_a_request_never_says_cancelled():
    with pytest.raises(ValueError, match="cancel_bytes"):
        request_bytes(replace(ANNA, status="CANCELLED"))


def test_a_feed_invites_nobody_and_keeps_what_was_cancelled():
    gone = replace(ANNA, uid="gone@x", status="CANCELLED", starts_at=MORNING + timedelta(days=1), ends_at=MORNING + timedelta(days=2))

    raw = publish_bytes([gone, ANNA], FEED)

    assert lines(raw)[1:12] == [
        "VERSION:2.0",
        "PRODID:-//Seminars//Seminars//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "NAME:Seminars\\; all\\, of them",
        "X-WR-CALNAME:Seminars\\; all\\, of them",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "SOURCE;VALUE=URI:https://seminars.example.org/feed.ics",
        "URL:https://seminars.example.org/",
        "X-PUBLISHED-TTL:PT1H",
        "BEGIN:VTIMEZONE",
    ]
    assert b"ATTENDEE" not in raw and b"anna.berg" not in raw and raw.count(b"ORGANIZER") == 2
    events = vobject.readOne(raw.decode()).vevent_list
    assert [(event.uid.value, event.status.value) for event in events] == [(ANNA.uid, "CONFIRMED"), ("gone@x", "CANCELLED")]
    assert raw.count(b"BEGIN:VTIMEZONE") == 1


def test_a_feed_of_several_zones_describes_each_once():
    berlin = replace(ANNA, uid="berlin@x", zone="Europe/Berlin")
    raw = publish_bytes([ANNA, berlin, replace(berlin, uid="berlin2@x")], FEED)

    assert [line for line in lines(raw) if line.startswith("TZID:")] == ["TZID:America/Chicago", "TZID:Europe/Berlin"]


def test_an_empty_feed_is_a_calendar_without_entries():
    assert vobject.readOne(publish_bytes([], FEED).decode()).name == "VCALENDAR"


HOSTILE = st.text(max_size=120) | st.text(alphabet="\r\n\0\x07\x0b\x0c\x1c\x85\u2028;:,\"\\^'=\udcff aZé漢", max_size=120)


@settings(deadline=None)
@given(name=HOSTILE, title=HOSTILE, place=HOSTILE, prose=HOSTILE, link=HOSTILE)
@example(
    name='Anna"\r\nATTENDEE:mailto:mallory@x.example',
    title="x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:other",
    place="\0\x07room\u2028STATUS:CANCELLED",
    prose="a\rORGANIZER:mailto:mallory@x.example\x85b",
    link="https://x.example/\r\nATTENDEE:mailto:mallory@x.example",
)
def test_nothing_that_is_typed_becomes_a_line_of_its_own(name, title, place, prose, link):
    typed = replace(
        ANNA, attendee_name=name, organizer_name=name, summary=title, location=place, description=prose, url=link, join_url=link
    )

    raws = [
        request_bytes(typed),
        cancel_bytes(typed),
        publish_bytes([typed], replace(FEED, name=title, description=prose, source=link)),
    ]

    for raw in raws:
        names = [line.split(":")[0].split(";")[0] for line in component_lines(raw, "VEVENT")]
        assert set(names) <= {
            "SUMMARY", "DTSTART", "DTEND", "DTSTAMP", "UID", "SEQUENCE", "ATTENDEE", "CONFERENCE", "DESCRIPTION", "LOCATION",
            "ORGANIZER", "STATUS", "TRANSP", "URL", "X-MICROSOFT-CDO-BUSYSTATUS", "X-MICROSOFT-DISALLOW-COUNTER",
        }  # fmt: skip
        assert len(names) == len(set(names))
        assert {line.split(":")[0].split(";")[0] for line in lines(raw)[: lines(raw).index("BEGIN:VTIMEZONE")]} <= {
            "BEGIN", "VERSION", "PRODID", "CALSCALE", "METHOD", "NAME", "DESCRIPTION", "REFRESH-INTERVAL", "SOURCE", "URL",
            "X-PUBLISHED-TTL", "X-WR-CALNAME", "X-WR-CALDESC",
        }  # fmt: skip
        assert max(len(line) for line in raw.split(b"\r\n")) <= 75
        assert not any(byte < 32 for byte in raw.replace(b"\r\n", b"").replace(b"\t", b""))
        read = vobject.readOne(raw.decode()).vevent
        assert read.uid.value == ANNA.uid
        assert read.status.value in ("CONFIRMED", "CANCELLED")


@pytest.mark.parametrize("email", ["", "nobody", "\r\n"])
def test_an_invitation_needs_somebody_to_invite(email):
    with pytest.raises(ValueError, match="mail address"):
        request_bytes(replace(ANNA, attendee_email=email))


@pytest.mark.parametrize("email", ["a@x.example\r\nATTENDEE:mailto:b@x.example", "a@x.example?cc=b@x.example", 'a"b@x.example'])
def test_an_address_of_mail_names_one_person(email):
    raw = request_bytes(replace(ANNA, attendee_email=email))

    attendees = [line for line in lines(raw) if line.startswith("ATTENDEE")]
    assert len(attendees) == 1
    assert not set('"?\r\n ') & set(attendees[0].rpartition("mailto:")[2])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"starts_at": datetime(2027, 5, 4, 9)}, "aware times only"),
        ({"dtstamp": datetime(2027, 5, 4, 9)}, "aware times only"),
        ({"ends_at": MORNING}, "ends after it starts"),
        ({"zone": "Central Standard Time"}, "no zone of the IANA database"),
        ({"zone": "UTC+1"}, "no zone of the IANA database"),
        ({"uid": " "}, "needs a UID"),
        ({"sequence": -1}, "starts at 0"),
        ({"status": "MAYBE"}, "no status"),
    ],
)
def test_what_no_program_could_read_is_no_entry(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(ANNA, **change)


@pytest.mark.parametrize(
    ("change", "told", "asked_again"),
    [
        ({"starts_at": MORNING + timedelta(minutes=5)}, True, True),
        ({"ends_at": MORNING + timedelta(hours=1)}, True, True),
        ({"zone": "America/Menominee"}, True, True),
        ({"all_day": True}, True, True),
        ({"location": "Room 3"}, True, False),
        ({"join_url": "https://meet.example.org/2"}, True, False),
        ({"url": "https://seminars.example.org/r/2"}, True, False),
        ({"summary": "Another title"}, True, False),
        ({"organizer_name": "Another name"}, True, False),
        ({"status": "CANCELLED"}, True, False),
        ({"description": "Another sentence"}, False, False),
        ({"summary": ANNA.summary + "\0 "}, False, False),
        ({"sequence": 4}, False, False),
        ({"dtstamp": MORNING}, False, False),
        ({"partstat": "ACCEPTED"}, False, False),
    ],
)
def test_only_a_change_of_what_is_printed_is_told_and_only_a_change_of_time_asks_again(change, told, asked_again):
    changed = replace(ANNA, **change)

    assert (content_hash(changed) != content_hash(ANNA), schedule_hash(changed) != schedule_hash(ANNA)) == (told, asked_again)


def test_the_hash_of_an_entry_is_the_same_tomorrow():
    """Hashes are stored: a change of how they are made would send an update to everybody."""
    assert snapshot(ANNA)["start"] == "2027-05-04T14:00:00+00:00"
    assert content_hash(ANNA) == "218617742e7ba58861937f75d56a3fcfc71455d70bd8826435034f73636f9b1e"
    assert schedule_hash(ANNA) == "52c7e6f24edae6f7fc4799983af6ad6c0317eafb127e093b924032afcf266b4b"
