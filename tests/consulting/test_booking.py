"""Choosing a slot: held, kept, dropped, lapsed, and refused without a trace."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seminars.catalog.timing import NoSuchTime
from seminars.consulting import booking, consultants, offerings
from seminars.consulting.booking import Client, HeldLongEnough, NotOffered, PriceChanged, SlotGone, SlotLapsed, Unanswered
from seminars.consulting.consultants import Stretch
from seminars.consulting.intake import Question
from seminars.consulting.models import Appointment, Offering
from seminars.consulting.queries import slots_of
from seminars.kit.money import Money
from seminars.kit.refusals import BadInput, Conflict
from seminars.schedule import claims
from seminars.schedule.claims import Span
from seminars.schedule.models import TimeClaim
from tests.clock import NOON
from tests.conftest import clusters
from tests.factories.advice import CHICAGO, a_consultant, an_offering
from tests.factories.seats import Rush

NINE = datetime(2027, 3, 3, 15, tzinfo=UTC)
"""9:00 on Wednesday in Chicago, two days ahead."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ANNA = Client("Anna Vestergren", "anna.vestergren@quillhaven.example", "Quillhaven Regional Hospital")


def hold(session: Session, offering: Offering, starts_at: datetime = NINE, **given: Any) -> Appointment:
    asked = {"holder": "cart/1", "zone": CHICAGO, "now": NOON} | given
    return booking.hold_slot(session, offering, asked.pop("length", offering.lengths[0]), starts_at=starts_at, **asked)


def free(session: Session, offering: Offering, now: datetime = NOON) -> list[datetime]:
    found = slots_of(session, offering, offering.lengths[0], since=NINE, until=NINE + 8 * HOUR, now=now)
    return [slot.starts_at for slot in found]


def claimed(session: Session) -> list[tuple[str, str, datetime, datetime]]:
    found = select(TimeClaim.kind, TimeClaim.holder, TimeClaim.starts_at, TimeClaim.ends_at).order_by(TimeClaim.starts_at)
    return [tuple(row) for row in session.execute(found)]


def plain(refusal: Exception) -> str:
    return str(refusal).replace("\xa0", " ")


def rows(session: Session) -> tuple[int, int]:
    return tuple(session.scalar(select(func.count()).select_from(table)) or 0 for table in (Appointment, TimeClaim))  # type: ignore[return-value]


def test_a_slot_that_is_chosen_is_held_with_its_buffers(session: Session) -> None:
    offering = an_offering(session, buffer_before=15, buffer_after=30)

    held = hold(session, offering, NINE + HOUR)

    assert (held.state, held.held_until, held.ends_at) == ("held", NOON + 20 * MINUTE, NINE + 2 * HOUR)
    assert [one.name for one in held.consultants] == ["Rosa Castellane"]
    assert claimed(session) == [
        ("buffer", held.reference, NINE + 45 * MINUTE, NINE + HOUR),
        ("hold", held.reference, NINE + HOUR, NINE + 2 * HOUR),
        ("buffer", held.reference, NINE + 2 * HOUR, NINE + 150 * MINUTE),
    ]


def test_the_second_visitor_is_told_and_offered_the_nearest(session: Session) -> None:
    offering = an_offering(session)
    hold(session, offering, NINE + 2 * HOUR)
    before = rows(session)

    with pytest.raises(SlotGone) as gone:
        hold(session, offering, NINE + 2 * HOUR, holder="cart/2")

    assert [slot.starts_at - NINE for slot in gone.value.nearest] == [HOUR / 2, HOUR, 3 * HOUR]
    assert rows(session) == before


def test_a_hold_that_lapsed_frees_its_slot_for_others_without_waiting_for_the_sweep(session: Session) -> None:
    offering = an_offering(session)
    first = hold(session, offering)
    later = NOON + 20 * MINUTE

    assert NINE in free(session, offering, now=later)
    second = hold(session, offering, holder="cart/2", now=later)

    assert booking.sweep_lapsed(session, now=later) == 1
    assert booking.sweep_lapsed(session, now=later) == 0
    session.refresh(first)
    assert (first.state, first.held_until, second.state) == ("cancelled", None, "held")
    assert [holder for _, holder, _, _ in claimed(session)] == [second.reference]


def test_chosen_twice_is_held_once(session: Session) -> None:
    offering = an_offering(session)

    first, again = hold(session, offering), hold(session, offering, now=NOON + MINUTE)

    assert again is first and rows(session) == (1, 1)


def test_another_time_instead_gives_the_first_back(session: Session) -> None:
    offering = an_offering(session)
    first = hold(session, offering)

    second = hold(session, offering, NINE + HOUR / 2, instead_of=first, now=NOON + 5 * MINUTE)

    assert first.state == "cancelled" and [row[1] for row in claimed(session)] == [second.reference]


def test_another_time_that_is_gone_leaves_the_first_held(session: Session) -> None:
    offering = an_offering(session)
    first = hold(session, offering)
    hold(session, offering, NINE + 2 * HOUR, holder="cart/2")

    with pytest.raises(SlotGone):
        hold(session, offering, NINE + 2 * HOUR, instead_of=first)

    session.refresh(first)
    assert first.state == "held" and first.reference in [row[1] for row in claimed(session)]


def test_a_cart_holds_slots_of_an_offering_for_an_hour_at_most(session: Session) -> None:
    offering = an_offering(session)
    held = hold(session, offering)
    for number in (1, 2, 3):
        held = hold(session, offering, NINE + number * HOUR, instead_of=held, now=NOON + number * 15 * MINUTE)

    assert held.held_until == NOON + HOUR
    with pytest.raises(HeldLongEnough):
        hold(session, offering, NINE, now=NOON + HOUR)
    booking.sweep_lapsed(session, now=NOON + HOUR)
    assert hold(session, offering, NINE, now=NOON + HOUR + booking.REST).held_since == NOON + HOUR + booking.REST


def test_whoever_is_free_and_has_fewest_meetings_that_week_delivers_it(session: Session) -> None:
    rosa, tomas = a_consultant(session), a_consultant(session, "Tomas Ibarra")
    offering = an_offering(session, rosa, tomas)

    who = [hold(session, offering, NINE + hours * HOUR, holder=f"cart/{hours}").consultants[0].name for hours in (0, 1, 2)]
    same = hold(session, offering, NINE, holder="cart/9").consultants[0].name

    assert who == ["Rosa Castellane", "Tomas Ibarra", "Rosa Castellane"]
    assert same == "Tomas Ibarra"
    with pytest.raises(SlotGone):
        hold(session, offering, NINE, holder="cart/10")


def test_the_chosen_one_delivers_it_or_nobody(session: Session) -> None:
    rosa, tomas = a_consultant(session), a_consultant(session, "Tomas Ibarra")
    offering = an_offering(session, rosa, tomas)

    assert [one.id for one in hold(session, offering, consultant_ids=(tomas.id,)).consultants] == [tomas.id]
    with pytest.raises(SlotGone) as gone:
        hold(session, offering, consultant_ids=(tomas.id,), holder="cart/2")
    assert all(slot.consultant_ids == (tomas.id,) for slot in gone.value.nearest)


def test_two_together_are_both_taken_or_neither(session: Session) -> None:
    rosa, tomas = a_consultant(session), a_consultant(session, "Tomas Ibarra")
    offering = an_offering(session, rosa, tomas, together=2)
    consultants.take_leave(session, tomas, starts_at=NINE, ends_at=NINE + HOUR, now=NOON)

    with pytest.raises(SlotGone):
        hold(session, offering)
    both = hold(session, offering, NINE + HOUR)

    assert {one.name for one in both.consultants} == {"Rosa Castellane", "Tomas Ibarra"}
    assert sum(kind == "hold" for kind, *_ in claimed(session)) == 2


def test_the_daily_cap_holds(session: Session) -> None:
    offering = an_offering(session, daily_cap=2)
    hold(session, offering, NINE)
    hold(session, offering, NINE + 2 * HOUR, holder="cart/2")

    with pytest.raises(SlotGone):
        hold(session, offering, NINE + 4 * HOUR, holder="cart/3")


def _archived(session: Session, offering: Offering) -> dict[str, Any]:
    offerings.archive(session, offering, now=NOON)
    return {}


def _withdrawn(session: Session, offering: Offering) -> dict[str, Any]:
    offerings.set_lengths(session, offering, {30: 15_000}, now=NOON)
    return {"length": next(one for one in offering.lengths if one.minutes == 60)}


def _of_another(session: Session, offering: Offering) -> dict[str, Any]:
    return {"length": an_offering(session, a_consultant(session, "Else Brandt"), title="Audit").lengths[0]}


def _stranger(session: Session, offering: Offering) -> dict[str, Any]:
    return {"consultant_ids": (a_consultant(session, "Else Brandt").id,)}


def _retired(session: Session, offering: Offering) -> dict[str, Any]:
    offering.consultants[0].active = False
    return {"consultant_ids": (offering.consultants[0].id,)}


def _dearer(session: Session, offering: Offering) -> dict[str, Any]:
    offerings.set_lengths(session, offering, {60: 30_000}, now=NOON)
    return {"price": Money(28_000, "USD")}


@pytest.mark.parametrize(
    ("prepare", "refusal", "says"),
    [
        (_archived, NotOffered, "This service cannot be booked at the moment."),
        (_withdrawn, BadInput, "This length is not offered. Please choose one of those that are shown."),
        (_of_another, BadInput, "This length is not offered. Please choose one of those that are shown."),
        (_stranger, BadInput, "This consultant does not give this service. Please choose another."),
        (_retired, BadInput, "This consultant does not give this service. Please choose another."),
        (_dearer, PriceChanged, "The price has changed meanwhile: it is $300.00 now, not $280.00. Please look again."),
        (NOON - DAY, BadInput, "This time has passed. Please choose a later one."),
        (NOON + 23 * HOUR, BadInput, "Please choose a time at least 24 hours ahead."),
        (NINE + 60 * DAY, BadInput, "Please choose a time within the next 60 days."),
        (NINE - HOUR, BadInput, "Nobody can meet you at this time. Please choose one of the times that are shown."),
        (NINE + MINUTE, BadInput, "Nobody can meet you at this time. Please choose one of the times that are shown."),
        (NINE + timedelta(microseconds=1), BadInput, "Nobody can meet you at this time. Please choose one of the times that are shown."),
        (NINE + 7.5 * HOUR, BadInput, "Nobody can meet you at this time. Please choose one of the times that are shown."),
        (NINE.replace(tzinfo=None), BadInput, "Please choose a time."),
        ({"zone": "Mars/Base"}, BadInput, "Please choose a time zone."),
    ],
)
def test_what_cannot_be_booked_is_refused_and_changes_nothing(session: Session, prepare: Any, refusal: type[Exception], says: str) -> None:
    offering = an_offering(session)
    given: dict[str, Any] = {}
    match prepare:
        case datetime():
            given = {"starts_at": prepare}
        case dict():
            given = prepare
        case _:
            given = prepare(session, offering)

    with pytest.raises(refusal) as refused:
        hold(session, offering, **given)

    assert plain(refused.value) == says
    assert rows(session) == (0, 0)


def test_a_draft_is_not_booked(session: Session) -> None:
    with pytest.raises(NotOffered):
        hold(session, an_offering(session, published=False))


def test_a_typed_start_is_read_on_the_clock_it_was_typed_for() -> None:
    assert booking.read_start("2027-03-03T09:00", CHICAGO) == NINE
    assert booking.read_start("2027-03-03T16:00+01:00", "Asia/Tokyo") == NINE
    with pytest.raises(NoSuchTime):
        booking.read_start("2027-03-14T02:30", CHICAGO)
    for typed, zone in (("tomorrow", CHICAGO), ("", CHICAGO), ("2027-03-03T09:00", "Mars/Base")):
        with pytest.raises(BadInput):
            booking.read_start(typed, zone)


def test_a_time_in_the_gap_of_the_spring_night_is_no_slot(session: Session) -> None:
    night = a_consultant(session, hours=[Stretch(6, time(0), time(6))])
    offering = an_offering(session, night, step=30)
    since = datetime(2027, 3, 14, 6, tzinfo=UTC)

    found = slots_of(session, offering, offering.lengths[0], since=since, until=since + 6 * HOUR, now=NOON)

    assert [(slot.starts_at - since) / HOUR for slot in found] == [number / 2 for number in range(9)]


def test_placing_the_order_keeps_the_slot_for_good(session: Session) -> None:
    offering = an_offering(session, buffer_after=15)
    held = hold(session, offering)

    for _ in range(2):
        booking.keep(session, [held], order_reference="order/7", client=ANNA, now=NOON + 5 * MINUTE)

    assert (held.held_until, held.order_reference, held.client_email) == (None, "order/7", ANNA.email)
    assert [kind for kind, *_ in claimed(session)] == ["appointment", "buffer"]
    assert booking.sweep_lapsed(session, now=NOON + DAY) == 0
    with pytest.raises(Conflict):
        booking.drop(session, held, now=NOON)
    with pytest.raises(Conflict):
        booking.keep(session, [held], order_reference="order/8", client=ANNA, now=NOON)


def test_what_was_lost_is_named_and_the_rest_goes_on_being_held(session: Session) -> None:
    offering = an_offering(session)
    lost, mine = hold(session, offering), hold(session, offering, NINE + HOUR, now=NOON + 10 * MINUTE)
    later = NOON + 21 * MINUTE
    hold(session, offering, NINE, holder="cart/2", now=later)

    with pytest.raises(SlotLapsed) as lapsed:
        booking.keep(session, [lost, mine], order_reference="order/7", client=ANNA, now=later)

    assert lapsed.value.appointments == [lost]
    assert plain(lapsed.value) == ("We could hold your time no longer: Policy review, 3 March 2027, 9:00 am CST. Please choose it again.")
    session.expire_all()
    assert mine.order_reference == "" and mine.held_until == NOON + 30 * MINUTE
    assert {kind for kind, *_ in claimed(session)} == {"hold"}


def test_a_hold_that_is_over_and_that_nobody_took_is_still_kept(session: Session) -> None:
    held = hold(session, an_offering(session))

    booking.keep(session, [held], order_reference="order/7", client=ANNA, now=NOON + 21 * MINUTE)

    assert held.order_reference == "order/7"


def test_a_lapsed_slot_is_held_again_while_nobody_has_it(session: Session) -> None:
    offering = an_offering(session)
    held = hold(session, offering)
    booking.sweep_lapsed(session, now=NOON + 20 * MINUTE)

    again = booking.hold_again(session, held, now=NOON + 25 * MINUTE)

    assert (again.state, again.held_until) == ("held", NOON + 45 * MINUTE)
    booking.drop(session, again, now=NOON + 25 * MINUTE)
    hold(session, offering, holder="cart/2", now=NOON + 25 * MINUTE)
    with pytest.raises(SlotGone):
        booking.hold_again(session, held, now=NOON + 26 * MINUTE)
    session.refresh(held)
    assert held.state == "cancelled"


def test_all_that_a_cart_holds_is_held_longer(session: Session) -> None:
    offering = an_offering(session)
    one, other = hold(session, offering), hold(session, offering, NINE + HOUR)

    kept = booking.extend_holds(session, "cart/1", NOON + 35 * MINUTE, now=NOON + 10 * MINUTE)
    at_most = booking.extend_holds(session, "cart/1", NOON + 5 * HOUR, now=NOON + 30 * MINUTE)

    assert kept == [one, other] == at_most
    assert one.held_until == NOON + HOUR
    assert booking.extend_holds(session, "cart/1", NOON + 5 * HOUR, now=NOON + HOUR) == []


def test_required_questions_are_answered_before_the_order(session: Session) -> None:
    offering = an_offering(session, questions=[Question("goal", "What would you like to decide?", required=True)])
    held = hold(session, offering)

    with pytest.raises(Unanswered) as open_ones:
        booking.keep(session, [held], order_reference="order/7", client=ANNA, now=NOON)
    booking.answer(session, held, {"goal": "Our policy"})
    booking.keep(session, [held], order_reference="order/7", client=ANNA, now=NOON)

    assert open_ones.value.labels == ["What would you like to decide?"]
    assert held.answers == [{"key": "goal", "label": "What would you like to decide?", "answer": "Our policy"}]


def test_a_request_keeps_its_slot_until_it_is_answered(session: Session) -> None:
    offering = an_offering(session, needs_approval=True)
    held = hold(session, offering)

    asked = booking.request(session, held, client=ANNA, now=NOON)
    booking.request(session, held, client=ANNA, now=NOON)

    assert (asked.state, asked.held_until, asked.client_name) == ("requested", None, "Anna Vestergren")
    assert booking.sweep_lapsed(session, now=NOON + DAY) == 0 and NINE not in free(session, offering)


def test_a_service_without_approval_takes_no_requests(session: Session) -> None:
    held = hold(session, an_offering(session))

    with pytest.raises(Conflict):
        booking.request(session, held, client=ANNA, now=NOON)


def test_leave_and_sessions_take_slots_away(session: Session) -> None:
    rosa = a_consultant(session)
    offering = an_offering(session, rosa)
    claims.take(session, "session/7", [Span(rosa.resource_id, NINE, NINE + HOUR, "session")], now=NOON)
    consultants.take_leave(session, rosa, starts_at=NINE + HOUR, ends_at=NINE + 4 * HOUR, now=NOON)
    claims.replace_busy(session, consultants.busy_holder(rosa), rosa.resource_id, [(NINE + 5 * HOUR, NINE + 6 * HOUR, "")], now=NOON)

    assert [(at - NINE) / HOUR for at in free(session, offering)] == [4, 6, 6.5, 7]
    assert NINE.date() == date(2027, 3, 3)


def test_of_eight_at_once_one_gets_the_slot_and_the_cap_holds(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        offering_id = an_offering(session, daily_cap=2).id

    def choose(session: Session, number: int) -> str:
        offering = session.get_one(Offering, offering_id)
        return hold(session, offering, NINE + (number % 4) * HOUR, holder=f"cart/{number}").reference

    got = rush.at_once(8, choose)

    with rush.work() as session:
        assert sum(isinstance(one, str) for one in got) == 2 == rows(session)[0]
    assert all(isinstance(one, (str, SlotGone)) for one in got)
