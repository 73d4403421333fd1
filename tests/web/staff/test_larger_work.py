"""The desk writes proposals, delivers engagements and keeps retainers."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select

from seminars.db import db, transaction
from seminars.desk import naming
from seminars.engagements import milestones, proposals, timesheets
from seminars.engagements.models import Engagement, EngagementDocument, Milestone, Proposal, Retainer, TimeLog
from seminars.engagements.timesheets import Work
from seminars.messages.models import Message
from seminars.orders.models import Order
from tests.clock import NOON
from tests.factories.desk import Desk, press
from tests.factories.engagements import a_consultant, a_retainer, an_active_retainer, an_offering, larger_work
from tests.factories.seats import LETTERHEAD

FORM = {
    "title": "Crisis readiness",
    "client_name": "Anna Vestergren",
    "client_email": "anna.vestergren@quillhaven.example",
    "organisation": "Quillhaven Regional Hospital",
    "zone": "America/Chicago",
    "valid_until": "2027-03-31",
    "lines_shown": "4",
    "parts_shown": "3",
    "l1-kind": "day",
    "l1-description": "A day on site",
    "l1-quantity": "1.5",
    "l1-price": "4,000.00",
    "l2-kind": "day",
    "l2-quantity": "1",
    "l3-kind": "material",
    "l3-description": "Handbook",
    "l3-quantity": "2",
    "l3-price": "500",
    "m1-title": "Workshops held",
    "m1-amount": "5,000.00",
    "m1-due": "2027-05-06",
    "m2-title": "Handbook delivered",
    "m2-amount": "2,000.00",
}


@pytest.fixture
def world(desk: Desk) -> Desk:
    with desk.app.app_context(), transaction() as session:
        desk.ids |= larger_work(session)
    return desk


def one(desk: Desk, statement: Any) -> Any:
    with desk.app.app_context():
        return db.session.execute(statement).scalar_one()


def test_the_program_writes_a_proposal_and_sends_it(desk: Desk) -> None:
    client = desk.client("program")

    made = press(client, "/staff/proposals/new", FORM)

    proposal = one(desk, select(Proposal))
    assert made.status_code == 303 and made.location.endswith(f"/staff/proposals/{proposal.id}")
    with desk.app.app_context():
        found = db.session.get_one(Proposal, proposal.id)
        assert [(line.kind, line.amount) for line in found.lines] == [("day", 600_000), ("material", 100_000)], "empty rows do not count"
        assert [(part.title, part.amount) for part in found.milestones] == [("Workshops held", 500_000), ("Handbook delivered", 200_000)]
    assert "Send to Anna Vestergren" in client.get(made.location).text

    assert press(client, f"/staff/proposals/{proposal.id}/send").status_code == 303
    assert one(desk, select(Proposal.state)) == "sent" and one(desk, select(Message.kind)) == "engagements/proposal"


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(desk: Desk) -> None:
    typed = FORM | {"l1-quantity": "many", "m2-amount": "1", "title": "", "valid_until": "soon"}

    answer = press(desk.client("program"), "/staff/proposals/new", typed)

    assert answer.status_code == 422
    for field in ("l1-quantity", "valid_until"):
        assert f'id="{field}-error"' in answer.text
    assert 'value="A day on site"' in answer.text and 'value="many"' in answer.text
    assert one(desk, select(func.count()).select_from(Proposal)) == 0


def test_milestones_that_do_not_add_up_are_refused_by_the_page(desk: Desk) -> None:
    answer = press(desk.client("program"), "/staff/proposals/new", FORM | {"m2-amount": "2,000.01"})

    assert answer.status_code == 422 and "The milestones make $0.01 more than the lines" in answer.text


def test_a_dated_day_is_read_on_the_clients_clock(desk: Desk) -> None:
    with desk.app.app_context(), transaction() as session:
        ingrid = a_consultant(session)
        ids = (ingrid.id, an_offering(session, ingrid).id)
    dated = {"l1-consultant": ids[0], "l1-offering": ids[1], "l1-starts": "2027-05-04T09:00", "l1-ends": "2027-05-04T17:00"}

    answer = press(desk.client("program"), "/staff/proposals/new", FORM | dated)

    assert answer.status_code == 303
    with desk.app.app_context():
        line = db.session.scalars(select(Proposal)).one().lines[0]
        assert line.starts_at is not None and line.starts_at.isoformat() == "2027-05-04T14:00:00+00:00"
    edit = desk.client("program").get(answer.location + "/edit").text
    assert 'value="2027-05-04T09:00"' in edit


def test_a_time_that_no_clock_shows_is_refused(desk: Desk) -> None:
    dated = {"l1-starts": "2027-03-14T02:30", "l1-ends": "2027-03-14T05:00"}

    answer = press(desk.client("program"), "/staff/proposals/new", FORM | dated)

    assert answer.status_code == 422 and "clocks go forward" in answer.text


def test_more_rows_keep_what_was_typed_and_save_nothing(desk: Desk) -> None:
    answer = press(desk.client("program"), "/staff/proposals/new", FORM | {"act": "more"})

    assert answer.status_code == 200 and 'name="l8-kind"' in answer.text and 'value="A day on site"' in answer.text
    assert one(desk, select(func.count()).select_from(Proposal)) == 0


def test_a_draft_is_changed_and_a_sent_one_gets_a_new_version(world: Desk) -> None:
    client, draft = world.client("program"), world.ids["proposal_draft"]

    assert press(client, f"/staff/proposals/{draft}/edit", FORM | {"title": "Another title"}).status_code == 303
    assert one(world, select(Proposal.title).where(Proposal.id == draft)) == "Another title"
    press(client, f"/staff/proposals/{draft}/send")

    assert press(client, f"/staff/proposals/{draft}/edit", FORM).status_code == 409
    again = press(client, f"/staff/proposals/{draft}/revise")
    assert again.status_code == 303 and "version 2" in client.get(again.location).text
    assert press(client, f"/staff/proposals/{draft}/revise").status_code == 409


@pytest.mark.parametrize("kind", ["proposals", "engagements", "retainers"])
def test_the_lists_cost_the_same_however_long_they_are(world: Desk, kind: str) -> None:
    counted: list[str] = []

    def ask() -> int:
        counted.clear()
        assert client.get(f"/staff/{kind}").status_code == 200
        return len(counted)

    client = world.client("program")
    with world.app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda _c, _cur, statement, *_more: counted.append(statement))
    few = ask()
    with world.app.app_context(), transaction() as session:
        for _ in range(4):
            larger_work(session)

    assert ask() == few


def test_a_part_is_submitted_and_taken_back(world: Desk) -> None:
    client, here = world.client("consultant"), f"/staff/engagements/{world.ids['engagement']}"
    part = f"{here}/milestones/{world.ids['milestone']}"

    assert press(client, f"{part}/submit", {"note": "Slides are shared."}).status_code == 303
    assert one(world, select(Milestone.state).where(Milestone.id == world.ids["milestone"])) == "submitted"
    assert press(client, f"{part}/submit").status_code == 409
    assert press(client, f"{part}/take-back").status_code == 303
    assert press(client, f"{part}/take-back").status_code == 409


def test_an_engagement_is_called_off_with_a_reason_after_what_it_does_was_shown(world: Desk) -> None:
    client, here = world.client("program"), f"/staff/engagements/{world.ids['engagement']}"
    told = client.get(here).text.replace("\u00a0", " ")
    assert "2 days to come are given back" in told and "$9,000.00 is never billed" in told

    assert press(client, f"{here}/cancel", {"reason": ""}).status_code == 422
    assert press(client, f"{here}/cancel", {"reason": "The budget is frozen."}).status_code == 303

    assert one(world, select(Engagement.state)) == "cancelled" and "Call it off" not in client.get(here).text
    assert "Cancelled" in world.client().get(f"/engagements/{world.ids['engagement_secret']}").text
    assert press(client, f"{here}/cancel", {"reason": "Again"}).status_code == 409


def test_an_accepted_part_shows_its_order(world: Desk) -> None:
    with world.app.app_context(), transaction() as session:
        part = session.get_one(Engagement, world.ids["engagement"]).milestones[0]
        milestones.submit(session, part, note="", letterhead=LETTERHEAD, now=NOON)
        milestones.accept(session, part, name="Anna Vestergren", address="192.0.2.7", letterhead=LETTERHEAD, now=NOON)

    page = world.client("program").get(f"/staff/engagements/{world.ids['engagement']}").text

    assert "Anna Vestergren accepted it on" in page and "192.0.2.7" in page and re.search(r"Order NC-2027-\d+", page)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("", b"", "Please choose a file."),
        ("virus.exe", b"MZ", "Only PDF, Word"),
        ("page.html", b"<script>", "Only PDF, Word"),
        ("fake.pdf", b"<script>", "not what its name says"),
        ("large.pdf", b"%PDF-" + b"0" * (10 * 1024 * 1024), "larger than 10 MB"),
    ],
)
def test_files_that_cannot_be_shared_are_refused(world: Desk, name: str, data: bytes, says: str) -> None:
    here = f"/staff/engagements/{world.ids['engagement']}/documents"

    answer = press(world.client("program"), here, {"file": (io.BytesIO(data), name)})

    assert answer.status_code == 422 and says in answer.text
    assert one(world, select(func.count()).select_from(EngagementDocument)) == 1


def test_a_file_is_shared_once_and_taken_away(world: Desk) -> None:
    client, here = world.client("program"), f"/staff/engagements/{world.ids['engagement']}/documents"

    for _ in range(2):
        answer = press(client, here, {"file": (io.BytesIO(b"%PDF-1.7 minutes"), "../../Minutes of May.pdf")})
        assert answer.status_code == 303
    found = one(world, select(EngagementDocument).where(EngagementDocument.name == "Minutes of May.pdf"))

    assert client.get(f"{here}/{found.id}").data == b"%PDF-1.7 minutes"
    assert press(client, f"{here}/{found.id}/remove").status_code == 303
    assert client.get(f"{here}/{found.id}").status_code == 404


HOURS = {
    "title": "Advice by telephone",
    "client_name": "Anna Vestergren",
    "client_email": "anna.vestergren@quillhaven.example",
    "zone": "America/Chicago",
    "hours": "7:30",
    "rate": "150.00",
    "low_hours": "2",
    "expires_on": "2027-12-31",
}


def test_the_program_sells_hours(desk: Desk) -> None:
    answer = press(desk.client("program"), "/staff/retainers/new", HOURS)

    assert answer.status_code == 303
    with desk.app.app_context():
        retainer = db.session.scalars(select(Retainer)).one()
        assert (retainer.minutes, retainer.rate, retainer.low_minutes, retainer.order.total) == (450, 15_000, 120, 112_500)  # type: ignore[union-attr]
    assert one(desk, select(Message.kind)) == "engagements/retainer_sold"


@pytest.mark.parametrize("hours", ["", "ten", "-1", "1:75", "1.333", "0", "1e3", "99999999"])
def test_hours_that_are_none_are_refused(desk: Desk, hours: str) -> None:
    answer = press(desk.client("program"), "/staff/retainers/new", HOURS | {"hours": hours, "low_hours": ""})

    assert answer.status_code == 422 and 'id="hours-error"' in answer.text
    assert one(desk, select(func.count()).select_from(Order)) == 0


def test_time_is_logged_once_however_often_the_form_is_sent(world: Desk) -> None:
    client, here = world.client("program"), f"/staff/retainers/{world.ids['retainer']}"
    with world.app.app_context(), transaction() as session:
        who = a_consultant(session, "Tobias Renn").id
    key = re.search(r'name="key" value="([^"]+)"', client.get(here).text)
    assert key is not None
    typed = {"key": key[1], "hours": "1.5", "worked_on": "2027-03-01", "consultant": who, "note": "Reviewed a statement"}

    for _ in range(2):
        assert press(client, f"{here}/time", typed).status_code == 303

    with world.app.app_context():
        assert [(log.minutes, log.note) for log in db.session.scalars(select(TimeLog))] == [(90, "Reviewed a statement")]
    page = client.get(here).text.replace("\u00a0", " ")
    assert "8 h 30 min of 10 h" in page and "Reviewed a statement" in page
    assert "2027-03-01,Tobias Renn,Reviewed a statement,90,90,510" in client.get(f"{here}/statement.csv").text


def test_a_consultant_logs_their_own_time_whoever_the_form_names(world: Desk) -> None:
    with world.app.app_context(), transaction() as session:
        a_consultant(session, "Own Person", user_id=world.ids["consultant"])
        other = a_consultant(session, "Tobias Renn").id

    typed = {"hours": "1", "worked_on": "2027-03-01", "consultant": other}
    answer = press(world.client("consultant"), f"/staff/retainers/{world.ids['retainer']}/time", typed)

    assert answer.status_code == 303
    with world.app.app_context():
        assert db.session.scalars(select(TimeLog)).one().consultant.name == "Own Person"


def test_time_without_a_person_or_for_tomorrow_is_refused(world: Desk) -> None:
    client, here = world.client("program"), f"/staff/retainers/{world.ids['retainer']}/time"
    with world.app.app_context(), transaction() as session:
        who = a_consultant(session, "Tobias Renn").id

    nobody = press(client, here, {"hours": "1", "worked_on": "2027-03-01"})
    tomorrow = press(client, here, {"hours": "1", "worked_on": "2027-03-02", "consultant": who})

    assert nobody.status_code == 422 and "Please choose who worked." in nobody.text
    assert tomorrow.status_code == 422 and "lies ahead" in tomorrow.text


def test_hours_beyond_it_are_billed_by_finance_once(world: Desk) -> None:
    with world.app.app_context(), transaction() as session:
        who = a_consultant(session, "Tobias Renn").id
    press(
        world.client("program"),
        f"/staff/retainers/{world.ids['retainer']}/time",
        {"hours": "11", "worked_on": "2027-03-01", "consultant": who},
    )
    client, here = world.client("finance"), f"/staff/retainers/{world.ids['retainer']}"
    assert "Bill $150.00" in client.get(here).text

    first, second = press(client, f"{here}/bill"), press(client, f"{here}/bill")

    assert (first.status_code, second.status_code) == (303, 409)
    assert one(world, select(func.count()).select_from(Order).where(Order.total == 15_000)) == 1


def test_an_unpaid_retainer_offers_no_time_to_log(desk: Desk) -> None:
    with desk.app.app_context(), transaction() as session:
        retainer_id = a_retainer(session).id
        an_active_retainer(session)

    page = desk.client("program").get(f"/staff/retainers/{retainer_id}").text

    assert "Not paid yet" in page and "Log the time" not in page


def test_today_names_what_is_late_expired_or_not_billed(world: Desk) -> None:
    with world.app.app_context(), transaction() as session:
        retainer = session.get_one(Retainer, world.ids["retainer"])
        who = a_consultant(session, "Tobias Renn")
        work = Work(key="a", consultant=who, worked_on=NOON.date(), minutes=660)
        timesheets.log_time(session, retainer, work, letterhead=LETTERHEAD, now=NOON)
    assert "Bill $150.00" in world.client("finance").get("/staff/").text

    world.clock.forward(days=70)
    with world.app.app_context(), transaction() as session:
        proposals.expire_due(session, now=world.clock())
    world.clock.at = world.clock.at - timedelta(days=20)
    late = world.client("program").get("/staff/").text
    world.clock.forward(days=20)
    later = world.client("program").get("/staff/").text

    assert "A proposal expired without an answer" in late and "A milestone is late" not in late
    assert "A milestone is late" in later and "«Workshops held» was expected by 6\u00a0May 2027" in later
    assert "Renew" not in later and "A milestone is late" not in world.client("finance").get("/staff/").text


def test_larger_work_is_found_by_number_and_client_by_those_who_may_see_it(world: Desk) -> None:
    with world.app.app_context():
        numbers = [db.session.scalars(select(kind.number).order_by(kind.id.desc())).first() for kind in (Proposal, Engagement, Retainer)]

    for number in numbers:
        assert number and number in world.client("program").get("/staff/search", query_string={"q": number}).text
        assert f">{number}<" not in world.client("front_desk").get("/staff/search", query_string={"q": number}).text
    assert numbers[0] in world.client("finance").get("/staff/search?q=quillhaven").text


def test_the_journal_calls_larger_work_by_its_names(world: Desk) -> None:
    references = [f"{kind}/{world.ids[kind]}" for kind in ("engagement", "milestone", "retainer")]

    with world.app.app_context():
        told = naming.names_of(db.session(), [*references, f"proposal/{world.ids['proposal_draft']}"])

    assert [re.sub(r"\d{4}-\d{4}", "…", name) for name in told.values()] == [
        "engagement NC-E-…", "Workshops held, NC-E-…", "retainer NC-R-…", "proposal NC-P-…, version 1"
    ]  # fmt: skip
