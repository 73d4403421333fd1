"""Program staff put an event on sale, change it, copy it, and see who comes."""

import csv
import io
import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from seminars.audit.models import AuditEntry
from seminars.catalog.models import Event, EventSession, Listing, Quota, Seminar, TicketType
from seminars.db import db, transaction
from seminars.messages.models import Message
from seminars.orders.models import DiscountCode
from seminars.registration.models import Registration
from tests.factories.desk import Desk, an_order, press


def one(desk: Desk, statement):  # type: ignore[no-untyped-def]
    with desk.app.app_context():
        return db.session.execute(statement).scalar_one()


def count(desk: Desk, model: type) -> int:
    return int(one(desk, select(func.count()).select_from(model)))


def test_an_event_is_put_on_sale_from_nothing_through_the_web_alone(desk: Desk) -> None:
    client = desk.client("program")

    press(client, "/staff/seminars/new", {"title": "Words that calm", "summary": "One hour.", "topic": "crisis"})
    press(client, "/staff/venues/new", {"name": "Siebens Building", "zone": "America/Chicago", "country": "US", "city": "Rochester"})
    press(client, "/staff/speakers/new", {"name": "Ingrid Malmstedt", "credentials": "MD"})
    press(client, "/staff/refund-rules/new", {"name": "Standard", "days_before": "14", "fee": "75.00"})
    made = press(
        client,
        "/staff/events/new",
        {
            "seminar": "1", "title": "Words that calm, spring", "zone": "America/Chicago", "format": "in_person", "venue": "1",
            "capacity": "40", "policy": "1", "listed": "1", "speakers": "1", "join_url": "", "notes": "",
        },
    )  # fmt: skip
    event = made.headers["Location"]
    press(client, f"{event}/sessions/new", {"starts": "2027-03-22T09:00", "ends": "2027-03-22T10:00", "title": ""})
    press(client, f"{event}/tickets/new", {"name": "Seat", "price": "49.00", "on_sale": "1", "most_per_order": "10", "quotas": "1"})
    before = client.get(event).text
    published = press(client, f"{event}/publish")

    assert "Put it on sale" in before
    assert published.status_code == 303
    assert client.get(event).text.count("Published") == 1
    assert "Words that calm, spring" in desk.app.test_client().get("/").text
    with desk.app.app_context():
        kept = db.session.scalars(select(Event)).one()
        assert (kept.starts_at, kept.policy.fee, kept.quotas[0].size) == (datetime(2027, 3, 22, 14, tzinfo=UTC), 7_500, 40)
        assert {entry.by for entry in db.session.scalars(select(AuditEntry).where(AuditEntry.subject == "event/1"))} == {
            f"user/{desk.ids['program']}"
        }


def test_an_event_that_is_not_ready_says_what_is_missing(furnished: Desk) -> None:
    client, draft = furnished.client("program"), furnished.ids["draft"]
    press(client, f"/staff/tickets/{furnished.ids['draft_ticket']}/remove")
    with furnished.app.app_context(), transaction() as session:
        for ticket_type in session.scalars(select(TicketType).where(TicketType.event_id == draft)):
            ticket_type.on_sale = False

    page, refused = client.get(f"/staff/events/{draft}").text, press(client, f"/staff/events/{draft}/publish")

    assert "It needs a ticket type on sale." in page
    assert (refused.status_code, "it needs a ticket type on sale" in refused.text) == (409, True)


SESSION, TICKET, EVENT = "/staff/events/{event}/sessions/new", "/staff/events/{event}/tickets/new", "/staff/events/{event}/edit"
IN_PERSON = {"title": "x", "zone": "America/Chicago", "format": "in_person"}


@pytest.mark.parametrize(
    ("path", "typed", "said"),
    [
        (SESSION, {"starts": "2027-03-14T02:30", "ends": "2027-03-14T04:00"}, "does not exist in America/Chicago"),
        (SESSION, {"starts": "2027-03-22T09:00", "ends": "2027-03-22T08:00"}, "has to end after it starts"),
        (SESSION, {"starts": "tomorrow", "ends": "9"}, "Please give a day and a time"),
        (TICKET, {"name": "x", "price": "-1", "most_per_order": "1"}, "a price of 0.00 or more"),
        (TICKET, {"name": "x", "price": "1.555", "most_per_order": "1"}, "is not an amount in USD"),
        (TICKET, {"name": "x", "price": "1e9", "most_per_order": "1"}, "is not an amount"),
        (TICKET, {"name": "", "price": "1", "most_per_order": "1.5"}, "a whole number from 1 to 20"),
        ("/staff/events/new", IN_PERSON | {"seminar": "999", "capacity": "-1"}, "Please choose what is taught"),
        (EVENT, IN_PERSON | {"title": "a\r\nBEGIN:VEVENT"}, "on one line"),
        (EVENT, IN_PERSON | {"zone": "Mars/Base"}, "Please choose a zone"),
        (EVENT, IN_PERSON | {"format": "hologram"}, "Please choose how people take part"),
        (EVENT, IN_PERSON | {"format": "online", "join_url": "javascript:alert(1)"}, "starts with https://"),
        ("/staff/seats/{quota}", {"size": "1"}, "seats are taken, so there cannot be only 1"),
        ("/staff/seats/{quota}", {"size": "1000000000"}, "a whole number from 0 to 1,000,000"),
        ("/staff/venues/new", {"name": "x", "zone": "America/Chicago", "country": "USA"}, "two letters"),
        ("/staff/codes/new", {"code": "x y", "percent": "120"}, "3 to 40 letters"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field_and_changes_nothing(
    furnished: Desk, path: str, typed: dict[str, str], said: str
) -> None:
    client = furnished.client("program")
    before = [count(furnished, model) for model in (Event, EventSession, TicketType, Quota, DiscountCode)]
    title = one(furnished, select(Event.title).where(Event.id == furnished.ids["event"]))

    answer = press(client, path.format(**furnished.ids), typed)

    assert answer.status_code == 422, answer.text
    assert said in answer.text.replace("\u00a0", " ")
    assert 'role="alert"' in answer.text
    assert [count(furnished, model) for model in (Event, EventSession, TicketType, Quota, DiscountCode)] == before
    assert one(furnished, select(Event.title).where(Event.id == furnished.ids["event"])) == title


def test_a_change_of_time_shows_who_is_told_before_it_is_made(furnished: Desk) -> None:
    client, part = furnished.client("program"), furnished.ids["session"]
    typed = {
        "starts": "2027-03-22T10:00",
        "ends": "2027-03-22T17:00",
        "title": "Day 1",
        "room": "Ocotillo Room",
        "why": "the hall is taken",
    }
    letters = count(furnished, Message)

    plan = press(client, f"/staff/sessions/{part}", typed)
    unchanged = one(furnished, select(EventSession.room).where(EventSession.id == part))
    nothing_sent = count(furnished, Message) == letters
    made = press(client, f"/staff/sessions/{part}", typed | {"agreed": "1"})

    assert "2\u00a0people will be told" in plan.text
    assert "2\u00a0calendar entries are updated" in plan.text
    assert "10:00\u00a0am to 5:00\u00a0pm\u00a0CDT, Ocotillo Room" in plan.text
    assert (unchanged, nothing_sent) == ("", True)
    assert made.status_code == 303
    assert one(furnished, select(EventSession.room).where(EventSession.id == part)) == "Ocotillo Room"
    with furnished.app.app_context():
        told = db.session.scalars(select(Message).where(Message.id > letters, Message.lane.is_not(None))).all()
        assert {message.recipient for message in told} == {"philippa@brackenmoor.example", "samir@quillhaven.example"}
        assert all(b"Ocotillo Room" in bytes(message.calendar) for message in told)
        why = db.session.scalars(
            select(AuditEntry.why).where(AuditEntry.subject == f"session/{part}", AuditEntry.action == "changed")
        ).all()
        assert why == ["the hall is taken"]
    assert "the hall is taken" in client.get(f"/staff/events/{furnished.ids['event']}").text


def test_a_change_that_no_calendar_shows_tells_nobody(furnished: Desk) -> None:
    client, part = furnished.client("program"), furnished.ids["session"]
    typed = {"starts": "2027-03-22T09:00", "ends": "2027-03-22T17:00", "title": "Day 1", "agenda": "Rounds, then rehearsal"}
    letters = count(furnished, Message)

    answer = press(client, f"/staff/sessions/{part}", typed)

    assert (answer.status_code, count(furnished, Message)) == (303, letters)


def test_a_new_address_of_a_place_shows_who_is_told(furnished: Desk) -> None:
    client, venue = furnished.client("program"), furnished.ids["venue"]
    typed = {
        "name": "Siebens Building",
        "zone": "America/Chicago",
        "country": "US",
        "city": "Rochester",
        "region": "MN",
        "address": "100 Second Street",
    }

    plan = press(client, f"/staff/venues/{venue}", typed)
    letters = count(furnished, Message)
    made = press(client, f"/staff/venues/{venue}", typed | {"agreed": "1"})

    assert "2\u00a0people will be told" in plan.text
    assert "4\u00a0calendar entries are updated" in plan.text
    assert "tell 2\u00a0people" in plan.text
    assert (made.status_code, count(furnished, Message) > letters) == (303, True)


def test_a_copy_is_a_draft_on_its_own_dates(furnished: Desk) -> None:
    client = furnished.client("program")

    made = press(client, f"/staff/events/{furnished.ids['event']}/copy", {"first_day": "2027-11-08"})
    page = client.get(made.headers["Location"]).text

    assert "Draft" in page
    assert "Monday 8\u00a0November 2027, 9:00\u00a0am to 5:00\u00a0pm\u00a0CST" in page
    assert "0 of 24 registered" in page


def test_a_draft_can_be_looked_at_by_its_preview_link(furnished: Desk) -> None:
    page = furnished.client("program").get(f"/staff/events/{furnished.ids['draft']}").text
    link = re.search(r'href="http://localhost(/events/[^"]+)">Preview', page)
    assert link

    stranger = furnished.app.test_client()

    assert stranger.get(link.group(1).replace("&amp;", "&")).status_code == 200
    assert stranger.get(link.group(1).partition("?")[0]).status_code == 404


def test_a_delivered_session_turns_its_price_into_revenue(furnished: Desk) -> None:
    client, part = furnished.client("program"), furnished.ids["session"]

    early = press(client, f"/staff/sessions/{part}/delivered")
    furnished.clock.forward(days=25)
    client = furnished.client("program")
    done = press(client, f"/staff/sessions/{part}/delivered")

    assert (early.status_code, done.status_code) == (409, 303)
    assert one(furnished, select(EventSession.state).where(EventSession.id == part)) == "delivered"


def test_the_roster_is_narrowed_and_pages_end(furnished: Desk) -> None:
    client, event = furnished.client("front_desk"), furnished.ids["event"]

    everybody = client.get(f"/staff/events/{event}/roster?state=all").text
    one_person = client.get(f"/staff/events/{event}/roster?q=belhadj").text
    held = client.get(f"/staff/events/{event}/roster?state=held").text
    nonsense = client.get(f"/staff/events/{event}/roster?state=xyz&after=-1&ticket=abc&q=%25")

    assert [everybody.count(name) for name in ("Philippa Arden", "Samir Belhadj", "Nora Dahlquist")] == [1, 1, 1]
    assert ("Samir Belhadj" in one_person, "Philippa Arden" in one_person) == (True, False)
    assert ("Nora Dahlquist" in held, "Samir Belhadj" in held) == (True, False)
    assert nonsense.status_code == 200


def test_the_export_has_the_rows_that_are_shown_and_keeps_formulas_as_text(furnished: Desk) -> None:
    client, event = furnished.client("front_desk"), furnished.ids["event"]
    with furnished.app.app_context():
        found = db.session.get(Event, event)
        an_order(furnished, found, ('=HYPERLINK("http://evil.example")', "eve@brackenmoor.example"), ("+49 Ada", "ada@brackenmoor.example"))

    answer = client.get(f"/staff/events/{event}/roster.csv?state=confirmed")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))

    assert answer.headers["Content-Disposition"].startswith('attachment; filename="residency-rochester-2027-03-01')
    assert sorted(row["Name"] for row in rows) == ["'+49 Ada", '\'=HYPERLINK("http://evil.example")', "Philippa Arden", "Samir Belhadj"]
    assert {(row["Registration"], row["Price"], row["Currency"]) for row in rows} == {("confirmed", "0.00", "USD")}
    assert "exported roster" in one(furnished, select(func.string_agg(AuditEntry.action, ",")))


def test_names_from_outside_are_inert_on_every_page(furnished: Desk) -> None:
    name = "<script>alert(1)</script>"
    with furnished.app.app_context():
        order = an_order(furnished, db.session.get(Event, furnished.ids["event"]), (name, "eve@brackenmoor.example"))
    client = furnished.client("admin")

    pages = [
        client.get(path).text for path in (f"/staff/events/{furnished.ids['event']}", f"/staff/orders/{order.id}", "/staff/search?q=script")
    ]

    assert all(name not in page and "&lt;script&gt;alert(1)" in page for page in pages)


def test_the_list_of_events_keeps_its_filter_in_the_address(furnished: Desk) -> None:
    client = furnished.client("consultant")

    drafts = client.get("/staff/events?state=draft").text
    past = client.get("/staff/events?when=past").text
    odd = client.get("/staff/events?when=never&state=gone&page=-3&format=x")

    assert drafts.count('/staff/events/2"') == 1 and '/staff/events/1"' not in drafts
    assert "No event fits" in past
    assert odd.status_code == 200
    assert "Plan an event" not in odd.text


def test_search_finds_people_orders_and_events_and_only_what_the_role_may_see(furnished: Desk) -> None:
    desk_finds = furnished.client("front_desk").get("/staff/search?q=arden").text
    finance_finds = furnished.client("finance").get("/staff/search?q=arden").text
    by_number = furnished.client("finance").get(f"/staff/search?q={furnished.ids['order_number']}").text

    assert ('<h2 id="k1">People' in desk_finds, "People</h2>" in finance_finds) == (True, False)
    assert f"/staff/orders/{furnished.ids['order']}" in by_number


def test_today_shows_what_waits_and_leaves_out_what_others_settle(furnished: Desk) -> None:
    furnished.clock.forward(days=24)

    program, finance = furnished.client("program").get("/staff/").text, furnished.client("finance").get("/staff/").text

    assert program.count("Was it delivered?") == 2
    assert "An import waits" in program
    assert "Was it delivered?" not in finance


def test_what_is_listed_follows_every_change(furnished: Desk) -> None:
    client, event = furnished.client("program"), furnished.ids["event"]
    typed = {
        "title": "Residency, renamed",
        "zone": "America/Chicago",
        "format": "in_person",
        "venue": str(furnished.ids["venue"]),
        "listed": "1",
        "agreed": "1",
    }

    press(client, f"/staff/events/{event}/edit", typed)
    renamed = one(furnished, select(Listing.title))
    press(client, f"/staff/events/{event}/edit", {**typed, "listed": ""})

    assert renamed == "Residency, renamed"
    assert count(furnished, Listing) == 0
    assert count(furnished, Seminar) == 1
    assert count(furnished, Registration) == 3


def test_a_described_seminar_leads_to_its_own_page_where_an_event_of_it_is_planned(furnished: Desk) -> None:
    client = furnished.client("program")

    answer = press(client, "/staff/seminars/new", {"title": "Charting for kindness", "summary": "One hour.", "topic": "crisis"})

    assert "Plan an event of it" in client.get(answer.location).text


def test_seats_that_are_held_are_told_apart_from_those_registered(furnished: Desk) -> None:
    client, event = furnished.client("program"), furnished.ids["event"]

    pages = [client.get(path).text for path in (f"/staff/events/{event}", f"/staff/events/{event}/roster")]
    lists = [client.get(path).text for path in ("/staff/", "/staff/events")]

    assert all("2 of 24 registered, 1 held" in page for page in pages)
    assert all('2 of 24<br><span class="soft">1 held</span>' in page for page in lists)
