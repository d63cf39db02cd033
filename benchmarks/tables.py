"""How figures are written: tables in Markdown, counts, milliseconds and shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.spread import Spread

_HIGHEST_GENERATOR_SHARE = 0.8


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def count(spread: Spread) -> str:
    return interval(spread, ",.0f")


def interval(spread: Spread, form: str, unit: str = "") -> str:
    return f"{spread.median:{form}}{unit} [{spread.low:{form}} .. {spread.high:{form}}]"


def generator(shares: Iterable[float]) -> str:
    """The largest part of its core that the generator took: near all of it, the figure is the generator's own."""
    largest = max(shares)
    return f"{largest:.0%}{' (too busy!)' if largest > _HIGHEST_GENERATOR_SHARE else ''}"


def ranked(values: Sequence[float], share: float) -> float:
    """The value that so large a share of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
