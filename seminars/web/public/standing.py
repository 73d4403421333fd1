"""How an order stands, in the words of its page. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seminars.kit import format as words
from seminars.orders.models import Order
from seminars.payments.models import PaymentAttempt
from seminars.registration.models import Registration


@dataclass(frozen=True)
class Standing:
    """Headline, sentence, status mark, and the button that goes on to paying (empty when there is nothing to press)."""

    headline: str
    sentence: str
    shape: str
    status: str
    button: str = ""


def of(order: Order, attempts: Sequence[PaymentAttempt], *, confirming: bool, zone: str, now: datetime) -> Standing:
    """Read from the order's state first; the attempts only say how paying goes. Times of day are told in `zone`."""
    total = words.money(order.total_money)
    if order.paid_unplaced:
        sentence = f"Your payment of {total} came after the seats had gone back on sale. All of it goes back to you."
        return Standing("The seats were gone", sentence, "is-warn", "No seats")
    match order.state:
        case "paid":
            return _paid(order, total, zone)
        case "cancelled":
            return Standing("This order is cancelled", "Nobody in it has a seat any more.", "is-off", "Cancelled")
        case "expired":
            sentence = "It was not paid in time, so its seats went back on sale. If they are still there, you can have them again."
            return Standing("This order has lapsed", sentence, "is-off", "Lapsed", f"Take the seats again and pay {total}")
        case _:
            return _waiting(order, next((a for a in reversed(attempts) if a.live), None), total, confirming, zone, now)


def _paid(order: Order, total: str, zone: str) -> Standing:
    live = [line for line in order.lines if line.seat.state != "cancelled"]
    if not live:
        return Standing("All seats are cancelled", "Nobody in this order has a seat any more.", "is-off", "Cancelled")
    seats = "One seat" if len(live) == 1 else f"{len(live)} seats"
    when = f" on {words.day(words.local(order.paid_at, zone).date())}" if order.paid_at else ""
    sentence = f"{seats}. Paid {total}{when}." if order.total else f"{seats}, free."
    return Standing(_who_is_in([line.seat for line in live], order), sentence, "is-done", "Confirmed")


def _who_is_in(seats: Sequence[Registration], order: Order) -> str:
    """Seats without a name are confirmed, but nobody is registered in them yet."""
    if not all(seat.named for seat in seats):
        return "Your seat is confirmed" if len(seats) == 1 else "Your seats are confirmed"
    if len(seats) > 1:
        return "Everybody is registered"
    theirs = (seats[0].attendee_email or "").casefold() != order.buyer_email.casefold()
    return f"{seats[0].attendee_name} is registered" if theirs else "You are registered"


def _waiting(order: Order, attempt: PaymentAttempt | None, total: str, confirming: bool, zone: str, now: datetime) -> Standing:
    if attempt is not None and attempt.state == "processing":
        sentence = f"Your bank is processing {total}. The seats are yours meanwhile, and we write when the money has come."
        return Standing("Your payment is on its way", sentence, "is-held", "Payment processing")
    if confirming:
        sentence = (
            "This takes a few seconds. The page looks again by itself; you can also close it, because the confirmation comes by mail."
        )
        return Standing("We are confirming your payment", sentence, "is-held", "Confirming", f"I have not paid yet: pay {total}")
    if attempt is not None and attempt.state in ("submitting", "unknown"):
        sentence = "The payment page is being prepared. Your seats are held; nothing was charged. Try again in a moment."
        return Standing("Almost there", sentence, "is-held", "Waiting for the payment page", f"Try again to pay {total}")
    until = attempt.expires_at if attempt is not None and attempt.expires_at > now else None
    held = f" until {words.time_in(until, zone)}" if until else ""
    if attempt is not None and attempt.decline_reason:
        sentence = f"{_sentence(attempt.decline_reason)} Nothing was charged, and your seats are held{held}."
        return Standing(
            "Your card was declined", f"{sentence} Try again with the same card or another.", "is-warn", "Not paid", f"Pay {total}"
        )
    sentence = f"Your seats are held{held}, and become yours when {total} is paid."
    return Standing("One step left: the payment", sentence, "is-held", "Waiting for payment", f"Pay {total}")


def _sentence(reason: str) -> str:
    """The bank's reason as Stripe words it, as a sentence."""
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}."
