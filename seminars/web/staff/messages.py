"""Mails: listed by state, read as their readers see them, sent again."""

from flask import Response, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from seminars.desk.naming import names_of
from seminars.kit.refusals import NotFound
from seminars.messages import outbox, queries
from seminars.messages.models import STATES, Message
from seminars.messages.render import Press
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.guards import needs, the_user
from seminars.web.shared.headers import content_policy
from seminars.web.staff.door import acting, page, positive, reading, staff
from seminars.web.staff.links import address_of

LETTERS = {
    "consulting/approved": "Request for a meeting agreed to, to be paid",
    "consulting/cancelled": "Meeting cancelled",
    "consulting/confirmed": "Meeting confirmed",
    "consulting/declined": "Request for a meeting declined",
    "consulting/meeting": "Consultant: new meeting",
    "consulting/meeting_moved": "Consultant: meeting moved",
    "consulting/meeting_off": "Consultant: meeting called off",
    "consulting/moved": "Meeting moved",
    "consulting/request_waits": "Consultant: a request waits",
    "consulting/requested": "Request for a meeting received",
    "engagements/agreed": "Engagement agreed",
    "engagements/cancelled": "Engagement cancelled",
    "engagements/milestone_accepted": "Part of an engagement accepted",
    "engagements/milestone_submitted": "Part of an engagement to be looked at",
    "engagements/proposal": "Proposal",
    "engagements/proposal_answered": "Staff: proposal answered",
    "engagements/retainer_active": "Retainer ready",
    "engagements/retainer_expired": "Retainer expired",
    "engagements/retainer_low": "Retainer low",
    "engagements/retainer_sold": "Retainer to be paid",
    "engagements/slots_gone": "Staff: days of a proposal gone",
    "invoices/credited": "Credit note",
    "invoices/receipt": "Receipt with invoice",
    "orders/confirmed": "Order confirmed",
    "orders/paid_without_seat": "Paid, and no seat left",
    "orders/payment_failed": "Payment failed",
    "orders/received": "Order received",
    "people/invited": "Staff: invitation to sign in",
    "people/password_changed": "Staff: password changed",
    "people/password_reset": "Staff: new password asked for",
    "registration/cancelled": "Seat cancelled",
    "registration/confirmed": "Seat confirmed",
    "registration/invitation": "Invitation for the calendar",
    "registration/passed_on": "Seat passed on to a colleague",
    "registration/session_changed": "Session changed",
    "registration/session_withdrawn": "Session called off",
}
"""What the desk calls each kind of letter."""
VIEWS = ("html", "text", "calendar", "raw")
# A letter is shown as it is in a frame that may do nothing: no script, no form, no address of ours.
FRAME = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"


@staff.get("/messages")
@needs(may.see_messages)
def messages() -> ResponseReturnValue:
    """Mails, newest first, narrowed by what stands in the address."""
    asked = request.args
    wanted = queries.Filter(
        state=asked["state"] if asked.get("state") in STATES else "",
        kind=asked.get("kind", "")[:80],
        recipient=asked.get("q", "")[:120],
    )
    session, before = reading(), positive(asked.get("before"))
    found = queries.messages_page(session, wanted, before=before)
    return page(
        "messages/list.html",
        section="Messages",
        wanted=wanted,
        found=found,
        counts=queries.counts(session),
        kinds=sorted(((kind, LETTERS.get(kind, kind)) for kind in queries.kinds(session)), key=lambda named: named[1]),
        letters=LETTERS,
        first=before is None,
    )


@staff.get("/messages/<int:message_id>")
@needs(may.see_messages)
def message(message_id: int) -> ResponseReturnValue:
    """One mail with its state, and as its reader sees it."""
    found = _message(message_id)
    shown = request.args["view"] if request.args.get("view") in VIEWS else "html"
    names = names_of(reading(), found.references)
    about = [(names[one], address_of(one)) for one in found.references]
    view = queries.view(found, _press())
    if (shown == "calendar" and not view.calendar) or (shown == "raw" and not found.raw):
        shown = "html"
    as_sent = bytes(found.raw).decode("utf-8", "replace") if found.raw else ""
    facts = {
        "as_sent": as_sent,
        "message": found,
        "letter": LETTERS.get(found.kind, found.kind),
        "view": view,
        "shown": shown,
        "about": about,
        "again": may.send_again(the_user()),
    }
    response = make_response(page("messages/show.html", section="Messages", **facts))
    response.headers["Content-Security-Policy"] = f"{content_policy(joined().settings)}; frame-src 'self'"
    return response


@staff.get("/messages/<int:message_id>/letter")
@needs(may.see_messages)
def letter(message_id: int) -> ResponseReturnValue:
    """The mail's own page, alone, for the frame that shows it."""
    words = queries.view(_message(message_id), _press()).words
    headers = {"Content-Security-Policy": FRAME, "X-Frame-Options": "SAMEORIGIN"}
    return Response(words.html, mimetype="text/html", headers=headers)


@staff.post("/messages/<int:message_id>/again")
@needs(may.send_again)
def send_again(message_id: int) -> ResponseReturnValue:
    """Send the same mail again, byte for byte."""
    with acting("sent again") as session:
        found = session.get(Message, message_id)
        if found is None:
            raise NotFound("There is no such mail.")
        outbox.send_again(session, found, now=now())
    flash(f"The mail to {found.recipient} is on its way again.")
    return redirect(url_for("staff.message", message_id=message_id), 303)


def _message(message_id: int) -> Message:
    found = queries.message(reading(), message_id)
    if found is None:
        raise NotFound("There is no such mail.")
    return found


def _press() -> Press:
    settings = joined().settings
    return Press(settings.letterhead, settings.secret_key)
