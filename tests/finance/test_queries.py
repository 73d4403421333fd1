"""What finance sees: payments with their totals, one payment with all its parts, deferred revenue by session."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from seminars.finance import queries
from seminars.finance.queries import PaymentFilter
from seminars.finance.recognition import deliver
from seminars.invoices import credit_notes
from seminars.invoices.issuing import issue
from seminars.invoices.models import Invoice
from seminars.kit.money import Money
from seminars.kit.refusals import NotFound
from seminars.ledger import journal, postings
from seminars.payments.models import Payment, Refund
from tests.factories.books import CENTER, FIRST_DAY, NOON, a_payment, an_event, an_order

ALL = PaymentFilter(zone=CENTER.zone)
PAID = {"method": "card", "brand": "visa", "last4": "4242", "on": NOON.isoformat()}


def usd(amount: int) -> Money:
    return Money(amount, "USD")


def sold(session: Session, *, charge: str, fee: int | None = None, at: datetime = NOON, days: int = 2) -> Payment:
    order = an_order(session, an_event(session, days=days), at=at)
    issue(session, order, center=CENTER, paid=PAID, now=at)
    return a_payment(session, order, charge=charge, fee=fee, at=at)


def a_refund(session: Session, payment: Payment, amount: int, state: str = "succeeded") -> Refund:
    refund = Refund(
        payment_id=payment.id, key=f"k{amount}{state}", amount=amount, currency="USD", reason="Cancelled", state=state, params={},
        refund_id=f"re_{amount}{state}", balance_transaction_id=f"txn_re_{amount}{state}", promised_at=NOON,
    )  # fmt: skip
    session.add(refund)
    session.flush()
    return refund


def test_payments_stand_newest_first_with_totals_of_all_pages(session: Session) -> None:
    first = sold(session, charge="ch_1", fee=1_480)
    second = sold(session, charge="ch_2", at=NOON + timedelta(days=1))
    a_refund(session, first, 20_000)
    a_refund(session, first, 5_000, state="failed")

    page = queries.payments_page(session, ALL, per_page=1)

    assert [(row.charge_id, row.fee, row.net, row.refunded) for row in page.rows] == [("ch_2", None, None, usd(0))]
    assert [row.id for row in queries.payments_page(session, ALL, per_page=1, page=2).rows] == [first.id]
    assert page.totals == [queries.PaymentTotals(2, usd(100_000), usd(1_480), usd(20_000), 1)]
    assert (page.total, page.pages, second.id) == (2, 2, page.rows[0].id)


@pytest.mark.parametrize(
    ("wanted", "charges"),
    [
        (PaymentFilter(zone=CENTER.zone, first=date(2027, 3, 2)), ["ch_late"]),
        (PaymentFilter(zone=CENTER.zone, last=date(2027, 3, 1)), ["ch_evening"]),
        (PaymentFilter(zone="UTC", first=date(2027, 3, 2)), ["ch_late", "ch_evening"]),
        (PaymentFilter(zone="UTC", words="CH_LATE"), ["ch_late"]),
        (PaymentFilter(zone="UTC", words="%"), []),
        (PaymentFilter(zone="UTC", words="lakeside"), ["ch_late", "ch_evening"]),
        (PaymentFilter(zone="UTC", method="sepa_debit"), []),
        (PaymentFilter(zone="UTC", role="settles"), ["ch_late", "ch_evening"]),
    ],
)
def test_filters_count_days_in_the_zone_of_the_center(session: Session, wanted: PaymentFilter, charges: list[str]) -> None:
    sold(session, charge="ch_evening", at=datetime(2027, 3, 2, 5, 59, tzinfo=UTC))
    sold(session, charge="ch_late", at=datetime(2027, 3, 2, 6, 0, tzinfo=UTC))

    page = queries.payments_page(session, wanted)

    assert [row.charge_id for row in page.rows] == charges
    assert sum(one.count for one in page.totals) == len(charges)


def test_one_payment_shows_every_entry_it_is_made_of(session: Session) -> None:
    payment = sold(session, charge="ch_1", fee=1_480)
    other = sold(session, charge="ch_2", fee=1_480)
    [document, *_] = queries.documents_of(session, payment.order_id)
    invoice = session.get_one(Invoice, int(document.reference.partition("/")[2]))
    note = credit_notes.issue(
        session, invoice, key="k", lines=credit_notes.left(session, invoice), reason="Cancelled", center=CENTER, now=NOON
    )
    refund = a_refund(session, payment, 50_000)
    journal.post(
        session, source_kind=postings.BALANCE_TRANSACTION, source=str(refund.balance_transaction_id), effective_on=NOON.date(),
        about=payment.order.reference, lines=postings.refund_executed(refund.money, owed_to=payment.order.reference), memo="", now=NOON,
    )  # fmt: skip

    detail = queries.payment_detail(session, payment.id)

    assert [(entry.source_kind, entry.source) for entry in detail.entries] == [
        ("invoice", invoice.number),
        ("stripe.charge", "ch_1"),
        ("stripe.bt.fee", "txn_ch_1"),
        ("creditnote", note.number),
        ("stripe.bt", refund.balance_transaction_id),
    ]
    assert [(one.kind, one.number, one.total, one.state) for one in detail.documents] == [
        ("invoice", invoice.number, usd(50_000), "credited"),
        ("credit_note", note.number, usd(50_000), "issued"),
    ]
    assert [(one.amount, one.state) for one in detail.refunds] == [(usd(50_000), "succeeded")]
    assert other.id != payment.id and detail.payment.net == usd(48_520)


def test_an_unknown_payment_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        queries.payment_detail(session, 999_999)


def test_deferred_revenue_rolls_forward_by_session(session: Session) -> None:
    residency = an_event(session, days=2)
    order = an_order(session, residency, seats=2)
    invoice = issue(session, order, center=CENTER, paid=PAID, now=NOON)
    [first, _] = credit_notes.left(session, invoice)
    credit_notes.issue(session, invoice, key="k", lines=[first.less(20_000)], reason="", center=CENTER, now=NOON + timedelta(days=3))
    deliver(session, residency.sessions[0], now=FIRST_DAY + timedelta(days=1))

    def rolled(as_of: date) -> list[tuple[str, int, int, int, int, int]]:
        found = queries.deferred_by_session(session, as_of=as_of)
        return [
            (one.title, one.seats, one.invoiced.amount, one.credited.amount, one.recognised.amount, one.deferred.amount) for one in found
        ]

    assert rolled(date(2027, 2, 28)) == []
    assert rolled(date(2027, 3, 1)) == [("Day 1", 2, 50_000, 0, 0, 50_000), ("Day 2", 2, 50_000, 0, 0, 50_000)]
    assert rolled(date(2027, 3, 21)) == [("Day 1", 2, 50_000, 10_000, 0, 40_000), ("Day 2", 2, 50_000, 10_000, 0, 40_000)]
    assert rolled(date(2027, 3, 31)) == [("Day 2", 2, 50_000, 10_000, 0, 40_000)]


def test_a_page_costs_the_same_number_of_queries_for_few_and_many(session: Session) -> None:
    counts = []
    for more in (1, 12):
        for number in range(more):
            sold(session, charge=f"ch_{more}_{number}", fee=100, days=1)
        session.flush()
        session.expunge_all()
        statements: list[str] = []

        def seen(*args: object, into: list[str] = statements) -> None:
            into.append(str(args[2]))

        event.listen(session.get_bind().engine, "before_cursor_execute", seen)
        queries.payments_page(session, ALL)
        queries.deferred_by_session(session, as_of=date(2027, 3, 31))
        event.remove(session.get_bind().engine, "before_cursor_execute", seen)
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 4, counts
