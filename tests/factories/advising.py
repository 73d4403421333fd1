"""Consulting in an installation under test: somebody who advises and signs in, what they offer, and who meets them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from seminars.consulting import appointments, booking, consultants, offerings
from seminars.consulting.intake import Question
from seminars.consulting.offerings import OfferingFacts
from seminars.db import transaction
from tests.factories.advice import a_consultant, an_offering
from tests.factories.desk import Desk
from tests.factories.meetings import ANNA, NINE, a_requested_one

FRIDAY = datetime(2027, 3, 5, 15, tzinfo=UTC)
"""9:00 on Friday in Chicago."""
ASKED = (
    Question("about", "What is it about?", required=True),
    Question("first", "Is it your first policy?", kind="yes_no"),
    Question("old", "What did the old one miss?", kind="text", when_key="first", when_equals="no"),
)
TOLD = [{"key": "about", "label": "What is it about?", "answer": "A policy for nurses on the wards"}]


def advise(desk: Desk) -> Desk:
    """Teddy, who signs in as the consultant, with a paid offering and a free one that needs agreement; Rosa, who does not sign in."""
    with desk.app.app_context(), transaction() as session:
        teddy = a_consultant(session, "Teddy Okonjo-Hale")
        consultants.link_login(session, teddy, desk.ids["consultant"])
        rosa = a_consultant(session)
        policy = an_offering(session, teddy, rosa, title="Policy review", questions=ASKED)
        call = an_offering(session, teddy, title="First call", lengths={30: 0}, needs_approval=True)
        draft = offerings.create(session, OfferingFacts("Crisis drill"), now=desk.clock())
        off_day = consultants.add_exception(session, teddy, date(2027, 3, 8), note="Conference")
        met = booking.hold_slot(
            session,
            policy,
            policy.lengths[0],
            starts_at=NINE,
            consultant_ids=[teddy.id],
            holder="cart/901",
            zone="America/New_York",
            answers=TOLD,
            now=desk.clock(),
        )
        booking.keep(session, [met], order_reference="order/901", client=ANNA, now=desk.clock())
        appointments.confirm(session, "order/901", now=desk.clock())
        asked = a_requested_one(session, call, FRIDAY, holder="cart/902")
        desk.ids |= {
            "teddy": teddy.id,
            "rosa": rosa.id,
            "offering": policy.id,
            "call": call.id,
            "draft_offering": draft.id,
            "exception": off_day.id,
            "met": met.id,
            "asked": asked.id,
        }
    return desk
