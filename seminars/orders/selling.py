"""Orders for what higher rooms sell at a price that was agreed elsewhere: a milestone that was accepted, hours of a retainer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from seminars.kit.references import secret
from seminars.orders import numbering
from seminars.orders.buyers import Buyer
from seminars.orders.models import Order, OrderLine


@dataclass(frozen=True)
class Sale:
    """One thing sold: its reference in the room that sells it (`milestone/4`), what the invoice says, and its price in minor units."""

    subject: str
    description: str
    net: int
    tax: int = 0


def sell(session: Session, sales: Sequence[Sale], buyer: Buyer, *, currency: str, prefix: str, now: datetime) -> Order:
    """Place an order for these, waiting to be paid. A subject is sold once: a second order for it breaks a constraint."""
    assert sales and all(sale.net > 0 and sale.tax >= 0 for sale in sales)
    order_id, number = numbering.take(session, prefix, now=now)
    net, tax = sum(sale.net for sale in sales), sum(sale.tax for sale in sales)
    order = Order(
        id=order_id,
        number=number,
        secret=secret(),
        state="placed",
        channel="desk",
        buyer_name=buyer.name,
        buyer_email=buyer.email,
        organisation=buyer.organisation,
        address=buyer.address,
        country=buyer.country,
        po_number=buyer.po_number,
        zone=buyer.zone,
        currency=currency,
        net=net,
        tax=tax,
        total=net + tax,
        policies=[],
        placed_at=now,
    )
    order.lines = [
        OrderLine(
            position=position,
            subject=sale.subject,
            description=sale.description,
            list_price=sale.net,
            early_reduction=0,
            discount=0,
            net=sale.net,
            tax_rate=0,
            tax=sale.tax,
        )
        for position, sale in enumerate(sales, start=1)
    ]
    session.add(order)
    session.flush()
    return order
