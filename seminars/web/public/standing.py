"""How an order stands, in the words of its page. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seminars.kit import format as words
from seminars.orders.models import Order
from seminars.orders.wording import things
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
    total, held = words.money(order.total_money), _held_words(order)
    if order.paid_unplaced:
        sentence = f"Your payment of {total} came after the {held} had gone back on sale. All of it goes back to you."
        return Standing(f"The {held} were gone", sentence, "is-warn", f"No {held}")
    match order.state:
        case "paid":
            return _paid(order, total, zone)
        case "cancelled":
            return Standing("This order is cancelled", f"Its {held} are not held any more.", "is-off", "Cancelled")
        case "expired":
            sentence = f"It was not paid in time, so its {held} went back on sale. If they are still there, you can have them again."
            return Standing("This order has lapsed", sentence, "is-off", "Lapsed", f"Take the {held} again and pay {total}")
        case _:
            return _waiting(order, next((a for a in reversed(attempts) if a.live), None), total, confirming, zone, now)


def _held_words(order: Order) -> str:
    """What such an order holds, as a plural: it may have been one."""
    kinds = [name for name, lines in (("seats", order.seat_lines), ("appointments", order.meeting_lines)) if lines]
    return " and ".join(kinds) or "services"


def _paid(order: Order, total: str, zone: str) -> Standing:
    when = f" on {words.day(words.local(order.paid_at, zone).date())}" if order.paid_at else ""
    if not order.seat_lines and not order.meeting_lines:
        return Standing("Paid, thank you", f"Paid {total}{when}.", "is-done", "Paid")
    seats = [line.seat for line in order.seat_lines if line.seat.state != "cancelled"]
    meetings = [line.meeting for line in order.meeting_lines if line.meeting.state != "cancelled"]
    if not seats and not meetings:
        held = _held_words(order)
        return Standing(
            f"All {held} are cancelled", f"Nothing in this order is booked any more: its {held} are free again.", "is-off", "Cancelled"
        )
    counted = things(len(seats), len(meetings)) if len(seats) + len(meetings) > 1 else f"one {things(len(seats), len(meetings))}"
    sentence = f"{counted[:1].upper()}{counted[1:]}"
    sentence = f"{sentence}. Paid {total}{when}." if order.total else f"{sentence}, free."
    headline = (
        _who_is_in(seats, order)
        if not meetings
        else f"Your {things(len(seats), len(meetings))} {'are' if len(seats) + len(meetings) > 1 else 'is'} confirmed"
    )
    return Standing(headline, sentence, "is-done", "Confirmed")


def _who_is_in(seats: Sequence[Registration], order: Order) -> str:
    """Seats without a name are confirmed, but nobody is registered in them yet."""
    if not all(seat.named for seat in seats):
        return "Your seat is confirmed" if len(seats) == 1 else "Your seats are confirmed"
    if len(seats) > 1:
        return "Everybody is registered"
    theirs = (seats[0].attendee_email or "").casefold() != order.buyer_email.casefold()
    return f"{seats[0].attendee_name} is registered" if theirs else "You are registered"


def _waiting(order: Order, attempt: PaymentAttempt | None, total: str, confirming: bool, zone: str, now: datetime) -> Standing:
    held = _held_words(order)
    if attempt is not None and attempt.state == "processing":
        sentence = f"Your bank is processing {total}. The {held} are yours meanwhile, and we write when the money has come."
        return Standing("Your payment is on its way", sentence, "is-held", "Payment processing")
    if confirming:
        sentence = (
            "This takes a few seconds. The page looks again by itself; you can also close it, because the confirmation comes by mail."
        )
        return Standing("We are confirming your payment", sentence, "is-held", "Confirming", f"I have not paid yet: pay {total}")
    if attempt is not None and attempt.state in ("submitting", "unknown"):
        sentence = f"The payment page is being prepared. Your {held} are held; nothing was charged. Try again in a moment."
        return Standing("Almost there", sentence, "is-held", "Waiting for the payment page", f"Try again to pay {total}")
    until = attempt.expires_at if attempt is not None and attempt.expires_at > now else None
    end = f" until {words.time_in(until, zone)}" if until else ""
    if attempt is not None and attempt.decline_reason:
        sentence = f"{_sentence(attempt.decline_reason)} Nothing was charged, and your {held} are held{end}."
        return Standing(
            "Your card was declined", f"{sentence} Try again with the same card or another.", "is-warn", "Not paid", f"Pay {total}"
        )
    if not order.seat_lines and not order.meeting_lines:
        return Standing(
            f"{total} to be paid", "The invoice is below. You can pay it by card here.", "is-open", "To be paid", f"Pay {total}"
        )
    sentence = f"Your {held} are held{end}, and become yours when {total} is paid."
    return Standing("One step left: the payment", sentence, "is-held", "Waiting for payment", f"Pay {total}")


def _sentence(reason: str) -> str:
    """The bank's reason as Stripe words it, as a sentence."""
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}."
