"""The pages that say what the house does with money and data: each sentence is held against what it does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from seminars.catalog.models import RefundPolicy
from seminars.catalog.policies import rule_sentence
from seminars.orders.fairness import MOST_UNPAID, REMEMBERED
from tests.clock import NOON, StandingClock
from tests.factories.programme import an_event
from tests.web.public.visitor import Visitor


def a_policy(session: Session, days: int, fee: int) -> RefundPolicy:
    made = RefundPolicy(name=f"{days} days", days_before=days, fee=fee, currency="USD")
    session.add(made)
    return made


def test_refund_rules_are_those_of_what_is_on_sale(anna: Visitor, session: Session, clock: StandingClock) -> None:
    usual, late = a_policy(session, 14, 7_500), a_policy(session, 2, 0)
    a_policy(session, 99, 0)
    an_event(session, title="Residency", policy=usual)
    an_event(session, title="Residency", policy=usual)
    for title in ("Crisis Day", "Reach", "Policy Desk", "Voices"):
        an_event(session, title=title, policy=late)
    an_event(session, title="Bare")
    an_event(session, title="Gift", price=0, policy=a_policy(session, 50, 0))
    an_event(session, title="Over", policy=a_policy(session, 51, 0), starts=NOON - timedelta(days=2))
    an_event(session, title="Draft", policy=a_policy(session, 52, 0), state="draft")

    text = anna.open("/refunds").text

    assert "Crisis Day, Policy Desk, Reach and one other Full refund until 2 days before the start." in text
    assert "Residency Full refund less $75.00 for each person until 14 days before the start." in text
    assert "Bare No refund after you have paid." in text
    assert [word for word in ("99", "50", "51", "52", "Gift", "Over", "Draft") if f" {word}" in text.partition("If a colleague")[0]] == []


@pytest.mark.parametrize(
    ("days", "fee", "sentence"),
    [(0, 0, "Full refund until the start."), (1, 5_000, "Full refund less $50.00 for each person until 1\u00a0day before the start.")],
)
def test_a_rule_reads_as_a_sentence(days: int, fee: int, sentence: str) -> None:
    assert rule_sentence(RefundPolicy(name="", days_before=days, fee=fee, currency="USD")) == sentence


def test_privacy_names_what_is_stored_and_for_how_long(anna: Visitor, client: FlaskClient, session: Session) -> None:
    event = an_event(session)

    text = anna.open("/privacy").text
    anna.hold(event.reference, event.ticket_types[0].id)

    cart = client.get_cookie("cart")
    assert cart is not None and cart.max_age == REMEMBERED.total_seconds()
    assert "The hash of your address 1 day." in text and f"more than {MOST_UNPAID} seats of one event" in text
    assert "20 minutes, at most 1 hour" in text and "Seven years, because books must be kept" in text
    assert "mailto:seminars@northfield.example" in anna.open("/privacy").markup


def test_every_page_leads_to_them(anna: Visitor) -> None:
    for page in ("/", "/cart", "/refunds", "/nothing-here"):
        assert [
            path for path in ("/refunds", "/privacy", "/accessibility", "/contact") if f'href="{path}"' not in anna.open(page).markup
        ] == []


def test_contact_and_accessibility_name_who_answers(anna: Visitor) -> None:
    contact, accessibility = anna.open("/contact").text, anna.open("/accessibility").text

    assert "Center for Social Media, Northfield Clinic, sells the seminars" in contact and "200 First Street" in contact
    assert "WCAG 2.2" in accessibility and "+1 507 555 0100" in accessibility
