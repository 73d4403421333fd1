"""The client's page of an engagement: progress, what waits for them, documents, invoices, and the days we meet."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, make_response, redirect, render_template, request
from sqlalchemy.orm import Session, undefer

from seminars.db import db, transaction
from seminars.engagements import files, milestones, queries
from seminars.engagements.models import Engagement, EngagementDocument
from seminars.invoices import queries as invoices
from seminars.kit.money import Money
from seminars.kit.refusals import NotFound, Refusal
from seminars.web.public.buying import errors_of
from seminars.web.shared import joined, now, request_id
from seminars.web.shared.errors import status_of

blueprint = Blueprint("engagements", __name__)
PAPERS = {"invoice": "Invoice", "credit_note": "Credit note"}


@dataclass(frozen=True)
class Bill:
    """An invoice or credit note of one milestone, as the page lists it."""

    label: str
    path: str
    ready: bool
    amount: Money
    paid: bool


def the_engagement(session: Session, secret: str) -> Engagement:
    """The engagement that this link opens. Raises NotFound."""
    engagement = queries.engagement_by_secret(session, secret[:40])
    if engagement is None:
        raise NotFound("There is no engagement at this address. Open the link in our mail once more.")
    return engagement


@blueprint.get("/engagements/<secret>")
def show(secret: str) -> Response:
    """How it stands."""
    return _page(the_engagement(db.session(), secret))


@blueprint.post("/engagements/<secret>/milestones/<int:milestone_id>/accept")
def accept(secret: str, milestone_id: int) -> Response:
    """Accept a part of the work, and be billed for it."""
    engagement = the_engagement(db.session(), secret)
    try:
        milestone = queries.milestone_of(engagement, milestone_id)
        with transaction(by=f"client/{engagement.number}", why="accept", request_id=request_id()) as session:
            session.info["now"] = now()
            name, where = request.form.get("name", ""), request.remote_addr or ""
            milestones.accept(session, milestone, name=name, address=where, letterhead=joined().settings.letterhead, now=now())
    except Refusal as refusal:
        db.session().expire_all()
        found = the_engagement(db.session(), secret)
        return _page(found, accepting=milestone_id, errors=errors_of(refusal), status=status_of(refusal))
    return make_response(redirect(f"/engagements/{engagement.secret}#milestone-{milestone_id}", 303))


@blueprint.get("/engagements/<secret>/documents/<int:document_id>")
def document(secret: str, document_id: int) -> Response:
    """A file that we share, always as a download: nothing of it is ever shown as a page of ours."""
    engagement = the_engagement(db.session(), secret)
    files.of_engagement(db.session(), engagement, document_id)
    found = db.session().get_one(EngagementDocument, document_id, options=[undefer(EngagementDocument.data)], populate_existing=True)
    response = Response(found.data, content_type=found.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=found.name)
    return response


def _page(engagement: Engagement, *, accepting: int = 0, errors: Mapping[str, str] | None = None, status: int = 200) -> Response:
    meetings = sorted((one.appointment for one in engagement.appointments), key=lambda one: one.starts_at)
    billed = [part.order for part in engagement.milestones if part.order is not None]
    page = render_template(
        "public/engagement.html",
        engagement=engagement,
        proposal=engagement.proposal,
        Money=Money,
        currency=engagement.currency,
        meetings=[one for one in meetings if one.state != "cancelled"],
        events=[one.event for one in engagement.events],
        bills=_bills(db.session(), engagement),
        done=sum(part.amount for part in engagement.milestones if part.state == "accepted"),
        paid=sum(order.total for order in billed if order.state == "paid"),
        owed=sum(order.total for order in billed if order.state == "placed"),
        waiting=[part for part in engagement.milestones if part.state == "submitted"],
        accepting=accepting,
        typed=request.form,
        errors=errors or {},
    )
    return make_response(page, status)


def _bills(session: Session, engagement: Engagement) -> list[Bill]:
    found = []
    for part in engagement.milestones:
        if part.order is None:
            continue
        for paper in invoices.documents_of(session, part.order):
            found.append(
                Bill(
                    label=f"{PAPERS[paper.kind]} {paper.number}",
                    path=f"/orders/{part.order.secret}/documents/{paper.reference}",
                    ready=paper.size > 0,
                    amount=part.order.total_money,
                    paid=part.order.state == "paid",
                )
            )
    return found
