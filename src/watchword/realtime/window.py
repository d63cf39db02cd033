"""What one socket was told and has answered; from which follows what is told again after it was cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MOST_AHEAD = 1_000
"""Entries that were answered above the position; of more, the lowest are told twice after a cut."""


class Window:
    """`position` and `ahead` are where the socket before was: every entry up to the one, and each of the others, was
    answered.

    Answers count in the order of sending: what was sent behind a push without an answer is told again with it, so that
    the client hears of a thread in its order. Most sockets wait for nothing: then it holds nothing.
    """

    __slots__ = ("_entries", "_position", "_sent", "next_id")

    def __init__(self, position: int, ahead: Iterable[int] = ()) -> None:
        self._position = position
        # Whether it was answered; else it is owed.
        self._entries = dict.fromkeys(ahead, True)
        # Entry and time of the last pushes, whose numbers end below the next one; no time of one that was answered.
        self._sent: list[tuple[int, float | None]] = []
        self.next_id = 1

    def is_known(self, entry: int) -> bool:
        """It was answered; or it was sent on this socket, or waits to be, and is not to be told on it again."""
        return entry <= self._position or entry in self._entries

    def owe(self, entry: int) -> None:
        """It is to be told, as soon as it can be."""
        self._entries[entry] = False

    def send(self, entry: int, now_seconds: float) -> int:
        """The number of the push that tells it; `entry` is 0 for what is never told again."""
        id = self.next_id
        self.next_id += 1
        if entry:
            self._entries[entry] = False
        self._sent.append((entry, now_seconds))
        return id

    def answer(self, id: int) -> bool:
        """Whether it was a push without an answer so far."""
        sent = self._sent
        place = id - self.next_id + len(sent)
        if not 0 <= place < len(sent) or sent[place][1] is None:
            return False
        sent[place] = (sent[place][0], None)
        while sent and sent[0][1] is None:
            entry, _ = sent.pop(0)
            if entry:
                self.pass_over(entry)
        return True

    def restart(self, position: int) -> None:
        """Another history begins: what was sent is still answered, but its entries mean nothing any more."""
        self._position = position
        self._entries.clear()
        self._sent = [(0, since) for _, since in self._sent]

    def pass_over(self, entry: int) -> None:
        """It is not told again, as if it had been answered."""
        if entry > self._position:
            self._entries[entry] = True
        else:
            self._entries.pop(entry, None)

    @property
    def unanswered(self) -> int:
        return len(self._sent)

    @property
    def oldest_seconds(self) -> float | None:
        """When the first push without an answer was sent; None where there is none."""
        return self._sent[0][1] if self._sent else None

    @property
    def first_unanswered(self) -> int:
        """Its entry; 0 where there is none."""
        return next((entry for entry, _ in self._sent if entry), 0)

    def reach(self, low: int) -> tuple[int, Sequence[int]]:
        """Position and what was answered above it, where everything up to `low` was heard of by whoever tells."""
        entries = self._entries
        if False in entries.values():
            low = min(low, min(entry for entry, is_answered in entries.items() if not is_answered) - 1)
        position = self._position = max(self._position, low)
        if not entries:
            return position, []
        # Made anew: one from which all was taken would keep its room.
        self._entries = {entry: found for entry, found in entries.items() if entry > position or not found}
        if not self._entries:
            return position, []
        ahead = sorted(entry for entry, is_answered in self._entries.items() if is_answered)
        return position, ahead[-MOST_AHEAD:]
