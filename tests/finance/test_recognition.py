"""Revenue on delivery: rules 35 to 37."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from seminars.finance.recognition import NotHeld, NotYetDelivered, deliver, recognise_late_sales
from seminars.invoices import credit_notes
from seminars.invoices.issuing import issue
from seminars.invoices.models import Invoice
from seminars.ledger import chart, periods
from seminars.ledger.balances import deferred_of
from seminars.ledger.models import JournalEntry, Posting
from seminars.orders.models import Order
from tests.factories.books import CENTER, FIRST_DAY, NOON, an_event, an_order

EVENING = FIRST_DAY + timedelta(hours=8)


def sold(session: Session, order: Order, *, now: datetime = NOON) -> Order:
    issue(session, order, center=CENTER, now=now)
    return order


def earned(session: Session, account: int = chart.SEMINAR_REVENUE) -> int:
    return -(session.scalar(select(func.coalesce(func.sum(Posting.amount), 0)).where(Posting.account_number == account)) or 0)


def test_each_day_earns_its_part_and_together_the_whole(session: Session) -> None:
    residency = an_event(session, days=3, price=50_000)
    sold(session, an_order(session, residency))

    seen = []
    for one in residency.sessions:
        deliver(session, one, now=one.ends_at)
        seen.append(earned(session))

    assert seen == [16_666, 33_332, 50_000]
    assert [deferred_of(session, f"session/{one.id}") for one in residency.sessions] == [[], [], []]


def test_it_is_dated_on_the_day_it_was_held(session: Session) -> None:
    residency = an_event(session, days=1)
    order = sold(session, an_order(session, residency))

    deliver(session, residency.sessions[0], now=EVENING + timedelta(days=9))

    dated = session.execute(select(JournalEntry.effective_on, JournalEntry.about).where(JournalEntry.source_kind == "deliver")).all()
    assert dated == [(date(2027, 3, 22), order.reference)]


def test_a_closed_month_moves_it_to_the_next_open_one(session: Session) -> None:
    residency = an_event(session, days=1)
    sold(session, an_order(session, residency))
    periods.close(session, date(2027, 3, 1), now=NOON)

    deliver(session, residency.sessions[0], now=EVENING)

    assert session.scalars(select(JournalEntry.effective_on).where(JournalEntry.source_kind == "deliver")).all() == [date(2027, 4, 1)]


def test_twice_earns_once(session: Session) -> None:
    residency = an_event(session, days=1)
    sold(session, an_order(session, residency))

    for _ in range(2):
        deliver(session, residency.sessions[0], now=EVENING)

    assert earned(session) == 50_000


def test_nothing_is_earned_before_the_end(session: Session) -> None:
    residency = an_event(session, days=1)

    with pytest.raises(NotYetDelivered, match="ends on 22\u00a0March 2027, 5:00\u00a0pm\u00a0CDT"):
        deliver(session, residency.sessions[0], now=EVENING - timedelta(seconds=1))
    assert residency.sessions[0].state == "planned"


def test_a_cancelled_session_was_not_held(session: Session) -> None:
    residency = an_event(session, days=1)
    residency.sessions[0].state = "cancelled"
    session.flush()

    with pytest.raises(NotHeld):
        deliver(session, residency.sessions[0], now=EVENING)


def test_no_show_earns_and_what_a_cancelled_seat_left_behind_is_a_fee(session: Session) -> None:
    residency = an_event(session, days=1)
    order = sold(session, an_order(session, residency, seats=3))
    stays, missing, cancelled = (line.registration for line in order.lines)
    stays.state, missing.state, cancelled.state = "attended", "no_show", "cancelled"
    [invoice] = session.scalars(select(Invoice))
    [line] = credit_notes.left(session, invoice, [cancelled.reference])
    credit_notes.issue(session, invoice, key="cancel", lines=[line.less(42_500)], reason="Cancelled", center=CENTER, now=NOON)

    deliver(session, residency.sessions[0], now=EVENING)

    assert earned(session) == 100_000
    assert earned(session, chart.CANCELLATION_FEES) == 7_500
    assert deferred_of(session, f"session/{residency.sessions[0].id}") == []


def test_a_seat_sold_after_delivery_is_earned_by_the_job(session: Session) -> None:
    residency = an_event(session, days=1)
    deliver(session, residency.sessions[0], now=EVENING)
    late = EVENING + timedelta(days=1)
    sold(session, an_order(session, residency, at=late), now=late)

    assert recognise_late_sales(session, now=late) == 1
    assert recognise_late_sales(session, now=late) == 0

    assert earned(session) == 50_000
    assert session.scalars(select(JournalEntry.effective_on).where(JournalEntry.source_kind == "deliver")).all() == [date(2027, 3, 23)]


def test_three_hundred_seats_cost_no_more_statements_than_three(session: Session) -> None:
    counts = []
    for seats in (3, 300):
        residency = an_event(session, days=1)
        sold(session, an_order(session, residency, seats=seats))
        session.expire_all()
        statements: list[str] = []
        listener = lambda *args, seen=statements: seen.append(args[2])  # noqa: E731
        event.listen(session.get_bind().engine, "before_cursor_execute", listener)
        deliver(session, residency.sessions[0], now=EVENING)
        event.remove(session.get_bind().engine, "before_cursor_execute", listener)
        counts.append(len(statements))

    assert counts[1] <= counts[0] + 1 and counts[0] < 20, counts
