"""What a person decides about money: the amount differs, a refund went another way, somebody refunded at Stripe. The books tie out."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from seminars.db import transaction
from seminars.finance.checks import run_checks
from seminars.invoices.models import CreditNote, Invoice
from seminars.kit.money import Money
from seminars.kit.refusals import BadInput, Conflict
from seminars.orders.models import Order
from seminars.payments import answering, cancelling, queries, reviewing
from seminars.payments.models import Payment, Refund
from tests import payer
from tests.payments.center import ANNA, SAMIR, Center

PRICE = 500_00
FEE = PRICE * 2 * 29 // 1000 + 30


@pytest.fixture
def paid(center: Center) -> Order:
    """Anna and Samir are registered and paid for."""
    order = center.order(center.an_event(price=PRICE, seats=2), [ANNA, SAMIR])
    center.pay(order)
    center.look(order)
    return order


@pytest.fixture(autouse=True)
def _books_tie_out(center: Center) -> Iterator[None]:
    """Whatever a person decides, every invariant of the books holds after it."""
    yield
    with transaction() as session:
        assert run_checks(session, now=center.clock()) == []


def _pays(center: Center, amount: int, *, price: int = PRICE, seats: int = 1) -> Order:
    """Anna orders a seat and pays another amount for it."""
    order = center.order(center.an_event(price=price, seats=seats))
    attempt = center.attempts(order)[0]
    other = json.loads(json.dumps(attempt.params))
    other["line_items"][0]["price_data"]["unit_amount"] = amount
    page = center.gateway.create_session(other, key=attempt.key)
    assert page.url is not None
    payer.pay(page.url)
    center.backfill()
    center.handle_events()
    return order


def _confirm(center: Center, order: Order) -> reviewing.Difference:
    with transaction(by="user/1", why="The rest is waived") as session:
        payment = session.scalars(select(Payment).where(Payment.order_id == order.id)).one()
        return reviewing.confirm_differing(session, payment, letterhead=center.settings.letterhead, now=center.clock())


def _invoice(center: Center, order: Order) -> Invoice:
    with transaction() as session:
        return session.scalars(select(Invoice).where(Invoice.order_id == order.id)).one()


def _cancel(center: Center, order: Order, seats: list[int]) -> cancelling.Plan:
    with transaction(by="user/1") as session:
        found = session.get_one(Order, order.id)
        shown = cancelling.plan(session, found, seats, refund=True)
        return cancelling.carry_out(
            session, found, seats, refund=True, version=shown.version, reason="No time",
            letterhead=center.settings.letterhead, now=center.clock(),
        )  # fmt: skip


def _by_hand(center: Center, order: Order, amount: int | None = None) -> Refund:
    """Somebody refunds at Stripe without telling us."""
    asked = {"payment_intent": center.payments(order)[0].payment_intent_id} | ({} if amount is None else {"amount": amount})
    center.sandbox.client().v1.refunds.create(asked)
    center.backfill()
    center.handle_events()
    return next(one for one in center.refunds(order) if one.external)


def test_23_a_payment_that_is_short_confirms_the_seat_and_leaves_the_rest_receivable(center: Center) -> None:
    order = _pays(center, 400_00)

    made = _confirm(center, order)

    assert (made.short, made.over) == (Money(100_00, "USD"), Money(0, "USD"))
    assert center.now_is(order).state == "paid" and center.now_is(order).needs_review == ""
    assert [r.state for r in center.registrations(order)] == ["confirmed"]
    invoice = _invoice(center, order)
    assert (invoice.state, invoice.total, invoice.paid, invoice.facts["paid"]["amount"]) == ("issued", 500_00, 400_00, 400_00)
    fee = center.payments(order)[0].fee or 0
    assert center.book() == {1050: 400_00 - fee, 1100: 100_00, 2100: -500_00, 5000: fee}
    assert center.letters("registration")[0] == "registration/confirmed"


def test_23_a_payment_that_is_too_large_confirms_the_seat_and_the_surplus_goes_back(center: Center) -> None:
    order = _pays(center, 560_00)

    _confirm(center, order)
    center.pay_refunds()

    assert center.now_is(order).state == "paid"
    assert (_invoice(center, order).state, _invoice(center, order).paid) == ("paid", 500_00)
    assert [(r.state, r.amount) for r in center.refunds(order)] == [("succeeded", 60_00)]
    fee = center.payments(order)[0].fee or 0
    assert center.book() == {1050: 500_00 - fee, 2100: -500_00, 5000: fee}


def test_23_a_second_pressing_is_refused_and_changes_nothing(center: Center) -> None:
    order = _pays(center, 560_00)
    _confirm(center, order)
    book = center.book()

    with pytest.raises(Conflict, match="any more"):
        _confirm(center, order)

    assert center.book() == book and len(center.refunds(order)) == 1


def test_23_a_seat_of_which_some_is_owed_is_cancelled_and_only_what_came_goes_back(center: Center) -> None:
    order = _pays(center, 400_00)
    _confirm(center, order)

    plan = _cancel(center, order, [r.id for r in center.registrations(order)])
    center.pay_refunds()

    assert (plan.credited.amount, plan.set_off.amount, plan.refund.amount) == (500_00, 100_00, 400_00)
    fee = center.payments(order)[0].fee or 0
    assert center.book() == {1050: -fee, 5000: fee}
    assert _invoice(center, order).state == "credited"


def test_23_a_seat_that_lapsed_meanwhile_is_taken_again_and_one_that_was_sold_is_not(center: Center) -> None:
    order = _pays(center, 400_00)
    with transaction(by="user/1") as session:
        found = session.get_one(Order, order.id)
        cancelling.cancellation.expire(session, found, now=center.clock())
    other = center.order(center.now_is(order).lines[0].registration.event)

    with pytest.raises(Conflict):
        _confirm(center, order)

    assert center.payments(order)[0].role == "unallocated"
    with transaction(by="user/1") as session:
        cancelling.cancellation.expire(session, session.get_one(Order, other.id), now=center.clock())
    _confirm(center, order)
    assert center.now_is(order).state == "paid"


def test_23_money_set_aside_for_an_order_that_was_paid_otherwise_goes_back(center: Center) -> None:
    order = _pays(center, 400_00)
    center.begin(order)
    center.pay(order)
    center.look(order)
    assert center.now_is(order).state == "paid"

    with transaction(by="user/1") as session:
        aside = session.scalars(select(Payment).where(Payment.role == "unallocated")).one()
        reviewing.send_back(session, aside, reason="Paid anew", letterhead=center.settings.letterhead, now=center.clock())
    center.pay_refunds()

    assert [(r.state, r.amount) for r in center.refunds(order)] == [("succeeded", 400_00)]
    assert (center.now_is(order).needs_review, center.book().get(2000)) == ("", None)
    with pytest.raises(Conflict), transaction(by="user/1") as session:
        reviewing.send_back(
            session, session.get_one(Payment, aside.id), reason="again", letterhead=center.settings.letterhead, now=center.clock()
        )


def test_two_matters_of_one_order_are_both_kept(center: Center) -> None:
    order = _pays(center, 400_00)
    _by_hand(center, order, 100_00)

    told = center.now_is(order).needs_review.splitlines()

    assert ["differs" in told[0], "by hand" in told[1]] == [True, True]
    with transaction(by="user/1") as session:
        refund = session.scalars(select(Refund)).one()
        answering.gave_back_set_aside(session, refund, reason="They asked", zone="UTC", now=center.clock())
    assert center.now_is(order).needs_review.splitlines() == told[:1]
    assert center.book()[2000] == -300_00, "what is left waits for a decision"
    with pytest.raises(Conflict, match="goes back already"):
        _confirm(center, order)


def _failed(center: Center) -> Order:
    """Anna's refund arrives nowhere and comes back."""
    order = center.order(center.an_event(price=PRICE))
    center.pay(order, "4000 0000 0000 5126")
    center.look(order)
    _cancel(center, order, [r.id for r in center.registrations(order)])
    center.pay_refunds()
    center.later(days=2)
    center.pay_refunds()
    return order


def _otherwise(center: Center, order: Order) -> Refund:
    with transaction(by="user/1", why="Card closed") as session:
        refund = session.get_one(Refund, center.refunds(order)[0].id)
        return answering.settle_otherwise(
            session, refund, reason="The card is closed", reference="Wire of 14 May", zone="America/Chicago", now=center.clock()
        )


def test_a_refund_that_did_not_arrive_is_paid_by_the_bank_and_nothing_is_owed(center: Center) -> None:
    order = _failed(center)
    assert "did not arrive" in center.now_is(order).needs_review and center.book()[2050] == -PRICE

    _otherwise(center, order)

    [refund] = center.refunds(order)
    assert (refund.state, refund.answer, refund.answer_reference) == ("settled_otherwise", "The card is closed", "Wire of 14 May")
    assert center.now_is(order).needs_review == ""
    assert (center.book().get(2050), center.book()[1000]) == (None, -PRICE)
    center.later(days=1)
    center.pay_refunds()
    assert center.refunds(order)[0].state == "settled_otherwise"


def test_a_refund_is_settled_otherwise_once(center: Center) -> None:
    order = _failed(center)
    _otherwise(center, order)

    with pytest.raises(Conflict, match="any more"):
        _otherwise(center, order)

    assert center.book()[1000] == -PRICE


def _credit(center: Center, refund: Refund, seats: list[int], *, cancel: bool) -> CreditNote:
    with transaction(by="user/1") as session:
        return answering.credit(
            session, session.get_one(Refund, refund.id), seats, cancel=cancel, reason="Asked by telephone",
            letterhead=center.settings.letterhead, now=center.clock(),
        )  # fmt: skip


def test_30_a_refund_by_hand_gets_its_credit_note_and_the_seat_goes(center: Center, paid: Order) -> None:
    refund = _by_hand(center, paid, PRICE)
    assert center.book()[2050] == PRICE

    note = _credit(center, refund, [center.registrations(paid)[1].id], cancel=True)

    assert note.total == PRICE and [r.state for r in center.registrations(paid)] == ["confirmed", "cancelled"]
    assert center.book() == {1050: PRICE - FEE, 2100: -PRICE, 5000: FEE}
    assert center.now_is(paid).needs_review == "" and center.refunds(paid)[0].answer_reference == note.number
    with pytest.raises(Conflict, match="any more"):
        _credit(center, refund, [center.registrations(paid)[0].id], cancel=True)


def test_30_a_refund_by_hand_as_goodwill_keeps_the_seat_and_lowers_its_price(center: Center, paid: Order) -> None:
    refund = _by_hand(center, paid, 100_00)

    _credit(center, refund, [center.registrations(paid)[0].id], cancel=False)

    assert [r.state for r in center.registrations(paid)] == ["confirmed", "confirmed"]
    assert center.book() == {1050: 2 * PRICE - FEE - 100_00, 2100: -2 * PRICE + 100_00, 5000: FEE}


def test_30_seats_that_cost_less_than_went_back_are_refused(center: Center, paid: Order) -> None:
    refund = _by_hand(center, paid, PRICE + 1)

    with pytest.raises(BadInput, match="Choose more"):
        _credit(center, refund, [center.registrations(paid)[0].id], cancel=True)

    assert [r.state for r in center.registrations(paid)] == ["confirmed", "confirmed"]


@pytest.mark.parametrize("amount", [None, 400_00])
def test_30_a_refund_by_hand_takes_the_place_of_the_promise_it_was_in_the_way_of(center: Center, paid: Order, amount: int | None) -> None:
    _cancel(center, paid, [r.id for r in center.registrations(paid)])
    refund = _by_hand(center, paid, amount)
    center.pay_refunds()
    assert center.refunds(paid)[0].state == "needs_manual"

    with transaction(by="user/1") as session:
        found = session.get_one(Refund, refund.id)
        assert answering.ways(session, found).promised == Money(2 * PRICE, "USD")
        answering.take_the_place(session, found, reason="The same", letterhead=center.settings.letterhead, now=center.clock())
    center.pay_refunds()

    assert [(r.state, r.amount) for r in center.refunds(paid)] == [
        ("canceled", 2 * PRICE), ("succeeded", amount or 2 * PRICE), *([("succeeded", 2 * PRICE - amount)] if amount else [])
    ]  # fmt: skip
    assert center.book() == {1050: -FEE, 5000: FEE}
    assert center.now_is(paid).needs_review == ""


def test_a_refund_by_hand_that_does_not_arrive_is_owed_by_nobody(center: Center) -> None:
    order = center.order(center.an_event(price=PRICE))
    center.pay(order, "4000 0000 0000 5126")
    center.look(order)
    _by_hand(center, order, 100_00)
    center.later(days=2)
    center.pay_refunds()

    [refund] = center.refunds(order)
    assert (refund.state, center.payments(order)[0].promised) == ("failed", 0)
    assert "no refund is promised" in center.now_is(order).needs_review
    assert center.book().get(2050) is None


def test_the_clock_of_the_lost_messages(center: Center) -> None:
    center.backfill()

    def told(**later: float) -> list[str]:
        with transaction() as session:
            return [one.what for one in queries.events_trouble(session, now=center.clock() + timedelta(**later))]

    assert told() == [] and told(days=19) == []
    assert told(days=21) == ["Messages from Stripe may be lost"]


def test_messages_that_stripe_cannot_deliver_raise_an_alarm_after_a_while(center: Center) -> None:
    order = center.order(center.an_event(price=PRICE))
    center.pay(order)
    center.backfill()

    def told() -> list[str]:
        with transaction() as session:
            return [one.what for one in queries.events_trouble(session, now=center.clock())]

    assert told() == [], "they may be under way"
    center.later(minutes=11)
    center.backfill()
    assert told() == ["Stripe cannot deliver its messages"]
    center.later(days=2)
    center.backfill()
    assert told() == []
