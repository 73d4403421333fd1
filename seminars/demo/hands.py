"""What is needed to make the demo world, and how everybody in it pays."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from seminars.config import Letterhead
from seminars.gateways.stripe import Gateway
from seminars.payments import checkout, polling, refunds
from seminars.payments.checkout import Work
from seminars.payments.models import PaymentAttempt

HOUR_OF_BUSINESS = 15
"""In UTC: when things happen in this world, so that it is day in most of its zones."""


class Time(Protocol):
    """The clock of this world, ours and Stripe's together."""

    def __call__(self) -> datetime: ...

    def go_to(self, instant: datetime) -> None:
        """Let time pass until then; never back."""


@dataclass(frozen=True)
class Demo:
    """A way to do all-or-nothing work, the neighbours, and somebody who pays."""

    work: Work
    gateway: Gateway
    letterhead: Letterhead
    time: Time
    pay: Callable[[str], None]
    hash_password: Callable[[str], str]


@dataclass(frozen=True)
class Happening:
    """Something that came to pass so many days before the world is made."""

    days_ago: int
    act: Callable[[], None]


def business_hour(today: date, days_ago: int) -> datetime:
    """The instant of a happening."""
    return datetime.combine(today - timedelta(days=days_ago), time(HOUR_OF_BUSINESS), UTC)


def pay_for(demo: Demo, attempt: PaymentAttempt, *, pays: bool = True) -> None:
    """From the payment page to the money that arrived; or no further than to the page."""
    attempt = checkout.hand_over(demo.work, demo.gateway, attempt.id, clock=demo.time)
    assert attempt.url and attempt.session_id, f"Stripe made no payment page: {attempt.trouble}"
    if pays:
        demo.pay(attempt.url)
        polling.ask_about(demo.work, demo.gateway, attempt.session_id, letterhead=demo.letterhead, found_by="thanks", clock=demo.time)


def pay_back(demo: Demo) -> None:
    """Pay out the refunds that were promised."""
    with demo.work() as session:
        due = refunds.due(session, now=demo.time())
    for refund_id in due:
        refunds.pay_out(demo.work, demo.gateway, refund_id, letterhead=demo.letterhead, clock=demo.time)
