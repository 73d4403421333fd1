"""Refund rules that events can be sold under. An order keeps the rule as it was when it was placed."""

from sqlalchemy.orm import Session

from seminars.catalog.models import RefundPolicy
from seminars.kit.money import Money
from seminars.kit.typed import Fields

LONGEST = 365


def create(session: Session, *, name: str, days_before: int, fee: Money) -> RefundPolicy:
    """Set up a rule: full refund less the fee until so many days before the start. Raises BadInputs."""
    _check(name, days_before, fee)
    policy = RefundPolicy(name=name.strip(), days_before=days_before, fee=fee.amount, currency=fee.currency)
    session.add(policy)
    session.flush()
    return policy


def change(session: Session, policy: RefundPolicy, *, name: str, days_before: int, fee: Money) -> RefundPolicy:
    """Change a rule for orders to come. Raises BadInputs."""
    _check(name, days_before, fee)
    policy.name, policy.days_before, policy.fee, policy.currency = name.strip(), days_before, fee.amount, fee.currency
    session.flush()
    return policy


def _check(name: str, days_before: int, fee: Money) -> None:
    fields = Fields()
    fields.line("name", name, most=120)
    if not 0 <= days_before <= LONGEST:
        fields.wrong("days_before", f"Please type a number of days from 0 to {LONGEST}.")
    if fee.amount < 0:
        fields.wrong("fee", "Please type a fee of 0.00 or more.")
    fields.finish()
