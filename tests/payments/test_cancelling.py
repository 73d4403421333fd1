"""A seat of a paid order is cancelled: what the plan says is what happens, and the money goes back once."""

import threading

import pytest

from seminars.db import transaction
from seminars.kit.money import Money
from seminars.orders.models import Order
from seminars.payments import cancelling, refunds
from seminars.payments.cancelling import Plan, PlanChanged
from seminars.payments.models import Payment
from tests.cluster import Database
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


def _plan(center: Center, order: Order, seats: list[int], *, refund: bool = True) -> Plan:
    with transaction() as session:
        return cancelling.plan(session, session.get_one(Order, order.id), seats, refund=refund)


def _press(center: Center, order: Order, seats: list[int], version: str, *, refund: bool = True) -> Plan:
    with transaction(by="user/1") as session:
        return cancelling.carry_out(
            session, session.get_one(Order, order.id), seats, refund=refund, version=version, reason="He cannot come",
            letterhead=center.settings.letterhead, now=center.clock(),
        )  # fmt: skip


def test_samir_cannot_come_and_his_seat_is_refunded(center: Center, paid: Order) -> None:
    anna, samir = center.registrations(paid)
    plan = _plan(center, paid, [samir.id])
    assert plan.refund == Money(PRICE, "USD")

    _press(center, paid, [samir.id], plan.version)
    center.pay_refunds()

    assert [r.state for r in center.registrations(paid)] == ["confirmed", "cancelled"]
    assert [(r.state, r.amount) for r in center.refunds(paid)] == [("succeeded", PRICE)]
    assert center.seats_taken(anna.event) == 1
    assert center.book() == {1050: PRICE - FEE, 2100: -PRICE, 5000: FEE}
    assert center.now_is(paid).state == "paid"


def test_pressing_an_old_plan_is_refused_and_changes_nothing(center: Center, paid: Order) -> None:
    anna, samir = center.registrations(paid)
    old = _plan(center, paid, [anna.id, samir.id])
    _press(center, paid, [samir.id], _plan(center, paid, [samir.id]).version)
    before = center.book()

    with pytest.raises(PlanChanged):
        _press(center, paid, [anna.id, samir.id], old.version)
    with pytest.raises(PlanChanged):
        _press(center, paid, [samir.id], _plan(center, paid, [anna.id]).version)

    assert center.book() == before
    assert [r.state for r in center.registrations(paid)] == ["confirmed", "cancelled"]


def test_a_seat_cancelled_without_a_refund_keeps_the_money_deferred(center: Center, paid: Order) -> None:
    _, samir = center.registrations(paid)

    _press(center, paid, [samir.id], _plan(center, paid, [samir.id], refund=False).version, refund=False)
    center.pay_refunds()

    assert center.refunds(paid) == []
    assert center.book()[2100] == -2 * PRICE


def test_when_the_last_seat_goes_the_order_is_cancelled(center: Center, paid: Order) -> None:
    seats = [r.id for r in center.registrations(paid)]

    _press(center, paid, seats, _plan(center, paid, seats).version)
    center.pay_refunds()

    assert center.now_is(paid).state == "cancelled"
    assert center.book() == {1050: -FEE, 5000: FEE}


def test_an_order_for_twenty_is_cancelled_at_once_however_long_its_numbers(center: Center, fresh_database: Database) -> None:
    with fresh_database.cluster.connect(fresh_database.name) as superuser:
        superuser.execute("SELECT setval(pg_get_serial_sequence('registrations', 'id'), 100000000)")
    order = center.order(center.an_event(price=PRICE, seats=20), [None] * 20)
    center.pay(order)
    center.look(order)
    seats = [r.id for r in center.registrations(order)]

    _press(center, order, seats, _plan(center, order, seats).version)
    center.pay_refunds()

    assert [(r.state, r.amount) for r in center.refunds(order)] == [("succeeded", 20 * PRICE)]


def test_two_refunds_at_once_cannot_exceed_the_payment(center: Center, paid: Order) -> None:
    with transaction() as session:
        payment = session.get_one(Payment, center.payments(paid)[0].id)
        letterhead = center.settings.letterhead
        first = refunds.promise_refund(
            session, payment, Money(700_00, "USD"), key="a", reason="", letterhead=letterhead, now=center.clock()
        )
        with pytest.raises(refunds.MoreThanPaid, match=r"\$300\.00"):
            refunds.promise_refund(session, payment, Money(301_00, "USD"), key="b", reason="", letterhead=letterhead, now=center.clock())
        again = refunds.promise_refund(
            session, payment, Money(700_00, "USD"), key="a", reason="", letterhead=letterhead, now=center.clock()
        )
        assert again is first


@pytest.mark.parametrize("trouble", ["cut_after", "error_after", "error_before", "too_many"])
def test_a_refund_survives_whatever_happens_to_the_call(center: Center, paid: Order, trouble: str) -> None:
    _, samir = center.registrations(paid)
    _press(center, paid, [samir.id], _plan(center, paid, [samir.id]).version)
    center.sandbox.chaos(**{trouble: {"times": 1, "match": "/v1/refunds"}})

    center.pay_refunds()
    for _ in range(3):
        center.later(seconds=61)
        center.pay_refunds()

    assert [(r.state, r.amount) for r in center.refunds(paid)] == [("succeeded", PRICE)]
    assert len(list(center.sandbox.client().v1.refunds.list({}).data)) == 1
    assert center.book() == {1050: PRICE - FEE, 2100: -PRICE, 5000: FEE}


@pytest.mark.parametrize("span", [{"minutes": 11}, {"hours": 25}])
def test_a_refund_that_was_never_made_is_asked_for_under_a_new_key(center: Center, paid: Order, span: dict[str, float]) -> None:
    _, samir = center.registrations(paid)
    _press(center, paid, [samir.id], _plan(center, paid, [samir.id]).version)
    center.sandbox.chaos(error_before={"match": "/v1/refunds"})
    center.pay_refunds()

    center.later(**span)
    center.pay_refunds()
    center.sandbox.chaos(error_before=False)
    center.pay_refunds()

    assert [(r.state, r.amount, r.number) for r in center.refunds(paid)] == [("succeeded", PRICE, 2)]
    assert len(list(center.sandbox.client().v1.refunds.list({}).data)) == 1
    sent = {line.get("idempotency_key") for line in center.sandbox.log("request") if line["method"] == "POST" and "refunds" in line["path"]}
    assert len(sent) == 2


def test_a_refund_that_stripe_refused_waits_for_a_person_and_is_not_sent_by_a_second_worker(center: Center, paid: Order) -> None:
    anna, samir = center.registrations(paid)
    _press(center, paid, [anna.id, samir.id], _plan(center, paid, [anna.id, samir.id]).version)
    center.sandbox.client().v1.refunds.create({"payment_intent": center.payments(paid)[0].payment_intent_id})
    center.pay_refunds()
    [refund] = center.refunds(paid)
    calls = len(center.sandbox.log("request"))

    refunds.pay_out(transaction, center.gateway, refund.id, letterhead=center.settings.letterhead, clock=center.clock)

    assert [r.state for r in center.refunds(paid)] == ["needs_manual"]
    assert "Stripe refused the refund of $1,000.00" in center.now_is(paid).needs_review
    assert len(center.sandbox.log("request")) == calls


def test_a_refund_by_hand_that_two_workers_hear_of_is_adopted_once(center: Center, paid: Order) -> None:
    payment = center.payments(paid)[0]
    made = center.sandbox.client().v1.refunds.create({"payment_intent": payment.payment_intent_id, "amount": 100_00})
    state, together = center.gateway.refund(made.id), threading.Barrier(2)
    found: list[int] = []

    def work() -> None:
        with center.app.app_context(), transaction() as session:
            together.wait()
            refund = refunds.adopt(session, state, now=center.clock())
            assert refund is not None
            found.append(refund.id)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert found == [center.refunds(paid)[0].id] * 2
    assert center.payments(paid)[0].promised == 100_00


def test_a_refund_that_fails_later_is_owed_again_and_waits_for_a_person(center: Center) -> None:
    order = center.order(center.an_event(price=PRICE))
    center.pay(order, "4000 0000 0000 5126")
    center.look(order)
    seats = [r.id for r in center.registrations(order)]
    _press(center, order, seats, _plan(center, order, seats).version)
    center.pay_refunds()
    assert [r.state for r in center.refunds(order)] == ["succeeded"]

    center.later(days=2)
    center.pay_refunds()

    assert [r.state for r in center.refunds(order)] == ["needs_manual"]
    assert "did not arrive" in center.now_is(order).needs_review
    assert center.book()[2050] == -PRICE


def test_a_refund_made_at_stripe_by_hand_is_adopted_and_shown(center: Center, paid: Order) -> None:
    payment = center.payments(paid)[0]
    center.sandbox.client().v1.refunds.create({"payment_intent": payment.payment_intent_id, "amount": 100_00})

    center.backfill()
    center.handle_events()

    assert [(r.external, r.amount, r.state) for r in center.refunds(paid)] == [(True, 100_00, "succeeded")]
    assert "by hand" in center.now_is(paid).needs_review
    assert center.book()[2050] == 100_00
