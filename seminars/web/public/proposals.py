"""A proposal's page, which the secret link in our mail opens: read it, accept it, or decline it."""

from collections.abc import Callable, Mapping

from flask import Blueprint, Response, make_response, redirect, render_template, request
from sqlalchemy.orm import Session

from seminars.db import db, transaction
from seminars.engagements import acceptance, documents, letters, proposals, queries
from seminars.engagements.acceptance import SlotsGone
from seminars.engagements.models import Proposal
from seminars.kit.money import Money
from seminars.kit.refusals import NotFound, Refusal
from seminars.messages import outbox
from seminars.web.public.buying import errors_of
from seminars.web.shared import joined, now, request_id
from seminars.web.shared.errors import status_of

blueprint = Blueprint("proposals", __name__)


def the_proposal(session: Session, secret: str) -> Proposal:
    """The version that this link opens. Raises NotFound."""
    proposal = queries.proposal_by_secret(session, secret[:40])
    if proposal is None:
        raise NotFound("There is no proposal at this address. Open the link in our mail once more.")
    return proposal


@blueprint.get("/proposals/<secret>")
def show(secret: str) -> Response:
    """What we offer, and how it stands."""
    return _page(the_proposal(db.session(), secret))


@blueprint.post("/proposals/<secret>/accept")
def accept(secret: str) -> Response:
    """Accept it in the name that was typed; on to the engagement's page."""
    parts = joined()
    proposal = the_proposal(db.session(), secret)

    def act(session: Session) -> str:
        engagement = acceptance.accept(
            session,
            proposal,
            name=request.form.get("name", ""),
            address=request.remote_addr or "",
            po_number=request.form.get("po_number", ""),
            letterhead=parts.settings.letterhead,
            now=now(),
        )
        return f"/engagements/{engagement.secret}"

    return _answered(proposal, "accept", act)


@blueprint.post("/proposals/<secret>/decline")
def decline(secret: str) -> Response:
    """Say no, with or without a reason."""
    parts = joined()
    proposal = the_proposal(db.session(), secret)

    def act(session: Session) -> str:
        name, note = request.form.get("no_name", ""), request.form.get("note", "")
        where = request.remote_addr or ""
        proposals.decline(session, proposal, name=name, note=note, address=where, letterhead=parts.settings.letterhead, now=now())
        return f"/proposals/{proposal.secret}"

    return _answered(proposal, "decline", act)


@blueprint.get("/proposals/<secret>/proposal.pdf")
def pdf(secret: str) -> Response:
    """The document, while this version stands; one that has been replaced leads nowhere."""
    proposal = the_proposal(db.session(), secret)
    kept = documents.pdf_of(db.session(), proposal.reference) if proposal.state != "superseded" else None
    if kept is None:
        raise NotFound("This document is not here, or not ready yet. It takes a minute; open the proposal again then.")
    response = Response(kept, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{proposal.number}-{proposal.version}.pdf"'
    return response


def _answered(proposal: Proposal, act: str, work: Callable[[Session], str]) -> Response:
    try:
        with transaction(by=f"client/{proposal.number}", why=act, request_id=request_id()) as session:
            session.info["now"] = now()
            there = work(session)
    except Refusal as refusal:
        if isinstance(refusal, SlotsGone):
            _tell_center(proposal, refusal)
        db.session().expire_all()
        errors = errors_of(refusal)
        if act == "decline" and "name" in errors:
            errors = {"no_name": errors["name"]}
        return _page(the_proposal(db.session(), proposal.secret), errors=errors, status=status_of(refusal))
    return make_response(redirect(there, 303))


def _tell_center(proposal: Proposal, refusal: SlotsGone) -> None:
    """Nothing was made, so this is written down by itself: somebody has to find other days."""
    with transaction(by=f"client/{proposal.number}", why="a proposed day is taken", request_id=request_id()) as session:
        outbox.post(session, letters.slots_gone(proposal, refusal.gone, letterhead=joined().settings.letterhead), now=now())


def _page(proposal: Proposal, *, errors: Mapping[str, str] | None = None, status: int = 200) -> Response:
    session = db.session()
    engagement = queries.engagement_of(session, proposal) if proposal.state == "accepted" else None
    page = render_template(
        "public/proposal.html",
        proposal=proposal,
        standing=proposals.standing(proposal, now=now()),
        total=Money(proposal.total, proposal.currency),
        Money=Money,
        details_of=documents.details_of,
        ready=documents.pdf_of(session, proposal.reference) is not None,
        engagement=engagement,
        typed=request.form,
        errors=errors or {},
    )
    return make_response(page, status)
