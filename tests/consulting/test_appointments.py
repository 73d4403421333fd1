"""What becomes of an appointment that is booked: confirmed, moved, cancelled, taken back, answered, marked."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.audit.models import AuditEntry
from seminars.consulting import appointments, booking, consultants, queries
from seminars.consulting.appointments import Changed, TooLate
from seminars.consulting.booking import SlotGone, SlotLapsed
from seminars.kit.refusals import BadInput, Conflict
from seminars.schedule.claims import Taken
from seminars.schedule.models import TimeClaim
from tests.clock import NOON
from tests.factories.advice import a_consultant, an_offering
from tests.factories.meetings import NINE, a_confirmed_one, a_held_one, a_requested_one

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def claimed(session: Session) -> list[tuple[str, float]]:
    found = select(TimeClaim.kind, TimeClaim.starts_at).order_by(TimeClaim.starts_at)
    return [(kind, (starts_at - NINE) / HOUR) for kind, starts_at in session.execute(found)]


def test_paying_confirms_and_makes_a_room_of_its_own(session: Session) -> None:
    offering = an_offering(session)

    one = a_confirmed_one(session, offering)
    other = a_confirmed_one(session, offering, NINE + HOUR, order="order/8")

    assert (one.state, one.confirmed_at) == ("confirmed", NOON)
    assert re.fullmatch(r"https://meet\.example/[a-z0-9]{16}", one.join_url) and one.join_url != other.join_url
    assert appointments.confirm(session, "order/7", now=NOON) == []
    assert appointments.of_order(session, "order/7") == [one]


def test_a_meeting_in_a_room_has_a_place_and_no_link(session: Session) -> None:
    one = a_confirmed_one(session, an_offering(session, mode="in_person", place="Alder Hall, room 2"))

    assert (one.place, one.join_url) == ("Alder Hall, room 2", "")


def test_cancelling_gives_the_time_back_once(session: Session) -> None:
    one = a_confirmed_one(session, an_offering(session, buffer_after=30))

    gone = appointments.cancel(session, [one], reason="Anna is ill.", now=NOON)
    again = appointments.cancel(session, [one], reason="Twice", now=NOON)

    assert (gone, again, one.cancel_reason, claimed(session)) == ([one], [], "Anna is ill.", [])


def test_late_money_takes_the_slot_back_or_says_that_it_is_gone(session: Session) -> None:
    offering = an_offering(session)
    one = a_confirmed_one(session, offering)
    appointments.cancel(session, [one], reason="", now=NOON)

    assert appointments.retake(session, [one], now=NOON) == [one]
    assert (one.state, claimed(session)) == ("held", [("appointment", 0)])
    appointments.cancel(session, [one], reason="", now=NOON)
    a_held_one(session, offering, holder="cart/2")
    with pytest.raises(SlotGone) as gone:
        appointments.retake(session, [one], now=NOON)
    assert gone.value.nearest and one.state == "cancelled"
    with pytest.raises(SlotGone):
        appointments.retake(session, [one], now=NINE)


def test_a_client_moves_within_the_rules_and_the_plan_is_what_is_done(session: Session) -> None:
    offering = an_offering(session, buffer_after=15)
    one = a_confirmed_one(session, offering)
    room = one.join_url

    plan = appointments.move_plan(session, one, starts_at=NINE + HOUR / 2, now=NOON)
    done = appointments.move(session, one, starts_at=plan.starts_at, version=plan.version, now=NOON)

    assert done == plan
    assert (plan.was_starts_at, plan.ends_at, plan.consultants) == (NINE, NINE + 1.5 * HOUR, ("Rosa Castellane",))
    assert plan.told == ("Anna Vestergren", "Rosa Castellane") and not (plan.late or plan.outside or plan.clashes)
    assert (one.starts_at, one.ends_at, one.join_url) == (plan.starts_at, plan.ends_at, room)
    assert claimed(session) == [("appointment", 0.5), ("buffer", 1.5)]


def test_who_is_there_goes_on_being_there_where_that_can_be(session: Session) -> None:
    rosa, tomas = a_consultant(session), a_consultant(session, "Tomas Ibarra")
    one = a_confirmed_one(session, an_offering(session, rosa, tomas), consultant_ids=(tomas.id,))
    consultants.take_leave(session, tomas, starts_at=NINE + 3 * HOUR, ends_at=NINE + 8 * HOUR, now=NOON)

    same = appointments.move_plan(session, one, starts_at=NINE + HOUR, now=NOON)
    other = appointments.move_plan(session, one, starts_at=NINE + 4 * HOUR, now=NOON)

    assert (same.consultants, other.consultants) == (("Tomas Ibarra",), ("Rosa Castellane",))
    assert other.told == ("Anna Vestergren", "Rosa Castellane", "Tomas Ibarra")
    with pytest.raises(SlotGone):
        appointments.move_plan(session, one, starts_at=NINE + 4 * HOUR, consultant_ids=(tomas.id,), now=NOON)


def test_a_plan_that_is_old_moves_nothing(session: Session) -> None:
    one = a_confirmed_one(session, an_offering(session))
    plan = appointments.move_plan(session, one, starts_at=NINE + HOUR, now=NOON)
    appointments.move(session, one, starts_at=NINE + 2 * HOUR, version=plan.version, now=NOON)

    with pytest.raises(Changed):
        appointments.move(session, one, starts_at=NINE + HOUR, version=plan.version, now=NOON)

    assert claimed(session) == [("appointment", 2)]


def test_a_client_is_late_where_staff_are_not(session: Session) -> None:
    one = a_confirmed_one(session, an_offering(session, notice_hours=1))
    late = NINE - 23 * HOUR

    with pytest.raises(TooLate, match="could be changed until"):
        appointments.move_plan(session, one, starts_at=NINE + HOUR, now=late)
    plan = appointments.move_plan(session, one, starts_at=NINE + HOUR, by_staff=True, now=late)

    assert plan.late and not plan.outside


def test_clients_are_refused_what_the_rules_do_not_give(session: Session) -> None:
    one = a_confirmed_one(session, an_offering(session))

    for starts_at in (NOON - HOUR, NINE + MINUTE, NINE - HOUR, NINE + 90 * DAY):
        with pytest.raises(BadInput):
            appointments.move_plan(session, one, starts_at=starts_at, now=NOON)
    with pytest.raises(BadInput):
        appointments.move_plan(session, one, starts_at=NINE + HOUR, consultant_ids=(999_999,), now=NOON)


def test_staff_lay_a_meeting_over_another_with_a_reason_that_is_kept(session: Session) -> None:
    rosa = a_consultant(session)
    one = a_confirmed_one(session, an_offering(session, rosa))
    consultants.take_leave(session, rosa, starts_at=NINE + 2 * HOUR, ends_at=NINE + 3 * HOUR, label="Dentist", now=NOON)

    plan = appointments.move_plan(session, one, starts_at=NINE + 2 * HOUR + MINUTE, by_staff=True, now=NOON)
    with pytest.raises(Taken):
        appointments.move(session, one, starts_at=plan.starts_at, version=plan.version, by_staff=True, now=NOON)
    appointments.move(
        session, one, starts_at=plan.starts_at, version=plan.version, by_staff=True, override_reason="Rosa agreed by phone.", now=NOON
    )

    assert plan.outside and [clash.label for clash in plan.clashes] == ["Dentist"]
    assert session.scalars(select(TimeClaim.override_reason).where(TimeClaim.holder == one.reference)).all() == ["Rosa agreed by phone."]
    assert session.scalar(select(AuditEntry).where(AuditEntry.subject == one.reference, AuditEntry.action == "claimed over another"))


def test_somebody_who_comes_between_plan_and_move_keeps_the_slot(session: Session) -> None:
    offering = an_offering(session)
    one = a_confirmed_one(session, offering)
    plan = appointments.move_plan(session, one, starts_at=NINE + HOUR, now=NOON)
    a_held_one(session, offering, NINE + HOUR, holder="cart/2")

    with pytest.raises(SlotGone):
        appointments.move(session, one, starts_at=plan.starts_at, version=plan.version, now=NOON)

    assert one.starts_at == NINE and claimed(session) == [("appointment", 0), ("hold", 1)]


def test_a_free_request_is_confirmed_when_it_is_granted(session: Session) -> None:
    asked = a_requested_one(session, an_offering(session, needs_approval=True, lengths={30: 0}))

    appointments.approve(session, asked, now=NOON)

    assert asked.state == "confirmed" and asked.join_url and claimed(session) == [("appointment", 0)]
    with pytest.raises(Conflict):
        appointments.approve(session, asked, now=NOON)


def test_a_request_that_costs_something_waits_two_days_to_be_paid(session: Session) -> None:
    offering = an_offering(session, needs_approval=True)
    asked = a_requested_one(session, offering, NINE + 7 * DAY)

    appointments.approve(session, asked, now=NOON)
    assert (asked.state, asked.held_until, asked.holder) == ("held", NOON + 2 * DAY, "")
    appointments.adopt(session, asked, "cart/9", now=NOON + DAY)
    booking.sweep_lapsed(session, now=NOON + 2 * DAY)

    session.refresh(asked)
    assert (asked.holder, asked.state, claimed(session)) == ("cart/9", "cancelled", [])
    second = a_requested_one(session, offering, NINE + 7 * DAY)
    appointments.approve(session, second, now=NOON)
    with pytest.raises(SlotLapsed):
        appointments.adopt(session, second, "cart/9", now=NOON + 2 * DAY)


def test_a_request_is_declined_with_a_reason(session: Session) -> None:
    asked = a_requested_one(session, an_offering(session, needs_approval=True))

    with pytest.raises(BadInput):
        appointments.decline(session, asked, reason=" ", now=NOON)
    appointments.decline(session, asked, reason="Rosa is at a hearing.", now=NOON)

    assert (asked.state, asked.cancel_reason, claimed(session)) == ("cancelled", "Rosa is at a hearing.", [])
    with pytest.raises(Conflict):
        appointments.decline(session, asked, reason="Again", now=NOON)


def test_a_meeting_is_marked_when_it_has_begun(session: Session) -> None:
    offering = an_offering(session)
    one, other = a_confirmed_one(session, offering), a_confirmed_one(session, offering, NINE + HOUR, order="order/8")

    with pytest.raises(Conflict):
        appointments.mark_no_show(session, one, now=NINE - MINUTE)
    appointments.mark_no_show(session, one, now=NINE + MINUTE)
    appointments.mark_delivered(session, other, now=NINE + 2 * HOUR)

    assert (one.state, other.state, other.delivered_at) == ("no_show", "delivered", NINE + 2 * HOUR)
    with pytest.raises(Conflict):
        appointments.mark_delivered(session, one, now=NINE + 2 * HOUR)
    assert appointments.cancel(session, [one, other], reason="", now=NINE + 3 * HOUR) == []


def test_a_consultants_week_shows_meetings_leave_and_history(session: Session) -> None:
    rosa = a_consultant(session)
    offering = an_offering(session, rosa, needs_approval=True, buffer_after=15)
    one = a_confirmed_one(session, offering)
    asked = a_requested_one(session, offering, NINE + 2 * HOUR)
    consultants.take_leave(session, rosa, starts_at=NINE + DAY, ends_at=NINE + 2 * DAY, label="Travel", now=NOON)

    week = queries.my_week(session, rosa, NOON, NOON + 7 * DAY, NOON)

    assert [(entry.kind, entry.title) for entry in week] == [
        ("appointment", "Policy review: Anna Vestergren"),
        ("appointment", "Policy review: Anna Vestergren"),
        ("leave", "Travel"),
    ]
    assert [entry.appointment for entry in week] == [one, asked, None]
    assert queries.waiting(session) == [asked]
    assert queries.find(session, "quillhaven") == [asked, one] and queries.find(session, " ") == []
    assert queries.history(session, "Anna.Vestergren@quillhaven.example", before=asked.starts_at) == [one]
    assert queries.appointment_by_secret(session, one.secret) is one
