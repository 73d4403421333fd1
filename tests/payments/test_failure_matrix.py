"""The failure matrix of payments, rows 1 to 24: at each point where it can break, what must come of it."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
import requests
import stripe
from sqlalchemy import select, update

from seminars.catalog.models import Event, TicketType
from seminars.db import transaction
from seminars.kit.refusals import Conflict
from seminars.orders import cancellation, settlement
from seminars.orders.models import Order
from seminars.payments import cancelling, checkout, events, resolving
from seminars.payments.models import PaymentAttempt, StripeEvent
from seminars.registration import holds
from tests import payer
from tests.payments.center import ANNA, Center
from tests.payments.conftest import WEBHOOK_SECRET

SESSIONS = "/v1/checkout/sessions"
EVERY_TRY = {"times": 3, "match": SESSIONS}
"""The library itself tries a call three times."""


def _call_off(center: Center, order: Order) -> None:
    """Staff cancel an order that nobody has paid."""
    cancelling.call_off(transaction, center.gateway, order.id, letterhead=center.settings.letterhead, clock=center.clock)


def test_01_crash_before_the_intent_is_committed_leaves_only_a_hold_that_lapses(center: Center) -> None:
    event = center.an_event(seats=1)
    cart = center.cart(event)

    with pytest.raises(KeyboardInterrupt), transaction() as session:
        center.place(session, cart)
        raise KeyboardInterrupt

    assert center.seats_taken(event) == 1, "the hold stands, and nothing else"
    with transaction() as session:
        assert session.scalars(select(Order)).all() == [] and session.scalars(select(PaymentAttempt)).all() == []
        holds.sweep_lapsed(session, now=center.clock() + timedelta(hours=2))
    assert center.seats_taken(event) == 0
    assert center.sessions_at_stripe() == []


def test_02_crash_after_the_intent_before_the_call_makes_exactly_one_page(center: Center) -> None:
    order = center.order(center.an_event())

    center.later(seconds=61)
    center.resolve()

    assert [a.state for a in center.attempts(order)] == ["open"]
    assert len(center.sessions_at_stripe()) == 1
    assert center.hand_over(order).url == center.attempts(order)[0].url


def test_03_an_answer_that_was_lost_is_replayed_under_the_same_key(center: Center) -> None:
    order = center.order(center.an_event())
    center.sandbox.chaos(cut_after={"times": 1, "match": SESSIONS})

    center.hand_over(order)

    assert [a.state for a in center.attempts(order)] == ["open"]
    assert [page.id for page in center.sessions_at_stripe()] == [center.attempts(order)[0].session_id]


def test_04_crash_after_the_answer_before_its_commit_ends_as_row_3(center: Center) -> None:
    order = center.order(center.an_event())
    attempt = center.attempts(order)[0]
    checkout.ask(center.gateway, attempt)  # and the process dies here

    center.later(seconds=61)
    center.resolve()

    assert [page.id for page in center.sessions_at_stripe()] == [center.attempts(order)[0].session_id]


def test_05_a_stored_500_is_looked_up_and_the_page_adopted(center: Center) -> None:
    order = center.order(center.an_event())
    center.sandbox.chaos(error_after={"times": 1, "match": SESSIONS})
    assert center.hand_over(order).state == "unknown"

    center.later(seconds=61)
    center.resolve()

    assert [a.state for a in center.attempts(order)] == ["open"]
    assert [page.id for page in center.sessions_at_stripe()] == [center.attempts(order)[0].session_id]


def test_05_a_500_without_a_page_gets_a_new_attempt_with_a_new_key(center: Center) -> None:
    order = center.order(center.an_event())
    center.sandbox.chaos(error_before={"times": 6, "match": SESSIONS})
    assert center.hand_over(order).state == "unknown"

    center.later(seconds=61)
    center.resolve()

    first, second = center.attempts(order)
    assert (first.state, second.state) == ("superseded", "open")
    assert first.key != second.key
    assert [page.id for page in center.sessions_at_stripe()] == [second.session_id]


def test_06_after_a_day_nothing_is_sent_again_blindly(center: Center) -> None:
    order = center.order(center.an_event())

    center.later(hours=25)
    center.resolve()

    first, second = center.attempts(order)
    assert (first.state, second.state) == ("superseded", "open")
    keys = [line.get("idempotency_key") for line in center.sandbox.log("request") if line["method"] == "POST"]
    assert first.key not in keys and second.key in keys


def test_06_after_a_day_a_page_that_was_made_is_found_and_not_made_again(center: Center) -> None:
    order = center.order(center.an_event())
    checkout.ask(center.gateway, center.attempts(order)[0])

    center.later(hours=25)
    center.resolve()
    center.poll()

    assert len(center.sessions_at_stripe()) == 1
    assert center.now_is(order).state == "expired"


def test_07_a_key_seen_with_other_parameters_waits_for_a_person(center: Center) -> None:
    order = center.order(center.an_event())
    attempt = center.attempts(order)[0]
    center.gateway.create_session(attempt.params | {"client_reference_id": "order/0"}, key=attempt.key)

    center.hand_over(order)
    center.later(seconds=61)
    center.resolve()

    assert [a.state for a in center.attempts(order)] == ["unknown"]
    assert "other parameters" in center.now_is(order).needs_review
    assert len(center.sessions_at_stripe()) == 1


def test_07_an_order_whose_page_is_in_doubt_can_be_called_off(center: Center) -> None:
    event = center.an_event(seats=2)
    doubtful, never_sent = center.order(event), center.order(event)
    attempt = center.attempts(doubtful)[0]
    page = center.gateway.create_session(attempt.params | {"client_reference_id": "order/0"}, key=attempt.key)
    assert "KeyMisused" in center.hand_over(doubtful).trouble
    with pytest.raises(Conflict, match="under way"):
        _call_off(center, doubtful)

    center.later(seconds=61)
    for order in (doubtful, never_sent):
        _call_off(center, order)

    assert [center.now_is(order).state for order in (doubtful, never_sent)] == ["cancelled", "cancelled"]
    assert [center.attempts(order)[0].state for order in (doubtful, never_sent)] == ["expired", "superseded"]
    assert center.seats_taken(event) == 0
    assert page.url is not None
    with pytest.raises(payer.NotPaid):
        payer.pay(page.url)


@pytest.mark.parametrize("trouble", [{"too_many": {"times": 1, "match": SESSIONS}}, {"error_before": EVERY_TRY}])
def test_08_stripe_is_down_while_registering_and_the_order_stays_held(center: Center, trouble: dict[str, Any]) -> None:
    event = center.an_event(seats=1)
    order = center.order(event)
    center.sandbox.chaos(**trouble)

    assert center.hand_over(order).url is None
    assert center.now_is(order).state == "placed"
    assert center.seats_taken(event) == 1

    assert center.hand_over(order).url is not None
    assert len(center.attempts(order)) == 1


def test_09_double_click_two_tabs_and_back_button_lead_to_one_page(center: Center) -> None:
    order = center.order(center.an_event())

    first, second = center.page_of(order), center.page_of(order)
    again = center.begin(order)

    assert first == second == again.url
    assert len(center.attempts(order)) == 1


def test_09_after_the_page_expired_there_is_a_new_attempt(center: Center) -> None:
    order = center.order(center.an_event())
    first = center.page_of(order)
    center.later(minutes=36)
    center.poll()
    assert center.now_is(order).state == "expired"

    center.begin(order)

    assert center.page_of(order) != first
    assert [a.state for a in center.attempts(order)] == ["expired", "open"]
    center.pay(order)
    center.look(order)
    assert center.now_is(order).state == "paid"


def test_09_a_buyer_who_let_many_pages_expire_still_gets_one(center: Center) -> None:
    order = center.order(center.an_event())
    for _ in range(resolving.MOST_ATTEMPTS):
        center.page_of(order)
        center.later(minutes=36)
        center.poll()
        center.begin(order)
    center.sandbox.chaos(error_before={"times": 6, "match": SESSIONS})
    center.hand_over(order)

    center.later(seconds=61)
    center.resolve()

    assert center.attempts(order)[-1].state == "open"
    assert center.now_is(order).needs_review == ""


def test_09_an_order_that_lapsed_is_not_paid_for_once_its_event_is_off(center: Center) -> None:
    event = center.an_event(seats=1)
    order = center.order(event)
    center.page_of(order)
    center.later(minutes=36)
    center.poll()
    with transaction() as session:
        session.execute(update(Event).where(Event.id == event.id).values(state="archived"))

    with pytest.raises(Conflict, match="not on sale"):
        center.begin(order)

    assert center.now_is(order).state == "expired"
    assert center.seats_taken(event) == 0


def test_10_the_resolver_leaves_a_call_its_minute(center: Center) -> None:
    order = center.order(center.an_event())
    center.sandbox.chaos(error_before=EVERY_TRY)
    assert center.hand_over(order).state == "unknown"
    center.later(minutes=3)
    with transaction() as session:
        sending = session.get_one(PaymentAttempt, center.attempts(order)[0].id)
        sending.state, sending.submitted_at = "submitting", center.clock()

    with transaction() as session:
        assert resolving.stuck(session, now=center.clock()) == []
        assert resolving.stuck(session, now=center.clock() + timedelta(seconds=61)) == [sending.id]


def test_10_two_workers_at_one_order_get_the_same_page(center: Center) -> None:
    order = center.order(center.an_event())
    center.later(seconds=61)
    urls: list[str | None] = []

    def work() -> None:
        with center.app.app_context():
            urls.append(center.hand_over(order).url)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    center.hand_over(order)

    page = center.attempts(order)[-1].url
    assert len(center.sessions_at_stripe()) == 1 and len(center.attempts(order)) == 1
    assert page is not None and set(urls) <= {page, None}


def test_11_the_customer_pays_and_never_returns(center: Center, web_port: int) -> None:
    order = center.order(center.an_event())
    with center.open_for_business(web_port):
        center.pay(order)
        center.sandbox.flush()

    center.handle_events()
    center.handle_events()

    assert center.now_is(order).state == "paid"
    assert center.attempts(order)[0].found_by == "webhook"
    assert len(center.letters("registration/confirmed")) == 1


def test_12_the_customer_returns_before_the_webhook(center: Center, web_port: int) -> None:
    order = center.order(center.an_event())
    with center.open_for_business(web_port):
        center.pay(order)
        center.look(order)
        assert center.now_is(order).state == "paid"
        before = (center.book(), center.letters())
        center.sandbox.flush()

    while center.handle_events():
        pass

    assert (center.book(), center.letters()) == before


def test_13_a_forged_return_address_is_not_believed(center: Center, web_port: int) -> None:
    event = center.an_event()
    mine, hers = center.order(event), center.order(event)
    center.page_of(mine)
    center.pay(hers)

    with center.open_for_business(web_port) as base:
        page = f"{base}/orders/{mine.secret}/thanks"
        others = center.attempts(hers)[0].session_id
        for session_id in (others, "cs_test_made_up", "../../etc", ""):
            assert requests.get(page, params={"session_id": session_id}, timeout=20).status_code in (200, 400, 404)

    assert center.now_is(mine).state == "placed"


def test_14_a_webhook_that_never_arrives_is_found_by_the_poller(center: Center) -> None:
    order = center.order(center.an_event())
    center.pay(order)
    assert center.poll() == 0, "the page was looked at when it was made"

    center.later(minutes=10, seconds=1)
    center.poll()

    assert center.now_is(order).state == "paid"
    assert center.attempts(order)[0].found_by == "poll"


def test_14_events_that_were_lost_are_read_back(center: Center) -> None:
    order = center.order(center.an_event())
    center.pay(order)

    assert center.backfill() > 0
    center.handle_events()
    again = center.backfill()

    assert center.now_is(order).state == "paid"
    assert center.attempts(order)[0].found_by == "backfill"
    assert again == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_15_duplicates_reorderings_and_double_events_end_the_same(center: Center, web_port: int, seed: int) -> None:
    order = center.order(center.an_event(price=100_00))
    center.sandbox.chaos(duplicate={"chance": 0.7}, double_event={"chance": 0.7}, reorder={"chance": 0.5, "seconds": 0.2})
    with center.open_for_business(web_port):
        center.pay(order)
        center.sandbox.flush()
    while center.handle_events():
        pass

    assert center.now_is(order).state == "paid"
    assert center.book() == {1050: 100_00 - 320, 2100: -100_00, 5000: 320}
    assert len(center.letters("registration/confirmed")) == 1
    assert len(center.payments(order)) == 1


def _event(kind: str = "checkout.session.completed", *, livemode: bool = False, **thing: Any) -> bytes:
    thing = {"id": "cs_test_of_somebody_else", "object": "checkout.session", **thing}
    event = {
        "id": "evt_from_elsewhere", "object": "event", "type": kind, "created": 1_800_000_000, "livemode": livemode,
        "api_version": "2026-10-28.endive", "data": {"object": thing}, "pending_webhooks": 1, "request": None,
    }  # fmt: skip
    return json.dumps(event).encode()


def _post(center: Center, body: bytes, *, secret: str = WEBHOOK_SECRET, timestamp: int | None = None, signature: str | None = None) -> int:
    header = signature or stripe.WebhookSignature.generate_signature_header(body.decode(), secret, timestamp)
    answer = center.app.test_client().post(
        "/hooks/stripe", data=body, headers={"Stripe-Signature": header}, base_url=center.settings.base_url
    )
    return answer.status_code


def test_16_an_event_for_an_unknown_object_is_stored_and_ignored_with_a_reason(center: Center) -> None:
    assert _post(center, _event()) == 200
    center.handle_events()

    with transaction() as session:
        kept = session.get_one(StripeEvent, "evt_from_elsewhere")
        assert (kept.state, "No such" in kept.reason) == ("ignored", True)


def test_17_bad_signature_old_timestamp_and_wrong_mode_leave_no_row(center: Center) -> None:
    body = _event()
    now = int(center.clock().timestamp())
    signed = stripe.WebhookSignature.generate_signature_header(body.decode(), WEBHOOK_SECRET)

    assert [
        _post(center, body, secret="whsec_of_nobody"),
        _post(center, body, secret=""),
        _post(center, body, timestamp=now - 600),
        _post(center, json.dumps(json.loads(body), indent=1).encode(), signature=signed),
        _post(center, body, signature="t=1,v1=00"),
        _post(center, _event(livemode=True)),
        _post(center, b"not json"),
        _post(center, b"[]"),
    ] == [400] * 8
    with transaction() as session:
        assert session.query(StripeEvent).count() == 0


def test_18_a_worker_that_dies_gives_its_event_back(center: Center, web_port: int) -> None:
    order = center.order(center.an_event())
    with center.open_for_business(web_port):
        center.pay(order)
        center.sandbox.flush()
    with transaction() as session:
        assert events.claim_due(session, now=center.clock(), most=50)  # and the worker dies here

    assert center.handle_events() == 0
    center.later(seconds=61)
    center.handle_events()

    assert center.now_is(order).state == "paid"
    assert len(center.letters("registration/confirmed")) == 1


def _let_lapse(center: Center, order: Order) -> None:
    """The order lost its seats although its page at Stripe is still open."""
    with transaction() as session:
        cancellation.expire(session, settlement.lock(session, order.id), now=center.clock())


def test_19_a_payment_after_the_hold_takes_the_seat_again(center: Center) -> None:
    event = center.an_event(seats=1)
    order = center.order(event)
    page = center.page_of(order)
    _let_lapse(center, order)
    assert center.seats_taken(event) == 0

    payer.pay(page)
    center.look(order)

    assert center.now_is(order).state == "paid"
    assert center.seats_taken(event) == 1
    assert [r.state for r in center.registrations(order)] == ["confirmed"]


def test_20_a_payment_for_a_seat_that_is_gone_goes_back_by_itself(center: Center) -> None:
    event = center.an_event(seats=1, price=100_00)
    order = center.order(event)
    page = center.page_of(order)
    _let_lapse(center, order)
    winner = center.order(event, begin=False)

    payer.pay(page)
    center.look(order)
    center.pay_refunds()

    late = center.now_is(order)
    assert (late.state, late.paid_unplaced) == ("expired", True)
    assert center.seats_taken(event) == 1 and center.registrations(winner)[0].state == "held"
    assert [(r.state, r.amount) for r in center.refunds(order)] == [("succeeded", 100_00)]
    assert center.book() == {1050: -320, 5000: 320}, "the fee is lost, nothing else"
    assert "orders/paid_without_seat" in center.letters()

    center.look(order)
    center.pay_refunds()
    assert len(center.refunds(order)) == 1


def test_21_expiring_a_page_that_was_just_paid_means_paid(center: Center) -> None:
    order = center.order(center.an_event())
    center.page_of(order)
    center.sandbox.chaos(pay_during_expire={"times": 1})

    _call_off(center, order)

    assert center.now_is(order).state == "paid"
    assert [r.state for r in center.registrations(order)] == ["confirmed"]


def test_21_calling_off_an_unpaid_order_closes_its_page(center: Center) -> None:
    event = center.an_event(seats=1)
    order = center.order(event)
    page = center.page_of(order)

    _call_off(center, order)

    assert center.now_is(order).state == "cancelled"
    assert center.seats_taken(event) == 0
    with pytest.raises(payer.NotPaid):
        payer.pay(page)


def test_22_a_bank_debit_that_fails_days_later_frees_the_seat(center: Center) -> None:
    event = center.an_event(seats=1)
    order = center.order(event)
    center.pay(order, account="000222222227")
    center.look(order)
    assert (center.now_is(order).state, center.attempts(order)[0].state) == ("placed", "processing")

    center.later(days=5)
    center.look(order)

    assert (center.now_is(order).state, center.attempts(order)[0].state) == ("expired", "failed")
    assert center.seats_taken(event) == 0
    assert center.letters("orders/payment_failed") == ["orders/payment_failed"]


def test_22_a_bank_debit_that_fails_after_the_event_began_is_a_debt(center: Center) -> None:
    event = center.an_event(seats=1, starts_in=timedelta(days=15))
    order = center.order(event)
    center.pay(order, account="000222222227")
    center.look(order)

    with transaction() as session:
        for line in session.get_one(Order, order.id).lines:
            line.registration.event.starts_at = center.clock() + timedelta(days=1)
    center.later(days=5)
    center.look(order)

    assert "after the event began" in center.now_is(order).needs_review
    assert center.seats_taken(event) == 1


def test_a_bank_debit_is_not_offered_when_the_event_is_near(center: Center) -> None:
    near = center.order(center.an_event(starts_in=timedelta(days=13)))
    far = center.order(center.an_event(starts_in=timedelta(days=15)))

    assert "us_bank_account" in center.attempts(near)[0].params["excluded_payment_method_types"]
    assert "excluded_payment_method_types" not in center.attempts(far)[0].params


def test_23_a_payment_of_another_amount_confirms_nothing(center: Center) -> None:
    order = center.order(center.an_event(price=500_00))
    attempt = center.attempts(order)[0]
    cheap = json.loads(json.dumps(attempt.params))
    cheap["line_items"][0]["price_data"]["unit_amount"] = 100
    page = center.gateway.create_session(cheap, key=attempt.key)
    assert page.url is not None
    payer.pay(page.url)

    center.backfill()
    center.handle_events()

    found = center.now_is(order)
    assert found.state == "placed" and "differs" in found.needs_review
    assert [r.state for r in center.registrations(order)] == ["held"]
    assert center.book()[2000] == -100
    assert center.letters("registration") == []


def test_23_money_that_did_not_agree_goes_back_when_its_order_is_called_off(center: Center) -> None:
    event = center.an_event(price=500_00, seats=1)
    order = center.order(event)
    attempt = center.attempts(order)[0]
    cheap = json.loads(json.dumps(attempt.params))
    cheap["line_items"][0]["price_data"]["unit_amount"] = 100
    page = center.gateway.create_session(cheap, key=attempt.key)
    assert page.url is not None
    payer.pay(page.url)
    center.backfill()
    center.handle_events()

    _call_off(center, order)
    _call_off(center, order)
    center.pay_refunds()

    assert center.now_is(order).state == "cancelled" and center.seats_taken(event) == 0
    assert [(r.state, r.amount) for r in center.refunds(order)] == [("succeeded", 100)]
    assert center.book() == {1050: -33, 5000: 33}, "the fee is lost, nothing else"


def test_24_a_price_edited_while_the_page_is_open_is_for_new_orders(center: Center) -> None:
    event = center.an_event(price=500_00)
    order = center.order(event)
    page = center.page_of(order)
    with transaction() as session:
        session.execute(update(TicketType).where(TicketType.event_id == event.id).values(price=600_00))

    payer.pay(page)
    center.look(order)
    newer = center.order(event, [ANNA])

    assert (center.now_is(order).state, center.now_is(order).total) == ("paid", 500_00)
    assert center.now_is(newer).total == 600_00
