"""Money: whole minor units and their currency, never a fraction and never a bare number.

Which currencies have no minor unit, or three digits of it, is from Stripe's page «Supported currencies».
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

ZERO_DECIMAL = frozenset({"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"})
THREE_DECIMAL = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def digits(currency: str) -> int:
    """How many digits of the amount stand behind the decimal point."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units (cents) of one currency (three capitals)."""

    amount: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __mul__(self, times: int) -> "Money":
        return Money(self.amount * times, self.currency)

    def __bool__(self) -> bool:
        return self.amount != 0

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added: convert one of them first.")
        return other.amount

    def percent(self, percent: int | Decimal) -> "Money":
        """That share of the amount, rounded half up to a whole minor unit."""
        return Money(int((Decimal(self.amount) * Decimal(percent) / 100).to_integral_value(ROUND_HALF_UP)), self.currency)

    def split(self, parts: int) -> list["Money"]:
        """The amount in equal parts; the last one takes what does not divide (ledger rule 37)."""
        each = self.amount // parts
        return [Money(each, self.currency)] * (parts - 1) + [Money(self.amount - each * (parts - 1), self.currency)]


# Groups of three and no others: «1190,00» means a hundredth of what it would be without its comma.
_AMOUNT = re.compile(r"-?(?:[0-9]+|[0-9]{1,3}(?:[,\u00a0\u202f][0-9]{3})+)(?:\.[0-9]+)?")


def parse_amount(text: str, currency: str) -> Money:
    """Read «1,190.00» or «1190» as typed by staff. Raises ValueError when it is no amount of this currency."""
    cleaned = text.strip()
    if not _AMOUNT.fullmatch(cleaned):
        raise ValueError(f"«{text}» is not an amount. Write it like 1190.00.")
    value = Decimal(re.sub("[,\u00a0\u202f]", "", cleaned))
    scaled = value.scaleb(digits(currency))
    if scaled != scaled.to_integral_value() or abs(scaled) > 99_999_999:
        raise ValueError(f"«{text}» is not an amount in {currency}. Write it like 1190.00, at most 999,999.99.")
    return Money(int(scaled), currency)
