"""Invoices: numbers, frozen facts, and what is deferred."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from seminars.catalog import events
from seminars.invoices.facts import hash_of
from seminars.invoices.issuing import issue
from seminars.invoices.models import Invoice, RevenueShare
from seminars.kit.refusals import Conflict
from seminars.ledger import chart
from seminars.ledger.models import JournalEntry, Posting
from tests.factories.books import CENTER, NOON, an_event, an_order


def booked(session: Session, about: str) -> list[tuple[int, int, str]]:
    """Account, amount and dimension of all that was posted about something."""
    found = select(Posting.account_number, Posting.amount, Posting.dimension).join(JournalEntry).where(JournalEntry.about == about)
    return sorted((account, amount, dimension) for account, amount, dimension in session.execute(found))


def issued(session: Session, *, now: datetime = NOON, **order: object) -> Invoice:
    event = an_event(session, price=50_000)
    invoice = issue(session, an_order(session, event, **order), center=CENTER, now=now)
    return invoice


def test_the_customer_owes_the_total_and_the_net_is_deferred_per_session(session: Session) -> None:
    event = an_event(session, days=2, price=50_001)
    order = an_order(session, event, seats=2, tax_percent=8)

    issue(session, order, center=CENTER, now=NOON)

    first, second = (f"session/{one.id}" for one in event.sessions)
    assert booked(session, order.reference) == sorted(
        [
            (chart.RECEIVABLE, 108_002, order.reference),
            (chart.DEFERRED_SEMINARS, -50_000, first),
            (chart.DEFERRED_SEMINARS, -50_002, second),
            (chart.SALES_TAX, -8_000, ""),
        ]
    )


def test_three_sessions_share_to_the_cent_and_the_last_takes_the_rest(session: Session) -> None:
    order = an_order(session, an_event(session, days=3, price=50_000))

    issue(session, order, center=CENTER, now=NOON)

    assert session.scalars(select(RevenueShare.amount).order_by(RevenueShare.id)).all() == [16_666, 16_666, 16_668]


def test_a_seat_for_one_day_is_deferred_for_that_day_only(session: Session) -> None:
    event = an_event(session, days=2)
    event.ticket_types[0].sessions.append(event.sessions[1])

    issue(session, an_order(session, event), center=CENTER, now=NOON)

    assert session.execute(select(RevenueShare.session_id, RevenueShare.amount)).all() == [(event.sessions[1].id, 50_000)]


def test_a_cancelled_session_gets_no_share(session: Session) -> None:
    event = an_event(session, days=2)
    event.sessions[0].state = "cancelled"

    issue(session, an_order(session, event), center=CENTER, now=NOON)

    assert session.execute(select(RevenueShare.session_id, RevenueShare.amount)).all() == [(event.sessions[1].id, 50_000)]


def test_a_discount_defers_the_transaction_price(session: Session) -> None:
    event = an_event(session, days=1, price=50_000)
    order = an_order(session, event, discount=5_000, tax_percent=8)

    invoice = issue(session, order, center=CENTER, now=NOON)

    assert invoice.total == 48_600
    assert (chart.DEFERRED_SEMINARS, -45_000, f"session/{event.sessions[0].id}") in booked(session, order.reference)


def test_a_free_order_cannot_be_invoiced(session: Session) -> None:
    order = an_order(session, an_event(session, price=0))

    with pytest.raises(IntegrityError, match="ck_invoices_total"), session.begin_nested():
        issue(session, order, center=CENTER, now=NOON)


def test_a_free_seat_in_a_paid_order_defers_nothing(session: Session) -> None:
    event = an_event(session, days=1)
    order = an_order(session, event, seats=2)
    order.lines[1].discount, order.lines[1].net = 50_000, 0
    order.net = order.total = 50_000

    issue(session, order, center=CENTER, now=NOON)

    assert session.scalars(select(RevenueShare.amount)).all() == [50_000]


def test_numbers_follow_each_other_within_a_year_and_begin_anew_in_the_next(session: Session) -> None:
    last_evening = datetime(2028, 1, 1, 5, 59, tzinfo=UTC)
    numbers = [issued(session, now=at).number for at in (NOON, last_evening, datetime(2028, 1, 1, 6, 0, tzinfo=UTC))]

    assert numbers == ["2027-0001", "2027-0002", "2028-0001"]


def test_a_rolled_back_invoice_gives_its_number_back(session: Session) -> None:
    with session.begin_nested() as savepoint:
        assert issued(session).number == "2027-0001"
        savepoint.rollback()

    assert issued(session).number == "2027-0001"


def test_a_seat_is_invoiced_once(session: Session) -> None:
    order = an_order(session, an_event(session))
    issue(session, order, center=CENTER, now=NOON)

    with pytest.raises(IntegrityError, match="uq_invoice_lines_registration_id"), session.begin_nested():
        issue(session, order, center=CENTER, now=NOON)


def test_the_facts_say_who_sells_who_buys_and_what(session: Session) -> None:
    event = an_event(session)
    order = an_order(session, event, seats=3, names=("Ana Ruiz", "Ben Okafor"), early=5_000, discount=4_500, tax_percent=8)
    paid = {"method": "card", "brand": "visa", "last4": "4242", "on": NOON.isoformat()}

    invoice = issue(session, order, center=CENTER, paid=paid, now=NOON)

    assert invoice.state == "paid" and invoice.issued_on == date(2027, 3, 1)
    facts = invoice.facts
    assert facts["buyer"] == {
        "name": "Maren Holt",
        "email": "maren.holt@lakeside.example",
        "organisation": "Lakeside Hospital",
        "address": ["12 Shore Road", "Duluth, Minnesota 55802"],
        "country": "US",
        "po_number": "PO-4711",
    }
    assert facts["seller"]["name"] == CENTER.name and facts["paid"] == {
        "on": "2027-03-01",
        "method": "card",
        "brand": "visa",
        "last4": "4242",
    }
    assert facts["lines"] == [
        {
            "description": "Social Media Residency, Standard",
            "details": "22 and 23\u00a0March 2027, Siebens Building, Rochester",
            "people": ["Ana Ruiz", "Ben Okafor"],
            "unnamed": 1,
            "quantity": 3,
            "unit_price": 50_000,
            "list_price": 150_000,
            "early_reduction": 15_000,
            "discount": 13_500,
            "net": 121_500,
            "tax_rate": "8",
            "tax": 9_720,
        }
    ]
    assert facts["taxes"] == [{"rate": "8", "base": 121_500, "tax": 9_720}]


def test_the_hash_holds_for_the_facts_as_the_database_gives_them_back(session: Session) -> None:
    invoice = issued(session, organisation="Spital «Süd» & Söhne <b>")
    session.expire(invoice)

    assert hash_of(invoice.facts) == invoice.facts_hash


@pytest.mark.parametrize(
    "change", ["facts = '{}'", "total = 1, net = 1", "number = 'X'", "facts_hash = ''", "order_id = 1", "issued_on = '2020-01-01'"]
)
def test_an_issued_invoice_cannot_be_changed(session: Session, change: str) -> None:
    invoice = issued(session)

    with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
        session.connection().exec_driver_sql(f"UPDATE invoices SET {change} WHERE id = {invoice.id}")
    with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
        session.connection().exec_driver_sql(f"DELETE FROM invoices WHERE id = {invoice.id}")


def test_its_state_can(session: Session) -> None:
    invoice = issued(session)

    invoice.state = "paid"
    session.flush()

    assert session.scalar(select(Invoice.state).where(Invoice.id == invoice.id)) == "paid"


def test_a_session_that_stands_on_an_invoice_stays_though_nobody_has_a_seat(session: Session) -> None:
    residency = an_event(session)
    issue(session, an_order(session, residency), center=CENTER, now=NOON)

    with pytest.raises(Conflict, match="stands in the books"):
        events.remove_session(session, residency.sessions[0], now=NOON)

    assert len(residency.sessions) == 2
