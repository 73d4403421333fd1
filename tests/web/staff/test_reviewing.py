"""What waited for a person leaves the queue when one has settled it, and not while money is set aside."""

import pytest
from sqlalchemy import select

from seminars.audit.models import AuditEntry
from seminars.db import db, transaction
from seminars.kit.refusals import Conflict
from seminars.orders.models import Order
from seminars.payments import reviewing
from seminars.payments.models import Payment, StripeEvent
from tests.factories.desk import NOON, Desk, press


def _waits(desk: Desk) -> None:
    with transaction() as session:
        session.get_one(Order, desk.ids["order"]).needs_review = "The bank debit failed after the event began."


def test_an_order_that_was_looked_into_leaves_today_with_the_words_in_the_audit(furnished: Desk) -> None:
    with furnished.app.app_context():
        _waits(furnished)
    client, page = furnished.client("front_desk"), f"/staff/orders/{furnished.ids['order']}"

    press(client, f"{page}/reviewed", {"why": "They paid by check."}, form_on=page)

    assert "Needs a look" not in client.get(page).text
    with furnished.app.app_context():
        assert "They paid by check." in db.session.scalars(select(AuditEntry.why)).all()


def test_without_a_word_it_stays(furnished: Desk) -> None:
    with furnished.app.app_context():
        _waits(furnished)
    client, page = furnished.client("front_desk"), f"/staff/orders/{furnished.ids['order']}"

    assert press(client, f"{page}/reviewed", {"why": "  "}, form_on=page).status_code == 422
    assert "Needs a look" in client.get(page).text


def test_while_money_is_set_aside_it_stays(furnished: Desk) -> None:
    with furnished.app.app_context(), transaction() as session:
        order = session.get_one(Order, furnished.ids["unpaid"])
        order.needs_review = "The payment differs."
        session.add(
            Payment(
                order_id=order.id,
                charge_id="ch_1",
                payment_intent_id="pi_1",
                amount=100,
                currency="USD",
                role="unallocated",
                promised=0,
                paid_at=NOON,
                recorded_at=NOON,
            )
        )
        session.flush()

        with pytest.raises(Conflict, match=r"\$1\.00"):
            reviewing.settle(session, order)


def test_a_message_that_was_given_up_is_tried_again(furnished: Desk) -> None:
    with furnished.app.app_context(), transaction() as session:
        session.add(
            StripeEvent(
                id="evt_1", type="charge.updated", state="dead", attempts=12, payload={}, created=NOON, received_at=NOON, not_before=NOON
            )
        )
    client = furnished.client("finance")
    assert "/staff/stripe-messages/evt_1" in client.get("/staff/").text

    press(client, "/staff/stripe-messages/evt_1/again", form_on="/staff/stripe-messages/evt_1")

    with furnished.app.app_context():
        kept = db.session.get_one(StripeEvent, "evt_1")
        assert (kept.state, kept.attempts) == ("pending", 0)
