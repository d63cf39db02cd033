"""How far a history has been heard: everything up to an id, but for gaps whose entries may still appear."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter

import msgspec

Gap = tuple[int, int]
"""The first and the last id that is missing."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """`gaps` are in their order, and none touches another. What a gap is no longer there for will never appear."""

    epoch: str
    top: int
    gaps: tuple[Gap, ...] = ()

    @property
    def low(self) -> int:
        """Nothing up to here will ever appear that was not heard."""
        return self.gaps[0][0] - 1 if self.gaps else self.top

    @property
    def position(self) -> str:
        """The position for others, who keep it: of another history it means nothing."""
        return f"{self.epoch}.{self.low}"

    def has_heard(self, id: int) -> bool:
        if id > self.top:
            return False
        place = bisect_right(self.gaps, id, key=itemgetter(0)) - 1
        return place < 0 or self.gaps[place][1] < id

    def joined(self, other: Mark) -> Mark:
        """What this or the other one has heard, of one history."""
        lower, higher = sorted((self, other), key=lambda mark: mark.top)
        missing = (*lower.gaps, (lower.top + 1, higher.top)) if lower.top < higher.top else lower.gaps
        return Mark(self.epoch, higher.top, tuple(_common(higher.gaps, missing)))


def position_of(text: str) -> tuple[str, int] | None:
    """Epoch and id of a position that was given to others, or None where it is none of ours."""
    epoch, _, digits = text.partition(".")
    if not epoch or not digits.isascii() or not digits.isdecimal() or len(digits) > 18:
        return None
    return epoch, int(digits)


def split(gap: Gap, id: int) -> Iterator[Gap]:
    """What is left of a gap once one of its ids has appeared."""
    first, last = gap
    if first < id:
        yield first, id - 1
    if id < last:
        yield id + 1, last


def _common(ones: tuple[Gap, ...], others: tuple[Gap, ...]) -> Iterator[Gap]:
    place = 0
    for first, last in ones:
        while place < len(others) and others[place][1] < first:
            place += 1
        at = place
        while at < len(others) and others[at][0] <= last:
            yield max(first, others[at][0]), min(last, others[at][1])
            at += 1
