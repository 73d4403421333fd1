"""Finance decides about a payment that differs and about refunds that no program can finish; each page says what pressing does."""

import re

import pytest
from sqlalchemy import select

from seminars.audit.models import AuditEntry
from seminars.db import db, transaction
from seminars.finance.checks import run_checks
from seminars.gateways.stripe import RefundState
from seminars.invoices.models import CreditNote
from seminars.ledger.models import JournalEntry
from seminars.orders.models import Order
from seminars.payments import refunds
from seminars.payments.models import Payment, Refund
from seminars.registration.models import Registration
from tests.factories.desk import NOON, Desk, pay, press

CAME = 100_000


@pytest.fixture
def differing(furnished: Desk) -> Desk:
    """1,000.00 came for a seat of 1,190.00."""
    with furnished.app.app_context():
        pay(furnished, db.session.get_one(Order, furnished.ids["unpaid"]), came=CAME)
        furnished.ids["payment"] = db.session.scalars(select(Payment.id)).one()
    return furnished


@pytest.fixture
def by_hand(furnished: Desk) -> Desk:
    """The seat is paid for, and 200.00 of it were refunded at Stripe."""
    with furnished.app.app_context():
        pay(furnished, db.session.get_one(Order, furnished.ids["unpaid"]))
        with transaction() as session:
            payment = session.scalars(select(Payment)).one()
            state = RefundState(
                "re_1", "succeeded", 20_000, "USD", payment.payment_intent_id, payment.charge_id, None, None, "", {}, NOON
            )  # fmt: skip
            made = refunds.adopt(session, state, now=NOON)
            assert made is not None
            refunds.sync(session, made.id, refunds.Looked(state, None, None), zone="UTC", now=NOON)
            furnished.ids |= {"payment": payment.id, "refund": made.id}
    return furnished


def page_of(desk: Desk) -> str:
    return f"/staff/finance/payments/{desk.ids['payment']}"


def test_a_payment_that_differs_is_on_today_and_says_what_confirming_does(differing: Desk) -> None:
    client = differing.client("finance")

    today, at_the_desk = client.get("/staff/").text, differing.client("front_desk").get("/staff/").text
    assert f'href="{page_of(differing)}"' in today and "An order needs a look" not in today
    assert "An order needs a look" in at_the_desk and page_of(differing) not in at_the_desk

    shown = client.get(page_of(differing)).text
    assert "$1,000.00 came, and $1,190.00 was agreed." in shown
    assert "$190.00 of it stays to be paid" in shown


def test_finance_confirms_it_with_a_reason_and_it_leaves_today(differing: Desk) -> None:
    client, page = differing.client("finance"), page_of(differing)

    without = press(client, f"{page}/confirm", {"reason": " "}, form_on=page)
    done = press(client, f"{page}/confirm", {"reason": "Agreed by telephone"}, form_on=page)
    again = press(client, f"{page}/confirm", {"reason": "Agreed by telephone"}, form_on=page)

    assert (without.status_code, done.status_code, again.status_code) == (422, 303, 409)
    assert "Please say why" in without.text and "does not wait for a decision any more" in again.text
    assert page not in client.get("/staff/").text
    with differing.app.app_context():
        order = db.session.get_one(Order, differing.ids["unpaid"])
        assert (order.state, order.needs_review) == ("paid", "")
        assert "Agreed by telephone" in db.session.scalars(select(AuditEntry.why)).all()
        assert run_checks(db.session(), now=NOON) == []
    entries = client.get(f"/staff/orders/{differing.ids['unpaid']}").text
    assert "confirmed although $1,000.00 differs from $1,190.00" in entries


@pytest.mark.parametrize("role", ["front_desk", "program", "admin"])
def test_nobody_else_confirms_it(differing: Desk, role: str) -> None:
    answer = press(differing.client(role), f"{page_of(differing)}/confirm", {"reason": "please"})

    assert answer.status_code == 403
    with differing.app.app_context():
        assert db.session.scalars(select(Payment.role)).one() == "unallocated"


def test_finance_answers_a_refund_made_by_hand_with_a_credit_note(by_hand: Desk) -> None:
    client, page = by_hand.client("finance"), page_of(by_hand)
    assert "A refund was made at Stripe by hand" in client.get("/staff/").text
    with by_hand.app.app_context():
        seat = db.session.scalars(select(Registration.id).where(Registration.order_reference == f"order/{by_hand.ids['unpaid']}")).one()
    to, typed = f"/staff/finance/refunds/{by_hand.ids['refund']}/answer", {"way": "goodwill", "reason": "The room was cold"}

    none_chosen = press(client, to, typed, form_on=page)
    done = press(client, to, typed | {"seat": str(seat)}, form_on=page)
    again = press(client, to, typed | {"seat": str(seat)}, form_on=page)

    assert (none_chosen.status_code, done.status_code, again.status_code) == (422, 303, 409)
    assert "made at Stripe by hand" not in client.get("/staff/").text
    with by_hand.app.app_context():
        assert db.session.scalars(select(CreditNote.total)).one() == 20_000
        assert db.session.get_one(Registration, seat).state == "confirmed"
        assert db.session.get_one(Order, by_hand.ids["unpaid"]).needs_review == ""


def test_a_refund_that_failed_is_closed_with_where_the_money_went(by_hand: Desk) -> None:
    with by_hand.app.app_context(), transaction() as session:
        refund = session.get_one(Refund, by_hand.ids["refund"])
        refund.external, refund.state, refund.failure_reason = False, "needs_manual", "expired_or_canceled_card"
    client, page = by_hand.client("finance_approver"), page_of(by_hand)
    to = f"/staff/finance/refunds/{by_hand.ids['refund']}/otherwise"
    assert "$200.00 could not be paid back" in client.get(page).text

    without = press(client, to, {"reason": "card closed"}, form_on=page)
    done = press(client, to, {"reason": "card closed", "reference": "Wire of 14 May"}, form_on=page)
    refused = press(by_hand.client("front_desk"), to, {"reason": "card closed", "reference": "x"})

    assert (without.status_code, done.status_code, refused.status_code) == (422, 303, 403)
    assert "card closed (Wire of 14 May)" in client.get(page).text
    with by_hand.app.app_context():
        assert db.session.get_one(Refund, by_hand.ids["refund"]).state == "settled_otherwise"


def test_from_a_payment_to_its_entries_and_back_in_three_clicks(furnished: Desk) -> None:
    with furnished.app.app_context():
        pay(furnished, db.session.get_one(Order, furnished.ids["unpaid"]))
        furnished.ids["payment"] = db.session.scalars(select(Payment.id)).one()
        charge = db.session.scalars(select(JournalEntry.id).where(JournalEntry.source_kind == "stripe.charge")).one()
    client, page = furnished.client("finance"), page_of(furnished)

    assert page in client.get("/staff/finance/payments").text
    entries = set(re.findall(r'href="(/staff/finance/entries/\d+)"', client.get(page).text))

    assert f"/staff/finance/entries/{charge}" in entries and len(entries) == 3
    assert f'href="{page}"' in client.get(f"/staff/finance/entries/{charge}").text
