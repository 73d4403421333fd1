"""A proposal is written in versions, sent, and answered once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.audit.models import AuditEntry
from seminars.engagements import acceptance, drafting, proposals
from seminars.engagements.drafting import LineFacts, MilestoneFacts
from seminars.engagements.models import Proposal, ProposalDocument
from seminars.engagements.proposals import Answered, Expired, Superseded
from seminars.kit.refusals import BadInput, BadInputs, Conflict
from seminars.messages.models import Message
from seminars.schedule import claims
from seminars.schedule.claims import Span
from tests.clock import NOON
from tests.factories import programme
from tests.factories.engagements import (
    ANNA,
    FIRST_DAY,
    a_consultant,
    a_day,
    a_draft,
    a_private_event,
    a_proposal,
    an_offering,
    facts,
    letters_to,
    materials,
    two_parts,
)
from tests.factories.seats import LETTERHEAD

CLIENT = "anna.vestergren@quillhaven.example"
CENTER = LETTERHEAD.center.email


def decline(session: Session, proposal: Proposal, name: str = ANNA, note: str = "") -> Proposal:
    return proposals.decline(session, proposal, name=name, note=note, address="192.0.2.7", letterhead=LETTERHEAD, now=NOON)


def accept(session: Session, proposal: Proposal, now=NOON):
    return acceptance.accept(session, proposal, name=ANNA, address="192.0.2.7", letterhead=LETTERHEAD, now=now)


def test_the_lines_make_the_total_and_quantities_are_rounded_half_up(session: Session) -> None:
    half = LineFacts(row=1, kind="other", description="Half a day", quantity=Decimal("0.5"), unit_price=100_001)

    draft = a_draft(session, half, materials(row=2))

    assert (draft.total, [line.amount for line in draft.lines]) == (150_001, [50_001, 100_000])
    assert draft.number == f"NC-P-2027-{draft.id:04d}"


def test_without_milestones_all_is_billed_at_the_end(session: Session) -> None:
    draft = a_draft(session, materials())

    assert [(part.title, part.amount) for part in draft.milestones] == [("Delivered in full", 100_000)]


@pytest.mark.parametrize("second", [399_999, 400_001])
def test_milestones_that_miss_the_total_by_a_cent_are_refused(session: Session, second: int) -> None:
    with pytest.raises(BadInputs) as refused:
        a_draft(session, materials(row=1, price=900_000), milestones=two_parts(500_000, second))

    told = {399_999: "$0.01 less", 400_001: "$0.01 more"}[second]
    assert refused.value.errors == {"milestones": f"The milestones make {told} than the lines. Both have to come to the same sum."}


def test_everything_that_is_wrong_is_said_at_once_beside_its_line(session: Session) -> None:
    ingrid = a_consultant(session)
    offering = an_offering(session)
    wrong = (
        LineFacts(row=1, kind="gift", description="", quantity=Decimal("0"), unit_price=-1),
        LineFacts(row=2, kind="day", description="A day", quantity=Decimal(1), unit_price=1, consultant=ingrid),
        a_day(ingrid, offering, row=3),
        LineFacts(row=4, kind="event", description="An evening", quantity=Decimal("1.005"), unit_price=1),
    )

    with pytest.raises(BadInputs) as refused:
        a_draft(
            session, *wrong, milestones=(MilestoneFacts(row=1, title="", amount=0),), zone="Mars", client_email="anna", valid_until=NOON
        )

    assert set(refused.value.errors) == {
        "l1-kind", "l1-description", "l1-quantity", "l1-price", "l2-starts", "l3-offering", "l4-event", "l4-quantity",
        "m1-amount", "m1-title", "zone", "client_email", "valid_until",
    }  # fmt: skip


def test_nobody_is_promised_to_be_in_two_places_in_one_proposal(session: Session) -> None:
    ingrid = a_consultant(session)
    offering = an_offering(session, ingrid)

    with pytest.raises(BadInputs) as refused:
        a_draft(session, a_day(ingrid, offering), a_day(ingrid, offering, FIRST_DAY + timedelta(hours=7), row=2))

    assert refused.value.errors == {"l2-starts": "Ingrid Malmstedt is with another line of this proposal then."}
    a_draft(session, a_day(ingrid, offering), a_day(ingrid, offering, FIRST_DAY + timedelta(hours=8), row=2))


def test_an_event_on_the_public_list_is_no_private_one(session: Session) -> None:
    event = programme.an_event(session)
    line = LineFacts(row=1, kind="event", description="A residency of your own", quantity=Decimal(1), unit_price=1, event=event)

    with pytest.raises(BadInputs) as refused:
        a_draft(session, line)

    assert list(refused.value.errors) == ["l1-event"]
    a_private_event(session, event)
    assert a_draft(session, line).lines[0].event is event


def test_sending_freezes_it_and_posts_the_link_with_the_pdf(session: Session) -> None:
    proposal = a_proposal(session)

    message = session.scalars(select(Message)).one()
    document = session.get_one(ProposalDocument, proposal.id)
    assert (proposal.state, message.kind, message.recipient) == ("sent", "engagements/proposal", CLIENT)
    assert message.facts["page"] == f"https://seminars.northfield.example/proposals/{proposal.secret}"
    assert message.facts["attachments"] == [{"reference": proposal.reference, "name": f"proposal-{proposal.number}-1.pdf"}]
    assert document.facts["total"] == 900_000 and [part["amount"] for part in document.facts["milestones"]] == [500_000, 400_000]
    with pytest.raises(Conflict, match="stays as it is"):
        drafting.change(session, proposal, facts(materials()), now=NOON)
    with pytest.raises(Conflict, match="sent already"):
        proposals.send(session, proposal, letterhead=LETTERHEAD, now=NOON)


def test_a_draft_can_be_written_anew_before_it_is_sent(session: Session) -> None:
    draft = a_draft(session)

    drafting.change(session, draft, facts(materials(price=20_000), title="A handbook"), now=NOON)

    assert (draft.title, draft.total, len(draft.lines), [part.amount for part in draft.milestones]) == ("A handbook", 20_000, 1, [20_000])


def test_a_new_version_takes_the_place_of_the_one_that_was_sent(session: Session) -> None:
    first = a_proposal(session)
    second = drafting.revise(session, first, now=NOON)

    assert (second.number, second.version, second.state, second.total, first.state) == (first.number, 2, "draft", 900_000, "sent")
    assert [line.description for line in second.lines] == [line.description for line in first.lines]

    proposals.send(session, second, letterhead=LETTERHEAD, now=NOON)

    assert (first.state, second.state, first.secret != second.secret) == ("superseded", "sent", True)
    for answer in (accept, decline):
        with pytest.raises(Superseded):
            answer(session, first)


def test_only_one_version_is_written_at_a_time(session: Session) -> None:
    first = a_proposal(session)
    drafting.revise(session, first, now=NOON)

    with pytest.raises(Conflict, match="Version 2 is being written"):
        drafting.revise(session, first, now=NOON)


def test_an_accepted_proposal_has_no_further_version(session: Session) -> None:
    first = a_proposal(session)
    second = drafting.revise(session, first, now=NOON)
    accept(session, first)

    with pytest.raises(Conflict, match="accepted"):
        drafting.revise(session, first, now=NOON)
    with pytest.raises(Conflict, match="accepted meanwhile"):
        proposals.send(session, second, letterhead=LETTERHEAD, now=NOON)


def test_declining_keeps_who_when_from_where_and_why(session: Session) -> None:
    proposal = a_proposal(session)

    decline(session, proposal, note="The board chose another year.")

    answer = (proposal.state, proposal.answered_by, proposal.answered_at, proposal.answered_from, proposal.answer_note)
    assert answer == ("declined", ANNA, NOON, "192.0.2.7", "The board chose another year.")
    assert letters_to(session, CENTER) == ["engagements/proposal_answered"]
    with pytest.raises(Answered, match="has declined this proposal already"):
        accept(session, proposal)


@pytest.mark.parametrize("name", ["", "  ", "An\nna", "x" * 201])
def test_without_a_readable_name_nothing_is_answered(session: Session, name: str) -> None:
    proposal = a_proposal(session)

    with pytest.raises(BadInput):
        decline(session, proposal, name=name)

    session.refresh(proposal)
    assert (proposal.state, proposal.answered_by) == ("sent", "")


def test_what_was_valid_until_noon_is_over_at_noon(session: Session) -> None:
    proposal = a_proposal(session, valid_until=NOON + timedelta(hours=1))
    after = NOON + timedelta(hours=1)

    with pytest.raises(Expired, match="could be accepted until 1"):
        accept(session, proposal, now=after)

    assert proposals.standing(proposal, now=after) == "expired" and proposal.state == "sent"
    assert [proposals.expire_due(session, now=after) for _ in range(2)] == [1, 0]
    assert proposal.state == "expired"


def test_an_expired_one_is_renewed_by_a_new_version(session: Session) -> None:
    proposal = a_proposal(session, valid_until=NOON + timedelta(hours=1))
    later = NOON + timedelta(days=2)
    proposals.expire_due(session, now=later)

    second = proposals.send(session, drafting.revise(session, proposal, now=later), letterhead=LETTERHEAD, now=later)

    assert (proposal.state, second.state, second.valid_until > later) == ("superseded", "sent", True)


def test_a_day_that_has_passed_cannot_be_sent(session: Session) -> None:
    draft = a_draft(session, valid_until=FIRST_DAY + timedelta(days=30))

    with pytest.raises(Conflict, match=r"Tuesday 4.May 2027, 9:00.am to 5:00.pm.CDT has passed"):
        proposals.send(session, draft, letterhead=LETTERHEAD, now=FIRST_DAY + timedelta(hours=1))

    assert draft.state == "draft"


def test_an_event_that_could_not_be_held_is_not_offered(session: Session) -> None:
    event = a_private_event(session, programme.an_event(session, venue=None))
    line = LineFacts(row=1, kind="event", description="A residency of your own", quantity=Decimal(1), unit_price=1, event=event)
    draft = a_draft(session, line)

    with pytest.raises(Conflict, match="Social Media Residency is not ready: it needs a venue"):
        proposals.send(session, draft, letterhead=LETTERHEAD, now=NOON)


def test_staff_see_who_is_in_the_way_of_a_proposed_day(session: Session) -> None:
    ingrid = a_consultant(session)
    proposal = a_proposal(session, a_day(ingrid, an_offering(session, ingrid)))
    hours = timedelta(hours=1)

    claims.take(session, "session/7", [Span(ingrid.resource_id, FIRST_DAY, FIRST_DAY + hours, "session", "Residency")], now=NOON)

    assert [(line.position, clash.label) for line, clash in proposals.in_the_way(session, proposal, now=NOON)] == [(1, "Residency")]


def test_the_audit_says_what_became_of_it(session: Session) -> None:
    session.info.update(by="client", why="declined on the page")
    proposal = decline(session, a_proposal(session))

    entries = session.scalars(select(AuditEntry).where(AuditEntry.subject == proposal.reference).order_by(AuditEntry.id)).all()
    assert [(one.action, one.after.get("state")) for one in entries] == [("created", "draft"), ("changed", "sent"), ("changed", "declined")]
    assert (entries[-1].by, entries[-1].why) == ("client", "declined on the page")
