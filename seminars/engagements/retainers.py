"""Sells hours ahead: a retainer is active once its order is paid, and what is left on its last day expires."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Sequence as SqlSequence
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.calendars.zones import known_zone
from seminars.config import Letterhead
from seminars.engagements import billing, hours, letters
from seminars.engagements.models import Retainer
from seminars.invoices import earning
from seminars.kit import typed
from seminars.kit.money import Money
from seminars.kit.references import secret
from seminars.kit.typed import Fields
from seminars.ledger import journal, postings
from seminars.messages import outbox
from seminars.orders.models import Order
from seminars.orders.selling import Sale

RETAINER_IDS = SqlSequence("retainers_id_seq")
MOST_MINUTES = 10_000 * 60
MOST_RATE = 99_999_999
MOST_PRICE = 9_999_999_999
LOGGED_WITHIN = timedelta(days=3)
"""So long after the last day hours that were worked in time can still be logged; then the retainer is closed."""


@dataclass(frozen=True, kw_only=True)
class RetainerFacts:
    """What is sold: minutes at a rate per hour (minor units, before tax), the mark at which the client hears that little is left, and the
    last day on which the hours can be used."""

    title: str
    client_name: str
    client_email: str
    zone: str
    minutes: int
    rate: int
    low_minutes: int = 0
    expires_on: date | None = None
    organisation: str = ""
    address: str = ""
    country: str = ""
    po_number: str = ""


def sell(session: Session, facts: RetainerFacts, *, currency: str, letterhead: Letterhead, now: datetime) -> Retainer:
    """Sell hours to a client, who gets the way to pay by mail. Raises BadInputs."""
    checked = _checked(facts, today=billing.today(letterhead, now))
    retainer_id: int = session.scalar(select(RETAINER_IDS.next_value()))  # type: ignore[assignment]
    retainer = Retainer(
        **vars(checked),
        id=retainer_id,
        number=f"{letterhead.center.order_prefix}-R-{now.year}-{retainer_id:04d}",
        secret=secret(),
        state="open",
        currency=currency,
        drawn=0,
        created_at=now,
    )
    sale = Sale(retainer.reference, f"{hours.told(checked.minutes)} of consulting: {checked.title}", price_of(retainer))
    retainer.order = billing.place(session, [sale], retainer, letterhead=letterhead, now=now)
    session.add(retainer)
    session.flush()
    outbox.post(session, letters.retainer_sold(retainer, letterhead=letterhead), now=now)
    return retainer


def settle_paid(session: Session, *, letterhead: Letterhead, now: datetime) -> int:
    """Open the retainers whose order is paid to be worked for, close those whose order is cancelled; how many changed."""
    asked = (
        select(Retainer)
        .join(Order, Order.id == Retainer.order_id)
        .where(Retainer.state == "open", Order.state.in_(("paid", "cancelled", "expired")))
        .order_by(Retainer.id)
        .with_for_update(of=Retainer, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    changed = session.scalars(asked).all()
    for retainer in changed:
        assert retainer.order is not None
        if retainer.order.state == "paid":
            retainer.state, retainer.activated_at = "active", now
            outbox.post(session, letters.retainer_active(retainer, letterhead=letterhead), now=now)
        else:
            retainer.state, retainer.closed_at = "cancelled", now
    session.flush()
    return len(changed)


def expire_due(session: Session, *, letterhead: Letterhead, now: datetime) -> int:
    """Close the retainers whose last day is over: what was not used is earned by contract (rule 45); how many there were."""
    today = billing.today(letterhead, now)
    over = (
        select(Retainer)
        .where(Retainer.state == "active", Retainer.expires_on < today - LOGGED_WITHIN)
        .order_by(Retainer.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    due = session.scalars(over).all()
    for retainer in due:
        _expire(session, retainer, letterhead=letterhead, now=now)
    session.flush()
    return len(due)


def price_of(retainer: Retainer) -> int:
    """What the hours cost, before tax."""
    return hours.price_of(retainer.minutes, retainer.rate)


def left(retainer: Retainer) -> int:
    """Minutes that can still be used."""
    return retainer.minutes - retainer.drawn if retainer.state in ("open", "active") else 0


def _expire(session: Session, retainer: Retainer, *, letterhead: Letterhead, now: datetime) -> None:
    price = price_of(retainer)
    unused = Money(price - hours.earned_by(retainer.drawn, retainer.minutes, price), retainer.currency)
    unused_minutes = left(retainer)
    assert retainer.expires_on is not None
    retainer.state, retainer.closed_at = "expired", now
    earning.note_earned(session, retainer.reference, unused.amount)
    journal.post(
        session,
        source_kind=postings.EXPIRY,
        source=retainer.reference,
        effective_on=billing.book_day(session, retainer.expires_on),
        about=retainer.reference,
        lines=postings.retainer_expired(unused, retainer=retainer.reference),
        memo=f"{retainer.number}: {hours.told(unused_minutes)} not used by {retainer.expires_on.isoformat()}",
        now=now,
    )
    outbox.post(session, letters.retainer_expired(retainer, unused_minutes, letterhead=letterhead), now=now)


def _checked(facts: RetainerFacts, *, today: date) -> RetainerFacts:
    fields = Fields()
    checked = RetainerFacts(
        title=fields.line("title", facts.title, most=300),
        client_name=fields.line("client_name", facts.client_name, most=200),
        client_email=fields.read(lambda: typed.email(facts.client_email, field="client_email"), ""),
        zone=facts.zone.strip(),
        minutes=facts.minutes,
        rate=facts.rate,
        low_minutes=facts.low_minutes,
        expires_on=facts.expires_on,
        organisation=fields.line("organisation", facts.organisation, most=200, required=False),
        address=fields.text("address", facts.address, most=1_000),
        country=fields.line("country", facts.country, most=2, required=False).upper(),
        po_number=fields.line("po_number", facts.po_number, most=80, required=False),
    )
    if not known_zone(checked.zone):
        fields.wrong("zone", "Please choose a zone such as America/Chicago.")
    if not 1 <= facts.minutes <= MOST_MINUTES:
        fields.wrong("hours", "Please type how many hours are sold, at most 10,000.")
    if not 1 <= facts.rate <= MOST_RATE:
        fields.wrong("rate", "Please type the price of an hour.")
    if not 0 <= facts.low_minutes <= max(facts.minutes, 0):
        fields.wrong("low_hours", "This mark lies between nothing and the hours that are sold.")
    if facts.expires_on is not None and facts.expires_on < today:
        fields.wrong("expires_on", "Please choose a day that lies ahead.")
    if not 1 <= hours.price_of(facts.minutes, facts.rate) <= MOST_PRICE:
        fields.wrong("rate", "These hours at this price are nothing that can be billed.")
    fields.finish()
    return checked
