"""A part of the work is submitted, accepted, earned and billed, once."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seminars.engagements import acceptance, milestones
from seminars.engagements.models import Engagement, Milestone
from seminars.invoices.models import Invoice
from seminars.kit.refusals import BadInput, Conflict
from seminars.ledger import chart, periods
from seminars.messages.models import Message
from seminars.orders.models import Order
from tests import cluster as clusters
from tests.clock import NOON
from tests.factories.engagements import ANNA, a_proposal, booked, letters_to
from tests.factories.seats import LETTERHEAD, Rush

CLIENT = "anna.vestergren@quillhaven.example"


def an_engagement(session: Session) -> Engagement:
    proposal = a_proposal(session)
    return acceptance.accept(session, proposal, name=ANNA, address="192.0.2.7", letterhead=LETTERHEAD, now=NOON)


def submit(session: Session, milestone: Milestone, note: str = "") -> Milestone:
    return milestones.submit(session, milestone, note=note, letterhead=LETTERHEAD, now=NOON)


def accept(session: Session, milestone: Milestone, name: str = ANNA) -> Order:
    return milestones.accept(session, milestone, name=name, address="192.0.2.7", letterhead=LETTERHEAD, now=NOON)


def test_submitting_asks_the_client_to_look(session: Session) -> None:
    first = an_engagement(session).milestones[0]

    submit(session, first, "Slides and notes are among the documents.")

    letter = session.scalars(select(Message).where(Message.kind == "engagements/milestone_submitted")).one()
    assert (first.state, first.submitted_at, letter.recipient) == ("submitted", NOON, CLIENT)
    assert letter.facts["note"] == "Slides and notes are among the documents."
    with pytest.raises(Conflict, match="submitted already"):
        submit(session, first)


def test_accepting_earns_bills_and_tells_how_to_pay(session: Session) -> None:
    first = submit(session, an_engagement(session).milestones[0])

    order = accept(session, first)

    assert (first.state, first.accepted_by, first.accepted_from, first.order) == ("accepted", ANNA, "192.0.2.7", order)
    assert [(line.subject, line.description, line.net) for line in order.lines] == [
        (first.reference, "Crisis readiness: Workshops held", 500_000)
    ]
    assert (order.state, order.total, order.buyer_email, order.organisation) == ("placed", 500_000, CLIENT, "Quillhaven Regional Hospital")
    assert booked(session, "accept") == [
        (first.reference, [
            (chart.UNBILLED_SERVICES, 500_000, first.reference), (chart.CONSULTING_REVENUE, -500_000, first.reference),
        ])
    ]  # fmt: skip
    invoice = session.scalars(select(Invoice)).one()
    assert (invoice.order_id, invoice.total, invoice.state) == (order.id, 500_000, "issued")
    assert letters_to(session, CLIENT)[-1] == "engagements/milestone_accepted"


def test_what_was_earned_and_billed_is_owed_and_no_longer_unbilled(session: Session) -> None:
    accept(session, submit(session, an_engagement(session).milestones[0]))

    def sum_of(account: int) -> int:
        return sum(
            amount for _, lines in [*booked(session, "accept"), *booked(session, "invoice")] for one, amount, _ in lines if one == account
        )

    assert (sum_of(chart.UNBILLED_SERVICES), sum_of(chart.RECEIVABLE), sum_of(chart.CONSULTING_REVENUE)) == (0, 500_000, -500_000)


def test_pressed_again_nothing_more_is_billed(session: Session) -> None:
    first = submit(session, an_engagement(session).milestones[0])
    accept(session, first)

    with pytest.raises(Conflict, match=r"Anna Vestergren has accepted «Workshops held» already, on 1.March 2027"):
        accept(session, first, "Somebody Else")

    assert session.scalar(select(func.count()).select_from(Order)) == 1


def test_what_is_not_submitted_cannot_be_accepted(session: Session) -> None:
    first = an_engagement(session).milestones[0]

    with pytest.raises(Conflict, match="still working on «Workshops held»"):
        accept(session, first)

    milestones.take_back(session, submit(session, first))
    with pytest.raises(Conflict):
        accept(session, first)
    assert session.scalar(select(func.count()).select_from(Order)) == 0


def test_without_a_name_nothing_is_earned(session: Session) -> None:
    first = submit(session, an_engagement(session).milestones[0])

    with pytest.raises(BadInput):
        accept(session, first, "")

    assert (first.state, booked(session, "accept")) == ("submitted", [])


def test_an_accepted_part_is_not_taken_back(session: Session) -> None:
    first = submit(session, an_engagement(session).milestones[0])
    accept(session, first)

    with pytest.raises(Conflict, match="accepted"):
        milestones.take_back(session, first)


def test_the_last_part_completes_the_engagement_and_all_parts_are_the_quote(session: Session) -> None:
    engagement = an_engagement(session)

    for part in engagement.milestones:
        assert engagement.state == "active"
        accept(session, submit(session, part))

    assert (engagement.state, engagement.closed_at) == ("completed", NOON)
    assert session.scalar(select(func.sum(Order.total))) == engagement.total


def test_in_a_closed_month_it_is_booked_in_the_next(session: Session) -> None:
    first = submit(session, an_engagement(session).milestones[0])
    periods.close(session, NOON.date(), now=NOON)

    accept(session, first)

    assert len(booked(session, "accept")) == 1


def test_two_presses_at_once_bill_once(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        engagement = an_engagement(session)
        parts = [submit(session, part).id for part in engagement.milestones]

    got = rush.at_once(6, lambda session, number: accept(session, session.get_one(Milestone, parts[number % 2])))

    assert sorted(type(one).__name__ for one in got) == ["Conflict"] * 4 + ["Order"] * 2
    with rush.work() as session:
        assert session.scalar(select(func.sum(Order.total))) == 900_000
        assert session.scalars(select(Engagement.state)).one() == "completed"
