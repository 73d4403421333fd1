"""What the desk reads of consulting: names, what waits for whom, and what surrounds a meeting."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from seminars.consulting import consultants, offerings
from seminars.consulting.intake import Question
from seminars.consulting.models import Consultant
from seminars.desk import consulting as reads
from seminars.desk import today
from seminars.desk.naming import names_of
from seminars.desk.timeline import changes_of, of_appointment
from seminars.people import permissions as may
from seminars.people import users
from seminars.people.models import User
from tests.clock import NOON
from tests.factories.advice import CHICAGO, a_consultant, an_offering
from tests.factories.engagements import an_active_retainer
from tests.factories.meetings import ANNA, NINE, a_confirmed_one, a_held_one, a_requested_one

OVER = NINE + timedelta(hours=1)


def a_login(session: Session, consultant: Consultant, name: str) -> User:
    user = users.create(
        session, name=name, email=f"{name.lower()}@northfield.example", roles=["consultant"], password_hash="x" * 60, now=NOON
    )
    consultants.link_login(session, consultant, user.id)
    return user


def waiting_for(session: Session, *rights: may.Right, user: User | None = None) -> list[tuple[str, str]]:
    found = today.waiting(session, rights=lambda right: right in rights, user_id=user.id if user else None, now=OVER)
    return [(item.what, item.reference) for item in found]


def test_appointments_offerings_and_consultants_have_names_in_the_books(session: Session) -> None:
    offering = an_offering(session)
    met, chosen = a_confirmed_one(session, offering), a_held_one(session, offering, NINE + timedelta(hours=2))
    rosa, retainer = offering.consultants[0], an_active_retainer(session)

    found = names_of(session, [one.reference for one in (met, chosen, offering, rosa, retainer)])

    assert found == {
        met.reference: "Policy review with Anna Vestergren",
        chosen.reference: "Policy review",
        offering.reference: "Policy review",
        rosa.reference: "Rosa Castellane",
        retainer.reference: f"retainer {retainer.number}",
    }


def test_a_meeting_that_is_over_waits_for_its_own_consultants_and_for_those_who_manage_all(session: Session) -> None:
    rosa, teddy = a_consultant(session), a_consultant(session, "Teddy Okonjo-Hale")
    hers, his = a_login(session, rosa, "Rosa"), a_login(session, teddy, "Teddy")
    met = a_confirmed_one(session, an_offering(session, rosa))

    item = ("Did the meeting take place?", met.reference)

    assert waiting_for(session, may.own_week, user=hers) == [item]
    assert waiting_for(session, may.own_week, user=his) == []
    assert waiting_for(session, may.own_week) == []
    assert waiting_for(session, may.own_week, may.manage_appointments, user=his) == [item]
    assert reads.to_mark(session, consultant_user=None, now=OVER - timedelta(seconds=1)) == []


def test_a_request_waits_for_those_who_manage_appointments_only(session: Session) -> None:
    asked = a_requested_one(session, an_offering(session, needs_approval=True))

    assert waiting_for(session, may.manage_appointments) == [("A request waits for an answer", asked.reference)]
    assert waiting_for(session, may.see_orders) == []


def test_a_calendar_is_in_trouble_when_it_failed_or_when_nothing_new_came_for_a_day(session: Session) -> None:
    fresh, stale, failed, none = (a_consultant(session, name) for name in ("Ada Fresh", "Bo Stale", "Cy Failed", "Di None"))
    for one, read_at, trouble in ((fresh, 1, ""), (stale, 25, ""), (failed, 1, "The calendar did not answer.")):
        one.busy_url = "https://calendar.example/own.ics"
        one.busy_read_at, one.busy_trouble = NOON - timedelta(hours=read_at), trouble
    session.flush()

    assert [one.name for one in reads.unread_calendars(session, now=NOON)] == ["Bo Stale", "Cy Failed"]
    assert none.busy_url == ""


def test_hours_are_logged_only_for_a_meeting_that_nothing_else_pays(session: Session) -> None:
    offering = an_offering(session)
    met = a_confirmed_one(session, offering)
    retainer = an_active_retainer(session)
    retainer.client_email = ANNA.email
    session.flush()

    around = reads.surroundings_of(session, met)

    assert (around.line, around.engagement, around.log, list(around.retainers), around.loggable) == (None, None, None, [retainer], True)


def test_the_week_of_everybody_holds_meetings_that_have_a_client(session: Session) -> None:
    offering = an_offering(session)
    met = a_confirmed_one(session, offering)
    a_held_one(session, offering, NINE + timedelta(hours=2))

    assert reads.meetings_between(session, NINE, NINE + timedelta(days=1)) == [met]
    assert reads.meetings_between(session, NINE - timedelta(days=1), NINE) == []


def test_the_timeline_tells_changed_questions_by_their_words(session: Session) -> None:
    offering = an_offering(session)
    met = a_confirmed_one(session, offering)
    offerings.set_questions(session, offering, [Question("about", "What is it about?")])

    told = [entry.detail for entry in changes_of(session, [offering.reference], zone=CHICAGO)]

    assert any("What is it about?" in detail and "{" not in detail for detail in told)
    assert "Time chosen" in [entry.what for entry in of_appointment(session, met, zone=CHICAGO)]
