"""What seats cost. Pure: the same function prices the cart, the order and the preview of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seminars.kit.money import Money


@dataclass(frozen=True)
class SeatWanted:
    """One seat to be priced, with the ticket type's prices as they are now."""

    event_id: int
    ticket_type_id: int
    description: str
    list_price: int
    early_price: int | None
    early_until: datetime | None
    currency: str


@dataclass(frozen=True)
class Reduction:
    """What a discount code takes off each seat that it applies to: a percentage, or an amount in minor units."""

    code: str
    percent: int | None
    amount: int | None
    ticket_type_ids: frozenset[int]

    def applies_to(self, ticket_type_id: int) -> bool:
        """Whether seats of this ticket type are reduced; a code that names no ticket type reduces all."""
        return not self.ticket_type_ids or ticket_type_id in self.ticket_type_ids


@dataclass(frozen=True)
class PricedSeat:
    """One seat, priced: list_price − early_reduction − discount = net; tax comes on top. Minor units."""

    event_id: int
    ticket_type_id: int
    description: str
    list_price: int
    early_reduction: int
    discount: int
    net: int
    tax: int


@dataclass(frozen=True)
class Priced:
    """Seats with their sum. Minor units of one currency."""

    seats: tuple[PricedSeat, ...]
    currency: str
    reduction: Reduction | None = None

    @property
    def net(self) -> Money:
        """Before tax."""
        return Money(sum(s.net for s in self.seats), self.currency)

    @property
    def tax(self) -> Money:
        """The tax on all seats."""
        return Money(sum(s.tax for s in self.seats), self.currency)

    @property
    def total(self) -> Money:
        """What is to be paid."""
        return self.net + self.tax

    @property
    def discounted(self) -> int:
        """How many seats the code reduced."""
        return sum(1 for s in self.seats if s.discount)


def price_seats(
    seats: Sequence[SeatWanted], *, currency: str, reduction: Reduction | None = None, free: bool = False, now: datetime
) -> Priced:
    """Price each seat at that instant: early price first, then the code's reduction on what is left, never below zero.

    `free` is a seat given by the center (comp): its whole price is a discount.
    """
    return Priced(tuple(_price(seat, reduction, free, now) for seat in seats), currency, reduction)


def _price(seat: SeatWanted, reduction: Reduction | None, free: bool, now: datetime) -> PricedSeat:
    early = 0
    if seat.early_price is not None and seat.early_until is not None and now < seat.early_until:
        early = seat.list_price - seat.early_price
    left = seat.list_price - early
    discount = left if free else _discount(left, reduction, seat)
    return PricedSeat(seat.event_id, seat.ticket_type_id, seat.description, seat.list_price, early, discount, left - discount, 0)


def _discount(left: int, reduction: Reduction | None, seat: SeatWanted) -> int:
    if reduction is None or not reduction.applies_to(seat.ticket_type_id):
        return 0
    if reduction.percent is not None:
        return Money(left, seat.currency).percent(reduction.percent).amount
    return min(left, reduction.amount or 0)


@dataclass(frozen=True)
class SummaryLine:
    """Seats of one kind and price together, as they stand on the order page, the invoice and the payment page."""

    description: str
    places: int
    list_price: int
    early_reduction: int
    discount: int
    net: int
    tax: int


def summary(seats: Sequence[PricedSeat]) -> list[SummaryLine]:
    """Group seats that are alike, in the order in which they first appear. Each line's amounts are per seat."""
    counted: dict[tuple[str, int, int, int, int, int], int] = {}
    for seat in seats:
        alike = (seat.description, seat.list_price, seat.early_reduction, seat.discount, seat.net, seat.tax)
        counted[alike] = counted.get(alike, 0) + 1
    return [SummaryLine(key[0], places, *key[1:]) for key, places in counted.items()]
