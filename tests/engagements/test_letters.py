"""Every letter about larger work can be read, in text and in HTML, and says what it is about."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from seminars.engagements import acceptance, letters, milestones, proposals, retainers, timesheets
from seminars.engagements.models import Milestone, Proposal
from seminars.engagements.timesheets import Work
from seminars.messages.models import Message
from seminars.messages.render import Posted, Press, Words
from tests.clock import NOON
from tests.factories.engagements import ANNA, a_consultant, a_proposal, a_retainer, an_active_retainer, materials
from tests.factories.seats import LETTERHEAD

PRESS = Press(LETTERHEAD, "a secret of this test")
CLIENT = "anna.vestergren@quillhaven.example"


def words(session: Session, kind: str) -> Words:
    """The one letter of that kind, in words, with plain spaces."""
    message = session.scalars(select(Message).where(Message.kind == kind)).one()
    told = PRESS.words(message.kind, message.facts, message.recipient_name)
    return Words(*(part.replace("\u00a0", " ") for part in (told.subject, told.text, told.html)))


def posted(message: Message) -> Posted:
    return Posted(
        id=message.id, key=message.key, kind=message.kind, recipient=message.recipient, recipient_name=message.recipient_name,
        facts=message.facts, references=tuple(message.references),
    )  # fmt: skip


def test_the_proposal_says_what_it_costs_until_when_and_where_it_is_answered(session: Session) -> None:
    proposal = a_proposal(session)

    told = words(session, letters.PROPOSAL)

    assert told.subject == "Proposal: Crisis readiness"
    for reading in (told.text, told.html):
        for part in ("$9,000.00", "31 March 2027, 1:00 pm CDT", f"/proposals/{proposal.secret}", "attached as a PDF"):
            assert part in reading


def test_a_proposal_that_was_answered_or_replaced_is_not_sent_any_more(session: Session) -> None:
    proposal = a_proposal(session)
    message = session.scalars(select(Message)).one()
    assert list(letters.still_open(session, [posted(message)])) == [message.id]

    session.execute(update(Proposal).where(Proposal.id == proposal.id).values(state="superseded"))

    assert list(letters.still_open(session, [posted(message)])) == []


def test_yes_and_no_are_told_to_the_center(session: Session) -> None:
    proposal = a_proposal(session)
    proposals.decline(session, proposal, name=ANNA, note="Too early for us.", address="192.0.2.7", letterhead=LETTERHEAD, now=NOON)

    told = words(session, letters.ANSWERED)

    assert told.subject == f"{proposal.number} declined: Crisis readiness"
    for reading in (told.text, told.html):
        assert "Too early for us." in reading and f"/staff/proposals/{proposal.id}" in reading


def test_what_was_agreed_names_days_parts_and_the_page(session: Session) -> None:
    engagement = acceptance.accept(session, a_proposal(session), name=ANNA, address="", letterhead=LETTERHEAD, now=NOON)

    told = words(session, letters.AGREED)

    for reading in (told.text, told.html):
        for part in ("Tuesday 4 May 2027, 9:00 am to 5:00 pm CDT", "Workshops held: $5,000.00", f"/engagements/{engagement.secret}"):
            assert part in reading


def test_a_day_that_is_taken_is_told_to_the_center(session: Session) -> None:
    proposal = a_proposal(session, materials())
    letter = letters.slots_gone(proposal, ["Ingrid Malmstedt, Tuesday"], letterhead=LETTERHEAD)

    told = PRESS.words(letter.kind, letter.facts, letter.name)

    assert "Ingrid Malmstedt, Tuesday" in told.text and "Ingrid Malmstedt, Tuesday" in told.html
    assert letter.to == LETTERHEAD.center.email


def test_a_submitted_part_asks_to_look_and_a_taken_back_one_no_more(session: Session) -> None:
    engagement = acceptance.accept(session, a_proposal(session), name=ANNA, address="", letterhead=LETTERHEAD, now=NOON)
    part = milestones.submit(session, engagement.milestones[0], note="Slides are shared.", letterhead=LETTERHEAD, now=NOON)

    told = words(session, letters.SUBMITTED)
    message = session.scalars(select(Message).where(Message.kind == letters.SUBMITTED)).one()

    for reading in (told.text, told.html):
        assert "Slides are shared." in reading and "$5,000.00" in reading and f"/engagements/{engagement.secret}" in reading
    assert list(letters.still_submitted(session, [posted(message)])) == [message.id]
    session.execute(update(Milestone).where(Milestone.id == part.id).values(state="planned"))
    assert list(letters.still_submitted(session, [posted(message)])) == []


def test_an_accepted_part_says_who_accepted_it_and_where_to_pay(session: Session) -> None:
    engagement = acceptance.accept(session, a_proposal(session), name=ANNA, address="", letterhead=LETTERHEAD, now=NOON)
    part = milestones.submit(session, engagement.milestones[0], note="", letterhead=LETTERHEAD, now=NOON)
    order = milestones.accept(session, part, name=ANNA, address="192.0.2.7", letterhead=LETTERHEAD, now=NOON)

    told = words(session, letters.ACCEPTED)

    assert told.subject == "Accepted: Workshops held, $5,000.00"
    for reading in (told.text, told.html):
        assert f"/orders/{order.secret}" in reading and ANNA in reading and "1 March 2027, 12:00 pm CST" in reading


def test_hours_that_were_sold_lead_to_the_payment_and_paid_ones_to_the_statement(session: Session) -> None:
    retainer = a_retainer(session, expires_on=date(2027, 12, 31))
    assert retainer.order is not None

    told = words(session, letters.SOLD)

    for reading in (told.text, told.html):
        for part in ("10 h", "$1,500.00", f"/orders/{retainer.order.secret}", "31 December 2027"):
            assert part in reading


def test_little_left_and_the_end_are_told(session: Session) -> None:
    retainer = an_active_retainer(session, hours=10, low=2, expires_on=date(2027, 3, 31))
    work = Work(key="a", consultant=a_consultant(session), worked_on=NOON.date(), minutes=510)
    timesheets.log_time(session, retainer, work, letterhead=LETTERHEAD, now=NOON)
    retainers.expire_due(session, letterhead=LETTERHEAD, now=NOON + timedelta(days=60))

    active, low, ended = (words(session, kind) for kind in (letters.ACTIVE, letters.LOW, letters.EXPIRED))

    assert active.subject == "Your 10 h of consulting are ready"
    assert low.subject == "1 h 30 min left: Advice by telephone" and "$150.00 an hour" in low.html
    for reading in (ended.text, ended.html):
        assert "1 h 30 min were not used and have expired" in reading
