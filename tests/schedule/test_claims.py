"""Nobody is in two places: who takes time, who gives it back, and who is told that somebody was there first."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seminars.audit.models import AuditEntry
from seminars.schedule import claims, queries
from seminars.schedule.claims import CLAIMS, Clash, Span, Taken
from seminars.schedule.models import Resource
from tests import cluster as clusters
from tests.factories.seats import Rush

NOON = datetime(2027, 3, 1, 18, 0, tzinfo=UTC)
NINE = datetime(2027, 3, 8, 15, 0, tzinfo=UTC)
"""Nine in Rochester, on the last Monday before its clocks go forward."""
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def somebody(session: Session, name: str = "Ingrid Malmstedt") -> int:
    resource = Resource(kind="person", name=name)
    session.add(resource)
    session.flush()
    return resource.id


def at(resource_id: int, hours: float = 0, *, long: float = 1, kind: str = "appointment", label: str = "") -> Span:
    starts = NINE + hours * HOUR
    return Span(resource_id, starts, starts + long * HOUR, kind, label)


def held(session: Session) -> list[tuple[str, str, float]]:
    """Who holds what, from how many hours after nine."""
    found = session.execute(select(CLAIMS.c.holder, CLAIMS.c.kind, CLAIMS.c.starts_at).order_by(CLAIMS.c.starts_at, CLAIMS.c.holder))
    return [(row.holder, row.kind, (row.starts_at - NINE) / HOUR) for row in found]


def test_nine_to_ten_and_ten_to_eleven_do_not_clash(session: Session) -> None:
    ingrid = somebody(session)

    claims.take(session, "appointment/1", [at(ingrid, 0)], now=NOON)
    claims.take(session, "appointment/2", [at(ingrid, 1)], now=NOON)

    assert held(session) == [("appointment/1", "appointment", 0), ("appointment/2", "appointment", 1)]


def test_one_minute_in_common_is_refused_and_says_who_was_there(session: Session) -> None:
    ingrid = somebody(session)
    claims.take(session, "session/7", [at(ingrid, 0, kind="session", label="Residency: Day 1")], now=NOON)

    with pytest.raises(Taken, match="just taken") as refusal:
        claims.take(session, "appointment/2", [at(ingrid, 1 - 1 / 60)], now=NOON)

    assert refusal.value.clashes == [Clash("Ingrid Malmstedt", "session", "session/7", NINE, NINE + HOUR, "Residency: Day 1")]
    assert refusal.value.clashes[0].sentence("America/Chicago").replace("\xa0", " ") == (
        "Ingrid Malmstedt is taken by Residency: Day 1: Monday 8 March 2027, 9:00 to 10:00 am CST."
    )
    assert held(session) == [("session/7", "session", 0)]


def test_two_people_may_be_taken_at_one_time(session: Session) -> None:
    ingrid, samir = somebody(session), somebody(session, "Samir Belhadj")

    claims.take(session, "appointment/1", [at(ingrid)], now=NOON)
    claims.take(session, "appointment/2", [at(samir)], now=NOON)

    assert len(held(session)) == 2


def test_a_meeting_of_two_is_taken_with_both_or_not_at_all(session: Session) -> None:
    ingrid, samir = somebody(session), somebody(session, "Samir Belhadj")
    claims.take(session, "appointment/1", [at(samir)], now=NOON)

    with pytest.raises(Taken):
        claims.take(session, "appointment/2", [at(ingrid), at(samir)], now=NOON)

    assert held(session) == [("appointment/1", "appointment", 0)]


def test_a_hold_stands_until_it_lapses_and_then_gives_way(session: Session) -> None:
    ingrid = somebody(session)
    claims.take(session, "appointment/1", [at(ingrid, kind="hold")], lapses_at=NOON + 20 * MINUTE, now=NOON)

    with pytest.raises(Taken):
        claims.take(session, "appointment/2", [at(ingrid, kind="hold")], now=NOON + 19 * MINUTE)
    claims.take(session, "appointment/2", [at(ingrid, kind="hold")], lapses_at=NOON + HOUR, now=NOON + 20 * MINUTE)

    assert held(session) == [("appointment/2", "hold", 0)]
    assert claims.keep(session, ["appointment/1"], kind="appointment") == set()


def test_a_lapsed_hold_of_two_people_goes_as_a_whole(session: Session) -> None:
    ingrid, samir = somebody(session), somebody(session, "Samir Belhadj")
    claims.take(session, "appointment/1", [at(ingrid, kind="hold"), at(samir, kind="hold")], lapses_at=NOON + MINUTE, now=NOON)

    claims.take(session, "appointment/2", [at(ingrid, kind="hold")], lapses_at=NOON + HOUR, now=NOON + MINUTE)

    assert held(session) == [("appointment/2", "hold", 0)]
    assert claims.keep(session, ["appointment/1", "appointment/2"], kind="appointment") == {"appointment/2"}


def test_a_hold_that_is_over_is_kept_while_nobody_took_its_time(session: Session) -> None:
    ingrid = somebody(session)
    spans = [at(ingrid, -0.25, long=0.25, kind="buffer"), at(ingrid, kind="hold")]
    claims.take(session, "appointment/1", spans, lapses_at=NOON + MINUTE, now=NOON)

    kept = claims.keep(session, ["appointment/1"], kind="appointment")

    assert kept == {"appointment/1"}
    assert held(session) == [("appointment/1", "buffer", -0.25), ("appointment/1", "appointment", 0)]
    assert claims.sweep_lapsed(session, now=NOON + HOUR) == set()


def test_a_hold_can_be_given_more_time(session: Session) -> None:
    ingrid = somebody(session)
    claims.take(session, "appointment/1", [at(ingrid, kind="hold")], lapses_at=NOON + MINUTE, now=NOON)

    later = claims.hold_until(session, ["appointment/1", "appointment/9"], NOON + HOUR)

    assert later == {"appointment/1"}
    with pytest.raises(Taken):
        claims.take(session, "appointment/2", [at(ingrid)], now=NOON + 2 * MINUTE)


def test_sweeping_drops_what_lapsed_and_nothing_else(session: Session) -> None:
    ingrid = somebody(session)
    claims.take(session, "appointment/1", [at(ingrid, 0, kind="hold")], lapses_at=NOON + MINUTE, now=NOON)
    claims.take(session, "appointment/2", [at(ingrid, 1, kind="hold")], lapses_at=NOON + HOUR, now=NOON)
    claims.take(session, "session/7", [at(ingrid, 2, kind="session")], now=NOON)

    assert claims.sweep_lapsed(session, now=NOON + MINUTE) == {"appointment/1"}
    assert held(session) == [("appointment/2", "hold", 1), ("session/7", "session", 2)]


def test_what_is_given_back_can_be_taken(session: Session) -> None:
    ingrid = somebody(session)
    claims.take(session, "appointment/1", [at(ingrid)], now=NOON)

    assert claims.release(session, ["appointment/1"]) == 1
    claims.take(session, "appointment/2", [at(ingrid)], now=NOON)

    assert claims.release(session, []) == 0


def test_two_sessions_swap_their_times_in_one_go(session: Session) -> None:
    ingrid = somebody(session)
    claims.take_all(session, {"session/1": [at(ingrid, 0, kind="session")], "session/2": [at(ingrid, 1, kind="session")]}, now=NOON)

    swapped = {"session/1": [at(ingrid, 1, kind="session")], "session/2": [at(ingrid, 0, kind="session")]}
    claims.take_all(session, swapped, instead_of=["session/1", "session/2"], now=NOON)

    assert held(session) == [("session/2", "session", 0), ("session/1", "session", 1)]


def test_a_move_that_is_refused_leaves_what_was_there(session: Session) -> None:
    ingrid = somebody(session)
    claims.take(session, "appointment/1", [at(ingrid, 0)], now=NOON)
    claims.take(session, "appointment/2", [at(ingrid, 3)], now=NOON)

    with pytest.raises(Taken):
        claims.take(session, "appointment/1", [at(ingrid, 2.5)], instead_of=["appointment/1"], now=NOON)

    assert held(session) == [("appointment/1", "appointment", 0), ("appointment/2", "appointment", 3)]


def test_a_request_that_wants_one_time_twice_is_refused(session: Session) -> None:
    ingrid = somebody(session)
    wanted = {"session/1": [at(ingrid, 0, long=8, kind="session")], "session/2": [at(ingrid, 1, kind="session"), at(ingrid, 3)]}

    with pytest.raises(Taken) as refusal:
        claims.take_all(session, wanted, now=NOON)

    assert [(clash.holder, clash.resource) for clash in refusal.value.clashes] == [("session/1", "Ingrid Malmstedt")]
    assert held(session) == []


def test_leave_over_a_meeting_is_refused_with_the_meeting(session: Session) -> None:
    ingrid = somebody(session)
    claims.take(session, "appointment/3", [at(ingrid, 30, label="Strategy session")], now=NOON)

    with pytest.raises(Taken) as refusal:
        claims.take(session, "consultant/5", [at(ingrid, 0, long=72, kind="leave")], now=NOON)

    assert [(clash.kind, clash.holder, clash.label) for clash in refusal.value.clashes] == [
        ("appointment", "appointment/3", "Strategy session")
    ]


def test_what_staff_lay_over_another_passes_is_audited_and_is_seen_by_who_looks_for_free_time(session: Session) -> None:
    ingrid = somebody(session)
    claims.take(session, "session/7", [at(ingrid, 0, long=8, kind="session", label="Residency")], now=NOON)

    claims.take(session, "appointment/2", [at(ingrid, 1), at(ingrid, 9)], override_reason="Samir stands in", now=NOON)

    seen = queries.taken(session, [ingrid], NINE, NINE + 24 * HOUR, now=NOON)
    assert [(busy.holder, busy.override_reason) for busy in seen] == [
        ("session/7", ""), ("appointment/2", "Samir stands in"), ("appointment/2", ""),
    ]  # fmt: skip
    with pytest.raises(Taken):
        claims.take(session, "appointment/4", [at(ingrid, 1)], now=NOON)
    noted = session.scalars(select(AuditEntry).where(AuditEntry.action == claims.OVERRIDDEN)).one()
    assert (noted.subject, noted.after) == (
        "appointment/2", {"reason": "Samir stands in", "over": ["Ingrid Malmstedt: Residency (session/7)"]},
    )  # fmt: skip


def test_who_is_free_meanwhile_stays_guarded_when_another_is_laid_over(session: Session) -> None:
    ingrid, samir = somebody(session), somebody(session, "Samir Belhadj")
    claims.take(session, "session/7", [at(ingrid, kind="session")], now=NOON)

    claims.take(session, "appointment/2", [at(ingrid), at(samir)], override_reason="It is short", now=NOON)

    reasons = session.execute(select(CLAIMS.c.resource_id, CLAIMS.c.override_reason).where(CLAIMS.c.holder == "appointment/2")).all()
    assert {tuple(row) for row in reasons} == {(ingrid, "It is short"), (samir, "")}


def test_a_time_laid_over_another_keeps_its_reason_until_nothing_is_in_the_way(session: Session) -> None:
    ingrid = somebody(session)
    claims.take(session, "session/7", [at(ingrid, kind="session")], now=NOON)
    claims.take(session, "session/8", [at(ingrid, kind="session")], override_reason="They share", now=NOON)

    claims.take(session, "session/8", [at(ingrid, kind="session")], instead_of=["session/8"], now=NOON)
    before = [one.reason for one in queries.overridden(session, ["session/8"])]
    claims.release(session, ["session/7"])
    claims.take(session, "session/8", [at(ingrid, kind="session")], instead_of=["session/8"], now=NOON)

    assert before == ["They share"]
    assert queries.overridden(session, ["session/8"]) == []
    assert session.scalar(select(func.count()).where(AuditEntry.action == claims.OVERRIDDEN)) == 1


def test_the_database_refuses_an_overlap_that_our_code_never_saw(session: Session) -> None:
    ingrid = somebody(session)
    claims.take(session, "session/7", [at(ingrid, kind="session")], now=NOON)
    row = {"resource_id": ingrid, "kind": "leave", "holder": "consultant/1", "starts_at": NINE + 59 * MINUTE,
           "ends_at": NINE + 2 * HOUR, "label": "", "override_reason": "", "created_at": NOON}  # fmt: skip

    with pytest.raises(IntegrityError, match="ex_time_claims_one_at_a_time"), session.begin_nested():
        session.execute(insert(CLAIMS), [row])
    session.execute(insert(CLAIMS), [row | {"starts_at": NINE + HOUR}])

    assert held(session) == [("session/7", "session", 0), ("consultant/1", "leave", 1)]


def test_what_a_calendar_of_their_own_says_lies_over_anything_but_nothing_is_put_over_it(session: Session) -> None:
    ingrid = somebody(session)
    claims.take(session, "session/7", [at(ingrid, kind="session")], now=NOON)

    claims.replace_busy(session, "busy/consultant/1", ingrid, [(NINE, NINE + 3 * HOUR, "Clinic")], now=NOON)

    with pytest.raises(Taken):
        claims.take(session, "appointment/2", [at(ingrid, 2)], now=NOON)
    assert claims.replace_busy(session, "busy/consultant/1", ingrid, [(NINE, NINE + 2 * HOUR, "Clinic")], now=NOON) == 1
    claims.take(session, "appointment/2", [at(ingrid, 2)], now=NOON)


def test_on_the_night_when_clocks_go_back_the_two_hours_of_one_name_are_two_hours(session: Session) -> None:
    ingrid = somebody(session)
    first, second = datetime(2027, 11, 7, 6, tzinfo=UTC), datetime(2027, 11, 7, 7, tzinfo=UTC)  # both 1 am in Rochester

    claims.take(session, "appointment/1", [Span(ingrid, first, second, "appointment")], now=NOON)
    claims.take(session, "appointment/2", [Span(ingrid, second, second + HOUR, "appointment")], now=NOON)

    seen = queries.taken(session, [ingrid], first, second + HOUR, now=NOON)
    assert [one.holder for one in seen] == ["appointment/1", "appointment/2"]


def test_of_many_who_want_one_time_at_once_one_has_it_and_the_others_are_told(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        ingrid = somebody(session)

    answers = rush.at_once(
        12, lambda session, number: claims.take(session, f"appointment/{number}", [at(ingrid, number / 24)], now=NOON) or number
    )

    had = [answer for answer in answers if not isinstance(answer, Taken)]
    assert len(had) == 1
    with rush.work() as session:
        assert [holder for holder, _, _ in held(session)] == [f"appointment/{had[0]}"]
    assert all(answer.clashes[0].holder == f"appointment/{had[0]}" for answer in answers if isinstance(answer, Taken))


def test_people_who_want_two_in_opposite_order_do_not_wait_in_a_circle(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        both = [somebody(session), somebody(session, "Samir Belhadj")]

    def meet(session: Session, number: int) -> str:
        order = both if number % 2 else both[::-1]
        claims.take(session, f"appointment/{number}", [at(one, number) for one in order], now=NOON)
        session.commit()
        claims.take(
            session, f"appointment/{number}", [at(one, number + 20) for one in order], instead_of=[f"appointment/{number}"], now=NOON
        )
        return "done"

    assert rush.at_once(10, meet) == ["done"] * 10


def test_keeping_and_taking_a_hold_that_is_over_at_once_gives_it_to_one(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        ingrid, samir = somebody(session), somebody(session, "Samir Belhadj")
        spans = [at(ingrid, kind="hold"), at(samir, kind="hold")]
        claims.take(session, "appointment/1", spans, lapses_at=NOON + MINUTE, now=NOON)

    def act(session: Session, number: int) -> object:
        match number:
            case 0:
                return claims.keep(session, ["appointment/1"], kind="appointment")
            case 1:
                return claims.sweep_lapsed(session, now=NOON + MINUTE)
            case _:
                claims.take(session, f"appointment/{number}", [at(ingrid if number % 2 else samir)], now=NOON + MINUTE)
                return number

    kept, swept, *_ = rush.at_once(8, act)

    with rush.work() as session:
        mine = [one for one in held(session) if one[0] == "appointment/1"]
        overlaps = session.scalar(text(
            "SELECT count(*) FROM time_claims a JOIN time_claims b ON a.resource_id = b.resource_id AND a.id < b.id"
            " AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)"
        ))  # fmt: skip
    assert overlaps == 0
    assert len(mine) == (2 if kept else 0)
    assert not (kept and swept)
