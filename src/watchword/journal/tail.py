"""The end of the journal as one follower knows it: what is new to it, and which ids are still missing. No I/O.

Ids are drawn before their transactions commit, so a higher one may appear first. Whatever is committed is handed on at
once, and the ids below that are missing are remembered as gaps. A gap goes when its entry appears; or when every
transaction has ended that had a number when the gap was first seen, and the entry is still not there: it was rolled
back. So a transaction that hangs delays only itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from watchword.journal.entries import Entry
from watchword.journal.marks import Gap, Mark, split

MOST_GAPS = 10_000
"""With so many, nothing is taken that would make another one, until some of them have gone."""

LONGEST_SILENCE_SECONDS = 60.0
"""Within it nothing is purged that came since the last look."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one statement found, of one instant: the feed's position, and the journal's entries.

    `oldest` is the id of the first entry that is kept, 0 where there is none; `newest` the last id that was ever drawn,
    whatever became of it. Every transaction below `open_from` had ended, and none had a number from `open_to` on.
    `entries` are those in the gaps that were asked for and those above the top, in the order of ids. `is_full`: there
    may be more; `are_gaps_full`: in the gaps.
    """

    epoch: str
    feed_cursor: int
    open_from: int
    open_to: int
    oldest: int
    newest: int
    entries: Sequence[Entry]
    is_full: bool = False
    are_gaps_full: bool = False


@dataclass(slots=True)
class _Missing:
    """A gap, and what `open_to` was when it was first seen; 0: it was seen by someone else, who did not say."""

    gap: Gap
    open_to: int
    since: float


class Tail:
    """The journal from a mark on, which was reached at `now_seconds`.

    `is_stuck`: there are too many gaps, and entries wait because of it.
    """

    def __init__(self, mark: Mark, open_to: int = 0, now_seconds: float = 0.0) -> None:
        self.epoch = mark.epoch
        self.top = mark.top
        self.is_stuck = False
        self._looked = now_seconds
        self._missing = [_Missing(gap, open_to, now_seconds) for gap in mark.gaps]

    @property
    def mark(self) -> Mark:
        return Mark(self.epoch, self.top, tuple(each.gap for each in self._missing))

    @property
    def gaps(self) -> int:
        """How many there are."""
        return len(self._missing)

    def oldest_gap_seconds(self, now_seconds: float) -> float:
        return max((now_seconds - each.since for each in self._missing), default=0.0)

    def take(self, look: Look, now_seconds: float = 0.0) -> list[Entry] | None:
        """What is new in it, or None where that cannot be said: the follower has to start anew."""
        if self._is_another_history(look) or self._has_missed(look, now_seconds):
            return None
        self._looked = now_seconds
        above = bisect_right(look.entries, self.top, key=lambda entry: entry.id)
        taken = [entry for entry in look.entries[:above] if self._fill(entry.id)]
        self._forget(look)
        for entry in look.entries[above:]:
            if not self._rise(entry.id, look, now_seconds):
                break
            taken.append(entry)
        return taken

    def _is_another_history(self, look: Look) -> bool:
        # The last id that was drawn never goes back in one history.
        return look.epoch != self.epoch or look.newest < self.top

    def _has_missed(self, look: Look, now_seconds: float) -> bool:
        """Whether entries were purged that were not heard."""
        if now_seconds - self._looked <= LONGEST_SILENCE_SECONDS:
            return False
        return look.oldest > self.top + 1 if look.oldest else look.newest > self.top

    def _fill(self, id: int) -> bool:
        place = bisect_right(self._missing, id, key=lambda each: each.gap[0]) - 1
        if place < 0 or self._missing[place].gap[1] < id:
            return False
        found = self._missing[place]
        left = [_Missing(gap, found.open_to, found.since) for gap in split(found.gap, id)]
        self._missing[place : place + 1] = left
        return True

    def _rise(self, id: int, look: Look, now_seconds: float) -> bool:
        """Whether the entry above all may be taken."""
        if id > self.top + 1 and look.open_from < look.open_to:
            self.is_stuck = len(self._missing) >= MOST_GAPS
            if self.is_stuck:
                return False
            self._missing.append(_Missing((self.top + 1, id - 1), look.open_to, now_seconds))
        # Else nobody was under way: what is missing was rolled back.
        self.is_stuck = False
        self.top = id
        return True

    def _forget(self, look: Look) -> None:
        if look.are_gaps_full:
            # What is not among them may well be there.
            return
        for each in self._missing:
            each.open_to = each.open_to or look.open_to
        self._missing = [each for each in self._missing if look.open_from < each.open_to]
