"""Credit notes: rules 16, 19 and 20, each key once, never more than was invoiced."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.finance.recognition import deliver
from seminars.invoices import credit_notes
from seminars.invoices.credit_notes import CreditLine, MoreThanInvoiced, spread
from seminars.invoices.issuing import issue
from seminars.invoices.models import CreditNote, Invoice
from seminars.ledger import chart
from seminars.ledger.models import JournalEntry, Posting
from tests.factories.books import CENTER, NOON, an_event, an_order

LATER = NOON + timedelta(days=2)
AFTERWARDS = NOON + timedelta(days=60)
PAID = {"method": "card", "brand": "visa", "last4": "4242", "on": NOON.isoformat()}


def invoiced(session: Session, *, days: int = 2, price: int = 50_000, paid: dict[str, str] | None = PAID, **order: object) -> Invoice:
    return issue(session, an_order(session, an_event(session, days=days, price=price), **order), center=CENTER, paid=paid, now=NOON)


def credit(session: Session, invoice: Invoice, lines: list[CreditLine], key: str = "cancel/1") -> CreditNote:
    return credit_notes.issue(session, invoice, key=key, lines=lines, reason="Cancelled by you", center=CENTER, now=LATER)


def booked(session: Session, note: CreditNote) -> dict[int, int]:
    found = select(Posting.account_number, Posting.amount).join(JournalEntry).where(JournalEntry.source == note.number)
    sums: dict[int, int] = {}
    for account, amount in session.execute(found):
        sums[account] = sums.get(account, 0) + amount
    return sums


def test_a_full_refund_before_delivery_touches_no_revenue(session: Session) -> None:
    invoice = invoiced(session, tax_percent=8)

    note = credit(session, invoice, credit_notes.left(session, invoice))

    assert booked(session, note) == {chart.DEFERRED_SEMINARS: 50_000, chart.SALES_TAX: 4_000, chart.REFUNDS_PAYABLE: -54_000}
    assert (note.number, note.total, invoice.state) == ("CN2027-0001", 54_000, "credited")


def test_a_part_is_taken_back_with_its_tax(session: Session) -> None:
    invoice = invoiced(session, tax_percent=8)
    [whole] = credit_notes.left(session, invoice)

    note = credit(session, invoice, [whole.less(21_600)])

    assert booked(session, note) == {chart.DEFERRED_SEMINARS: 20_000, chart.SALES_TAX: 1_600, chart.REFUNDS_PAYABLE: -21_600}
    assert invoice.state == "paid"
    assert credit_notes.left(session, invoice) == [CreditLine(whole.thing, 30_000, 2_400)]


def test_after_the_first_day_its_part_is_a_refund_after_delivery(session: Session) -> None:
    invoice = invoiced(session)
    deliver(session, invoice.order.lines[0].registration.event.sessions[0], now=AFTERWARDS)

    note = credit(session, invoice, credit_notes.left(session, invoice))

    assert booked(session, note) == {chart.DEFERRED_SEMINARS: 25_000, chart.REFUNDS_AFTER_DELIVERY: 25_000, chart.REFUNDS_PAYABLE: -50_000}


def test_an_unpaid_invoice_is_lowered_instead(session: Session) -> None:
    invoice = invoiced(session, paid=None)

    note = credit(session, invoice, credit_notes.left(session, invoice))

    assert booked(session, note) == {chart.DEFERRED_SEMINARS: 50_000, chart.RECEIVABLE: -50_000}


def test_the_same_key_credits_once(session: Session) -> None:
    invoice = invoiced(session)
    lines = credit_notes.left(session, invoice)

    first, second = credit(session, invoice, lines), credit(session, invoice, lines)

    assert first is second
    assert session.scalars(select(CreditNote.number)).all() == ["CN2027-0001"]


def test_one_of_three_seats_is_credited_and_the_others_stay(session: Session) -> None:
    invoice = invoiced(session, seats=3, names=("Ana Ruiz", "Ben Okafor"))
    first, *others = credit_notes.left(session, invoice)

    note = credit(session, invoice, [first])

    assert credit_notes.left(session, invoice) == others
    assert note.facts["invoice"] == {"number": invoice.number, "issued_on": "2027-03-01"}
    assert note.facts["lines"] == [
        {
            "description": "Social Media Residency, Standard",
            "details": "22 and 23\u00a0March 2027, Siebens Building, Rochester",
            "person": "Ana Ruiz",
            "net": 50_000,
            "tax": 0,
        }
    ]


@pytest.mark.parametrize(("net", "tax"), [(50_001, 0), (50_000, 1), (-1, 2)])
def test_more_than_was_invoiced_is_refused(session: Session, net: int, tax: int) -> None:
    invoice = invoiced(session)
    [line] = credit_notes.left(session, invoice)

    with pytest.raises(MoreThanInvoiced, match=invoice.number):
        credit(session, invoice, [CreditLine(line.thing, net, tax)])


def test_a_seat_of_another_invoice_is_refused(session: Session) -> None:
    mine, other = invoiced(session), invoiced(session)

    with pytest.raises(MoreThanInvoiced):
        credit(session, mine, credit_notes.left(session, other))


@given(some.lists(some.integers(0, 100_000), min_size=1, max_size=8), some.data())
def test_what_is_spread_adds_up_and_fits(room: list[int], data: some.DataObject) -> None:
    amount = data.draw(some.integers(0, sum(room)))

    parts = spread(amount, room)

    assert sum(parts) == amount
    assert all(0 <= part <= one for part, one in zip(parts, room, strict=True))
