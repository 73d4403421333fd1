"""The PDF of a proposal is made from what was frozen when it was sent, and kept."""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from hashlib import sha256

from pypdf import PdfReader
from sqlalchemy.orm import Session

from seminars.engagements import documents
from seminars.engagements.models import Proposal, ProposalDocument
from tests.clock import NOON
from tests.factories.engagements import a_consultant, a_day, a_proposal, an_offering, materials


def rendered(session: Session, proposal: Proposal) -> str:
    """The words of its PDF."""

    @contextmanager
    def work():
        yield session
        session.flush()

    documents.render_due(work, clock=lambda: NOON)
    pdf = documents.pdf_of(session, proposal.reference)
    assert pdf is not None
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).replace("\u00a0", " ").split())


def test_it_shows_lines_days_milestones_terms_and_validity(session: Session) -> None:
    ingrid = a_consultant(session)
    proposal = a_proposal(
        session, a_day(ingrid, an_offering(session, ingrid)), materials(row=2), intro="We prepare your team.", terms="Travel is included.",
        po_number="PO-4711",
    )  # fmt: skip

    words = rendered(session, proposal)

    for part in (
        "Crisis readiness", proposal.number, "Quillhaven Regional Hospital", "We prepare your team.", "A day on site",
        "Ingrid Malmstedt, Tuesday 4 May 2027, 9:00 am to 5:00 pm CDT", "4,000.00", "$5,000.00", "Delivered in full", "Travel is included.",
        "31 March 2027", "PO-4711",
    ):  # fmt: skip
        assert part in words, part


def test_the_same_facts_give_the_same_bytes_and_are_rendered_once(session: Session) -> None:
    proposal = a_proposal(session)
    first = rendered(session, proposal)
    document = session.get_one(ProposalDocument, proposal.id)
    kept = document.pdf
    assert kept is not None and document.sha256 == sha256(kept).hexdigest()

    document.rendered_at = None
    session.flush()
    again = rendered(session, proposal)

    assert (again, document.pdf) == (first, kept)
    assert re.fullmatch(r"[0-9a-f]{64}", proposal.facts_hash)


def test_what_is_asked_for_by_another_name_is_no_document(session: Session) -> None:
    assert [documents.pdf_of(session, name) for name in ("proposal/999", "proposal/x", "invoice/1", "")] == [None] * 4
