"""Settling from what Stripe says when asked.

The customer's browser returns before the money is certain, and some browsers never return at all; a webhook may come twice, late, or
never. So the thank-you page, the webhook worker, the poller and the resolver all do the same two things: `look` (no transaction
open) and `apply` (one transaction, under the order's lock). Applying the same look twice changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.gateways.stripe import BalanceTransaction, Charge, CheckoutSession, Gateway, Intent
from seminars.invoices import issuing
from seminars.kit.format import local, money
from seminars.kit.money import Money
from seminars.kit.refusals import Conflict
from seminars.ledger import journal, periods, postings
from seminars.messages import outbox
from seminars.orders import attention, cancellation, settlement
from seminars.orders import letters as order_letters
from seminars.orders.models import Order
from seminars.payments import refunds
from seminars.payments.models import Payment, PaymentAttempt


@dataclass(frozen=True)
class Seen:
    """What Stripe said of one hosted page at one moment."""

    page: CheckoutSession
    intent: Intent | None
    fee: BalanceTransaction | None


def look(gateway: Gateway, session_id: str) -> Seen:
    """Ask Stripe about a hosted page, its charge and its fee. Raises StripeTrouble."""
    page = gateway.session(session_id)
    intent = gateway.intent(page.payment_intent_id) if page.payment_intent_id else None
    charge = intent.charge if intent else None
    fee = gateway.balance_transaction(charge.balance_transaction_id) if charge and charge.balance_transaction_id else None
    return Seen(page, intent, fee)


def apply(session: Session, seen: Seen, *, letterhead: Letterhead, found_by: str, now: datetime) -> PaymentAttempt | None:
    """Bring our rows to what was seen; the attempt, or None when the page is not one of ours."""
    attempt = _attempt_of(session, seen.page, now)
    if attempt is None:
        return None
    order = settlement.lock(session, attempt.order_id)
    session.refresh(attempt)
    attempt.checked_at = now
    page, intent = seen.page, seen.intent
    attempt.payment_intent_id = page.payment_intent_id or attempt.payment_intent_id
    if page.status == "open":
        attempt.decline_reason = intent.decline if intent else ""
    elif page.status == "expired":
        _expired(session, attempt, order, now)
    elif page.payment_status == "paid" and intent is not None and intent.charge is not None and intent.charge.captured:
        _paid(session, attempt, order, seen, intent.charge, letterhead, found_by, now)
    elif intent is not None and intent.status in ("requires_payment_method", "canceled"):
        _failed(session, attempt, order, intent, letterhead, now)
    elif attempt.live:
        attempt.state = "processing"
    session.flush()
    return attempt


def note_unknown_page(session: Session, session_id: str, why: str, *, now: datetime) -> None:
    """Stripe told us this page's id and knows it no more: a person must look before anybody's seat is given away."""
    attempt = session.scalars(select(PaymentAttempt).where(PaymentAttempt.session_id == session_id)).one()
    order = settlement.lock(session, attempt.order_id)
    attempt.checked_at, attempt.trouble = now, why
    lost = f"Stripe does not tell of the payment page of attempt {attempt.number}: {why}"
    attention.needs_look(session, order, f"{lost} Does the key in the settings belong to that account?")


def _attempt_of(session: Session, page: CheckoutSession, now: datetime) -> PaymentAttempt | None:
    """Our attempt for this page: by the page's id, or by the metadata we gave it when the answer to its making was lost."""
    attempt = session.scalar(select(PaymentAttempt).where(PaymentAttempt.session_id == page.id))
    if attempt is not None or page.metadata.get("kind") != "order":
        return attempt
    order_id, number = page.metadata.get("row", ""), page.metadata.get("attempt", "")
    if not (order_id.isdecimal() and number.isdecimal()):
        return None
    attempt = session.scalar(
        select(PaymentAttempt).where(PaymentAttempt.order_id == int(order_id), PaymentAttempt.number == int(number)).with_for_update()
    )
    if attempt is None or attempt.session_id is not None or attempt.params["metadata"] != page.metadata:
        return None
    attempt.session_id, attempt.url, attempt.expires_at = page.id, page.url, page.expires_at
    if attempt.live:
        attempt.state = "open"
    session.flush()
    return attempt


def _expired(session: Session, attempt: PaymentAttempt, order: Order, now: datetime) -> None:
    if not attempt.live:
        return
    attempt.state, attempt.settled_at = "expired", now
    session.flush()
    if order.state == "placed" and not _other_live(session, attempt):
        cancellation.expire(session, order, now=now)


def _failed(session: Session, attempt: PaymentAttempt, order: Order, intent: Intent, letterhead: Letterhead, now: datetime) -> None:
    """A delayed method failed days later: the seats go back and the buyer is asked to pay another way.

    When the event has begun the seat was used: that is a debt, and a person decides (payments.md §6 row 22).
    """
    if not attempt.live:
        return
    attempt.state, attempt.settled_at, attempt.decline_reason = "failed", now, intent.decline
    session.flush()
    if order.state != "placed" or _other_live(session, attempt):
        return
    if any(line.starts_at <= now for line in order.lines if line.starts_at):
        attention.needs_look(
            session, order, "The bank debit failed after the event began. The seats were used; ask for the money another way."
        )
        return
    cancellation.expire(session, order, now=now)
    outbox.post(session, order_letters.payment_failed(order, attempt_number=attempt.number, letterhead=letterhead), now=now)


def _other_live(session: Session, attempt: PaymentAttempt) -> bool:
    others = session.scalars(select(PaymentAttempt).where(PaymentAttempt.order_id == attempt.order_id, PaymentAttempt.id != attempt.id))
    return any(other.live for other in others)


def _paid(
    session: Session,
    attempt: PaymentAttempt,
    order: Order,
    seen: Seen,
    charge: Charge,
    letterhead: Letterhead,
    found_by: str,
    now: datetime,
) -> None:
    if attempt.state != "succeeded":
        attempt.state, attempt.settled_at, attempt.found_by = "succeeded", now, found_by
        session.flush()
    payment = record_charge(session, order, attempt, charge, now=now)
    if payment is not None:
        _allocate(session, order, attempt, payment, seen, letterhead, now)
    if seen.fee is not None:
        record_fee(session, charge.id, seen.fee, zone=letterhead.center.zone, now=now)


def record_charge(session: Session, order: Order, attempt: PaymentAttempt | None, charge: Charge, *, now: datetime) -> Payment | None:
    """Write a charge down once; None when it was written down before."""
    made = session.execute(
        insert(Payment)
        .values(
            order_id=order.id,
            attempt_id=attempt.id if attempt else None,
            charge_id=charge.id,
            payment_intent_id=charge.payment_intent_id,
            amount=charge.amount,
            currency=charge.currency,
            role="unallocated",
            promised=0,
            method=charge.method,
            brand=charge.brand,
            last4=charge.last4,
            paid_at=charge.created,
            recorded_at=now,
        )
        .on_conflict_do_nothing(index_elements=["charge_id"])
        .returning(Payment.id)
    ).scalar_one_or_none()
    return None if made is None else session.get_one(Payment, made)


def _allocate(
    session: Session, order: Order, attempt: PaymentAttempt, payment: Payment, seen: Seen, letterhead: Letterhead, now: datetime
) -> None:
    """Say what the money is for. What is not for this order, or has no seat any more, goes to 2000 and back to the payer."""
    if not _agrees(order, attempt, seen.page, payment):
        attention.needs_look(session, order, differs(payment, order))
        _to_unapplied(session, order, payment, letterhead, now)
        return
    if order.state == "paid":
        payment.role = "surplus"
        _to_unapplied(session, order, payment, letterhead, now)
        attention.needs_look(session, order, f"Paid twice: {money(payment.money)} came a second time and goes back by itself.")
        refunds.promise_unapplied(session, payment, reason="Paid twice", letterhead=letterhead, now=now)
        return
    if order.state != "placed" and not _retaken(session, order, now):
        order.paid_unplaced = True
        attention.needs_look(session, order, f"{money(payment.money)} came after the seats were gone. It goes back by itself.")
        _to_unapplied(session, order, payment, letterhead, now)
        refunds.promise_unapplied(session, payment, reason="The seats were gone when the payment came", letterhead=letterhead, now=now)
        outbox.post(session, order_letters.paid_without_seat(order, payment.money, letterhead=letterhead), now=now)
        return
    _settle(session, order, payment, letterhead, now)


def _retaken(session: Session, order: Order, now: datetime) -> bool:
    """Whether the seats of a lapsed order could be had once more, at its price."""
    if order.state != "expired":
        return False
    try:
        with session.begin_nested():
            cancellation.revive(session, order, now=now)
    except Conflict:
        session.refresh(order)
        return False
    return True


def _settle(session: Session, order: Order, payment: Payment, letterhead: Letterhead, now: datetime) -> None:
    payment.role = "settles"
    session.flush()
    if not issuing.receive(session, order, payment.amount):
        issuing.issue(session, order, center=letterhead.center, paid=how_paid(payment), now=now)
    journal.post(
        session,
        source_kind=postings.CHARGE,
        source=payment.charge_id,
        effective_on=periods.open_day(session, local(payment.paid_at, letterhead.center.zone).date()),
        about=order.reference,
        lines=postings.card_paid(payment.money, owed_by=order.reference),
        memo=f"{order.number} paid by {payment.brand or payment.method} {payment.last4}".strip(),
        now=now,
    )
    settlement.settle(session, order, letterhead=letterhead, now=now)


def how_paid(payment: Payment) -> dict[str, str]:
    """What the invoice says of the payment."""
    return {"method": payment.method, "brand": payment.brand, "last4": payment.last4, "on": payment.paid_at.isoformat()}


def _to_unapplied(session: Session, order: Order, payment: Payment, letterhead: Letterhead, now: datetime) -> None:
    journal.post(
        session,
        source_kind=postings.CHARGE,
        source=payment.charge_id,
        effective_on=periods.open_day(session, local(payment.paid_at, letterhead.center.zone).date()),
        about=order.reference,
        lines=postings.unallocated_received(payment.money, paid_for=order.reference),
        memo=f"{order.number}: money that is not for an open invoice",
        now=now,
    )


def _agrees(order: Order, attempt: PaymentAttempt, page: CheckoutSession, payment: Payment) -> bool:
    """Whether this money may settle this order by itself: it names the order, and all say the same amount (payments.md §6 row 23)."""
    agreed = Money(sum(i["quantity"] * i["price_data"]["unit_amount"] for i in attempt.params["line_items"]), order.currency)
    said = {Money(page.amount_total, page.currency), payment.money, agreed}
    return page.client_reference_id == order.reference and said == {order.total_money}


def differs(payment: Payment, order: Order) -> str:
    """What is said of a payment that does not agree with its order."""
    if payment.money == order.total_money:
        return f"The payment of {money(payment.money)} came by a page of another order. Decide whether to confirm or refund."
    return (
        f"The payment of {money(payment.money)} differs from the order's {money(order.total_money)}. Decide whether to confirm or refund."
    )


def record_fee(session: Session, charge_id: str, fee: BalanceTransaction, *, zone: str, now: datetime) -> Payment | None:
    """Attach the balance transaction of a charge, and book its fee once (ledger rule 3): the amount is read, never computed.

    The payment, or None when the charge is not ours.
    """
    payment = session.scalar(
        select(Payment).where(Payment.charge_id == charge_id).with_for_update().execution_options(populate_existing=True)
    )
    if payment is None or payment.balance_transaction_id is not None:
        return payment
    payment.balance_transaction_id, payment.fee = fee.id, fee.fee
    session.flush()
    if fee.fee:
        journal.post(
            session,
            source_kind=postings.BALANCE_TRANSACTION_FEE,
            source=fee.id,
            effective_on=periods.open_day(session, local(fee.created, zone).date()),
            about=f"order/{payment.order_id}",
            lines=postings.card_fee(Money(fee.fee, fee.currency)),
            memo="Card processing fee",
            now=now,
        )
    return payment
