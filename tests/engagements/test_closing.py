"""An engagement is called off: days go back, what was accepted stays, the rest is never billed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seminars.calendars.models import CalendarEntry
from seminars.engagements import acceptance, closing, milestones
from seminars.engagements.models import Engagement
from seminars.kit.refusals import BadInput, Conflict
from seminars.orders.models import Order
from tests.clock import NOON
from tests.factories.engagements import ANNA, FIRST_DAY, SECOND_DAY, a_proposal, claimed, letters_to
from tests.factories.seats import LETTERHEAD


def an_engagement(session: Session) -> Engagement:
    return acceptance.accept(session, a_proposal(session), name=ANNA, address="", letterhead=LETTERHEAD, now=NOON)


def cancel(session: Session, engagement: Engagement, reason: str = "The budget is frozen.", now=NOON):
    return closing.cancel(session, engagement, reason=reason, letterhead=LETTERHEAD, now=now)


def test_days_to_come_are_given_back_and_everybody_is_told(session: Session) -> None:
    engagement = an_engagement(session)
    ingrid = engagement.appointments[0].appointment.consultants[0]

    cancel(session, engagement)

    assert (engagement.state, engagement.closed_at, claimed(session, ingrid)) == ("cancelled", NOON, [])
    assert {one.appointment.state for one in engagement.appointments} == {"cancelled"}
    assert letters_to(session, "anna.vestergren@quillhaven.example").count("engagements/cancelled") == 1
    assert set(session.scalars(select(CalendarEntry.state))) == {"cancelled"}


def test_a_day_that_was_held_stays_held(session: Session) -> None:
    engagement = an_engagement(session)
    ingrid = engagement.appointments[0].appointment.consultants[0]

    given_back = cancel(session, engagement, now=FIRST_DAY + timedelta(hours=9))

    assert [one.starts_at for one in given_back] == [SECOND_DAY]
    assert [starts for _, _, starts in claimed(session, ingrid)] == [FIRST_DAY]


def test_no_part_of_it_can_be_submitted_or_accepted_any_more(session: Session) -> None:
    engagement = an_engagement(session)
    part = milestones.submit(session, engagement.milestones[0], note="", letterhead=LETTERHEAD, now=NOON)
    cancel(session, engagement)

    with pytest.raises(Conflict, match="cancelled"):
        milestones.accept(session, part, name=ANNA, address="", letterhead=LETTERHEAD, now=NOON)
    with pytest.raises(Conflict, match="cancelled"):
        milestones.submit(session, engagement.milestones[1], note="", letterhead=LETTERHEAD, now=NOON)
    assert session.scalar(select(func.count()).select_from(Order)) == 0


def test_without_a_reason_and_twice_it_is_refused(session: Session) -> None:
    engagement = an_engagement(session)

    with pytest.raises(BadInput):
        cancel(session, engagement, reason=" ")
    assert engagement.state == "active"

    cancel(session, engagement)
    with pytest.raises(Conflict, match="cancelled"):
        cancel(session, engagement)
