"""A sample of `proofs.carts`: two people want the same seats and the same hour."""

import pytest

from proofs import carts
from tests import cluster as clusters


@pytest.mark.parametrize("seed", [7])
def test_twelve_interleavings_of_two_carts_leave_no_order_half_held(fresh_database: clusters.Database, seed: int, capsys) -> None:  # type: ignore[no-untyped-def]
    wrong = carts.prove(fresh_database.url, 12, seed)

    told = capsys.readouterr().out
    assert not wrong, told
    assert "12 interleavings of two carts" in told and " 0 orders of seats and hours" not in told
