"""An appointment in an order: one payment, one invoice, revenue when it is delivered, and what cancelling it does to the cent."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from seminars.catalog.models import RefundPolicy
from seminars.consulting import queries
from seminars.consulting.models import Appointment
from seminars.db import transaction
from seminars.finance import checks, recognition
from seminars.finance.recognition import NotYetDelivered
from seminars.invoices.models import Invoice
from seminars.kit.refusals import Conflict
from seminars.orders import cart as carts
from seminars.orders.cart import Meeting
from seminars.orders.models import Order
from seminars.payments import meetings
from seminars.payments.cancelling import PlanChanged
from tests.factories.advice import CHICAGO, a_consultant, an_offering
from tests.payments.center import ANNA, SAMIR, Center

FEE = 7_500


def booked(center: Center, *, seats: int = 2, days_before: int = 2) -> Order:
    """Two seats and an hour for $280.00 ten days from now, ordered; the hour is refunded less $75.00 until `days_before` days before."""
    event = center.an_event()
    with transaction() as session:
        policy = RefundPolicy(name="Consulting", days_before=days_before, fee=FEE, currency="USD")
        session.add(policy)
        session.flush()
        offering = an_offering(session, a_consultant(session), policy=policy)
        secret = carts.open_cart(session, now=center.clock()).secret
    with transaction() as session:
        cart = carts.cart_by_secret(session, secret)
        assert cart is not None
        if seats:
            carts.add_places(session, cart, {event.ticket_types[0].id: seats}, now=center.clock())
        offering = queries.offering_by_slug(session, offering.slug)
        assert offering is not None
        since = center.clock() + timedelta(days=10)
        slot = queries.slots_of(session, offering, offering.lengths[0], since=since, until=since + timedelta(days=7), now=center.clock())[0]
        carts.add_meeting(session, cart, Meeting(offering, offering.lengths[0], slot.starts_at, None, CHICAGO, []), now=center.clock())
    with transaction() as session:
        return center.place(session, secret, (ANNA, SAMIR)[:seats])


def paid(center: Center, **given: int) -> Order:
    order = booked(center, **given)
    center.pay(order)
    center.look(order)
    return order


def the_meeting(center: Center, order: Order) -> Appointment:
    with transaction() as session:
        found = session.scalar(select(Appointment).where(Appointment.order_reference == order.reference))
        assert found is not None
        return found


def act(center: Center, order: Order, do: Callable[..., object], **given: object) -> None:
    with transaction(by="user/1") as session:
        do(session, session.get_one(Appointment, the_meeting(center, order).id), now=center.clock(), **given)


def sound(center: Center) -> None:
    with transaction() as session:
        assert checks.run_checks(session, now=center.clock()) == []


def test_one_payment_and_one_invoice_for_two_seats_and_an_hour(center: Center) -> None:
    order = paid(center)

    assert [payment.amount for payment in center.payments(order)] == [2 * 119_000 + 28_000]
    with transaction() as session:
        [invoice] = session.scalars(select(Invoice))
        assert [(line["quantity"], line["net"]) for line in invoice.facts["lines"]] == [(2, 238_000), (1, 28_000)]
    book = center.book()
    assert (book[2100], book[2120]) == (-238_000, -28_000)
    assert the_meeting(center, order).state == "confirmed"
    sound(center)


def test_delivering_it_earns_it_once(center: Center) -> None:
    order = paid(center)
    center.later(days=25)

    for _ in range(2):
        act(center, order, recognition.deliver_appointment)

    book = center.book()
    assert (book[4020], book.get(2120)) == (-28_000, None)
    assert the_meeting(center, order).state == "delivered"
    sound(center)


def test_a_client_who_does_not_come_has_used_it(center: Center) -> None:
    order = paid(center)
    center.later(days=25)

    act(center, order, recognition.deliver_appointment, came=False)

    assert the_meeting(center, order).state == "no_show"
    assert center.book()[4020] == -28_000
    sound(center)


def test_nothing_is_earned_before_it_begins(center: Center) -> None:
    order = paid(center)

    with pytest.raises(NotYetDelivered):
        act(center, order, recognition.deliver_appointment)

    assert center.book().get(4020) is None


def cancelled(center: Center, order: Order, refunding: meetings.Refunding = "by_rule") -> meetings.MeetingPlan:
    with transaction() as session:
        plan = meetings.plan(session, the_meeting(center, order), refunding=refunding, now=center.clock())
    act(
        center, order, meetings.carry_out, refunding=refunding, version=plan.version, reason="Cancelled by the client",
        letterhead=center.settings.letterhead,
    )  # fmt: skip
    return plan


def test_in_time_it_goes_back_less_the_fee_and_the_fee_is_earned(center: Center) -> None:
    order = paid(center)

    plan = cancelled(center, order)
    center.pay_refunds()

    assert (plan.refund, plan.fee, plan.kept.amount) == (28_000 - FEE, FEE, FEE)
    assert [refund.amount for refund in center.refunds(order)] == [28_000 - FEE]
    book = center.book()
    assert (book.get(2120), book[4030]) == (None, -FEE)
    assert center.now_is(order).state == "paid"
    assert "consulting/cancelled" in center.letters("consulting") or "consulting/confirmed" in center.letters("consulting")
    sound(center)


def test_too_late_nothing_goes_back(center: Center) -> None:
    order = paid(center, days_before=60)

    plan = cancelled(center, order)

    assert (plan.refund, plan.kept.amount) == (0, 28_000)
    assert center.refunds(order) == []
    assert center.book()[4030] == -28_000
    sound(center)


def test_staff_may_give_all_of_it_back(center: Center) -> None:
    order = paid(center, days_before=60)

    plan = cancelled(center, order, "all")
    center.pay_refunds()

    assert plan.refund == 28_000
    assert center.book().get(4030) is None
    sound(center)


def test_an_order_of_nothing_but_the_hour_is_cancelled_with_it(center: Center) -> None:
    order = paid(center, seats=0)

    cancelled(center, order)

    assert center.now_is(order).state == "cancelled"
    sound(center)


def test_a_plan_is_carried_out_once(center: Center) -> None:
    order = paid(center)
    plan = cancelled(center, order)

    with pytest.raises(PlanChanged):
        act(
            center, order, meetings.carry_out, refunding="by_rule", version=plan.version, reason="Twice",
            letterhead=center.settings.letterhead,
        )  # fmt: skip

    assert len(center.refunds(order)) == 1


def test_what_has_begun_cannot_be_cancelled(center: Center) -> None:
    order = paid(center)
    center.later(days=25)

    with transaction() as session, pytest.raises(Conflict, match="begun"):
        meetings.plan(session, the_meeting(center, order), refunding="by_rule", now=center.clock())
