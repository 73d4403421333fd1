"""What one bad thing must not do to the others: a page that is gone, a key that was rolled, a message about something foreign."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from seminars.db import transaction
from seminars.gateways.stripe import Gateway, Unreachable
from seminars.orders.models import Order
from seminars.payments import events, inbox, polling
from seminars.payments.models import PaymentAttempt, StripeEvent
from tests.payments.center import Center


def _forget_page(center: Center, order: Order) -> None:
    """Stripe has no page of this id any more."""
    with transaction() as session:
        session.execute(update(PaymentAttempt).where(PaymentAttempt.order_id == order.id).values(session_id="cs_test_gone"))


def test_a_page_that_stripe_does_not_know_keeps_nobody_else_from_being_asked_about(center: Center) -> None:
    event = center.an_event(seats=2)
    lost, found = center.order(event), center.order(event)
    center.page_of(lost)
    center.pay(found)
    _forget_page(center, lost)

    center.later(minutes=11)
    center.poll()

    assert (center.now_is(lost).state, center.now_is(found).state) == ("placed", "paid")
    assert "does not tell of the payment page of attempt 1" in center.now_is(lost).needs_review
    assert center.seats_taken(event) == 2, "nobody knows whether the lost page was paid, so its seat stays"


def test_bank_debits_under_way_do_not_keep_open_pages_from_their_turn(center: Center) -> None:
    debit, card = center.order(center.an_event()), center.order(center.an_event())
    center.pay(debit, account="000000000009")
    center.look(debit)
    center.page_of(card)
    center.later(minutes=40)
    center.look(debit)
    center.later(seconds=61)

    with transaction() as session:
        first = polling.attempts_to_ask(session, now=center.clock(), most=1)

    assert first == [center.attempts(card)[0].session_id]


def test_a_charge_that_stripe_does_not_know_keeps_no_other_fee_from_being_booked(center: Center) -> None:
    orders = [center.order(center.an_event()) for _ in range(2)]
    for order in orders:
        center.pay(order)
        center.look(order)
    with transaction() as session:
        for order, charge_id in zip(orders, ("ch_gone", None), strict=True):
            payment = session.merge(center.payments(order)[0])
            payment.charge_id, payment.balance_transaction_id, payment.fee = charge_id or payment.charge_id, None, None

    center.later(seconds=31)
    polling.fetch_fees(transaction, center.gateway, letterhead=center.settings.letterhead, clock=center.clock)

    assert [center.payments(order)[0].fee is not None for order in orders] == [False, True]


def test_a_key_that_is_not_let_in_decides_nothing(center: Center) -> None:
    order = center.order(center.an_event())
    center.pay(order)
    center.backfill()
    refused = Gateway("rk_test_rolled", center.sandbox.url, ())
    center.sandbox.chaos(forbid=True)

    with pytest.raises(Unreachable):
        refused.session(str(center.attempts(order)[0].session_id))
    events.handle_due(transaction, refused, letterhead=center.settings.letterhead, clock=center.clock)
    polling.poll(transaction, refused, letterhead=center.settings.letterhead, clock=center.clock)
    assert center.now_is(order).state == "placed" and center.now_is(order).needs_review == ""

    center.clock.ahead += timedelta(minutes=1)
    center.handle_events()
    assert center.now_is(order).state == "paid"


@pytest.mark.parametrize(("kind", "gone"), [("charge.updated", "ch_gone"), ("refund.updated", "re_gone")])
def test_16_a_message_about_something_that_is_gone_is_ignored_with_a_reason(center: Center, kind: str, gone: str) -> None:
    order = center.order(center.an_event())
    center.pay(order)
    notice = next(center.gateway.events_since(center.clock() - timedelta(hours=1), ("charge.succeeded",)))
    payload = {"data": {"object": {"id": gone}}}
    foreign = type(notice)("evt_gone", kind, gone, notice.created, notice.api_version, notice.livemode, payload)
    with transaction() as session:
        inbox.accept(session, foreign, source="webhook", now=center.clock())

    center.handle_events()

    with transaction() as session:
        kept = session.get_one(StripeEvent, "evt_gone")
        assert (kept.state, "No such" in kept.reason) == ("ignored", True)
