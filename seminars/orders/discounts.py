"""Discount codes: whether one may be used now, and counting its uses so that the limit holds whoever comes at once."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from seminars.kit.format import count
from seminars.kit.refusals import BadInput
from seminars.orders.models import DiscountCode
from seminars.orders.pricing import Reduction


def find_code(session: Session, text: str, *, ticket_type_ids: Iterable[int | None], now: datetime) -> DiscountCode:
    """The code that was typed, if it can be used now for one of these ticket types. Raises BadInput that says why not."""
    code = session.scalar(select(DiscountCode).where(DiscountCode.code == text.strip()))
    if code is None or not code.active:
        raise BadInput("We do not know this code. Check the spelling.", "code")
    if code.starts_at and now < code.starts_at:
        raise BadInput("This code is not valid yet.", "code")
    if code.ends_at and now >= code.ends_at:
        raise BadInput("This code is not valid any more.", "code")
    if code.used >= code.most:
        raise BadInput("This code has been used up.", "code")
    terms = reduction_of(code)
    assert terms is not None
    if not any(terms.applies_to(ticket_type_id) for ticket_type_id in ticket_type_ids):
        raise BadInput("This code is for other seats than those in your cart.", "code")
    return code


def reduction_of(code: DiscountCode | None) -> Reduction | None:
    """What the code takes off, as pricing reads it."""
    if code is None:
        return None
    return Reduction(code.code, code.percent, code.amount, frozenset(t.id for t in code.ticket_types))


def usable(code: DiscountCode | None, *, now: datetime) -> DiscountCode | None:
    """The code when it still holds at that instant, for a cart that was priced earlier."""
    if code is None or not code.active or (code.ends_at and now >= code.ends_at):
        return None
    return code


def use(session: Session, code_id: int, seats: int) -> None:
    """Count seats against the code's limit. Raises BadInput when fewer uses are left."""
    used = session.execute(
        update(DiscountCode)
        .where(DiscountCode.id == code_id, DiscountCode.used + seats <= DiscountCode.most)
        .values(used=DiscountCode.used + seats)
        .execution_options(synchronize_session=False)
    )
    if not used.rowcount:  # type: ignore[attr-defined]
        left = session.scalar(select(DiscountCode.most - DiscountCode.used).where(DiscountCode.id == code_id)) or 0
        raise BadInput(f"This code can be used for {count(left, 'more seat', 'more seats')} only.", "code")


def return_uses(session: Session, code_id: int, seats: int) -> None:
    """Give uses back when seats were cancelled before they were paid."""
    session.execute(
        update(DiscountCode)
        .where(DiscountCode.id == code_id)
        .values(used=DiscountCode.used - seats)
        .execution_options(synchronize_session=False)
    )
