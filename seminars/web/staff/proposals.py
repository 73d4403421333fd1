"""Proposals at the desk: written line by line, sent, renewed by another version."""

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from seminars.engagements import documents, drafting, queries
from seminars.engagements import proposals as verbs
from seminars.kit.money import Money
from seminars.kit.refusals import NotFound, Refusal
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.guards import needs
from seminars.web.staff.door import Typed, acting, again, page, positive, reading, staff
from seminars.web.staff.offering import MORE, as_typed, blank, facts_of, form_facts, rows_wanted

STATES = ("draft", "sent", "accepted", "declined", "expired", "superseded")


@staff.get("/proposals")
@needs(may.see_engagements)
def proposals() -> ResponseReturnValue:
    """Proposals, newest first, narrowed by state."""
    state = request.args.get("state", "")
    state = state if state in STATES else ""
    before = positive(request.args.get("before"))
    rows = queries.proposals_page(reading(), state=state, before=before)
    return page(
        "proposals/list.html",
        section="Engagements",
        rows=rows[: queries.PAGE],
        more=len(rows) > queries.PAGE,
        first=before is None,
        state=state,
        states=STATES,
        standing=lambda proposal: verbs.standing(proposal, now=now()),
    )


@staff.get("/proposals/<int:proposal_id>")
@needs(may.see_engagements)
def proposal(proposal_id: int) -> ResponseReturnValue:
    """One version, with what is in the way of its days."""
    session = reading()
    found = queries.proposal_by_id(session, proposal_id)
    open_ = found.state in ("draft", "sent")
    versions = drafting.versions_of(session, found.number)
    return page(
        "proposals/show.html",
        section="Engagements",
        proposal=found,
        standing=verbs.standing(found, now=now()),
        newest=versions[-1],
        versions=versions,
        engagement=queries.engagement_of(session, found) if found.state == "accepted" else None,
        clashes=verbs.in_the_way(session, found, now=now()) if open_ else [],
        details_of=documents.details_of,
        public=f"{joined().settings.base_url}/proposals/{found.secret}",
        ready=documents.pdf_of(session, found.reference) is not None,
        total=Money(found.total, found.currency),
    )


@staff.get("/proposals/new")
@needs(may.write_proposals)
def new_proposal() -> ResponseReturnValue:
    """The form of a proposal to come."""
    return page("proposals/edit.html", typed=blank(now()), errors={}, **form_facts(reading(), None, rows_wanted(None)))


@staff.post("/proposals/new")
@needs(may.write_proposals)
def create_proposal() -> ResponseReturnValue:
    """Write a proposal, as a draft."""
    if request.form.get("act") == MORE:
        return page("proposals/edit.html", typed=request.form, errors={}, **form_facts(reading(), None, rows_wanted(None)))
    typed, center = Typed(request.form), joined().settings.center
    try:
        with acting() as session:
            facts = facts_of(session, typed, center.currency)
            made = drafting.draft(session, facts, currency=center.currency, prefix=center.order_prefix, now=now())
    except Refusal as refusal:
        return again("proposals/edit.html", refusal, **form_facts(reading(), None, rows_wanted(None)))
    flash("The draft is kept. Nobody has it yet: look at it, then send it.")
    return redirect(url_for("staff.proposal", proposal_id=made.id), 303)


@staff.get("/proposals/<int:proposal_id>/edit")
@needs(may.write_proposals)
def edit_proposal(proposal_id: int) -> ResponseReturnValue:
    """The form of a draft."""
    found = queries.proposal_by_id(reading(), proposal_id)
    return page("proposals/edit.html", typed=as_typed(found), errors={}, **form_facts(reading(), found, rows_wanted(found)))


@staff.post("/proposals/<int:proposal_id>/edit")
@needs(may.write_proposals)
def change_proposal(proposal_id: int) -> ResponseReturnValue:
    """Write a draft anew."""
    found = queries.proposal_by_id(reading(), proposal_id)
    if request.form.get("act") == MORE:
        return page("proposals/edit.html", typed=request.form, errors={}, **form_facts(reading(), found, rows_wanted(found)))
    typed = Typed(request.form)
    try:
        with acting() as session:
            found = queries.proposal_by_id(session, proposal_id)
            drafting.change(session, found, facts_of(session, typed, found.currency), now=now())
    except Refusal as refusal:
        found = queries.proposal_by_id(reading(), proposal_id)
        return again("proposals/edit.html", refusal, **form_facts(reading(), found, rows_wanted(found)))
    flash("The draft is kept.")
    return redirect(url_for("staff.proposal", proposal_id=proposal_id), 303)


@staff.post("/proposals/<int:proposal_id>/send")
@needs(may.write_proposals)
def send_proposal(proposal_id: int) -> ResponseReturnValue:
    """Send a draft to the client."""
    with acting("sent to the client") as session:
        found = verbs.send(session, queries.proposal_by_id(session, proposal_id), letterhead=joined().settings.letterhead, now=now())
    flash(f"It is on its way to {found.client_email}.")
    return redirect(url_for("staff.proposal", proposal_id=proposal_id), 303)


@staff.post("/proposals/<int:proposal_id>/revise")
@needs(may.write_proposals)
def revise_proposal(proposal_id: int) -> ResponseReturnValue:
    """Begin another version."""
    with acting() as session:
        copy = drafting.revise(session, queries.proposal_by_id(session, proposal_id), now=now())
    flash(f"Version {copy.version} is a draft. The one that was sent stands until this one is sent.")
    return redirect(url_for("staff.edit_proposal", proposal_id=copy.id), 303)


@staff.get("/proposals/<int:proposal_id>/proposal.pdf")
@needs(may.see_engagements)
def proposal_pdf(proposal_id: int) -> ResponseReturnValue:
    """The document as it was sent."""
    found = queries.proposal_by_id(reading(), proposal_id)
    kept = documents.pdf_of(reading(), found.reference)
    if kept is None:
        raise NotFound("This proposal has no document yet. It is made within a minute after sending.")
    headers = {"Content-Disposition": f'inline; filename="{found.number}-{found.version}.pdf"'}
    return Response(kept, mimetype="application/pdf", headers=headers)
