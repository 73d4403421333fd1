"""Numbers without gaps and credit notes issued once, also when many come at the same time."""

import random
import threading
from datetime import date

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seminars.finance.checks import run_checks
from seminars.invoices import credit_notes, numbering
from seminars.invoices.issuing import issue
from seminars.invoices.models import CreditNote, Invoice
from seminars.orders.models import Order
from tests.cluster import Database
from tests.factories.books import CENTER, NOON, an_event, an_order

PAID = {"method": "card", "brand": "visa", "last4": "4242", "on": NOON.isoformat()}


class ChangedTheirMind(Exception):
    """What rolls a half-issued invoice back."""


def test_eight_issuers_with_rollbacks_leave_no_gap(fresh_database: Database) -> None:
    engine = create_engine(fresh_database.url, pool_size=8)
    with Session(engine) as session, session.begin():
        event = an_event(session, days=1)
        orders = [an_order(session, event).id for _ in range(40)]
    tries = [(order, again) for order in orders for again in (True, False)]
    random.Random(7).shuffle(tries)

    def issuer(mine: list[tuple[int, bool]]) -> None:
        for order_id, rolled_back in mine:
            try:
                with Session(engine) as session, session.begin():
                    issue(session, session.get_one(Order, order_id), center=CENTER, paid=PAID, now=NOON)
                    if rolled_back:
                        raise ChangedTheirMind
            except (ChangedTheirMind, IntegrityError):
                # Given up, or refused since the seat is on an invoice already: either way its number must come back.
                continue

    threads = [threading.Thread(target=issuer, args=(tries[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with Session(engine) as session:
        assert session.scalars(select(Invoice.serial).order_by(Invoice.serial)).all() == list(range(1, 41))
        assert [finding for finding in run_checks(session, now=NOON) if finding.check in ("I1", "I3", "I10")] == []
    engine.dispose()


def test_a_button_pressed_many_times_at_once_credits_once(fresh_database: Database) -> None:
    engine = create_engine(fresh_database.url)
    with Session(engine) as session, session.begin():
        invoice_id = issue(session, an_order(session, an_event(session)), center=CENTER, paid=PAID, now=NOON).id
    made: list[str] = []

    def press() -> None:
        with Session(engine) as session, session.begin():
            invoice = session.get_one(Invoice, invoice_id)
            lines = credit_notes.left(session, invoice) or [credit_notes.CreditLine("registration/1", 1, 0)]
            note = credit_notes.issue(session, invoice, key="cancel/1", lines=lines, reason="", center=CENTER, now=NOON)
            made.append(note.number)

    threads = [threading.Thread(target=press) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert made == ["CN2027-0001"] * 6
    with Session(engine) as session:
        assert session.scalars(select(CreditNote.total)).all() == [50_000]
    engine.dispose()


@pytest.mark.parametrize(("serial", "text"), [(1, "2027-0001"), (9_999, "2027-9999"), (10_000, "2027-10000")])
def test_a_number_says_its_year(session: Session, serial: int, text: str) -> None:
    session.execute(numbering.insert(numbering.Series).values(kind="invoice", year=2027, next=serial))

    assert numbering.take(session, "invoice", date(2027, 12, 31)).text == text
