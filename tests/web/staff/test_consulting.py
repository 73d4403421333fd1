"""Consulting at the desk: offerings and hours are edited in rows, requests are answered, meetings are moved, cancelled and marked."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from seminars.consulting import consultants as people
from seminars.consulting.models import Appointment, Consultant, Offering
from seminars.db import db, transaction
from seminars.engagements.models import TimeLog
from seminars.messages.models import Message
from seminars.orders import cart as carts
from seminars.orders import checkout, settlement
from seminars.orders.buyers import Buyer, Party
from seminars.orders.cart import Meeting
from seminars.payments import checkout as payments
from seminars.schedule.models import TimeClaim
from tests.factories.advising import FRIDAY, TOLD, advise
from tests.factories.desk import Desk, pay, press
from tests.factories.engagements import an_active_retainer
from tests.factories.meetings import ANNA, NINE

OFFERING = {
    "title": "Message workshop",
    "mode": "video",
    "currency": "USD",
    "listed": "1",
    "together": "1",
    "notice_hours": "24",
    "horizon_days": "60",
    "buffer_before": "0",
    "buffer_after": "15",
    "step": "30",
    "change_hours": "24",
    "length-1-minutes": "30",
    "length-1-price": "0",
    "length-2-minutes": "60",
    "length-2-price": "280.00",
    "question-1-key": "",
    "question-1-label": "Is it your first?",
    "question-1-kind": "yes_no",
    "question-2-key": "",
    "question-2-label": "What went wrong before?",
    "question-2-kind": "text",
    "question-2-when": "q1",
    "question-2-equals": "No",
}


@pytest.fixture
def advised(desk: Desk) -> Desk:
    """An installation with consulting in it."""
    return advise(desk)


def a_paid_meeting(desk: Desk) -> int:
    """Philippa has bought a policy review on Friday; the number of her order."""
    with desk.app.app_context():
        with transaction() as session:
            offering = session.get_one(Offering, desk.ids["offering"])
            cart = carts.open_cart(session, now=desk.clock())
            chosen = Meeting(offering, offering.lengths[0], FRIDAY, (desk.ids["rosa"],), "America/Chicago", TOLD)
            sold = carts.add_meeting(session, cart, chosen, now=desk.clock())
            party = Party(Buyer("Philippa Arden", "philippa@brackenmoor.example"), ())
            order = checkout.place_order(session, cart, party, terms=checkout.Terms(prefix="NC"), now=desk.clock())
            letterhead = desk.app.extensions["seminars"].settings.letterhead
            payments.begin(session, settlement.lock(session, order.id), letterhead=letterhead, now=desk.clock())
            desk.ids["sold"] = sold.id
        pay(desk, order)
        return order.id


def state_of(desk: Desk, name: str) -> str:
    with desk.app.app_context():
        return str(db.session.scalar(select(Appointment.state).where(Appointment.id == desk.ids[name])))


def letters(desk: Desk) -> list[tuple[str, str]]:
    with desk.app.app_context():
        return [(kind, to) for kind, to in db.session.execute(select(Message.kind, Message.recipient).order_by(Message.id))]


def test_an_offering_is_described_with_its_lengths_people_and_questions_and_published_once_nothing_is_missing(advised: Desk) -> None:
    client = advised.client("program")

    made = press(client, "/staff/consulting/offerings/new", OFFERING)
    page = client.get(made.headers["Location"]).text
    refused = press(client, made.headers["Location"] + "/publish")
    press(client, made.headers["Location"] + "/edit", OFFERING | {"consultants": advised.ids["teddy"]})
    published = press(client, made.headers["Location"] + "/publish")

    assert (made.status_code, refused.status_code, published.status_code) == (303, 409, 303)
    assert "Name a consultant who delivers it" in page
    with advised.app.app_context():
        found = db.session.scalars(select(Offering).where(Offering.title == "Message workshop")).one()
        assert (found.state, found.buffer_after, [(one.minutes, one.price) for one in found.lengths]) == (
            "published",
            15,
            [(30, 0), (60, 28_000)],
        )
        assert [(one["key"], one["when"]) for one in found.questions] == [("q1", None), ("q2", {"key": "q1", "equals": "no"})]


def test_rows_are_added_and_taken_out_by_buttons_that_keep_what_was_typed_and_change_nothing(advised: Desk) -> None:
    client, path = advised.client("program"), f"/staff/consulting/offerings/{advised.ids['offering']}/edit"
    typed = OFFERING | {"title": "Half typed"}

    more = press(client, path, typed | {"rows": "add:length"})
    fewer = press(client, path, typed | {"rows": "drop:length:1"})
    question = press(client, path, typed | {"rows": "drop:question:1"})
    nonsense = press(client, path, typed | {"rows": "drop:length:x"})

    assert (more.status_code, 'name="length-3-minutes"' in more.text, "Half typed" in more.text) == (200, True, True)
    assert ('value="280.00"' in fewer.text, 'name="length-2-minutes"' in fewer.text) == (True, False)
    assert ("What went wrong before?" in question.text, "Is it your first?" in question.text) == (True, False)
    assert (nonsense.status_code, 'name="length-2-minutes"' in nonsense.text) == (200, True)
    with advised.app.app_context():
        assert db.session.get_one(Offering, advised.ids["offering"]).title == "Policy review"


def test_what_cannot_be_read_in_a_row_is_said_beside_that_row(advised: Desk) -> None:
    client = advised.client("program")
    wrong = {"length-1-minutes": "2", "length-2-price": "a lot", "question-2-when": "q9", "question-2-equals": "No"}

    answer = press(client, "/staff/consulting/offerings/new", OFFERING | wrong)
    alone = press(client, "/staff/consulting/offerings/new", OFFERING | {"question-2-when": "q9"})

    assert answer.status_code == 422
    assert ('id="length-1-minutes-error"' in answer.text, 'id="length-2-price-error"' in answer.text) == (True, True)
    assert 'id="question-2-label-error"' in alone.text
    assert "Length 1, minutes: Please type a whole number" in answer.text


def test_a_consultant_keeps_their_own_hours_and_nobody_elses(advised: Desk) -> None:
    client, own, other = advised.client("consultant"), advised.ids["teddy"], advised.ids["rosa"]
    hours = {"hours-1-weekday": "1", "hours-1-starts": "10:00", "hours-1-ends": "00:00", "hours-1-zone": "Europe/Berlin"}

    kept = press(client, f"/staff/consulting/consultants/{own}/availability", hours)
    crossed = press(
        client,
        f"/staff/consulting/consultants/{own}/availability",
        hours | {"hours-2-weekday": "1", "hours-2-starts": "12:00", "hours-2-ends": "13:00", "hours-2-zone": "Europe/Berlin"},
    )
    theirs = press(client, f"/staff/consulting/consultants/{other}/availability", hours)

    assert (kept.status_code, crossed.status_code, theirs.status_code) == (303, 422, 403)
    assert 'id="hours-2-starts-error"' in crossed.text
    with advised.app.app_context():
        found = db.session.get_one(Consultant, own).hours
        assert [(one.weekday, f"{one.starts:%H:%M}", f"{one.ends:%H:%M}", one.zone) for one in found] == [
            (1, "10:00", "00:00", "Europe/Berlin")
        ]


def test_leave_over_a_meeting_shows_the_clash_and_is_taken_with_a_reason_that_stands_beside_it(advised: Desk) -> None:
    client, path = advised.client("consultant"), f"/staff/consulting/consultants/{advised.ids['teddy']}"
    leave = {"leave_from": "2027-03-03T08:00", "leave_until": "2027-03-03T12:00", "label": "Dentist"}

    refused = press(client, f"{path}/leave", leave)
    backwards = press(client, f"{path}/leave", leave | {"leave_until": "2027-03-03T07:00"})
    taken = press(client, f"{path}/leave", leave | {"override_reason": "Rosa takes the meeting over"})
    page = client.get(f"{path}/availability").text

    assert (refused.status_code, "Teddy Okonjo-Hale has an appointment, Policy review" in refused.text) == (409, True)
    assert (backwards.status_code, 'id="leave_until-error"' in backwards.text) == (422, True)
    assert taken.status_code == 303
    assert "Rosa takes the meeting over" in page
    with advised.app.app_context():
        holder = db.session.scalars(select(TimeClaim.holder).where(TimeClaim.kind == "leave")).one()
    assert press(client, f"{path}/leave/end", {"holder": holder}).status_code == 303


def test_the_preview_shows_the_slots_that_the_hours_yield(advised: Desk) -> None:
    client, path = advised.client("consultant"), f"/staff/consulting/consultants/{advised.ids['teddy']}/availability"
    asked = f"{path}?offering={advised.ids['offering']}&length=60&week="

    this_week, next_week = client.get(asked + "2027-03-01").text, client.get(asked + "2027-03-08").text

    day = this_week.partition("Wednesday 3")[2].partition("</dd>")[0]
    assert "9:00\u00a0am" not in day and "10:00\u00a0am" in day
    assert "Monday 8" not in next_week.partition('id="preview"')[2]


def test_an_own_calendar_that_cannot_be_read_is_told_on_the_page_and_on_today(advised: Desk) -> None:
    admin = advised.client("admin")
    press(admin, f"/staff/consulting/consultants/{advised.ids['teddy']}/calendar", {"busy_url": "https://calendar.example/teddy.ics"})
    with advised.app.app_context(), transaction() as session:
        teddy = session.get_one(Consultant, advised.ids["teddy"])
        teddy.busy_read_at, teddy.busy_trouble = advised.clock() - timedelta(days=2), "The calendar did not answer."

    page = admin.get(f"/staff/consulting/consultants/{advised.ids['teddy']}/availability").text
    today = admin.get("/staff/").text

    assert "The calendar did not answer." in page and "The last good copy is of 27\u00a0February 2027" in page
    assert "own calendar cannot be read" in today and "The calendar did not answer." in today


def test_renewing_the_feed_closes_the_old_address(advised: Desk) -> None:
    client, path = advised.client("consultant"), f"/staff/consulting/consultants/{advised.ids['teddy']}"
    with advised.app.app_context():
        old = db.session.get_one(Consultant, advised.ids["teddy"]).feed_secret

    shown = old in client.get("/staff/week").text
    press(client, f"{path}/feed")
    with advised.app.app_context():
        new = db.session.get_one(Consultant, advised.ids["teddy"]).feed_secret

    assert shown and old != new
    assert client.get(f"/calendars/consultants/{old}.ics").status_code == 404
    assert "Policy review" in client.get(f"/calendars/consultants/{new}.ics").text


def test_a_consultant_sees_their_own_week_and_meetings_and_the_front_desk_anybodys(advised: Desk) -> None:
    teddy, desk = advised.client("consultant"), advised.client("front_desk")
    with advised.app.app_context(), transaction() as session:
        people.link_login(session, session.get_one(Consultant, advised.ids["teddy"]), None)
        people.link_login(session, session.get_one(Consultant, advised.ids["rosa"]), advised.ids["consultant"])

    assert "Policy review" in desk.get("/staff/week").text
    assert "Policy review" in desk.get(f"/staff/week?consultant={advised.ids['teddy']}").text
    assert "Policy review" not in teddy.get("/staff/week").text
    assert teddy.get(f"/staff/week?consultant={advised.ids['teddy']}").status_code == 403
    assert teddy.get(f"/staff/appointments/{advised.ids['met']}").status_code == 403
    assert press(teddy, f"/staff/appointments/{advised.ids['met']}/notes", {"notes": "x"}).status_code == 403


def test_before_a_meeting_the_consultant_reads_the_answers_and_the_history_and_keeps_notes(advised: Desk) -> None:
    client, path = advised.client("consultant"), f"/staff/appointments/{advised.ids['asked']}"

    first = client.get(f"/staff/appointments/{advised.ids['met']}").text
    later = client.get(path).text
    press(client, f"{path}/notes", {"notes": "Bring the checklist"})

    assert "A policy for nurses on the wards" in first and "This is the first meeting" in first
    assert "Policy review" in later.partition("This client before")[2]
    assert "Bring the checklist" in client.get(path).text


def test_a_free_request_that_is_agreed_to_is_confirmed_and_both_hear_of_it(advised: Desk) -> None:
    client = advised.client("front_desk")

    waits = "A request waits for an answer" in client.get("/staff/").text
    agreed = press(client, f"/staff/appointments/{advised.ids['asked']}/approve")
    twice = press(client, f"/staff/appointments/{advised.ids['asked']}/approve")

    assert (waits, agreed.status_code, twice.status_code, state_of(advised, "asked")) == (True, 303, 409, "confirmed")
    assert letters(advised) == [("consulting/confirmed", ANNA.email), ("consulting/meeting", "teddy@northfield.example")]
    assert "A request waits" not in client.get("/staff/").text


def test_a_request_that_costs_something_is_held_and_the_client_gets_the_way_to_pay(advised: Desk) -> None:
    with advised.app.app_context(), transaction() as session:
        session.get_one(Offering, advised.ids["call"]).lengths[0].price = 9_000

    press(advised.client("program"), f"/staff/appointments/{advised.ids['asked']}/approve")

    assert (state_of(advised, "asked"), letters(advised)) == ("held", [("consulting/approved", ANNA.email)])
    with advised.app.app_context():
        found = db.session.get_one(Appointment, advised.ids["asked"])
        assert found.held_until == advised.clock() + timedelta(days=2)


def test_a_request_is_declined_only_with_a_reason_and_its_time_is_free_again(advised: Desk) -> None:
    client, path = advised.client("program"), f"/staff/appointments/{advised.ids['asked']}/decline"

    silent = press(client, path, {"reason": " "})
    told = press(client, path, {"reason": "Teddy is away. Rosa can help you."})

    assert (silent.status_code, 'id="reason-error"' in silent.text) == (422, True)
    assert (told.status_code, state_of(advised, "asked"), letters(advised)) == (303, "cancelled", [("consulting/declined", ANNA.email)])
    with advised.app.app_context():
        assert db.session.scalars(select(TimeClaim).where(TimeClaim.holder == f"appointment/{advised.ids['asked']}")).all() == []


def test_staff_move_a_meeting_by_the_plan_they_saw_and_over_something_only_with_a_reason(advised: Desk) -> None:
    client, path = advised.client("front_desk"), f"/staff/appointments/{advised.ids['met']}/move"
    people_ = {"people": advised.ids["teddy"]}

    plan = client.get(path, query_string={"starts": "2027-03-05T09:00", **people_}).text
    version = plan.partition('name="version" value="')[2].partition('"')[0]
    asked = {"version": version, "starts_at": "2027-03-05T15:00:00+00:00", **people_}
    refused = press(client, path, asked)
    moved = press(client, path, asked | {"override_reason": "They come together"})
    stale = press(client, path, asked | {"override_reason": "Again"})

    assert "Teddy Okonjo-Hale has an appointment, First call" in plan
    assert (refused.status_code, 'id="override_reason-error"' in refused.text) == (409, True)
    assert (moved.status_code, stale.status_code) == (303, 409)
    assert "They come together" in client.get(f"/staff/appointments/{advised.ids['met']}").text
    with advised.app.app_context():
        assert db.session.get_one(Appointment, advised.ids["met"]).starts_at == datetime.fromisoformat("2027-03-05T15:00:00+00:00")
    assert {to for _, to in letters(advised)} == {ANNA.email, "teddy@northfield.example"}


def test_a_time_that_the_clock_skips_cannot_be_moved_to(advised: Desk) -> None:
    answer = advised.client("program").get(f"/staff/appointments/{advised.ids['met']}/move?starts=2027-03-14T02:30")

    assert (answer.status_code, 'id="starts-error"' in answer.text) == (422, True)


def test_cancelling_shows_its_plan_first_and_needs_a_reason(advised: Desk) -> None:
    client, path = advised.client("program"), f"/staff/appointments/{advised.ids['met']}/cancel"

    plan = client.get(path).text
    version = plan.partition('name="version" value="')[2].partition('"')[0]
    silent = press(client, path, {"version": version})
    other = press(client, path, {"version": "another", "reason": "Ill"})
    done = press(client, path, {"version": version, "reason": "Teddy is ill"})

    assert (silent.status_code, other.status_code, done.status_code) == (422, 409, 303)
    assert state_of(advised, "met") == "cancelled"
    assert ("consulting/cancelled", ANNA.email) in letters(advised)


def test_a_meeting_is_marked_once_it_began_and_waits_on_today_until_then(advised: Desk) -> None:
    client, path = advised.client("consultant"), f"/staff/appointments/{advised.ids['met']}/over"

    early = press(client, path, {"came": "yes"})
    advised.clock.at = NINE + timedelta(hours=2)
    client = advised.client("consultant")
    waits = client.get("/staff/").text
    silent = press(client, path)
    done = press(client, path, {"came": "no"})

    assert (early.status_code, silent.status_code, done.status_code) == (409, 422, 303)
    assert "Did the meeting take place?" in waits
    assert (state_of(advised, "met"), "Did the meeting take place?" in client.get("/staff/").text) == ("no_show", False)


def test_time_is_logged_to_the_clients_retainer_by_one_button_and_only_once(advised: Desk) -> None:
    path = f"/staff/appointments/{advised.ids['met']}"
    with advised.app.app_context(), transaction() as session:
        retainer = an_active_retainer(session)
        retainer.client_email = ANNA.email
        number, order = retainer.id, retainer.order.id
    advised.clock.at = NINE + timedelta(hours=2)
    client = advised.client("consultant")

    offered = "Log the time" in client.get(path).text
    sold = advised.client("program").get(f"/staff/orders/{order}").text
    first, again = (press(client, f"{path}/time", {"retainer": number}) for _ in range(2))
    wrong = press(client, f"{path}/time", {"retainer": "999"})

    assert f'href="/staff/retainers/{number}"' in sold
    assert (offered, first.status_code, again.status_code, wrong.status_code) == (True, 303, 303, 409)
    with advised.app.app_context():
        assert [(one.minutes, one.appointment_id) for one in db.session.scalars(select(TimeLog))] == [(60, advised.ids["met"])]


def test_a_consultant_who_teaches_shares_one_calendar_with_the_speaker(furnished: Desk) -> None:
    client = furnished.client("program")
    typed = {"name": "Ingrid Malmstedt", "email": "ingrid@northfield.example", "zone": "America/Chicago", "active": "1"}

    made = press(
        client, "/staff/consulting/consultants/new", typed | {"speaker": furnished.ids["speaker"], "user": furnished.ids["consultant"]}
    )
    again = press(client, "/staff/consulting/consultants/new", typed | {"speaker": furnished.ids["speaker"]})
    taken = press(client, "/staff/consulting/consultants/new", typed | {"user": furnished.ids["consultant"]})
    week = furnished.client("consultant").get("/staff/week?week=2027-03-22").text

    assert (made.status_code, again.status_code, taken.status_code) == (303, 422, 422)
    assert "Residency, Rochester: Day 1" in week


def test_an_order_shows_its_appointment_and_finance_what_is_deferred_for_it(advised: Desk) -> None:
    order = a_paid_meeting(advised)
    desk, finance = advised.client("front_desk"), advised.client("finance")

    shown, meeting = desk.get(f"/staff/orders/{order}").text, desk.get(f"/staff/appointments/{advised.ids['sold']}").text
    before = finance.get("/staff/finance/deferred").text
    plan = desk.get(f"/staff/appointments/{advised.ids['sold']}/cancel?refund=all").text
    kept = desk.get(f"/staff/appointments/{advised.ids['sold']}/cancel?refund=nothing").text
    advised.clock.at = FRIDAY + timedelta(hours=2)
    press(advised.client("program"), f"/staff/appointments/{advised.ids['sold']}/over", {"came": "yes"})
    after = advised.client("finance").get("/staff/finance/deferred").text

    assert f'href="/staff/appointments/{advised.ids["sold"]}">Policy review, 60 minutes' in shown
    assert f'href="/staff/orders/{order}"' in meeting
    assert "Policy review with Philippa Arden" in before and "dimension=appointment/" in before.replace("%2F", "/")
    assert "<b>$280.00</b> of $280.00 goes back" in plan and "Nothing of $280.00 goes back" in kept
    assert "Policy review" not in after


def test_an_appointment_is_found_by_its_client(advised: Desk) -> None:
    assert "Policy review" in advised.client("front_desk").get("/staff/search?q=vestergren").text
    assert "Policy review" not in advised.client("consultant").get("/staff/search?q=vestergren").text


PAGES = (
    "/staff/week",
    "/staff/week?consultant={rosa}&week=2027-03-01",
    "/staff/week?week=2027-99-99&consultant={teddy}",
    "/staff/consulting/requests",
    "/staff/consulting/offerings",
    "/staff/consulting/offerings/new",
    "/staff/consulting/offerings/{draft_offering}",
    "/staff/consulting/offerings/{offering}/edit",
    "/staff/consulting/consultants",
    "/staff/consulting/consultants/new",
    "/staff/consulting/consultants/{teddy}",
    "/staff/consulting/consultants/{teddy}/edit",
    "/staff/consulting/consultants/{teddy}/availability?offering=9999999999999999999&week=1",
    "/staff/appointments/{asked}",
    "/staff/appointments/{met}/move?starts=2027-03-04T10:00&people={rosa}",
    "/staff/appointments/{met}/cancel?refund=nonsense",
)


def test_every_page_of_consulting_opens_and_says_itself_what_is_wrong(advised: Desk) -> None:
    admin = advised.client("admin")

    found = {path: admin.get(path.format(**advised.ids)) for path in PAGES}

    assert {path: answer.status_code for path, answer in found.items() if answer.status_code != 200} == {}
    forms = [(path, form) for path, answer in found.items() for form in re.findall(r"<form[^>]*>.*?</form>", answer.text, re.DOTALL)]
    assert [
        path
        for path, form in forms
        if re.search(r"<(?:input|textarea|select)[^>]*(?: required|type=\"(?:email|url|number|date|time|datetime-local)\")", form)
        and "novalidate" not in form.partition(">")[0]
    ] == []
