"""Builders of what the books speak of: an event with sessions, an order paid for seats in it. Each sets only what a test asks for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from seminars.catalog.models import Event, EventSession, Seminar, TicketType, Venue
from seminars.config import Center
from seminars.kit.money import Money
from seminars.kit.references import secret
from seminars.ledger import journal, postings
from seminars.orders.models import Order, OrderLine
from seminars.payments.models import Payment
from seminars.registration.models import Registration

NOON = datetime(2027, 3, 1, 18, 0, tzinfo=UTC)
"""Noon in Rochester, Minnesota."""
CENTER = Center()
FIRST_DAY = datetime(2027, 3, 22, 14, 0, tzinfo=UTC)


def an_event(session: Session, *, days: int = 2, price: int = 50_000, title: str = "Social Media Residency") -> Event:
    """A published event in Rochester with one session a day from 22 March 2027, nine to five."""
    seminar = Seminar(slug=secret(), title=title, created_at=NOON)
    venue = Venue(name="Siebens Building", city="Rochester", country="US", zone="America/Chicago")
    event = Event(
        seminar=seminar,
        venue=venue,
        reference=secret(),
        title=title,
        state="published",
        format="in_person",
        zone="America/Chicago",
        preview_secret=secret(),
        created_at=NOON,
    )
    for day in range(days):
        starts = FIRST_DAY + timedelta(days=day)
        local = starts.replace(tzinfo=None) - timedelta(hours=5)
        event.sessions.append(
            EventSession(
                title=f"Day {day + 1}",
                starts_local=local,
                ends_local=local + timedelta(hours=8),
                starts_at=starts,
                ends_at=starts + timedelta(hours=8),
            )
        )
    event.ticket_types.append(TicketType(name="Standard", price=price, currency="USD"))
    session.add(event)
    session.flush()
    return event


def an_order(
    session: Session,
    event: Event,
    *,
    seats: int = 1,
    names: Sequence[str] = (),
    early: int = 0,
    discount: int = 0,
    tax_percent: int = 0,
    ticket_type: TicketType | None = None,
    organisation: str = "Lakeside Hospital",
    address: str = "12 Shore Road\nDuluth, Minnesota 55802",
    po_number: str = "PO-4711",
    at: datetime = NOON,
) -> Order:
    """A paid order with confirmed seats at the event's first ticket type, in minor units of USD."""
    ticket_type = ticket_type or event.ticket_types[0]
    net = ticket_type.price - early - discount
    tax = net * tax_percent // 100
    order = Order(
        number=f"NC-{secret()[:8]}",
        secret=secret(),
        state="paid",
        buyer_name="Maren Holt",
        buyer_email="maren.holt@lakeside.example",
        organisation=organisation,
        address=address,
        country="US",
        po_number=po_number,
        currency="USD",
        net=net * seats,
        tax=tax * seats,
        total=(net + tax) * seats,
        placed_at=at,
        paid_at=at,
    )
    session.add(order)
    session.flush()
    for position in range(seats):
        name = names[position] if position < len(names) else None
        registration = Registration(
            secret=secret(),
            event=event,
            ticket_type=ticket_type,
            order_reference=order.reference,
            state="confirmed",
            attendee_name=name,
            attendee_email=f"{secret()}@lakeside.example" if name else None,
            created_at=at,
            confirmed_at=at,
        )
        order.lines.append(
            OrderLine(
                position=position + 1,
                registration=registration,
                event_id=event.id,
                ticket_type_id=ticket_type.id,
                description=f"{event.title}, {ticket_type.name}",
                list_price=ticket_type.price,
                early_reduction=early,
                discount=discount,
                net=net,
                tax_rate=tax_percent,
                tax=tax,
            )
        )
    session.flush()
    return order


def a_payment(
    session: Session, order: Order, *, charge: str, fee: int | None = None, role: str = "settles", at: datetime = NOON
) -> Payment:
    """A card payment of the order's total, posted as settlement posts it; with its fee when Stripe has told it."""
    payment = Payment(
        order_id=order.id,
        charge_id=charge,
        payment_intent_id=f"pi_{charge}",
        amount=order.total,
        currency=order.currency,
        role=role,
        brand="visa",
        last4="4242",
        paid_at=at,
        recorded_at=at,
        balance_transaction_id=None if fee is None else f"txn_{charge}",
        fee=fee,
    )
    session.add(payment)
    session.flush()
    received = (
        postings.card_paid(payment.money, owed_by=order.reference)
        if role == "settles"
        else postings.unallocated_received(payment.money, paid_for=order.reference)
    )
    facts = [journal.Fact(postings.CHARGE, charge, at.date(), order.reference, received)]
    if fee is not None:
        lines = postings.card_fee(Money(fee, order.currency))
        facts.append(journal.Fact(postings.BALANCE_TRANSACTION_FEE, f"txn_{charge}", at.date(), order.reference, lines))
    journal.post_all(session, facts, now=at)
    return payment
