"""What seats cost: early price, codes, rounding, free seats."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seminars.kit.money import Money
from seminars.orders.pricing import LineWanted, PricedLine, Reduction, SummaryLine, price_lines, summary
from tests.clock import NOON

LATER = NOON + timedelta(days=7)


def a_seat(price: int = 50_000, *, early: int | None = None, kind: int = 7, currency: str = "USD") -> LineWanted:
    return LineWanted(1, kind, "Social Media Residency, Standard", price, early, LATER if early is not None else None, currency)


def percent(share: int, *kinds: int) -> Reduction:
    return Reduction("SPRING", share, None, frozenset(kinds))


def amount(minor: int, *kinds: int) -> Reduction:
    return Reduction("SPRING", None, minor, frozenset(kinds))


def test_without_any_rule_the_list_price_is_paid() -> None:
    priced = price_lines([a_seat(), a_seat()], currency="USD", now=NOON)

    assert priced.lines[0] == PricedLine(1, 7, "Social Media Residency, Standard", 50_000, 0, 0, 50_000, 0)
    assert (priced.net, priced.tax, priced.total) == (Money(100_000, "USD"), Money(0, "USD"), Money(100_000, "USD"))


@pytest.mark.parametrize(("moment", "paid"), [(NOON, 40_000), (LATER - timedelta(microseconds=1), 40_000), (LATER, 50_000)])
def test_the_early_price_ends_at_its_instant(moment: object, paid: int) -> None:
    priced = price_lines([a_seat(early=40_000)], currency="USD", now=moment)  # type: ignore[arg-type]

    assert priced.total == Money(paid, "USD")
    assert priced.lines[0].early_reduction == 50_000 - paid


def test_a_code_takes_its_share_of_what_the_early_price_leaves() -> None:
    [seat] = price_lines([a_seat(early=40_000)], currency="USD", reduction=percent(10), now=NOON).lines

    assert (seat.list_price, seat.early_reduction, seat.discount, seat.net) == (50_000, 10_000, 4_000, 36_000)


@pytest.mark.parametrize(("price", "share", "discount"), [(333, 50, 167), (1, 50, 1), (1, 49, 0), (9_999, 33, 3_300), (101, 100, 101)])
def test_half_a_cent_is_rounded_up_in_the_buyers_favour(price: int, share: int, discount: int) -> None:
    [seat] = price_lines([a_seat(price)], currency="USD", reduction=percent(share), now=NOON).lines

    assert (seat.discount, seat.net) == (discount, price - discount)


def test_an_amount_never_makes_a_price_negative() -> None:
    priced = price_lines([a_seat(3_000), a_seat(8_000)], currency="USD", reduction=amount(5_000), now=NOON)

    assert [(seat.discount, seat.net) for seat in priced.lines] == [(3_000, 0), (5_000, 3_000)]
    assert priced.discounted == 2


def test_a_code_for_some_ticket_types_leaves_the_others_alone() -> None:
    priced = price_lines([a_seat(kind=7), a_seat(kind=8)], currency="USD", reduction=percent(20, 8), now=NOON)

    assert [seat.discount for seat in priced.lines] == [0, 10_000]
    assert priced.discounted == 1


def test_a_code_on_a_free_seat_counts_no_use() -> None:
    assert price_lines([a_seat(0)], currency="USD", reduction=percent(20), now=NOON).discounted == 0


def test_a_comped_seat_costs_nothing_and_says_what_it_was_worth() -> None:
    [seat] = price_lines([a_seat(early=40_000)], currency="USD", free=True, reduction=percent(10), now=NOON).lines

    assert (seat.list_price, seat.early_reduction, seat.discount, seat.net) == (50_000, 10_000, 40_000, 0)


def test_yen_have_no_cents() -> None:
    [seat] = price_lines([a_seat(1_001, currency="JPY")], currency="JPY", reduction=percent(10), now=NOON).lines

    assert seat.net == 901


def test_an_empty_cart_costs_nothing_in_the_centers_currency() -> None:
    assert price_lines([], currency="EUR", now=NOON).total == Money(0, "EUR")


@settings(deadline=None)
@given(
    price=st.integers(0, 10**9), early=st.one_of(st.none(), st.integers(0, 10**9)), share=st.integers(1, 100), seats=st.integers(1, 20),
    off=st.one_of(st.none(), st.integers(1, 10**9)),
)  # fmt: skip
def test_every_seat_adds_up_and_none_is_negative(price: int, early: int | None, share: int, seats: int, off: int | None) -> None:
    reduction = amount(off) if off else percent(share)
    wanted = [a_seat(price, early=None if early is None else min(early, price))] * seats

    priced = price_lines(wanted, currency="USD", reduction=reduction, now=NOON)

    assert all(seat.list_price - seat.early_reduction - seat.discount == seat.net >= 0 <= seat.discount for seat in priced.lines)
    assert priced.total.amount == sum(line.net * line.places for line in summary(priced.lines))


def test_equal_seats_stand_in_one_line() -> None:
    priced = price_lines([a_seat(), a_seat(kind=8), a_seat(30_000), a_seat()], currency="USD", now=NOON)

    assert summary(priced.lines) == [
        SummaryLine("Social Media Residency, Standard", 3, 50_000, 0, 0, 50_000, 0),
        SummaryLine("Social Media Residency, Standard", 1, 30_000, 0, 0, 30_000, 0),
    ]
