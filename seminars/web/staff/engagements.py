"""Engagements at the desk: parts submitted to the client, files shared with them."""

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import undefer

from seminars.engagements import closing, files, milestones, queries
from seminars.engagements.models import EngagementDocument
from seminars.invoices import queries as invoices
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.refusals import Refusal
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.errors import status_of
from seminars.web.shared.guards import needs
from seminars.web.staff.door import acting, errors_of, page, positive, reading, staff


@staff.get("/engagements")
@needs(may.see_engagements)
def engagements() -> ResponseReturnValue:
    """Engagements, newest first."""
    before = positive(request.args.get("before"))
    rows = queries.engagements_page(reading(), before=before)
    return page(
        "engagements/list.html",
        section="Engagements",
        rows=rows[: queries.PAGE],
        more=len(rows) > queries.PAGE,
        first=before is None,
    )


@staff.get("/engagements/<int:engagement_id>")
@needs(may.see_engagements)
def engagement(engagement_id: int) -> ResponseReturnValue:
    """One engagement: parts, days, files, invoices."""
    return _page(engagement_id)


@staff.post("/engagements/<int:engagement_id>/milestones/<int:milestone_id>/submit")
@needs(may.run_engagements)
def submit_milestone(engagement_id: int, milestone_id: int) -> ResponseReturnValue:
    """Say that a part is done, and ask the client to accept it."""
    try:
        with acting("submitted to the client") as session:
            part = queries.milestone_of(queries.engagement_by_id(session, engagement_id), milestone_id)
            milestones.submit(session, part, note=request.form.get("note", ""), letterhead=joined().settings.letterhead, now=now())
    except Refusal as refusal:
        return _refused(engagement_id, refusal)
    flash(f"«{part.title}» is submitted; the client hears of it by mail.")
    return redirect(url_for("staff.engagement", engagement_id=engagement_id), 303)


@staff.post("/engagements/<int:engagement_id>/milestones/<int:milestone_id>/take-back")
@needs(may.run_engagements)
def take_back_milestone(engagement_id: int, milestone_id: int) -> ResponseReturnValue:
    """Take a submitted part back, to work on it more."""
    try:
        with acting("taken back") as session:
            part = milestones.take_back(session, queries.milestone_of(queries.engagement_by_id(session, engagement_id), milestone_id))
    except Refusal as refusal:
        return _refused(engagement_id, refusal)
    flash(f"«{part.title}» is with us again.")
    return redirect(url_for("staff.engagement", engagement_id=engagement_id), 303)


@staff.post("/engagements/<int:engagement_id>/cancel")
@needs(may.write_proposals)
def cancel_engagement(engagement_id: int) -> ResponseReturnValue:
    """Call an engagement off, after what that does was shown."""
    reason = request.form.get("reason", "")
    try:
        with acting(" ".join(reason.split())[:300]) as session:
            found = queries.engagement_by_id(session, engagement_id)
            given_back = closing.cancel(session, found, reason=reason, letterhead=joined().settings.letterhead, now=now())
    except Refusal as refusal:
        return _refused(engagement_id, refusal)
    flash(f"It is called off; {words.count(len(given_back), 'day is', 'days are')} given back.")
    return redirect(url_for("staff.engagement", engagement_id=engagement_id), 303)


@staff.post("/engagements/<int:engagement_id>/documents")
@needs(may.run_engagements)
def share_document(engagement_id: int) -> ResponseReturnValue:
    """Share a file with the client."""
    given = request.files.get("file")
    name = given.filename or "" if given else ""
    try:
        with acting() as session:
            found = queries.engagement_by_id(session, engagement_id)
            data = given.stream.read(files.LARGEST + 1) if given else b""
            shared = files.share(session, found, name=name, data=data, now=now())
    except Refusal as refusal:
        return _refused(engagement_id, refusal)
    flash(f"{shared.name} is on the client's page.")
    return redirect(url_for("staff.engagement", engagement_id=engagement_id) + "#files", 303)


@staff.get("/engagements/<int:engagement_id>/documents/<int:document_id>")
@needs(may.see_engagements)
def shared_document(engagement_id: int, document_id: int) -> ResponseReturnValue:
    """A file that is shared."""
    session = reading()
    files.of_engagement(session, queries.engagement_by_id(session, engagement_id), document_id)
    found = session.get_one(EngagementDocument, document_id, options=[undefer(EngagementDocument.data)], populate_existing=True)
    response = Response(found.data, content_type=found.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=found.name)
    return response


@staff.post("/engagements/<int:engagement_id>/documents/<int:document_id>/remove")
@needs(may.run_engagements)
def withdraw_document(engagement_id: int, document_id: int) -> ResponseReturnValue:
    """Take a file away from the client's page."""
    with acting() as session:
        found = files.of_engagement(session, queries.engagement_by_id(session, engagement_id), document_id)
        name = found.name
        files.withdraw(session, found)
    flash(f"{name} is taken away.")
    return redirect(url_for("staff.engagement", engagement_id=engagement_id) + "#files", 303)


def _refused(engagement_id: int, refusal: Refusal) -> ResponseReturnValue:
    reading().expire_all()
    return _page(engagement_id, errors=errors_of(refusal)), status_of(refusal)


def _page(engagement_id: int, *, errors: dict[str, str] | None = None) -> str:
    session = reading()
    found = queries.engagement_by_id(session, engagement_id)
    meetings = sorted((one.appointment for one in found.appointments), key=lambda one: one.starts_at)
    return page(
        "engagements/show.html",
        section="Engagements",
        engagement=found,
        proposal=found.proposal,
        total=Money(found.total, found.currency),
        done=Money(sum(part.amount for part in found.milestones if part.state == "accepted"), found.currency),
        meetings=meetings,
        ahead=len(closing.days_ahead(found, now=now())),
        events=[one.event for one in found.events],
        papers={part.id: invoices.documents_of(session, part.order) for part in found.milestones if part.order is not None},
        public=f"{joined().settings.base_url}/engagements/{found.secret}",
        kinds=", ".join(files.KINDS),
        errors=errors or {},
        typed=request.form,
    )
