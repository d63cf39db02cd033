"""Medians and their intervals."""

import pytest

from benchmarks.spread import Spread, confidence


@pytest.mark.parametrize(
    ("rounds", "low", "high", "probability"),
    [(1, 1, 1, 0.0), (3, 1, 3, 0.75), (5, 1, 5, 0.9375), (7, 1, 7, 0.984), (9, 2, 8, 0.961), (20, 6, 15, 0.959)],
)
def test_interval_is_the_narrowest_that_holds_the_median_with_95_percent(
    rounds: int, low: int, high: int, probability: float
) -> None:
    spread = Spread.of(range(rounds, 0, -1))
    assert (spread.low, spread.high) == (low, high)
    assert spread.median == (rounds + 1) / 2
    assert confidence(rounds) == pytest.approx(probability, abs=0.001)


def test_ratios_are_taken_within_each_round() -> None:
    """The machine was half as fast in the second round, for both."""
    assert Spread.of_ratios([10, 5, 10], [4, 2, 4]) == Spread(2.5, 2.5, 2.5)
