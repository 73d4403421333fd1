"""Asking to be paid: an attempt is written down first, with its key and exact parameters; then Stripe is asked, outside any transaction."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.consulting import booking
from seminars.gateways.stripe import CheckoutSession, Gateway, KeyMisused, StripeTrouble
from seminars.kit.clock import Clock
from seminars.kit.references import secret
from seminars.kit.refusals import Conflict
from seminars.messages import outbox
from seminars.orders import attention, cancellation, cart, fairness, letters, queries
from seminars.orders.models import Order
from seminars.payments import smallest
from seminars.payments.models import FINAL, PaymentAttempt

PAGE_LASTS = timedelta(minutes=35)
CALLERS_PAGE_LASTS = timedelta(hours=23)
"""Who telephones pays when the letter is read. Stripe keeps a page open for a day at most."""
UNPAID_LETTER_AFTER = timedelta(minutes=5)
"""Who pays at once gets the confirmation and not this letter; who closes the page finds the way back to it."""
DELAYED_METHODS = ("us_bank_account", "sepa_debit", "bacs_debit", "acss_debit", "au_becs_debit", "customer_balance")
DELAYED_METHODS_UNTIL = timedelta(days=14)

Work = Callable[[], AbstractContextManager[Session]]


def begin(session: Session, order: Order, *, letterhead: Letterhead, now: datetime) -> PaymentAttempt:
    """The attempt by which this order is to be paid: the one under way, or a new one with its parameters frozen.

    An order that lapsed takes its seats again first, if its events can still be registered for. The caller has the order locked.
    Raises SoldOut, TooManyHeld, TooSmall, Conflict.
    """
    last = last_attempt(session, order)
    if last is not None and last.live:
        return last
    smallest.check_total(order.total_money)
    if order.state == "expired":
        desk = order.channel == "desk"
        for event in {line.seat.event for line in order.seat_lines}:
            cart.check_open(event, now=now, desk=desk)
        for line in order.meeting_lines:
            booking.check_open(line.meeting, now=now, desk=desk)
        cancellation.revive(session, order, now=now)
        fairness.check_order(session, order)
    if order.state != "placed":
        raise Conflict("This order does not wait for a payment.")
    number = 1 + (last.number if last is not None else 0)
    mark = secret()[:10]
    attempt = PaymentAttempt(
        order_id=order.id,
        number=number,
        key=f"seminars:{letterhead.installation}:order:{order.id}:{number}:{mark}",
        params=_params(order, number, mark, letterhead, now),
        expires_at=_page_ends(order, now),
        created_at=now,
    )
    session.add(attempt)
    session.flush()
    if number == 1 and not cancellation.billed(order):
        received = letters.order_received(order, letterhead=letterhead)
        # Who telephones stands before no page: the letter is their way to it.
        wait = now + UNPAID_LETTER_AFTER if order.channel == "web" else None
        outbox.post(session, replace(received, not_before=wait), now=now)
    return attempt


def last_attempt(session: Session, order: Order) -> PaymentAttempt | None:
    """The newest attempt of this order. Only the newest can still become a payment."""
    attempts = select(PaymentAttempt).where(PaymentAttempt.order_id == order.id).order_by(PaymentAttempt.number.desc())
    return session.scalar(attempts.limit(1).execution_options(populate_existing=True))


def live_attempt(session: Session, order: Order) -> PaymentAttempt | None:
    """The attempt of this order that can still become a payment, if there is one."""
    last = last_attempt(session, order)
    return last if last is not None and last.live else None


def _page_ends(order: Order, now: datetime) -> datetime:
    """Until when the payment page takes money, in whole seconds."""
    lasts = PAGE_LASTS if order.channel == "web" else CALLERS_PAGE_LASTS
    return (now + lasts).replace(microsecond=0)


def _params(order: Order, number: int, mark: str, letterhead: Letterhead, now: datetime) -> dict[str, Any]:
    """What Stripe is sent for this attempt, however often. Metadata holds ids only, never a person.

    `mark` tells this attempt from one of the same number that Stripe remembers and a restored backup does not.
    """
    whose = {"kind": "order", "row": str(order.id), "attempt": str(number), "installation": letterhead.installation, "mark": mark}
    page = f"{letterhead.base_url}/orders/{order.secret}"
    params: dict[str, Any] = {
        "mode": "payment",
        "ui_mode": "hosted_page",
        "client_reference_id": order.reference,
        "customer_email": order.buyer_email,
        "line_items": _line_items(order),
        "metadata": whose,
        "payment_intent_data": {"metadata": whose, "description": order.number},
        "success_url": f"{page}/thanks?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{page}/back",
        "expires_at": int(_page_ends(order, now).timestamp()),
    }
    if any(line.starts_at is not None and line.starts_at - now < DELAYED_METHODS_UNTIL for line in order.lines):
        # A bank debit takes up to 14 business days: the seminar would be over before the money is known.
        params["excluded_payment_method_types"] = list(DELAYED_METHODS)
    return params


def _line_items(order: Order) -> list[dict[str, Any]]:
    return [
        {
            "quantity": line.places,
            "price_data": {
                "currency": order.currency.lower(),
                "unit_amount": line.net + line.tax,
                "product_data": {"name": line.description[:250]},
            },
        }
        for line in queries.lines_of(order)
        if line.net + line.tax
    ]


def hand_over(work: Work, gateway: Gateway, attempt_id: int, *, clock: Clock) -> PaymentAttempt:
    """Have the hosted page made, or find it made already; the attempt with its address, or `unknown` with the trouble.

    `work` opens a transaction: one before the call, one after it, none during it. Called again, it sends the same thing again.
    """
    with work() as session:
        unsent = update(PaymentAttempt).where(
            PaymentAttempt.id == attempt_id, PaymentAttempt.state.not_in(FINAL), PaymentAttempt.session_id.is_(None)
        )
        sending = unsent.values(state="submitting", submitted_at=clock()).returning(PaymentAttempt)
        attempt = session.scalar(sending.execution_options(populate_existing=True, synchronize_session=False))
        if attempt is None:
            return session.get_one(PaymentAttempt, attempt_id, populate_existing=True)
    answer = ask(gateway, attempt)
    with work() as session:
        return answered(session, attempt_id, answer, now=clock())


def ask(gateway: Gateway, attempt: PaymentAttempt) -> CheckoutSession | StripeTrouble:
    """Send the attempt's own parameters under its own key. No transaction is open. What went wrong comes back as a value."""
    try:
        return gateway.create_session(attempt.params, key=attempt.key)
    except StripeTrouble as trouble:
        return trouble


def answered(session: Session, attempt_id: int, answer: CheckoutSession | StripeTrouble, *, now: datetime) -> PaymentAttempt:
    """Store what Stripe answered, or that nothing certain came back."""
    attempt = session.get_one(PaymentAttempt, attempt_id, with_for_update=True, populate_existing=True)
    if not attempt.live or attempt.session_id is not None:
        return attempt
    if isinstance(answer, CheckoutSession):
        return adopt(session, attempt, answer, now=now)
    attempt.state, attempt.trouble, attempt.checked_at = "unknown", f"{type(answer).__name__}: {answer}", now
    if isinstance(answer, KeyMisused):
        seen = f"Stripe has seen the key of payment attempt {attempt.number} with other parameters. Tell the developers."
        attention.needs_look(session, attempt.order, seen)
    session.flush()
    return attempt


def adopt(session: Session, attempt: PaymentAttempt, page: CheckoutSession, *, now: datetime) -> PaymentAttempt:
    """The payment page exists: remember it."""
    attempt.state, attempt.trouble = "open", ""
    attempt.session_id, attempt.url, attempt.expires_at = page.id, page.url, page.expires_at
    attempt.payment_intent_id = page.payment_intent_id
    attempt.checked_at = now if page.status == "open" else None  # a page that is over is looked at once more, at once
    session.flush()
    return attempt
