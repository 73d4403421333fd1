"""Hours are bought ahead, drawn down to the last minute, billed beyond it, and expire by contract."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from seminars.engagements import hours, retainers, timesheets
from seminars.engagements.models import Retainer, TimeLog
from seminars.engagements.timesheets import Work
from seminars.invoices.models import Invoice
from seminars.kit.refusals import BadInput, BadInputs, Conflict
from seminars.ledger import chart
from seminars.messages.models import Message
from seminars.orders.models import Order
from tests import cluster as clusters
from tests.clock import NOON
from tests.factories.engagements import a_consultant, a_retainer, an_active_retainer, booked, letters_to, paid
from tests.factories.seats import LETTERHEAD, Rush

CLIENT = "anna.vestergren@quillhaven.example"
TODAY = date(2027, 3, 1)


def log(session: Session, retainer: Retainer, minutes: int, key: str, *, on: date = TODAY, now=NOON) -> TimeLog:
    ingrid = retainer.logs[0].consultant if retainer.logs else a_consultant(session)
    return timesheets.log_time(
        session, retainer, Work(key=key, consultant=ingrid, worked_on=on, minutes=minutes), letterhead=LETTERHEAD, now=now
    )


def test_hours_are_sold_with_an_order_that_can_be_paid(session: Session) -> None:
    retainer = a_retainer(session, hours=10, rate=15_000)

    order = retainer.order
    assert order is not None
    assert (retainer.state, order.state, order.total) == ("open", "placed", 150_000)
    assert [(line.subject, line.description.replace("\u00a0", " ")) for line in order.lines] == [
        (retainer.reference, "10 h of consulting: Advice by telephone")
    ]
    assert letters_to(session, CLIENT) == ["engagements/retainer_sold"]
    with pytest.raises(Conflict, match="not paid yet"):
        log(session, retainer, 60, "a")


def test_it_is_active_once_its_order_is_paid(session: Session) -> None:
    retainer = a_retainer(session)
    settle = lambda: retainers.settle_paid(session, letterhead=LETTERHEAD, now=NOON)  # noqa: E731

    assert settle() == 0
    paid(session, retainer.order)
    assert [settle(), settle()] == [1, 0]

    assert (retainer.state, retainer.activated_at) == ("active", NOON)
    assert letters_to(session, CLIENT) == ["engagements/retainer_sold", "engagements/retainer_active"]


def test_an_order_that_is_cancelled_takes_the_retainer_with_it(session: Session) -> None:
    retainer = a_retainer(session)
    session.execute(update(Order).values(state="cancelled"))
    session.expire_all()

    retainers.settle_paid(session, letterhead=LETTERHEAD, now=NOON)

    assert retainer.state == "cancelled"
    with pytest.raises(Conflict, match="cancelled"):
        log(session, retainer, 60, "a")


def test_four_hours_are_drawn_and_earned(session: Session) -> None:
    retainer = an_active_retainer(session, hours=10, rate=15_000)

    entry = log(session, retainer, 240, "a")

    assert (entry.drawn, entry.earned, entry.unbilled, retainers.left(retainer)) == (240, 60_000, 0, 360)
    assert booked(session, "timesheet") == [
        (str(entry.id), [
            (chart.DEFERRED_CONSULTING, 60_000, retainer.reference), (chart.CONSULTING_REVENUE, -60_000, retainer.reference),
        ])
    ]  # fmt: skip


def test_two_hours_beyond_it_are_earned_and_wait_to_be_billed(session: Session) -> None:
    retainer = an_active_retainer(session, hours=1, rate=15_000)

    entry = log(session, retainer, 180, "a")

    assert (entry.drawn, entry.earned, entry.unbilled, retainers.left(retainer)) == (60, 15_000, 30_000, 0)
    assert booked(session, "timesheet") == [
        (str(entry.id), [
            (chart.DEFERRED_CONSULTING, 15_000, retainer.reference),
            (chart.UNBILLED_SERVICES, 30_000, entry.reference),
            (chart.CONSULTING_REVENUE, -45_000, retainer.reference),
        ])
    ]  # fmt: skip


def test_the_same_press_logs_once(session: Session) -> None:
    retainer = an_active_retainer(session)

    assert log(session, retainer, 60, "a") is log(session, retainer, 60, "a")

    assert (retainer.drawn, session.scalar(select(func.count()).select_from(TimeLog))) == (60, 1)


def test_what_goes_beyond_is_billed_once_with_an_invoice(session: Session) -> None:
    retainer = an_active_retainer(session, hours=1, rate=15_000)
    entries = [log(session, retainer, 60, "a"), log(session, retainer, 90, "b"), log(session, retainer, 30, "c")]

    order = timesheets.bill_unbilled(session, retainer, letterhead=LETTERHEAD, now=NOON)

    assert [(line.subject, line.net) for line in order.lines] == [(entries[1].reference, 22_500), (entries[2].reference, 7_500)]
    assert [one.order_id for one in entries] == [None, order.id, order.id]
    assert session.scalars(select(Invoice.total).where(Invoice.order_id == order.id)).one() == 30_000
    with pytest.raises(Conflict, match="nothing to bill"):
        timesheets.bill_unbilled(session, retainer, letterhead=LETTERHEAD, now=NOON)


def test_billing_clears_what_was_unbilled(session: Session) -> None:
    retainer = an_active_retainer(session, hours=1, rate=15_000)
    log(session, retainer, 150, "a")
    timesheets.bill_unbilled(session, retainer, letterhead=LETTERHEAD, now=NOON)

    lines = [line for kind in ("timesheet", "invoice") for _, entry in booked(session, kind) for line in entry]

    assert sum(amount for account, amount, _ in lines if account == chart.UNBILLED_SERVICES) == 0
    assert [(amount, dimension) for account, amount, dimension in lines if account == chart.RECEIVABLE and amount] == [
        (22_500, f"order/{retainer.logs[0].order_id}")
    ]


def test_little_is_left_is_said_once_when_the_mark_is_crossed(session: Session) -> None:
    retainer = an_active_retainer(session, hours=10, low=2)
    posted = []

    for key, minutes in (("a", 420), ("b", 60), ("c", 60), ("d", 90)):
        log(session, retainer, minutes, key)
        posted.append(letters_to(session, CLIENT).count("engagements/retainer_low"))

    assert posted == [0, 1, 1, 1]
    low = session.scalars(select(Message).where(Message.kind == "engagements/retainer_low")).one()
    assert low.facts["left"].replace("\u00a0", " ") == "2 h"


def test_what_is_left_after_the_last_day_expires_and_is_earned(session: Session) -> None:
    retainer = an_active_retainer(session, hours=10, rate=15_000, expires_on=date(2027, 3, 31))
    log(session, retainer, 540, "a")

    def run(now):
        return retainers.expire_due(session, letterhead=LETTERHEAD, now=now)

    assert run(NOON + timedelta(days=33)) == 0, "for three days, hours worked in time can still be logged"
    assert [run(NOON + timedelta(days=34)), run(NOON + timedelta(days=35))] == [1, 0]

    assert (retainer.state, retainers.left(retainer)) == ("expired", 0)
    assert booked(session, "expire") == [
        (retainer.reference, [
            (chart.DEFERRED_CONSULTING, 15_000, retainer.reference), (chart.CONSULTING_REVENUE, -15_000, retainer.reference),
        ])
    ]  # fmt: skip
    with pytest.raises(Conflict, match="expired"):
        log(session, retainer, 60, "b", now=NOON + timedelta(days=35))


def test_a_retainer_drawn_to_zero_expires_without_an_entry(session: Session) -> None:
    retainer = an_active_retainer(session, hours=1, expires_on=date(2027, 3, 31))
    log(session, retainer, 60, "a")

    retainers.expire_due(session, letterhead=LETTERHEAD, now=NOON + timedelta(days=60))

    assert (retainer.state, booked(session, "expire")) == ("expired", [])


@pytest.mark.parametrize(
    ("minutes", "on", "says"),
    [
        (0, TODAY, "between one minute"),
        (1441, TODAY, "between one minute"),
        (60, date(2027, 3, 2), "lies ahead"),
        (60, date(2027, 2, 27), "before the retainer was sold"),
    ],
)
def test_time_that_cannot_have_been_worked_is_refused(session: Session, minutes: int, on: date, says: str) -> None:
    retainer = an_active_retainer(session)

    with pytest.raises(BadInput, match=says):
        log(session, retainer, minutes, "a", on=on)

    assert (retainer.drawn, booked(session, "timesheet")) == (0, [])


def test_work_after_the_last_day_is_no_work_for_this_retainer(session: Session) -> None:
    retainer = an_active_retainer(session, expires_on=date(2027, 3, 31))

    with pytest.raises(BadInput, match="until 31"):
        log(session, retainer, 60, "a", on=date(2027, 4, 1), now=NOON + timedelta(days=31))


def test_what_cannot_be_sold_is_refused_with_every_reason(session: Session) -> None:
    with pytest.raises(BadInputs) as refused:
        a_retainer(session, hours=0, rate=0, low=1, expires_on=date(2027, 2, 1))

    assert set(refused.value.errors) == {"hours", "rate", "low_hours", "expires_on"}


@given(st.lists(st.integers(1, 400), min_size=1, max_size=30), st.integers(1, 30), st.integers(1, 100_003))
@settings(max_examples=300, deadline=None)
def test_whatever_is_logged_the_earned_parts_make_the_price_to_the_cent(worked: list[int], bought: int, rate: int) -> None:
    minutes = bought * 60
    price = hours.price_of(minutes, rate)
    drawn, earned = 0, 0

    for one in [*worked, minutes]:
        part = min(one, minutes - drawn)
        this = hours.earned_by(drawn + part, minutes, price) - hours.earned_by(drawn, minutes, price)
        assert this >= 0
        drawn, earned = drawn + part, earned + this

    assert (drawn, earned) == (minutes, price)


def test_a_price_that_does_not_divide_is_recognised_to_the_last_cent(session: Session) -> None:
    retainer = an_active_retainer(session, hours=3, rate=9_999)

    earned = [log(session, retainer, 7, f"k{number}").earned for number in range(26)]

    assert sum(earned) == 29_997 and retainer.drawn == 180 and retainer.logs[-1].drawn == 5


def test_two_consultants_log_at_once_and_no_minute_is_drawn_twice(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        retainer_id = an_active_retainer(session, hours=1, rate=15_000).id
        people = [a_consultant(session, name).id for name in ("Ingrid Malmstedt", "Tobias Renn")]

    def work(session: Session, number: int) -> TimeLog:
        from seminars.consulting.models import Consultant

        retainer = session.get_one(Retainer, retainer_id)
        done = Work(key=f"k{number % 4}", consultant=session.get_one(Consultant, people[number % 2]), worked_on=TODAY, minutes=25)
        return timesheets.log_time(session, retainer, done, letterhead=LETTERHEAD, now=NOON)

    rush.at_once(8, work)

    with rush.work() as session:
        retainer = session.get_one(Retainer, retainer_id)
        assert (retainer.drawn, sum(one.drawn for one in retainer.logs), len(retainer.logs)) == (60, 60, 4)
        assert [sum(one.earned for one in retainer.logs), sum(one.unbilled for one in retainer.logs)] == [15_000, 10_000]


def test_bills_pressed_at_once_bill_once(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        retainer = an_active_retainer(session, hours=1, rate=15_000)
        log(session, retainer, 120, "a")
        retainer_id = retainer.id

    def bill(session: Session, _number: int) -> Order:
        return timesheets.bill_unbilled(session, session.get_one(Retainer, retainer_id), letterhead=LETTERHEAD, now=NOON)

    got = rush.at_once(4, bill)

    assert sorted(type(one).__name__ for one in got) == ["Conflict"] * 3 + ["Order"]
