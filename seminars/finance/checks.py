"""The books' invariants (ledger.md §6), each a query that must return no row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

GRACE = timedelta(days=1)
"""How long a delivered session may wait for its revenue (I4), and a lapsed hold for its end (I14)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the books that must not be: which invariant, about what, and by how much."""

    check: str
    subject: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant: its number in ledger.md §6, what holds, and the query for what breaks it (columns: subject, sentence)."""

    number: str
    holds: str
    query: str


CHECKS = (
    Check(
        "I1",
        "every entry sums to zero per currency and has at least two lines",
        """
        SELECT 'entry/' || e.id, coalesce(p.currency || ' ' || p.amount || ' in ' || p.lines || ' lines', 'no lines')
          FROM journal_entries e
          LEFT JOIN (SELECT entry_id, currency, sum(amount) AS amount, count(*) AS lines FROM postings GROUP BY entry_id, currency) p
            ON p.entry_id = e.id
         WHERE p.amount IS DISTINCT FROM 0 OR p.lines < 2
        """,
    ),
    Check(
        "I2",
        "accounts receivable equal the open invoices, order by order",
        """
        WITH open AS (
          SELECT 'order/' || i.order_id AS of, i.currency, sum(greatest(i.total - i.paid - coalesce(n.credited, 0), 0)) AS amount
            FROM invoices i
            LEFT JOIN (SELECT invoice_id, sum(total) AS credited FROM credit_notes GROUP BY invoice_id) n ON n.invoice_id = i.id
           WHERE i.state = 'issued' GROUP BY 1, 2
        ), booked AS (
          SELECT dimension AS of, currency, sum(amount) AS amount FROM postings WHERE account_number = 1100 GROUP BY 1, 2
        )
        SELECT coalesce(open.of, booked.of),
               coalesce(booked.amount, 0) || ' booked, ' || coalesce(open.amount, 0) || ' open ' || coalesce(open.currency, booked.currency)
          FROM open FULL JOIN booked ON booked.of = open.of AND booked.currency = open.currency
         WHERE coalesce(open.amount, 0) <> coalesce(booked.amount, 0)
        """,
    ),
    Check(
        "I3",
        "deferred revenue per session, appointment and retainer equals what was invoiced for it less what was credited and recognised",
        """
        WITH shares AS (
          SELECT coalesce('session/' || s.session_id, 'appointment/' || s.appointment_id, s.subject) AS of, l.currency,
                 sum(s.amount - s.credited - s.recognised) AS amount
            FROM revenue_shares s JOIN invoice_lines l ON l.id = s.line_id GROUP BY 1, 2
        ), booked AS (
          SELECT dimension AS of, currency, -sum(amount) AS amount FROM postings WHERE account_number IN (2100, 2120) GROUP BY 1, 2
        )
        SELECT coalesce(shares.of, booked.of),
               coalesce(booked.amount, 0) || ' booked, ' || coalesce(shares.amount, 0) || ' by seat '
               || coalesce(shares.currency, booked.currency)
          FROM shares FULL JOIN booked ON booked.of = shares.of AND booked.currency = shares.currency
         WHERE coalesce(shares.amount, 0) <> coalesce(booked.amount, 0)
        UNION ALL
        SELECT 'invoice/' || l.invoice_id, 'a seat of ' || l.net || ' is deferred with ' || coalesce(sum(s.amount), 0)
          FROM invoice_lines l LEFT JOIN revenue_shares s ON s.line_id = l.id
         -- What was earned before it was billed is deferred for nothing.
         WHERE l.subject IS NULL OR l.subject LIKE 'retainer/%'
         GROUP BY l.id HAVING coalesce(sum(s.amount), 0) <> l.net
        UNION ALL
        SELECT 'invoice/' || i.id, 'its lines sum to ' || sum(l.net) || ' and ' || sum(l.tax)
          FROM invoices i JOIN invoice_lines l ON l.invoice_id = i.id
         GROUP BY i.id HAVING sum(l.net) <> i.net OR sum(l.tax) <> i.tax
        """,
    ),
    Check(
        "I4",
        "nothing is deferred any more for a session delivered more than a day ago, or cancelled",
        """
        SELECT 'session/' || s.session_id,
               sum(s.amount - s.credited - s.recognised) || ' ' || l.currency
               || CASE e.state WHEN 'cancelled' THEN ' deferred for a cancelled session: credit it' ELSE ' not recognised' END
          FROM revenue_shares s
          JOIN invoice_lines l ON l.id = s.line_id
          JOIN event_sessions e ON e.id = s.session_id
         WHERE e.state = 'cancelled' OR (e.state = 'delivered' AND e.delivered_at < :long_ago)
         GROUP BY s.session_id, l.currency, e.state HAVING sum(s.amount - s.credited - s.recognised) <> 0
        UNION ALL
        SELECT 'appointment/' || a.id, sum(s.amount - s.credited - s.recognised) || ' ' || l.currency || ' of one that is ' || a.state
          FROM revenue_shares s
          JOIN invoice_lines l ON l.id = s.line_id
          JOIN appointments a ON a.id = s.appointment_id
         WHERE a.state IN ('cancelled', 'delivered', 'no_show')
         GROUP BY a.id, l.currency HAVING sum(s.amount - s.credited - s.recognised) <> 0
        """,
    ),
    Check(
        "I5",
        "no payment is refunded by more than was paid, and what is promised is kept in its row",
        """
        SELECT 'payment/' || p.id, coalesce(sum(r.amount), 0) || ' of ' || p.amount || ' goes back, ' || p.promised || ' promised'
          FROM payments p LEFT JOIN refunds r ON r.payment_id = p.id AND r.state NOT IN ('failed', 'canceled')
         GROUP BY p.id HAVING coalesce(sum(r.amount), 0) <> p.promised OR p.promised > p.amount
        """,
    ),
    Check(
        "I6",
        "each paid seat is on one invoice, each document and each payment has its one entry over the same amount",
        """
        SELECT 'order/' || o.id, 'something paid is on no invoice'
          FROM orders o JOIN order_lines ol ON ol.order_id = o.id LEFT JOIN invoice_lines l
            ON l.registration_id = ol.registration_id OR l.appointment_id = ol.appointment_id OR l.subject = ol.subject
         WHERE o.state = 'paid' AND o.total > 0 AND l.id IS NULL
        UNION ALL
        SELECT d.subject, d.total || ' on the document, ' || coalesce(d.booked, 0) || ' in the book'
          FROM (
            SELECT 'invoice/' || i.id AS subject, i.total, (
              SELECT sum(p.amount) FROM journal_entries e JOIN postings p ON p.entry_id = e.id
               WHERE e.source_kind = 'invoice' AND e.source = i.number AND p.amount > 0) AS booked
              FROM invoices i
            UNION ALL
            SELECT 'credit_note/' || n.id, n.total, (
              SELECT sum(p.amount) FROM journal_entries e JOIN postings p ON p.entry_id = e.id
               WHERE e.source_kind = 'creditnote' AND e.source = n.number AND p.amount > 0)
              FROM credit_notes n
            UNION ALL
            SELECT 'payment/' || y.id, y.amount, (
              SELECT sum(p.amount) FROM journal_entries e JOIN postings p ON p.entry_id = e.id
               WHERE e.source_kind = 'stripe.charge' AND e.source = y.charge_id AND p.account_number = 1050)
              FROM payments y
          ) d
         WHERE d.booked IS DISTINCT FROM d.total
        """,
    ),
    Check(
        "I10",
        "document numbers are continuous in each series",
        """
        WITH used AS (
          SELECT series_id, count(*) AS documents, min(serial) AS first, max(serial) AS last
            FROM (SELECT series_id, serial FROM invoices UNION ALL SELECT series_id, serial FROM credit_notes) d GROUP BY series_id
        )
        SELECT s.kind || ' ' || s.year,
               coalesce(u.documents, 0) || ' documents from ' || coalesce(u.first, 0) || ' to ' || coalesce(u.last, 0)
               || ', next is ' || s.next
          FROM series s LEFT JOIN used u ON u.series_id = s.id
         WHERE coalesce(u.documents, 0) <> s.next - 1 OR coalesce(u.last, 0) <> s.next - 1 OR coalesce(u.first, 1) <> 1
        """,
    ),
    Check(
        "I14",
        "each quota's counter equals its live seats and its holds, no hold has lapsed unseen, no order waits for what cannot come",
        """
        WITH claims AS (
          SELECT ticket_type_id, count(*) AS places FROM registrations
           WHERE state IN ('held', 'confirmed', 'attended', 'no_show') GROUP BY 1
          UNION ALL
          SELECT ticket_type_id, sum(places) FROM holds WHERE state = 'active' GROUP BY 1
        )
        SELECT 'quota/' || q.id, q.taken || ' counted, ' || coalesce(sum(c.places), 0) || ' seats and holds, size ' || q.size
          FROM quotas q
          LEFT JOIN ticket_type_quotas t ON t.quota_id = q.id
          LEFT JOIN claims c ON c.ticket_type_id = t.ticket_type_id
         GROUP BY q.id HAVING q.taken <> coalesce(sum(c.places), 0) OR q.taken > q.size
        UNION ALL
        SELECT 'hold/' || id, 'it ended at ' || ends_at || ' and holds its seats still'
          FROM holds WHERE state = 'active' AND ends_at < :long_ago
        UNION ALL
        SELECT 'order/' || o.id, 'it waits for a payment that can no longer come, and its seats with it'
          FROM orders o
         WHERE o.state = 'placed' AND o.needs_review = ''
           -- A bill holds nothing and can be paid from its page for as long as it takes.
           AND EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.id AND l.subject IS NULL)
           AND NOT EXISTS (SELECT 1 FROM payment_attempts a
                            WHERE a.order_id = o.id AND a.state NOT IN ('succeeded', 'failed', 'expired', 'superseded'))
        """,
    ),
)


def run_checks(session: Session, *, now: datetime) -> list[Finding]:
    """What is wrong with the books at this instant; empty when all invariants hold."""
    return [finding for check in CHECKS for finding in _findings(session, check, now)]


def _findings(session: Session, check: Check, now: datetime) -> Sequence[Finding]:
    query = text(check.query)
    found = session.execute(query, {"long_ago": now - GRACE} if ":long_ago" in check.query else {})
    return [Finding(check.number, subject, sentence) for subject, sentence in found]
