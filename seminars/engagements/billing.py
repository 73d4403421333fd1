"""Bills what an engagement or a retainer has earned: an order that waits to be paid, and its invoice at once."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.engagements.models import Proposal, Retainer
from seminars.invoices import issuing
from seminars.kit import format as fmt
from seminars.ledger import periods
from seminars.orders import selling
from seminars.orders.buyers import Buyer
from seminars.orders.models import Order
from seminars.orders.selling import Sale


def bill(session: Session, sales: Sequence[Sale], client: Proposal | Retainer, *, letterhead: Letterhead, now: datetime) -> Order:
    """Order and invoice for what is earned already (rule 44): the client pays from the order's page."""
    order = place(session, sales, client, letterhead=letterhead, now=now)
    issuing.issue(session, order, center=letterhead.center, paid=None, now=now)
    return order


def place(session: Session, sales: Sequence[Sale], client: Proposal | Retainer, *, letterhead: Letterhead, now: datetime) -> Order:
    """An order that waits to be paid."""
    buyer = Buyer(
        name=client.client_name,
        email=client.client_email,
        organisation=client.organisation,
        address=client.address,
        country=client.country,
        po_number=client.po_number,
        zone=client.zone,
    )
    return selling.sell(session, sales, buyer, currency=client.currency, prefix=letterhead.center.order_prefix, now=now)


def book_day(session: Session, wanted: date) -> date:
    """The day under which a fact goes into the books: its own, or the first of the next open month."""
    return periods.open_day(session, wanted)


def today(letterhead: Letterhead, now: datetime) -> date:
    """The day it is where the center keeps its books."""
    return fmt.local(now, letterhead.center.zone).date()
