"""Hours worked: they draw a retainer down, and what goes beyond it is billed."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.consulting.models import Consultant
from seminars.engagements import billing, hours, letters
from seminars.engagements.locking import hold_still
from seminars.engagements.models import Retainer, TimeLog
from seminars.engagements.retainers import left, price_of
from seminars.invoices import earning
from seminars.kit import format as fmt
from seminars.kit import typed
from seminars.kit.money import Money
from seminars.kit.refusals import BadInput, Conflict
from seminars.ledger import journal, postings
from seminars.messages import outbox
from seminars.orders.models import Order
from seminars.orders.selling import Sale

LONGEST_DAY = 24 * 60
MOST_NOTE = 1_000
NOT_NOW = {
    "open": "This retainer is not paid yet, so no time can be logged for it.",
    "expired": "This retainer has expired. Sell the client another one first.",
    "cancelled": "This retainer is cancelled.",
}


@dataclass(frozen=True, kw_only=True)
class Work:
    """What somebody did: when, for how many minutes, and what the statement says of it. `key` makes twice the same as once."""

    key: str
    consultant: Consultant
    worked_on: date
    minutes: int
    note: str = ""
    appointment_id: int | None = None


def log_time(session: Session, retainer: Retainer, work: Work, *, letterhead: Letterhead, now: datetime) -> TimeLog:
    """Log hours: what the retainer still holds is drawn and earned (rule 42), the rest is earned and waits to be billed (rule 43).

    The same key logs once. Raises BadInput, Conflict.
    """
    hold_still(session, retainer)
    known = session.scalar(select(TimeLog).where(TimeLog.key == work.key))
    if known is not None:
        return known
    _must_be_possible(retainer, work, today=billing.today(letterhead, now))
    note = typed.one_line(work.note, field="note", most=MOST_NOTE, required=False)
    before, drawn = left(retainer), min(work.minutes, left(retainer))
    price = price_of(retainer)
    earned = hours.earned_by(retainer.drawn + drawn, retainer.minutes, price) - hours.earned_by(retainer.drawn, retainer.minutes, price)
    log = TimeLog(
        key=work.key,
        retainer=retainer,
        consultant=work.consultant,
        appointment_id=work.appointment_id,
        worked_on=work.worked_on,
        minutes=work.minutes,
        drawn=drawn,
        earned=earned,
        unbilled=hours.price_of(work.minutes - drawn, retainer.rate),
        note=note,
        logged_at=now,
    )
    session.add(log)
    retainer.drawn += drawn
    session.flush()
    _post(session, log, now=now)
    if retainer.low_minutes and before > retainer.low_minutes >= left(retainer):
        outbox.post(session, letters.retainer_low(retainer, letterhead=letterhead), now=now)
    return log


def bill_unbilled(session: Session, retainer: Retainer, *, letterhead: Letterhead, now: datetime) -> Order:
    """Bill what was worked beyond the retainer (rule 44): an order that can be paid from its page, and its invoice. Raises Conflict."""
    hold_still(session, retainer)
    logs = unbilled_of(session, retainer)
    if not logs:
        raise Conflict("There is nothing to bill: all hours are covered by the retainer or billed already.")
    sales = [Sale(log.reference, _described(log), log.unbilled) for log in logs]
    order = billing.bill(session, sales, retainer, letterhead=letterhead, now=now)
    for log in logs:
        log.order_id = order.id
    session.flush()
    return order


def unbilled_of(session: Session, retainer: Retainer) -> list[TimeLog]:
    """Hours beyond the retainer that no order bills yet, in the order in which they were worked."""
    mine = select(TimeLog).where(TimeLog.retainer_id == retainer.id, TimeLog.unbilled > 0, TimeLog.order_id.is_(None))
    return list(session.scalars(mine.order_by(TimeLog.worked_on, TimeLog.id)))


def _post(session: Session, log: TimeLog, *, now: datetime) -> None:
    retainer, currency = log.retainer, log.retainer.currency
    earning.note_earned(session, retainer.reference, log.earned)
    journal.post(
        session,
        source_kind=postings.TIMESHEET,
        source=str(log.id),
        effective_on=billing.book_day(session, log.worked_on),
        about=retainer.reference,
        lines=postings.time_worked(
            Money(log.earned, currency), Money(log.unbilled, currency), retainer=retainer.reference, timesheet=log.reference
        ),
        memo=f"{retainer.number}: {hours.told(log.minutes)}, {log.consultant.name}",
        now=now,
    )


def _must_be_possible(retainer: Retainer, work: Work, *, today: date) -> None:
    if retainer.state != "active":
        raise Conflict(NOT_NOW[retainer.state])
    if not 1 <= work.minutes <= LONGEST_DAY:
        raise BadInput("Please type between one minute and 24 hours.", "hours")
    if work.worked_on > today:
        raise BadInput("This day lies ahead. Log time once it is worked.", "worked_on")
    if retainer.expires_on is not None and work.worked_on > retainer.expires_on:
        raise BadInput(f"This retainer can be used until {fmt.day(retainer.expires_on)}.", "worked_on")
    if work.worked_on < fmt.local(retainer.created_at, retainer.zone).date():
        raise BadInput("This day lies before the retainer was sold.", "worked_on")


def _described(log: TimeLog) -> str:
    beyond = hours.told(log.minutes - log.drawn)
    return f"{beyond} beyond retainer {log.retainer.number}, {fmt.day(log.worked_on)}, {log.consultant.name}"
