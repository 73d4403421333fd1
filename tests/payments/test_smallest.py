"""Too little for a card is refused before anything is written or asked."""

import pytest

from seminars.kit.money import Money
from seminars.payments.smallest import TooSmall, check_total
from seminars.sandbox.money import MINIMUM
from tests.payments.center import Center


@pytest.mark.parametrize(
    ("amount", "currency", "least"),
    [(49, "USD", "$0.50"), (1, "USD", "$0.50"), (29, "GBP", "£0.30"), (49, "JPY", "¥50"), (1_499, "CZK", "")],
)
def test_less_than_the_least_is_refused_with_both_amounts(amount: int, currency: str, least: str) -> None:
    with pytest.raises(TooSmall) as refused:
        check_total(Money(amount, currency))

    assert least in str(refused.value) and "the least that can be paid by card" in str(refused.value)


@pytest.mark.parametrize("total", [Money(0, "USD"), Money(50, "USD"), Money(30, "GBP"), Money(1, "XAF"), Money(119_000, "USD")])
def test_nothing_and_enough_are_not(total: Money) -> None:
    check_total(total)


@pytest.mark.parametrize("currency", MINIMUM)
def test_we_refuse_at_least_what_stripe_refuses(currency: str) -> None:
    with pytest.raises(TooSmall):
        check_total(Money(MINIMUM[currency] - 1, currency.upper()))


def test_an_order_of_thirty_cents_is_not_placed_and_stripe_is_not_asked(center: Center) -> None:
    event = center.an_event(price=30)

    with pytest.raises(TooSmall, match=r"\$0\.30"):
        center.order(event)

    assert center.seats_taken(event) == 1
