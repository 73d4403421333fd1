"""The invariants hold over a story, and each one finds what breaks it."""

from datetime import timedelta

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from seminars.catalog.models import Quota
from seminars.finance.checks import CHECKS, Finding, run_checks
from seminars.finance.recognition import deliver
from seminars.invoices import credit_notes
from seminars.invoices.issuing import issue
from tests.cluster import Database
from tests.factories.books import CENTER, FIRST_DAY, NOON, a_payment, an_event, an_order

PAID = {"method": "card", "brand": "visa", "last4": "4242", "on": NOON.isoformat()}
LATER = FIRST_DAY + timedelta(days=10)


def a_story(session: Session) -> None:
    """Three orders of one event: two seats of which one is credited in part, a seat not yet paid by card, a seat paid twice; day 1 held."""
    residency = an_event(session, days=2, price=49_999)
    residency.quotas.append(Quota(size=10, taken=4))
    session.flush()
    residency.ticket_types[0].quotas.append(residency.quotas[0])
    orders = [an_order(session, residency, seats=2, tax_percent=8), an_order(session, residency), an_order(session, residency)]
    invoices = [
        issue(session, orders[0], center=CENTER, paid=PAID, now=NOON),
        issue(session, orders[1], center=CENTER, now=NOON),
        issue(session, orders[2], center=CENTER, paid=PAID, now=NOON),
    ]
    a_payment(session, orders[0], charge="ch_1", fee=3_000)
    a_payment(session, orders[2], charge="ch_2")
    a_payment(session, orders[2], charge="ch_3", role="surplus")
    [first, _] = credit_notes.left(session, invoices[0])
    credit_notes.issue(session, invoices[0], key="k", lines=[first.less(10_001)], reason="", center=CENTER, now=NOON)
    [open_line] = credit_notes.left(session, invoices[1])
    credit_notes.issue(session, invoices[1], key="l", lines=[open_line.less(7)], reason="", center=CENTER, now=NOON)
    deliver(session, residency.sessions[0], now=LATER)
    session.flush()


def test_all_invariants_hold_over_a_story(session: Session) -> None:
    a_story(session)

    assert run_checks(session, now=LATER + timedelta(days=30)) == []


BREAKS = (
    ("I1", "UPDATE postings SET amount = amount + 1 WHERE id = (SELECT min(id) FROM postings)"),
    ("I2", "UPDATE invoices SET state = 'paid' WHERE number = '2027-0002'"),
    ("I3", "UPDATE revenue_shares SET credited = credited + 1 WHERE id = (SELECT max(id) FROM revenue_shares)"),
    ("I4", "UPDATE event_sessions SET state = 'delivered', delivered_at = '2027-03-24' WHERE state = 'planned'"),
    ("I4", "UPDATE event_sessions SET state = 'cancelled' WHERE state = 'planned'"),
    (
        "I5",
        "INSERT INTO refunds (payment_id, key, amount, currency, reason, state, number, params, external, failure_reason, trouble,"
        " promised_at) SELECT id, 'x', amount + 1, currency, '', 'requested', 1, '{}', false, '', '', now() FROM payments LIMIT 1",
    ),
    ("I5", "UPDATE payments SET promised = 1 WHERE charge_id = 'ch_1'"),
    ("I6", "UPDATE journal_entries SET source = 'gone' WHERE source = 'ch_3'"),
    ("I10", "UPDATE series SET next = next + 1 WHERE kind = 'invoice'"),
    ("I14", "UPDATE quotas SET taken = taken + 1"),
    (
        "I14",
        "INSERT INTO holds (holder, event_id, ticket_type_id, places, state, ends_at, created_at)"
        " SELECT 'cart/1', event_id, id, 1, 'active', '2027-03-01', '2027-03-01' FROM ticket_types LIMIT 1;"
        " UPDATE quotas SET taken = taken + 1",
    ),
    ("I14", "UPDATE orders SET state = 'placed' WHERE id = (SELECT min(id) FROM orders)"),
)


def test_each_invariant_has_its_break() -> None:
    assert {check.number for check in CHECKS} == {number for number, _ in BREAKS}


@pytest.mark.parametrize(("number", "broken"), BREAKS)
def test_an_invariant_finds_what_breaks_it(fresh_database: Database, number: str, broken: str) -> None:
    engine = create_engine(fresh_database.url)
    with Session(engine) as session, session.begin():
        a_story(session)
    with fresh_database.cluster.connect(fresh_database.name) as superuser:
        # Only thus can it be broken: a replica's session fires no trigger, and is open to the superuser alone.
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(broken.encode())

    with Session(engine) as session:
        found = run_checks(session, now=LATER + timedelta(days=30))
    engine.dispose()

    assert number in {finding.check for finding in found}, found
    assert all(isinstance(finding, Finding) and finding.subject and finding.sentence for finding in found)
