"""What seats and meetings cost. Pure: the same function prices the cart, the order and the preview of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seminars.kit.money import Money


@dataclass(frozen=True)
class LineWanted:
    """One thing to be priced, with its prices as they are now: a seat (event and ticket type) or an appointment."""

    event_id: int | None
    ticket_type_id: int | None
    description: str
    list_price: int
    early_price: int | None
    early_until: datetime | None
    currency: str
    appointment_id: int | None = None


@dataclass(frozen=True)
class Reduction:
    """What a discount code takes off each line that it applies to: a percentage, or an amount in minor units."""

    code: str
    percent: int | None
    amount: int | None
    ticket_type_ids: frozenset[int]

    def applies_to(self, ticket_type_id: int | None) -> bool:
        """Whether seats of this ticket type are reduced; a code that names no ticket type reduces all, appointments too."""
        return not self.ticket_type_ids or ticket_type_id in self.ticket_type_ids


@dataclass(frozen=True)
class PricedLine:
    """One thing, priced: list_price − early_reduction − discount = net; tax comes on top. Minor units."""

    event_id: int | None
    ticket_type_id: int | None
    description: str
    list_price: int
    early_reduction: int
    discount: int
    net: int
    tax: int
    appointment_id: int | None = None


@dataclass(frozen=True)
class Priced:
    """Lines with their sum. Minor units of one currency."""

    lines: tuple[PricedLine, ...]
    currency: str
    reduction: Reduction | None = None

    @property
    def net(self) -> Money:
        """Before tax."""
        return Money(sum(line.net for line in self.lines), self.currency)

    @property
    def tax(self) -> Money:
        """The tax on all lines."""
        return Money(sum(line.tax for line in self.lines), self.currency)

    @property
    def total(self) -> Money:
        """What is to be paid."""
        return self.net + self.tax

    @property
    def discounted(self) -> int:
        """How many lines the code reduced."""
        return sum(1 for line in self.lines if line.discount)


def price_lines(
    wanted: Sequence[LineWanted], *, currency: str, reduction: Reduction | None = None, free: bool = False, now: datetime
) -> Priced:
    """Price each line at that instant: early price first, then the code's reduction on what is left, never below zero.

    `free` is a seat given by the center (comp): its whole price is a discount.
    """
    return Priced(tuple(_price(one, reduction, free, now) for one in wanted), currency, reduction)


def _price(one: LineWanted, reduction: Reduction | None, free: bool, now: datetime) -> PricedLine:
    early = 0
    if one.early_price is not None and one.early_until is not None and now < one.early_until:
        early = one.list_price - one.early_price
    left = one.list_price - early
    discount = left if free else _discount(left, reduction, one)
    return PricedLine(
        one.event_id, one.ticket_type_id, one.description, one.list_price, early, discount, left - discount, 0, one.appointment_id
    )


def _discount(left: int, reduction: Reduction | None, one: LineWanted) -> int:
    if reduction is None or not reduction.applies_to(one.ticket_type_id):
        return 0
    if reduction.percent is not None:
        return Money(left, one.currency).percent(reduction.percent).amount
    return min(left, reduction.amount or 0)


@dataclass(frozen=True)
class SummaryLine:
    """Things of one kind and price together, as they stand on the order page, the invoice and the payment page."""

    description: str
    places: int
    list_price: int
    early_reduction: int
    discount: int
    net: int
    tax: int


def summary(lines: Sequence[PricedLine]) -> list[SummaryLine]:
    """Group lines that are alike, in the order in which they first appear. Each line's amounts are per seat."""
    counted: dict[tuple[str, int, int, int, int, int], int] = {}
    for line in lines:
        alike = (line.description, line.list_price, line.early_reduction, line.discount, line.net, line.tax)
        counted[alike] = counted.get(alike, 0) + 1
    return [SummaryLine(key[0], places, *key[1:]) for key, places in counted.items()]
