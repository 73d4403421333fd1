"""Requests for meetings that staff have to agree to: approved, with the way to pay where they cost something, or declined with a reason."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from seminars.consulting import announcing, appointments, queries
from seminars.consulting.appointments import price_of
from seminars.desk import consulting as reads
from seminars.kit import format as words
from seminars.kit.refusals import Refusal
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.errors import status_of
from seminars.web.shared.guards import needs
from seminars.web.staff.appointments import show
from seminars.web.staff.door import acting, errors_of, page, reading, staff


@staff.get("/consulting/requests")
@needs(may.manage_appointments)
def requests_waiting() -> ResponseReturnValue:
    """Requests that nobody has answered, oldest first."""
    waiting = [(one, price_of(one)) for one in queries.waiting(reading())]
    return page("consulting/requests.html", section="Consulting", waiting=waiting)


@staff.post("/appointments/<int:appointment_id>/approve")
@needs(may.manage_appointments)
def approve(appointment_id: int) -> ResponseReturnValue:
    """Agree: confirmed at once where it is free, else held while the client pays, to which the mail leads."""
    try:
        with acting("request approved") as session:
            found = appointments.approve(session, reads.appointment_by_id(session, appointment_id), now=now())
            announcing.tell_approved(session, [found], letterhead=joined().settings.letterhead, now=now())
    except Refusal as refusal:
        return _again(appointment_id, refusal)
    if found.held_until is None:
        flash(f"Agreed: the meeting with {found.client_name} is confirmed.")
    else:
        until, price = words.moment(found.held_until, joined().settings.center.zone), words.money(price_of(found))
        flash(f"Agreed: the time is held until {until}, and the way to pay {price} goes out to {found.client_email}.")
    return redirect(url_for("staff.requests_waiting"), 303)


@staff.post("/appointments/<int:appointment_id>/decline")
@needs(may.manage_appointments)
def decline(appointment_id: int) -> ResponseReturnValue:
    """Say no, with a reason that the client reads."""
    try:
        with acting("request declined") as session:
            found = reads.appointment_by_id(session, appointment_id)
            appointments.decline(session, found, reason=request.form.get("reason", ""), now=now())
            announcing.tell_declined(session, [found], letterhead=joined().settings.letterhead, now=now())
    except Refusal as refusal:
        return _again(appointment_id, refusal)
    flash(f"Declined: {found.client_name} hears why by mail, and the time is free again.")
    return redirect(url_for("staff.requests_waiting"), 303)


def _again(appointment_id: int, refusal: Refusal) -> ResponseReturnValue:
    reading().expire_all()
    return show(appointment_id, errors=errors_of(refusal)), status_of(refusal)
