"""Earning what was paid for ahead: an appointment by delivering it or, cancelled late, as a fee; a retainer part by part."""

from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from seminars.consulting.models import Appointment
from seminars.invoices.models import InvoiceLine, RevenueShare
from seminars.kit.money import Money
from seminars.ledger import journal, periods, postings


def earn(session: Session, appointment: Appointment, *, on: date, kept: bool = False, now: datetime) -> Money | None:
    """Earn what is still deferred for an appointment (rule 55), once; `kept` books it as a cancellation fee (rule 21).

    None when nothing is deferred: it was free, belongs to an engagement, or is not invoiced.
    """
    share = session.scalar(select(RevenueShare).where(RevenueShare.appointment_id == appointment.id).with_for_update())
    if share is None or share.amount == share.credited + share.recognised:
        return None
    line = session.get_one(InvoiceLine, share.line_id)
    amount = Money(share.amount - share.credited - share.recognised, line.currency)
    share.recognised += amount.amount
    session.flush()
    rule = postings.fee_kept if kept else postings.delivered
    journal.post(
        session,
        source_kind=postings.DELIVERY,
        source=appointment.reference,
        effective_on=periods.open_day(session, max(on, line.invoice.issued_on)),
        about=appointment.order_reference,
        lines=rule(amount, dimension=appointment.reference),
        memo=appointment.offering.title,
        now=now,
    )
    return amount


def note_earned(session: Session, subject: str, amount: int) -> None:
    """Write down that so much (minor units) of what is deferred for `retainer/2` is earned; its room posts it.

    More than is deferred breaks a constraint; what was never invoiced is deferred for nothing.
    """
    mine = update(RevenueShare).where(RevenueShare.subject == subject)
    session.execute(mine.values(recognised=RevenueShare.recognised + amount))
