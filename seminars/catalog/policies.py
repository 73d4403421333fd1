"""The refund rule of a date, as a deadline and as one sentence. Pure."""

from datetime import datetime

from seminars.catalog.models import RefundPolicy
from seminars.catalog.timing import shift
from seminars.kit import format as words
from seminars.kit.money import Money


def refund_until(days_before: int, starts_at: datetime, zone: str) -> datetime:
    """The instant at which full refunds end: so many days before the start, at the same time on the clock of the event's zone."""
    return shift(starts_at, zone, -days_before)


def refund_sentence(
    policy: RefundPolicy | None, starts_at: datetime, zone: str, *, now: datetime, each: str = "", seat: bool = True
) -> str:
    """«Full refund less $75.00 until 8 March 2027, 9:00 am CST. A colleague may take your seat until the start.»; the last for a seat."""
    swap = " A colleague may take your seat until the start." if seat else ""
    if policy is None:
        return f"No refund after you have paid.{swap}"
    until = refund_until(policy.days_before, starts_at, zone)
    if until <= now:
        return f"No refund any more: for this date it ended on {words.moment(until, zone)}.{swap}"
    fee = f" less {words.money(Money(policy.fee, policy.currency))}{each}" if policy.fee else ""
    return f"Full refund{fee} until {words.moment(until, zone)}.{swap}"


def rule_sentence(policy: RefundPolicy | None, *, each: str = " for each person") -> str:
    """«Full refund less $75.00 for each person until 14 days before the start.» The rule itself, before a date is known."""
    if policy is None:
        return "No refund after you have paid."
    fee = f" less {words.money(Money(policy.fee, policy.currency))}{each}" if policy.fee else ""
    before = f"{words.count(policy.days_before, 'day', 'days')} before " if policy.days_before else ""
    return f"Full refund{fee} until {before}the start."
