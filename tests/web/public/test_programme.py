"""The programme: what stands on it, how it is narrowed, and what it costs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as watching
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from seminars.catalog import listings
from seminars.catalog.models import Quota
from seminars.web.public import programme
from tests.clock import NOON, StandingClock
from tests.factories.programme import a_seminar, a_ticket_type, a_venue, an_event
from tests.web.public.visitor import Visitor


def test_what_is_over_draft_or_private_is_not_on_the_list(anna: Visitor, session: Session) -> None:
    an_event(session, title="Over", starts=NOON - timedelta(hours=9))
    an_event(session, title="Going on", starts=NOON - timedelta(hours=1))
    an_event(session, title="To come", starts=NOON + timedelta(days=1))
    an_event(session, title="Draft", state="draft")
    hidden = an_event(session, title="Private")
    hidden.listed = False
    listings.refresh(session, hidden, now=NOON)

    page = anna.open("/")

    assert [title for title in ("Over", "Going on", "To come", "Draft", "Private") if f">{title}<" in page.markup] == [
        "Going on",
        "To come",
    ]


def test_months_are_those_of_the_events_own_zone(anna: Visitor, session: Session) -> None:
    an_event(session, title="Late", starts=datetime(2027, 4, 1, 2, tzinfo=UTC), hours=1)

    page = anna.open("/")

    assert 'id="m2027-03"' in page.markup and "9:00 to 10:00 pm CDT" in page.text


def test_seats_are_told_from_a_fifth_down(anna: Visitor, session: Session) -> None:
    for taken in (7, 8, 10):
        an_event(session, title=f"Taken {taken}", places=10, taken=taken)

    text = anna.open("/").text

    assert "Taken 8" in text and "2 seats left" in text and "3 seats left" not in text and text.count("Full") == 1


def test_of_several_counters_the_scarcest_wins_and_of_ticket_types_the_best(anna: Visitor, session: Session) -> None:
    summit = an_event(session, title="Summit", places=100, taken=0)
    workshop = Quota(event=summit, name="Workshop", size=12, taken=10)
    session.add(workshop)
    with_workshop = a_ticket_type(session, summit, "With workshop", quotas=[summit.quotas[0], workshop])

    plenty = anna.open("/").text
    summit.ticket_types[0].on_sale = False
    listings.refresh(session, summit, now=NOON)
    scarce = anna.open("/?topic=strategy").text

    assert with_workshop.quotas and "seats left" not in plenty and "2 seats left" in scarce


def test_filters_narrow_and_say_how_many_each_link_would_show(anna: Visitor, session: Session) -> None:
    rochester = a_venue(session)
    an_event(session, title="Here", venue=rochester)
    an_event(session, title="Both", venue=rochester, format="hybrid", topic="policy")
    an_event(session, title="There", format="online", topic="policy", price=0)

    online = anna.open("/?format=online")
    both = anna.open("/?format=online&city=Rochester%2C+Minnesota")

    assert [">Here<" in online.markup, ">Both<" in online.markup, ">There<" in online.markup] == [False, True, True]
    assert [">Both<" in both.markup, ">There<" in both.markup] == [True, False]
    assert 'href="/?format=online&amp;price=free"><span>Free</span> <span class="soft">1</span>' in online.markup
    assert 'value="online"' in online.markup  # the search keeps what is chosen
    assert "Only what you chose: <b>Online, Rochester, Minnesota</b>" in both.markup and "Only what you chose" not in anna.open("/").text


def test_days_with_other_hours_are_told_by_their_beginning(anna: Visitor, session: Session) -> None:
    event = an_event(session, days=2, venue=a_venue(session))
    last = event.sessions[1]
    last.ends_at, last.ends_local = last.ends_at - timedelta(hours=2), last.ends_local - timedelta(hours=2)
    event.ends_at = last.ends_at
    listings.refresh(session, event, now=NOON)

    assert "Rochester, Minnesota, from 9:00 am CDT" in anna.open("/").text
    assert "From 9:00 am CDT on the first day; the agenda has all hours" in anna.open(f"/events/{event.reference}").text


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("residency", True),
        ("resid", True),
        ("residencies rochester", True),
        ('"small groups"', True),
        ("residency -groups", False),
        ("nothing", False),
        ("'; --", False),
    ],
)
def test_search_reads_words_phrases_and_beginnings(anna: Visitor, session: Session, q: str, found: bool) -> None:
    an_event(session, venue=a_venue(session))

    page = anna.open("/", query_string={"q": q})

    assert page.status == 200 and (">Social Media Residency<" in page.markup) is found


def test_signs_that_no_person_types_are_refused_or_left_out(anna: Visitor, session: Session) -> None:
    an_event(session)

    assert anna.open("/", query_string={"q": "a\x00b"}).status == 400
    assert ">Social Media Residency<" in anna.open("/", query_string={"q": "resi\x07dency"}).markup


def test_what_in_the_address_cannot_be_used_is_left_out_and_named(anna: Visitor, session: Session) -> None:
    an_event(session)

    page = anna.open("/?format=telepathic&month=2027-13&from=yesterday&after=1e9&price=dear")

    assert page.status == 200 and ">Social Media Residency<" in page.markup
    assert "We left out: format, price, month, from, after." in page.text


def test_a_long_programme_goes_on_where_it_stopped(anna: Visitor, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programme, "PAGE", 2)
    for number in range(5):
        an_event(session, title=f"Number {number}")

    seen, page = [], anna.open("/")
    for _ in range(3):
        seen += [n for n in range(5) if f">Number {n}<" in page.markup]
        later = page.markup.partition('rel="next"')[0].rpartition('href="')[2].split('"')[0]
        page = anna.open(later.replace("&amp;", "&"))

    assert seen == [0, 1, 2, 3, 4] and 'rel="next"' not in page.markup


def test_from_a_day_on(anna: Visitor, session: Session) -> None:
    an_event(session, title="March")
    an_event(session, title="June", starts=datetime(2027, 6, 1, 14, tzinfo=UTC))

    page = anna.open("/?from=2027-05-01")

    assert ">June<" in page.markup and ">March<" not in page.markup


def test_the_visitors_own_time_stands_beside_an_online_event(anna: Visitor, session: Session) -> None:
    an_event(session, format="online", starts=datetime(2027, 3, 22, 23, tzinfo=UTC), hours=1)
    an_event(session, title="In a room", venue=a_venue(session))
    anna.client.set_cookie("zone", "Europe%2FOslo")

    text = anna.open("/").text

    assert "6:00 to 7:00 pm CDT (12:00 am on 23 March in Oslo)" in text and text.count("in Oslo") == 1


def test_a_chosen_zone_is_remembered_and_nonsense_is_not(anna: Visitor, session: Session) -> None:
    an_event(session, format="online")

    chosen = anna.client.get("/?tz=Asia/Tokyo")
    nonsense = anna.client.get("/?tz=Mars/Olympus")

    assert "in Tokyo" in chosen.text and "zone=" in chosen.headers["Set-Cookie"] and "public" in chosen.headers["Cache-Control"]
    assert "Set-Cookie" not in nonsense.headers


def test_appearance_is_chosen_by_a_link_that_keeps_the_address(anna: Visitor) -> None:
    answer = anna.client.get("/?q=summit&theme=dark")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/?q=summit")
    assert 'data-bs-theme="dark"' in anna.open("/").markup
    assert "data-bs-theme" not in anna.open("/?theme=auto").markup


def test_a_change_is_seen_at_once_by_who_holds_seats(anna: Visitor, session: Session) -> None:
    event = an_event(session, title="Before")
    anna.client.set_cookie("cart", "anything")
    anna.open("/")

    event.title = "After"
    listings.refresh(session, event, now=NOON)

    assert ">After<" in anna.open("/").markup


def test_fifty_rows_cost_as_many_statements_as_five(app: Flask, session: Session, connection: Connection) -> None:
    counts = []
    for rows in (5, 45):
        for _ in range(rows):
            an_event(session, seminar=None)
        seen: list[str] = []
        watching.listen(connection, "before_cursor_execute", lambda *told, seen=seen: seen.append(told[2]))
        app.extensions.pop("programme", None)
        browser = app.test_client()
        browser.set_cookie("cart", "anything")
        browser.get("/")
        counts.append(len([statement for statement in seen if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK"))]))

    assert 1 <= counts[0] <= 3 and counts[1] == counts[0]


def test_a_seminars_page_lists_every_date_to_come(anna: Visitor, session: Session) -> None:
    seminar = a_seminar(session)
    for month in (2, 4, 5):
        an_event(session, seminar=seminar, starts=datetime(2027, month, 3, 15, tzinfo=UTC), places=10, taken=9 if month == 5 else 0)

    page = anna.open(f"/seminars/{seminar.slug}")

    assert (
        page.heading == "Social Media Residency"
        and "April 2027" in page.text
        and "February 2027" not in page.text
        and "1 seat left" in page.text
    )
    assert anna.open("/seminars/nothing").status == 404


def test_the_clock_hides_an_event_the_moment_it_is_over(client: FlaskClient, session: Session, clock: StandingClock) -> None:
    an_event(session, starts=NOON + timedelta(hours=1), hours=1)

    client.set_cookie("cart", "anything")
    clock.move(hours=1, minutes=59)
    before = client.get("/?q=residency")
    clock.move(minutes=1)
    after = client.get("/?q=residency")

    assert [(page.status_code, re.findall(r"<h3><a [^>]+>(.*?)</a></h3>", page.text)) for page in (before, after)] == [
        (200, ["Social Media Residency"]),
        (200, []),
    ]
