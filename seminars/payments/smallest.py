"""The least that Stripe charges, so that nobody is sent to a payment page that cannot be made. Pure."""

from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.refusals import Conflict

# Minor units, from Stripe's «Supported currencies», minimum and maximum charge amounts. A currency that is not listed there has the least
# that can be written: what Stripe then thinks of it depends on the rate of the day.
LEAST = {
    "AED": 200, "ARS": 50, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "COP": 50, "CZK": 1_500, "DKK": 250, "EUR": 50, "GBP": 30,
    "HKD": 400, "HUF": 17_500, "IDR": 50, "ILS": 50, "INR": 50, "JPY": 50, "KRW": 50, "MXN": 1_000, "MYR": 200, "NOK": 300, "NZD": 50,
    "PHP": 50, "PLN": 200, "RON": 200, "RUB": 50, "SEK": 300, "SGD": 50, "THB": 1_000, "USD": 50, "ZAR": 50,
}  # fmt: skip


class TooSmall(Conflict):
    """The total is not nothing, and yet less than a card can pay."""

    def __init__(self, total: Money, least: Money) -> None:
        super().__init__(
            f"The total of {words.money(total)} is less than {words.money(least)}, the least that can be paid by card."
            " Please write to us, and we find another way."
        )


def check_total(total: Money) -> None:
    """Raises TooSmall when Stripe would refuse to charge so little."""
    least = Money(LEAST.get(total.currency, 1), total.currency)
    if 0 < total.amount < least.amount:
        raise TooSmall(total, least)
