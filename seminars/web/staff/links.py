"""Where a thing that is named by its reference (`order/118`) can be opened at the desk."""

from typing import Any

from flask import url_for

from seminars.people import permissions as may
from seminars.web.shared.guards import the_user

_PAGES = {
    "event": ("staff.event", "event_id", may.see_programme),
    "order": ("staff.order", "order_id", may.see_orders),
    "appointment": ("staff.appointment", "appointment_id", may.own_week),
    "offering": ("staff.offering", "offering_id", may.see_consulting),
    "consultant": ("staff.consultant", "consultant_id", may.see_consulting),
    "availability": ("staff.availability", "consultant_id", may.change_consulting),
    "message": ("staff.message", "message_id", may.see_messages),
    "messages": ("staff.messages", "state", may.see_messages),
    "import": ("staff.import_run", "run_id", may.change_programme),
    "payment": ("staff.payment", "payment_id", may.see_finance),
    "entry": ("staff.entry", "entry_id", may.see_finance),
    "stripe_event": ("staff.stripe_message", "event_id", may.see_finance),
    "invoice": ("staff.document", "reference", may.see_orders),
    "proposal": ("staff.proposal", "proposal_id", may.see_engagements),
    "engagement": ("staff.engagement", "engagement_id", may.see_engagements),
    "retainer": ("staff.retainer", "retainer_id", may.see_engagements),
    "credit_note": ("staff.document", "reference", may.see_orders),
}


def address_of(reference: str) -> str:
    """The page of that thing, if there is one and whoever is signed in may see it; else nothing."""
    kind, _, number = reference.partition("/")
    if kind not in _PAGES:
        return ""
    endpoint, name, right = _PAGES[kind]
    if not right(the_user()):
        return ""
    values: dict[str, Any] = {name: reference if name == "reference" else number}
    return url_for(endpoint, **values)
