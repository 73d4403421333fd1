"""From placed to paid: seats confirmed, people told."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.consulting import announcing as meetings_told
from seminars.consulting import appointments
from seminars.messages import outbox
from seminars.orders import letters
from seminars.orders.models import Order
from seminars.registration import announcing, places


def lock(session: Session, order_id: int) -> Order:
    """The order, locked against others who would change it, as it is now."""
    return session.scalars(
        select(Order).where(Order.id == order_id).with_for_update(key_share=True, of=Order).execution_options(populate_existing=True)
    ).one()


def settle(session: Session, order: Order, *, letterhead: Letterhead, now: datetime) -> Order:
    """Confirm an order that is paid, or that costs nothing: seats, appointments, mails, calendar entries. Done twice, it is done once."""
    if order.state == "paid":
        return order
    order.state, order.paid_at, order.paid_unplaced = "paid", now, False
    confirmed = places.confirm(session, order.reference, now=now)
    meetings = appointments.confirm(session, order.reference, now=now) if order.meeting_lines else []
    session.flush()
    purchase = letters.purchase_of(order, letterhead=letterhead)
    announcing.tell_confirmed(session, confirmed, letterhead=letterhead, purchase=purchase, now=now)
    if meetings:
        facts = {"order": order.number, "order_page": letters.order_page(order, letterhead), "paid": order.total > 0}
        meetings_told.tell_confirmed(session, meetings, letterhead=letterhead, purchase_facts=facts, now=now)
    outbox.post_all(session, letters.order_confirmed(order, confirmed, letterhead=letterhead), now=now)
    return order
