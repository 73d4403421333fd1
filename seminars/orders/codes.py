"""Discount codes: made and changed by staff. `discounts.py` uses them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seminars.catalog.models import TicketType
from seminars.kit.money import Money
from seminars.kit.refusals import NotFound
from seminars.kit.typed import Fields
from seminars.orders.models import DiscountCode

MOST_USES = 1_000_000


@dataclass(frozen=True)
class CodeFacts:
    """What a code takes off each seat, a percentage or an amount; how many seats, when, for which ticket types (all when none)."""

    code: str
    percent: int | None = None
    amount: Money | None = None
    most: int = MOST_USES
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    active: bool = True
    ticket_types: Sequence[TicketType] = field(default_factory=tuple)


def create(session: Session, facts: CodeFacts, *, currency: str, now: datetime) -> DiscountCode:
    """Make a code. Raises BadInputs."""
    _check(session, facts, None)
    code = DiscountCode(currency=facts.amount.currency if facts.amount else currency, used=0, created_at=now)
    _write(code, facts)
    session.add(code)
    session.flush()
    return code


def change(session: Session, code: DiscountCode, facts: CodeFacts) -> DiscountCode:
    """Change a code for orders to come. Raises BadInputs."""
    session.refresh(code, with_for_update=True)
    _check(session, facts, code)
    _write(code, facts)
    session.flush()
    return code


def all_codes(session: Session) -> Sequence[DiscountCode]:
    """All codes, those that can be used on top."""
    return session.scalars(select(DiscountCode).order_by(DiscountCode.active.desc(), func.lower(DiscountCode.code))).all()


def code_by_id(session: Session, code_id: int) -> DiscountCode:
    """One code. Raises NotFound."""
    found = session.get(DiscountCode, code_id)
    if found is None:
        raise NotFound("There is no such code.")
    return found


def _write(code: DiscountCode, facts: CodeFacts) -> None:
    code.code = facts.code.strip().upper()
    code.percent = facts.percent
    code.amount = facts.amount.amount if facts.amount else None
    code.most, code.active = facts.most, facts.active
    code.starts_at, code.ends_at = facts.starts_at, facts.ends_at
    code.ticket_types = list(facts.ticket_types)


def _check(session: Session, facts: CodeFacts, code: DiscountCode | None) -> None:
    fields = Fields()
    text = facts.code.strip()
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{2,39}", text):
        fields.wrong("code", "Please use 3 to 40 letters, digits and hyphens.")
    taken = select(DiscountCode.id).where(DiscountCode.code == text)
    if session.scalar(taken.where(DiscountCode.id != code.id) if code else taken):
        fields.wrong("code", "There is a code of this name already.")
    if (facts.percent is None) == (facts.amount is None):
        fields.wrong("percent", "Please give a percentage or an amount, one of them.")
    if facts.percent is not None and not 1 <= facts.percent <= 100:
        fields.wrong("percent", "Please type a percentage from 1 to 100.")
    if facts.amount is not None and facts.amount.amount <= 0:
        fields.wrong("amount", "Please type an amount above 0.00.")
    if not 1 <= facts.most <= MOST_USES:
        fields.wrong("most", f"Please type a number of seats from 1 to {MOST_USES:,}.")
    elif code is not None and facts.most < code.used:
        fields.wrong("most", f"{code.used:,} seats have used it already.")
    if facts.starts_at and facts.ends_at and facts.ends_at <= facts.starts_at:
        fields.wrong("ends_at", "It has to end after it starts.")
    fields.finish()
