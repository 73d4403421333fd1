"""What waited for a person: orders that were looked into, and messages from Stripe that could not be handled."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from seminars.kit.refusals import BadInput, NotFound
from seminars.orders import settlement
from seminars.payments import reviewing
from seminars.payments.models import StripeEvent
from seminars.people import permissions as may
from seminars.web.shared import now
from seminars.web.shared.guards import needs
from seminars.web.staff.door import acting, page, reading, staff

MOST_WORDS = 500


@staff.post("/orders/<int:order_id>/reviewed")
@needs(may.cancel_registrations)
def reviewed(order_id: int) -> ResponseReturnValue:
    """Say what came of an order that needed a look; the words stand in the audit."""
    why = " ".join(request.form.get("why", "").split())
    if not 1 <= len(why) <= MOST_WORDS:
        raise BadInput(f"Write what came of it, in at most {MOST_WORDS} characters.", "why")
    with acting(why) as session:
        found = reviewing.settle(session, settlement.lock(session, order_id))
    flash(f"Order {found.number} is settled.")
    return redirect(url_for("staff.order", order_id=order_id), 303)


@staff.get("/stripe-messages/<event_id>")
@needs(may.see_finance)
def stripe_message(event_id: str) -> ResponseReturnValue:
    """One message from Stripe, and why it could not be handled."""
    return page("stripe_message.html", event=_known(event_id))


@staff.post("/stripe-messages/<event_id>/again")
@needs(may.see_finance)
def stripe_message_again(event_id: str) -> ResponseReturnValue:
    """Have it handled once more."""
    _known(event_id)
    with acting("tried again") as session:
        reviewing.try_again(session, session.get_one(StripeEvent, event_id), now=now())
    flash("The message is tried again.")
    return redirect(url_for("staff.stripe_message", event_id=event_id), 303)


def _known(event_id: str) -> StripeEvent:
    event = reading().get(StripeEvent, event_id)
    if event is None:
        raise NotFound("There is no such message from Stripe.")
    return event
