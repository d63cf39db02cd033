"""Medians, and how sure they are: an interval for each, taken from the rounds themselves.

Half of all rounds lie below the true median, so how many of n do is a matter of coin tosses, whatever the figures'
distribution: the interval from the k-th smallest to the k-th largest holds the true median with a known probability.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import comb
from statistics import median

WANTED = 0.95


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of the rounds, with the ends of its interval."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        ordered = sorted(values)
        left_out = _left_out(len(ordered))
        return cls(median(ordered), ordered[left_out], ordered[-1 - left_out])

    @classmethod
    def of_ratios(cls, numerators: Iterable[float], denominators: Iterable[float]) -> Spread:
        """Each round's figure by another of the same round, so that what drifted for both cancels out."""
        return cls.of(one / other for one, other in zip(numerators, denominators, strict=True))


def confidence(rounds: int, left_out: int | None = None) -> float:
    """How probably the interval holds the true median; below `WANTED` where the rounds are fewer than six."""
    outside = range((_left_out(rounds) if left_out is None else left_out) + 1)
    return float(1 - 2 * sum(comb(rounds, below) for below in outside) / 2**rounds)


def _left_out(rounds: int) -> int:
    """How many figures at either end may lie outside the interval."""
    return max((each for each in range((rounds - 1) // 2) if confidence(rounds, each) >= WANTED), default=0)
