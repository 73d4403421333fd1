"""The number of an order, from the sequence of its row: gaps are no matter, as orders are no documents."""

from datetime import datetime

from sqlalchemy import Sequence, select
from sqlalchemy.orm import Session

ORDER_IDS = Sequence("orders_id_seq")


def take(session: Session, prefix: str, *, now: datetime) -> tuple[int, str]:
    """The next order's id and number, such as `NC-2027-0118`."""
    order_id: int = session.scalar(select(ORDER_IDS.next_value()))  # type: ignore[assignment]
    return order_id, f"{prefix}-{now.year}-{order_id:04d}"
