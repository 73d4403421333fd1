"""Accepting a proposal makes all of it, once, or nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from seminars.calendars.models import CalendarEntry
from seminars.catalog.models import Event
from seminars.catalog.speakers import SpeakerFacts
from seminars.catalog.speakers import create as introduce
from seminars.consulting.models import Appointment
from seminars.engagements import acceptance
from seminars.engagements.acceptance import SlotsGone
from seminars.engagements.drafting import LineFacts
from seminars.engagements.models import Engagement, Milestone, Proposal
from seminars.engagements.proposals import Answered
from seminars.kit.refusals import BadInput
from seminars.schedule import claims
from seminars.schedule.claims import Span
from tests import cluster as clusters
from tests.clock import NOON
from tests.factories import programme
from tests.factories.engagements import (
    ANNA,
    FIRST_DAY,
    SECOND_DAY,
    a_consultant,
    a_day,
    a_private_event,
    a_proposal,
    an_offering,
    claimed,
    letters_to,
    materials,
    two_parts,
)
from tests.factories.seats import LETTERHEAD, Rush

CLIENT = "anna.vestergren@quillhaven.example"


def accept(session: Session, proposal: Proposal, *, name: str = ANNA, po_number: str = "", now: datetime = NOON) -> Engagement:
    return acceptance.accept(session, proposal, name=name, address="192.0.2.7", po_number=po_number, letterhead=LETTERHEAD, now=now)


def rows(session: Session) -> list[int]:
    """How many engagements, milestones and appointments there are."""
    return [session.scalar(select(func.count()).select_from(kind)) or 0 for kind in (Engagement, Milestone, Appointment)]


def test_anna_accepts_and_everything_is_there(session: Session) -> None:
    proposal = a_proposal(session)
    ingrid = proposal.lines[0].consultant
    assert ingrid is not None

    engagement = accept(session, proposal, po_number="PO-4711")

    assert (proposal.state, proposal.answered_by, proposal.answered_from, proposal.po_number) == ("accepted", ANNA, "192.0.2.7", "PO-4711")
    assert (engagement.state, engagement.total, engagement.title) == ("active", 900_000, "Crisis readiness")
    assert [(part.title, part.amount, part.state) for part in engagement.milestones] == [
        ("Workshops held", 500_000, "planned"), ("Handbook delivered", 400_000, "planned"),
    ]  # fmt: skip
    made = [one.appointment for one in engagement.appointments]
    assert [(one.state, one.starts_at, one.minutes, one.client_name, one.place) for one in made] == [
        ("confirmed", FIRST_DAY, 480, ANNA, "Quillhaven Regional Hospital"),
        ("confirmed", SECOND_DAY, 480, ANNA, "Quillhaven Regional Hospital"),
    ]
    assert claimed(session, ingrid) == [
        (made[0].reference, "appointment", FIRST_DAY), (made[1].reference, "appointment", SECOND_DAY)
    ]  # fmt: skip
    assert letters_to(session, CLIENT) == ["engagements/proposal", "engagements/agreed", *["consulting/confirmed"] * 2]
    entries = session.scalars(select(CalendarEntry.holder).order_by(CalendarEntry.holder)).all()
    assert entries == sorted(holder for one in made for holder in (one.reference, f"{one.reference}:{ingrid.reference}")), (
        "one each, for each day"
    )
    assert letters_to(session, LETTERHEAD.center.email) == ["engagements/proposal_answered"]


def test_accepting_twice_says_who_has_accepted_and_makes_nothing(session: Session) -> None:
    proposal = a_proposal(session)
    accept(session, proposal)
    before = rows(session)

    with pytest.raises(Answered, match=r"Anna Vestergren has accepted this proposal already, on 1.March 2027, 12:00.pm.CST"):
        accept(session, proposal, name="Somebody Else")

    assert rows(session) == before and proposal.answered_by == ANNA


def test_one_slot_gone_leaves_everything_as_it_was_and_names_it(session: Session) -> None:
    proposal = a_proposal(session)
    ingrid = proposal.lines[0].consultant
    assert ingrid is not None
    claims.take(
        session, "session/7", [Span(ingrid.resource_id, SECOND_DAY, SECOND_DAY + timedelta(hours=1), "session", "Residency")], now=NOON
    )

    with pytest.raises(SlotsGone) as refused:
        accept(session, proposal)

    assert [one.replace("\u00a0", " ") for one in refused.value.gone] == ["Ingrid Malmstedt, Wednesday 5 May 2027, 9:00 am to 5:00 pm CDT"]
    assert "Residency" not in str(refused.value), "who has it is for staff"
    session.expire_all()
    assert (proposal.state, proposal.answered_by, rows(session)) == ("sent", "", [0, 0, 0])
    assert claimed(session, ingrid) == [("session/7", "session", SECOND_DAY)]
    assert letters_to(session, CLIENT) == ["engagements/proposal"]


def test_half_open_days_that_only_touch_are_both_taken(session: Session) -> None:
    ingrid = a_consultant(session)
    proposal = a_proposal(session, a_day(ingrid, an_offering(session, ingrid)))
    until = FIRST_DAY + timedelta(hours=8)
    claims.take(session, "session/7", [Span(ingrid.resource_id, until, until + timedelta(hours=1), "session")], now=NOON)

    accept(session, proposal)

    assert len(claimed(session, ingrid)) == 2


def test_a_day_that_has_passed_is_gone(session: Session) -> None:
    proposal = a_proposal(session, valid_until=FIRST_DAY + timedelta(days=60))

    with pytest.raises(SlotsGone, match=r"Tuesday 4.May 2027, 9:00.am to 5:00.pm.CDT has passed"):
        accept(session, proposal, now=FIRST_DAY)

    assert rows(session) == [0, 0, 0]


def test_without_a_name_nothing_is_accepted(session: Session) -> None:
    proposal = a_proposal(session)

    with pytest.raises(BadInput):
        accept(session, proposal, name=" ")

    session.refresh(proposal)
    assert (proposal.state, rows(session)) == ("sent", [0, 0, 0])


def a_line(event: Event, row: int = 1) -> LineFacts:
    return LineFacts(row=row, kind="event", description="A residency of your own", quantity=Decimal(1), unit_price=900_000, event=event)


def test_a_private_event_is_published_unlisted_and_takes_its_teachers_time(session: Session) -> None:
    event = a_private_event(session, programme.an_event(session, venue=programme.a_venue(session)))
    sunniva = introduce(session, SpeakerFacts(name="Sunniva Aker"))
    event.speakers = [sunniva]
    proposal = a_proposal(session, a_line(event), milestones=two_parts())

    engagement = accept(session, proposal)

    assert [one.event for one in engagement.events] == [event]
    assert (event.state, event.listed) == ("published", False)
    [(holder, kind)] = session.execute(
        text("SELECT holder, kind FROM time_claims WHERE resource_id = :id"), {"id": sunniva.resource_id}
    ).all()
    assert (holder, kind) == (f"session/{event.sessions[0].id}", "session")


def test_a_teacher_who_is_taken_meanwhile_undoes_the_days_as_well(session: Session) -> None:
    ingrid = a_consultant(session)
    event = a_private_event(session, programme.an_event(session, venue=programme.a_venue(session)))
    sunniva = introduce(session, SpeakerFacts(name="Sunniva Aker"))
    event.speakers = [sunniva]
    proposal = a_proposal(session, a_day(ingrid, an_offering(session, ingrid)), a_line(event, 2))
    starts = event.sessions[0].starts_at
    claims.take(session, "leave/1", [Span(sunniva.resource_id, starts, starts + timedelta(hours=1), "leave")], now=NOON)

    with pytest.raises(SlotsGone, match="the event «Social Media Residency»"):
        accept(session, proposal)

    session.expire_all()
    assert (event.state, rows(session), claimed(session, ingrid)) == ("draft", [0, 0, 0], [])


def test_an_event_belongs_to_one_engagement(session: Session) -> None:
    event = a_private_event(session, programme.an_event(session, venue=programme.a_venue(session)))
    first, second = a_proposal(session, a_line(event)), a_proposal(session, a_line(event))
    accept(session, first)

    with pytest.raises(SlotsGone):
        accept(session, second)

    assert rows(session)[0] == 1


def test_the_same_person_teaching_and_advising_at_once_is_refused(session: Session) -> None:
    ingrid = a_consultant(session)
    event = a_private_event(session, programme.an_event(session, starts=FIRST_DAY + timedelta(hours=1), venue=programme.a_venue(session)))
    event.speakers = [introduce(session, SpeakerFacts(name="Ingrid Malmstedt"), resource=ingrid.resource)]
    proposal = a_proposal(session, a_day(ingrid, an_offering(session, ingrid)), a_line(event, 2))

    with pytest.raises(SlotsGone):
        accept(session, proposal)

    assert claimed(session, ingrid) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE milestones SET amount = amount + 1 WHERE position = 1",
        "DELETE FROM milestones WHERE position = 2",
        "UPDATE engagements SET total = total - 1",
    ],
)
def test_the_database_holds_the_milestones_to_the_quote(session: Session, change: str) -> None:
    accept(session, a_proposal(session))

    with pytest.raises(DBAPIError, match="its quote is"), session.begin_nested():
        session.execute(text(change))
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_milestones_may_be_cut_anew_when_they_make_the_same_sum(session: Session) -> None:
    accept(session, a_proposal(session))

    session.execute(text("UPDATE milestones SET amount = amount + CASE position WHEN 1 THEN 5 ELSE -5 END"))

    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_two_presses_at_once_make_one_engagement(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        proposal_id = a_proposal(session).id

    got = rush.at_once(6, lambda session, number: accept(session, session.get_one(Proposal, proposal_id), name=f"Anna {number}"))

    assert [type(one) for one in got].count(Engagement) == 1 and [type(one) for one in got].count(Answered) == 5
    with rush.work() as session:
        assert rows(session) == [1, 2, 2]


def test_two_proposals_for_one_day_make_one_engagement(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        ingrid = a_consultant(session)
        offering = an_offering(session, ingrid)
        wanted = [a_proposal(session, a_day(ingrid, offering), materials(row=2)).id for _ in range(4)]

    got = rush.at_once(4, lambda session, number: accept(session, session.get_one(Proposal, wanted[number])))

    assert sorted(type(one).__name__ for one in got) == ["Engagement", "SlotsGone", "SlotsGone", "SlotsGone"]
    with rush.work() as session:
        assert rows(session)[0::2] == [1, 1]
        assert session.scalar(text("SELECT count(*) FROM time_claims")) == 1
