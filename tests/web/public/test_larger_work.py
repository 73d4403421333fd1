"""Clients answer proposals, accept parts of the work and read their statements, each by a secret link."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seminars.engagements import acceptance, drafting, files, milestones, proposals, timesheets
from seminars.engagements.drafting import LineFacts
from seminars.engagements.models import Engagement, EngagementDocument, Proposal, ProposalDocument
from seminars.engagements.timesheets import Work
from seminars.messages.models import Message
from seminars.orders.models import Order
from seminars.schedule import claims
from seminars.schedule.claims import Span
from tests.clock import NOON, StandingClock
from tests.factories.engagements import (
    ANNA,
    SECOND_DAY,
    a_consultant,
    a_proposal,
    a_retainer,
    an_active_retainer,
    letters_to,
    materials,
)
from tests.factories.seats import LETTERHEAD
from tests.web.public.visitor import Visitor

TODAY = NOON.date()


def an_engagement(session: Session) -> Engagement:
    made = acceptance.accept(session, a_proposal(session), name=ANNA, address="192.0.2.7", letterhead=LETTERHEAD, now=NOON)
    session.commit()
    return made


def sent(session: Session, *lines) -> Proposal:
    proposal = a_proposal(session, *lines)
    session.commit()
    return proposal


def test_anna_reads_a_proposal_and_accepts_it(session: Session, anna: Visitor) -> None:
    proposal = sent(session)

    page = anna.open(f"/proposals/{proposal.secret}")
    assert (page.status, page.heading) == (200, "Crisis readiness")
    for words in ("A day on site", "Ingrid Malmstedt, Tuesday 4\u00a0May 2027", "$9,000.00", "Workshops held", "31\u00a0March 2027"):
        assert words in page.markup or words in page.text

    accepted = anna.press(page, f"/proposals/{proposal.secret}/accept", name=ANNA, po_number="PO-4711")

    engagement = session.scalars(select(Engagement)).one()
    assert accepted.answer.request.path == f"/engagements/{engagement.secret}" and accepted.heading == "Crisis readiness"
    session.expire_all()
    assert (proposal.state, proposal.answered_by, proposal.answered_from, proposal.po_number) == (
        "accepted", ANNA, "127.0.0.1", "PO-4711"
    )  # fmt: skip
    again = anna.open(f"/proposals/{proposal.secret}")
    assert "Anna Vestergren accepted it on" in again.text and "/accept" not in again.markup


def test_pressing_accept_again_says_so_and_makes_no_second_engagement(session: Session, anna: Visitor) -> None:
    proposal = sent(session)
    page = anna.open(f"/proposals/{proposal.secret}")
    anna.press(page, f"/proposals/{proposal.secret}/accept", name=ANNA)

    again = anna.press(page, f"/proposals/{proposal.secret}/accept", name=ANNA)

    assert again.status == 409 and "has accepted this proposal already" in again.text
    assert session.scalar(select(func.count()).select_from(Engagement)) == 1


def test_without_a_name_the_page_says_what_is_missing_and_keeps_the_rest(session: Session, anna: Visitor) -> None:
    proposal = sent(session)
    page = anna.open(f"/proposals/{proposal.secret}")

    refused = anna.press(page, f"/proposals/{proposal.secret}/accept", name="", po_number="PO-4711")

    assert refused.status == 422 and 'id="name-err"' in refused.markup
    assert refused.form(f"/proposals/{proposal.secret}/accept").fields["po_number"] == "PO-4711"


def test_declining_needs_a_name_too_and_keeps_the_reason(session: Session, anna: Visitor) -> None:
    proposal = sent(session)
    page = anna.open(f"/proposals/{proposal.secret}")

    refused = anna.press(page, f"/proposals/{proposal.secret}/decline", no_name="", note="Too early")
    assert refused.status == 422 and 'id="no_name-err"' in refused.markup

    declined = anna.press(page, f"/proposals/{proposal.secret}/decline", no_name=ANNA, note="Too early")

    session.expire_all()
    assert (declined.status, proposal.state, proposal.answer_note) == (200, "declined", "Too early")


def test_a_superseded_link_says_so_and_leads_nowhere_else(session: Session, anna: Visitor) -> None:
    first = sent(session)
    page = anna.open(f"/proposals/{first.secret}")
    session.get_one(ProposalDocument, first.id).pdf = b"%PDF-1.7"
    second = proposals.send(session, drafting.revise(session, first, now=NOON), letterhead=LETTERHEAD, now=NOON)
    session.commit()

    old = anna.open(f"/proposals/{first.secret}")

    assert old.heading == "A newer version has taken its place"
    assert second.secret not in old.markup and "$9,000.00" not in old.text and "/accept" not in old.markup
    assert anna.open(f"/proposals/{first.secret}/proposal.pdf").status == 404
    pressed = anna.press(page, f"/proposals/{first.secret}/accept", name=ANNA)
    assert pressed.status == 409 and session.scalar(select(func.count()).select_from(Engagement)) == 0


def test_an_expired_one_can_be_read_and_not_accepted(session: Session, anna: Visitor, clock: StandingClock) -> None:
    proposal = sent(session)
    page = anna.open(f"/proposals/{proposal.secret}")
    clock.move(days=31)

    late = anna.open(f"/proposals/{proposal.secret}")
    assert "Expired" in late.text and "/accept" not in late.markup

    pressed = anna.press(page, f"/proposals/{proposal.secret}/accept", name=ANNA)
    assert pressed.status == 409 and "could be accepted until" in pressed.text
    assert session.scalar(select(func.count()).select_from(Engagement)) == 0


def test_a_day_that_is_taken_is_named_nothing_is_made_and_the_center_hears_of_it_once(session: Session, anna: Visitor) -> None:
    proposal = sent(session)
    ingrid = proposal.lines[0].consultant
    assert ingrid is not None
    claims.take(
        session, "session/7", [Span(ingrid.resource_id, SECOND_DAY, SECOND_DAY + timedelta(hours=1), "session", "Secret")], now=NOON
    )
    session.commit()
    page = anna.open(f"/proposals/{proposal.secret}")

    for _ in range(2):
        pressed = anna.press(page, f"/proposals/{proposal.secret}/accept", name=ANNA)
        assert pressed.status == 409 and "Ingrid Malmstedt, Wednesday 5 May 2027" in pressed.text and "Secret" not in pressed.text

    assert session.scalar(select(func.count()).select_from(Engagement)) == 0
    assert letters_to(session, LETTERHEAD.center.email) == ["engagements/slots_gone"]


def test_drafts_and_guessed_secrets_open_nothing(session: Session, anna: Visitor) -> None:
    proposal = sent(session)
    draft = drafting.revise(session, proposal, now=NOON)
    session.commit()

    for path in (f"/proposals/{draft.secret}", "/proposals/no-such-secret", "/engagements/no-such-secret", "/retainers/no-such-secret"):
        assert anna.open(path).status == 404
    assert anna.client.post("/proposals/no-such-secret/accept", data={"name": ANNA}).status_code in (400, 404)
    assert anna.open("/retainers/no-such-secret/statement.csv").status == 404


def test_the_pdf_comes_when_it_is_ready(session: Session, anna: Visitor) -> None:
    proposal = sent(session)
    assert anna.open(f"/proposals/{proposal.secret}/proposal.pdf").status == 404

    session.get_one(ProposalDocument, proposal.id).pdf = b"%PDF-1.7"
    session.commit()

    answer = anna.open(f"/proposals/{proposal.secret}/proposal.pdf").answer
    assert (answer.status_code, answer.content_type, answer.data) == (200, "application/pdf", b"%PDF-1.7")


def test_anna_accepts_a_part_and_finds_the_way_to_pay(session: Session, anna: Visitor) -> None:
    engagement = an_engagement(session)
    first = engagement.milestones[0]
    assert "Under way" in anna.open(f"/engagements/{engagement.secret}").text
    milestones.submit(session, first, note="Slides are *below*.", letterhead=LETTERHEAD, now=NOON)
    session.commit()

    page = anna.open(f"/engagements/{engagement.secret}")
    assert "1 part waits for you" in page.text and "<em>below</em>" in page.markup
    nameless = anna.press(page, f"/engagements/{engagement.secret}/milestones/{first.id}/accept", name="")
    assert nameless.status == 422 and f'id="name-{first.id}-err"' in nameless.markup
    accepted = anna.press(page, f"/engagements/{engagement.secret}/milestones/{first.id}/accept", name=ANNA)

    order = session.scalars(select(Order)).one()
    assert accepted.status == 200 and f'href="/orders/{order.secret}"' in accepted.markup and "Pay $5,000.00" in accepted.text
    assert anna.open(f"/orders/{order.secret}").status == 200
    again = anna.press(page, f"/engagements/{engagement.secret}/milestones/{first.id}/accept", name=ANNA)
    assert again.status == 409 and session.scalar(select(func.count()).select_from(Order)) == 1


def test_a_part_of_another_engagement_is_not_accepted_here(session: Session, anna: Visitor) -> None:
    mine, other = an_engagement(session), None
    other = acceptance.accept(session, a_proposal(session, materials()), name=ANNA, address="", letterhead=LETTERHEAD, now=NOON)
    for engagement in (mine, other):
        milestones.submit(session, engagement.milestones[0], note="", letterhead=LETTERHEAD, now=NOON)
    session.commit()
    page = anna.open(f"/engagements/{mine.secret}")
    token = page.form(f"/engagements/{mine.secret}/milestones/{mine.milestones[0].id}/accept").fields["csrf_token"]

    path = f"/engagements/{mine.secret}/milestones/{other.milestones[0].id}/accept"
    answer = anna.client.post(path, data={"name": ANNA, "csrf_token": token})

    session.expire_all()
    assert answer.status_code == 404 and other.milestones[0].state == "submitted"


def test_shared_files_are_downloads_and_only_for_this_engagement(session: Session, anna: Visitor) -> None:
    mine = an_engagement(session)
    other = acceptance.accept(session, a_proposal(session, materials()), name=ANNA, address="", letterhead=LETTERHEAD, now=NOON)
    shared = files.share(session, mine, name="Arbeitsbuch für Anna.pdf", data=b"%PDF-1.7 <script>", now=NOON)
    session.commit()

    answer = anna.open(f"/engagements/{mine.secret}/documents/{shared.id}").answer

    assert (answer.status_code, answer.data, answer.content_type) == (200, b"%PDF-1.7 <script>", "application/pdf")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert anna.open(f"/engagements/{other.secret}/documents/{shared.id}").status == 404
    assert session.scalar(select(func.count()).select_from(EngagementDocument)) == 1


def test_a_retainer_that_is_not_paid_leads_to_its_order(session: Session, anna: Visitor) -> None:
    retainer = a_retainer(session)
    session.commit()

    page = anna.open(f"/retainers/{retainer.secret}")

    assert retainer.order is not None
    assert "Not paid yet" in page.text and f'href="/orders/{retainer.order.secret}"' in page.markup


def test_the_statement_shows_every_hour_and_what_is_left(session: Session, anna: Visitor) -> None:
    retainer = an_active_retainer(session, hours=2, rate=15_000)
    ingrid = a_consultant(session)
    for key, minutes, note in (("a", 90, "Reviewed the statement"), ("b", 60, "=HYPERLINK(0)")):
        work = Work(key=key, consultant=ingrid, worked_on=TODAY, minutes=minutes, note=note)
        timesheets.log_time(session, retainer, work, letterhead=LETTERHEAD, now=NOON)
    session.commit()

    page = anna.open(f"/retainers/{retainer.secret}")
    table = anna.open(f"/retainers/{retainer.secret}/statement.csv").answer

    assert "0 min of 2 h left" in page.text and "30 min beyond the retainer, $75.00 to be billed" in page.text
    lines = table.get_data(as_text=True).lstrip("\ufeff").splitlines()
    assert lines[1:] == [
        "2027-03-01,Ingrid Malmstedt,Reviewed the statement,90,90,30,0,USD,0.00,",
        "2027-03-01,Ingrid Malmstedt,'=HYPERLINK(0),60,30,0,30,USD,75.00,no",
    ]


@pytest.mark.parametrize("kind", ["proposals", "engagements", "retainers"])
def test_these_pages_are_for_no_search_engine_and_no_cache(session: Session, anna: Visitor, kind: str) -> None:
    secrets = {
        "proposals": lambda: sent(session).secret,
        "engagements": lambda: an_engagement(session).secret,
        "retainers": lambda: a_retainer(session).secret,
    }
    secret = secrets[kind]()
    session.commit()

    page = anna.open(f"/{kind}/{secret}")

    assert '<meta name="robots" content="noindex">' in page.markup
    assert page.answer.headers["Cache-Control"] == "no-store"


def test_what_staff_typed_is_shown_as_text(session: Session, anna: Visitor) -> None:

    hostile = LineFacts(row=1, kind="other", description="<img src=x onerror=alert(1)>", quantity=Decimal(1), unit_price=100)
    proposal = a_proposal(session, hostile, intro="<script>alert(1)</script> **Bold**", title="<b>Title</b>")
    session.commit()

    page = anna.open(f"/proposals/{proposal.secret}")

    assert "<script>alert" not in page.markup and "<img src=x" not in page.markup and "&lt;b&gt;Title" in page.markup
    assert re.search("<strong>Bold</strong>", page.markup)
    assert session.scalar(select(func.count()).select_from(Message)) == 1
