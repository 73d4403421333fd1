"""The journal: each source once, balanced, reversed and never edited."""

import threading
from datetime import date

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from seminars.kit.money import Money
from seminars.ledger import balances, chart, journal, periods, postings
from seminars.ledger.models import Account, JournalEntry, Period, Posting
from seminars.ledger.postings import Line
from tests.cluster import Database
from tests.factories.books import NOON

DAY = date(2027, 3, 1)
USD = "USD"


def usd(amount: int) -> Money:
    return Money(amount, USD)


def paid(session: Session, charge: str, amount: int = 54_000, on: date = DAY) -> JournalEntry | None:
    return journal.post(
        session,
        source_kind=postings.CHARGE,
        source=charge,
        effective_on=on,
        about="order/1",
        lines=postings.card_paid(usd(amount), owed_by="order/1"),
        memo="Paid by card",
        now=NOON,
    )


def test_the_chart_in_the_database_is_the_chart_in_the_code(session: Session) -> None:
    found = session.execute(select(Account.number, Account.name, Account.type, Account.normal_side).order_by(Account.number)).all()

    assert found == [(row.number, row.name, row.type, row.normal_side) for row in chart.CHART]


def test_the_same_source_posts_once(session: Session) -> None:
    first, second = paid(session, "ch_1"), paid(session, "ch_1", amount=99)

    assert first is not None and second is None
    assert [line.amount for line in balances.entry(session, first.id).lines] == [usd(54_000), usd(-54_000)]
    assert session.scalar(select(func.count()).select_from(Posting)) == 2


def test_many_facts_post_at_once_and_those_already_posted_are_left_out(session: Session) -> None:
    paid(session, "ch_2")
    facts = [journal.Fact(postings.CHARGE, f"ch_{n}", DAY, "", postings.card_paid(usd(n), owed_by="order/1")) for n in range(1, 5)]

    made = journal.post_all(session, facts, now=NOON)

    assert [entry.source for entry in made] == ["ch_1", "ch_3", "ch_4"]
    assert journal.post_all(session, facts, now=NOON) == []


def test_a_fee_of_nothing_posts_nothing(session: Session) -> None:
    fee = postings.card_fee(usd(0))

    entry = journal.post(session, source_kind="stripe.bt.fee", source="txn_1", effective_on=DAY, about="", lines=fee, memo="", now=NOON)

    assert entry is None and fee == []


@pytest.mark.parametrize(
    "lines",
    [
        [Line(chart.BANK, usd(5))],
        [Line(chart.BANK, usd(5)), Line(chart.RECEIVABLE, usd(-4))],
        [Line(chart.BANK, usd(5)), Line(chart.RECEIVABLE, Money(-5, "EUR"))],
        [Line(chart.BANK, usd(5)), Line(chart.RECEIVABLE, usd(-5)), Line(chart.ROUNDING, usd(0))],
    ],
)
def test_a_rule_that_does_not_balance_is_named(session: Session, lines: list[Line]) -> None:
    with pytest.raises(ValueError, match="invoice:2027-0001 does not balance"):
        journal.post(session, source_kind="invoice", source="2027-0001", effective_on=DAY, about="", lines=lines, memo="", now=NOON)


def test_a_reversal_mirrors_once_and_is_linked(session: Session) -> None:
    wrong = paid(session, "ch_1")
    assert wrong is not None

    mirror = journal.reverse(session, wrong, effective_on=date(2027, 4, 1), memo="Wrong order", now=NOON)

    assert mirror is not None
    assert [line.amount for line in balances.entry(session, mirror.id).lines] == [usd(-54_000), usd(54_000)]
    assert balances.entry(session, wrong.id).reversed_by == mirror.id and balances.entry(session, mirror.id).reverses == wrong.id
    assert balances.trial_balance(session, date(2027, 4, 1)).lines == []
    assert journal.reverse(session, wrong, effective_on=date(2027, 4, 1), memo="", now=NOON) is None


def test_a_closed_month_refuses_and_the_next_open_day_is_offered(session: Session) -> None:
    periods.close(session, DAY, now=NOON)
    periods.close(session, date(2027, 4, 30), now=NOON)

    with pytest.raises(journal.PeriodClosed, match="March 2027"), session.begin_nested():
        paid(session, "ch_1")

    assert periods.open_day(session, DAY) == date(2027, 5, 1)
    assert periods.open_day(session, date(2027, 2, 3)) == date(2027, 2, 3)
    periods.reopen(session, DAY)
    assert paid(session, "ch_1") is not None


def test_two_who_post_the_same_fact_at_once_post_it_once(fresh_database: Database) -> None:
    engine = create_engine(fresh_database.url.replace("postgresql://", "postgresql+psycopg://"))
    made: list[bool] = []

    def worker() -> None:
        with Session(engine) as session, session.begin():
            made.append(paid(session, "ch_1") is not None)

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(made) == [False] * 7 + [True]
    engine.dispose()


@pytest.mark.parametrize("has_row", [True, False], ids=["month with a row", "month without a row"])
def test_closing_waits_for_the_poster_and_the_next_poster_is_refused(fresh_database: Database, has_row: bool) -> None:
    engine = create_engine(fresh_database.url.replace("postgresql://", "postgresql+psycopg://"))
    if has_row:
        with Session(engine) as session, session.begin():
            session.add(Period(month=DAY, state="open"))
    closed = threading.Event()

    def closer() -> None:
        with Session(engine) as session, session.begin():
            periods.close(session, DAY, now=NOON)
        closed.set()

    with Session(engine) as session, session.begin():
        paid(session, "ch_1")
        thread = threading.Thread(target=closer)
        thread.start()
        assert not closed.wait(0.5)
    thread.join()

    assert closed.is_set()
    with Session(engine) as session, pytest.raises(journal.PeriodClosed), session.begin():
        paid(session, "ch_2")
    engine.dispose()


def test_trial_balance_account_and_journal_tell_the_same(session: Session) -> None:
    paid(session, "ch_1", 54_000, date(2027, 3, 1))
    journal.post(
        session, source_kind="stripe.bt.fee", source="txn_1", effective_on=date(2027, 3, 2), about="order/1",
        lines=postings.card_fee(usd(1_596)), memo="Fee", now=NOON,
    )  # fmt: skip
    paid(session, "ch_2", 10_000, date(2027, 3, 3))

    before = balances.trial_balance(session, date(2027, 3, 2))
    page = balances.account_page(session, chart.STRIPE_CLEARING, currency=USD, as_of=date(2027, 3, 31), page=2, per_page=2)

    assert [(line.number, line.debit, line.credit) for line in before.lines] == [
        (chart.STRIPE_CLEARING, usd(52_404), usd(0)),
        (chart.RECEIVABLE, usd(0), usd(54_000)),
        (chart.CARD_FEES, usd(1_596), usd(0)),
    ]
    assert before.totals == [(usd(54_000), usd(54_000))]
    assert (page.opening, page.closing, page.total_lines, page.pages) == (usd(52_404), usd(62_404), 3, 2)
    assert [(line.amount, line.balance) for line in page.lines] == [(usd(10_000), usd(62_404))]
    assert [entry.source for entry in balances.journal_page(session, last=date(2027, 3, 2)).entries] == ["txn_1", "ch_1"]
    assert [entry.source for entry in balances.entries_from(session, [("stripe.charge", "ch_2")])] == ["ch_2"]
