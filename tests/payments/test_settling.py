"""Anna pays, and everything that follows from it stands in one commit."""

import pytest
from sqlalchemy import select

from seminars.db import transaction
from seminars.invoices import credit_notes
from seminars.kit.format import local
from seminars.ledger import periods
from seminars.ledger.models import JournalEntry
from seminars.payments import cancelling
from tests import payer
from tests.payments.center import ANNA, SAMIR, Center

FEE = 500_00 * 29 // 1000 + 30


def test_anna_pays_for_two_and_both_are_registered(center: Center) -> None:
    event = center.an_event(price=119_000)
    order = center.order(event, [ANNA, SAMIR])

    center.pay(order)
    center.look(order)

    assert center.now_is(order).state == "paid"
    assert [r.state for r in center.registrations(order)] == ["confirmed", "confirmed"]
    assert [(p.role, p.amount, p.brand, p.last4) for p in center.payments(order)] == [("settles", 238_000, "visa", "4242")]
    fee = 238_000 * 29 // 1000 + 30
    assert center.book() == {1050: 238_000 - fee, 2100: -238_000, 5000: fee}


def test_looking_again_changes_nothing(center: Center) -> None:
    order = center.order(center.an_event())
    center.pay(order)
    center.look(order)
    before = (center.book(), center.letters())

    center.look(order)
    center.look(order)

    assert (center.book(), center.letters()) == before


def test_a_declined_card_keeps_the_seat_and_says_why(center: Center) -> None:
    event = center.an_event(seats=1)
    order = center.order(event)

    with pytest.raises(payer.NotPaid, match="declined"):
        center.pay(order, "4000 0000 0000 0002")
    center.look(order)

    assert center.now_is(order).state == "placed"
    assert "declined" in center.attempts(order)[-1].decline_reason
    assert center.seats_taken(event) == 1

    center.pay(order)
    center.look(order)

    assert center.now_is(order).state == "paid"


def test_money_of_a_closed_month_is_booked_in_the_open_one(center: Center) -> None:
    order = center.order(center.an_event())
    center.pay(order)
    paid_on = local(center.clock(), "America/Chicago").date()
    with transaction() as session:
        periods.close(session, paid_on, now=center.clock())

    center.later(days=32)
    center.look(order)

    assert center.now_is(order).state == "paid"
    with transaction() as session:
        dates = set(session.scalars(select(JournalEntry.effective_on).where(JournalEntry.source_kind == "stripe.charge")))
    assert all((day.year, day.month) > (paid_on.year, paid_on.month) for day in dates) and dates


def test_a_month_closed_before_its_end_stops_no_payment_and_no_refund(center: Center) -> None:
    order = center.order(center.an_event(price=500_00))
    center.pay(order)
    today = local(center.clock(), "America/Chicago").date()
    with transaction() as session:
        periods.close(session, today, now=center.clock())

    center.look(order)
    with transaction() as session:
        invoice = cancelling.invoice_of(session, order)
        assert invoice is not None and invoice.issued_on == today
        lines = credit_notes.left(session, invoice)
        credit_notes.issue(session, invoice, key="k", lines=lines, reason="", center=center.settings.center, now=center.clock())

    assert center.now_is(order).state == "paid"
    assert center.book() == {1050: 500_00 - FEE, 2050: -500_00, 5000: FEE}
    with transaction() as session:
        assert all(day > today.replace(day=28) for day in session.scalars(select(JournalEntry.effective_on)))
