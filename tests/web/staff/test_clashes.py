"""Staff see who is taken already, may do it all the same with a reason, and choose a room of the house."""

from sqlalchemy import select

from seminars.audit.models import AuditEntry
from seminars.catalog import events
from seminars.catalog.models import Event, EventSession, Room
from seminars.db import db, transaction
from seminars.schedule.models import TimeClaim
from tests.factories.desk import NOON, Desk, press

SAID = "Ingrid Malmstedt is taken by Residency, Rochester"


def a_clashing_draft(desk: Desk) -> int:
    """The furnished event once more, on the same days and with the same people."""
    with desk.app.app_context(), transaction() as session:
        first = session.get_one(Event, desk.ids["event"])
        return events.clone(session, first, first_day=first.sessions[0].starts_local.date(), now=NOON).id


def state_of(desk: Desk, event_id: int) -> str:
    with desk.app.app_context():
        return str(db.session.scalar(select(Event.state).where(Event.id == event_id)))


def claims_of(desk: Desk) -> list[tuple[str, str]]:
    with desk.app.app_context():
        found = db.session.execute(select(TimeClaim.holder, TimeClaim.override_reason).order_by(TimeClaim.id))
        return [(holder, reason) for holder, reason in found]


def test_a_draft_warns_and_publishing_it_asks_for_a_reason(furnished: Desk) -> None:
    client, draft = furnished.client("program"), a_clashing_draft(furnished)
    before = claims_of(furnished)

    page = client.get(f"/staff/events/{draft}").text
    refused = press(client, f"/staff/events/{draft}/publish")
    untouched = (state_of(furnished, draft), claims_of(furnished))
    agreed = press(client, f"/staff/events/{draft}/publish", {"override_reason": "Samir stands in on both days"})
    after = client.get(f"/staff/events/{draft}").text

    assert "Taken already" in page
    assert SAID in page
    assert (refused.status_code, SAID in refused.text, "Do it all the same" in refused.text) == (409, True, True)
    assert untouched == ("draft", before)
    assert (agreed.status_code, state_of(furnished, draft)) == (303, "published")
    assert "Taken twice" in after
    assert after.count("Samir stands in on both days") >= 3
    assert [reason for _, reason in claims_of(furnished)].count("Samir stands in on both days") == 2
    with furnished.app.app_context():
        noted = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "claimed over another")).all()
        assert {(entry.by, entry.why) for entry in noted} == {(f"user/{furnished.ids['program']}", "Samir stands in on both days")}


def test_a_session_that_moves_onto_something_else_is_shown_first_and_keeps_what_was_typed(furnished: Desk) -> None:
    client, draft = furnished.client("program"), a_clashing_draft(furnished)
    with furnished.app.app_context(), transaction() as session:
        there = session.get_one(Event, draft)
        for part in there.sessions:
            moved = part.starts_local.replace(month=5), part.ends_local.replace(month=5)
            events.change_session(session, part, events.Block(*moved, title=part.title), now=NOON)
        events.publish(session, there, now=NOON)
        part_id = there.sessions[0].id
    typed = {"starts": "2027-03-22T12:00", "ends": "2027-03-22T13:00", "title": "Over lunch", "why": "Asked to"}

    refused = press(client, f"/staff/sessions/{part_id}", typed)
    agreed = press(client, f"/staff/sessions/{part_id}", typed | {"override_reason": "It is one hour"})

    assert refused.status_code == 409
    assert 'name="title" value="Over lunch"' in refused.text
    assert agreed.status_code == 303
    with furnished.app.app_context():
        assert db.session.get_one(EventSession, part_id).title == "Over lunch"


def test_a_room_is_entered_chosen_and_taken_once(furnished: Desk) -> None:
    client, ids = furnished.client("program"), furnished.ids
    press(client, f"/staff/venues/{ids['venue']}/rooms/new", {"name": "Aula"})
    with furnished.app.app_context():
        aula = db.session.scalars(select(Room.id).where(Room.name == "Aula")).one()
    form = client.get(f"/staff/events/{ids['event']}/sessions/new").text
    typed = {"starts": "2027-03-24T09:00", "ends": "2027-03-24T10:00", "title": "Day 3", "held_in": str(aula)}

    made = press(client, f"/staff/events/{ids['event']}/sessions/new", typed)
    twice = press(client, f"/staff/events/{ids['event']}/sessions/new", typed | {"title": "Day 3 again"})

    assert f'<option value="{aula}">Aula</option>' in form
    assert (made.status_code, twice.status_code) == (303, 409)
    assert "Aula, Siebens Building is taken by Residency, Rochester: Day 3" in twice.text
    assert "Aula" in client.get(f"/staff/events/{ids['event']}").text
    assert "Aula" in client.get(f"/staff/venues/{ids['venue']}").text
    renamed = press(client, f"/staff/rooms/{aula}", {"name": "Great Hall"})
    assert (renamed.status_code, "Great Hall" in client.get(f"/staff/events/{ids['event']}").text) == (200, False)
    press(client, f"/staff/rooms/{aula}", {"name": "Great Hall", "agreed": "1"})
    assert "Great Hall" in client.get(f"/staff/events/{ids['event']}").text
