"""What happened lately in the threads that are followed here: which entries, in the order of each thread.

A client that comes back within a minute is told from here what it missed. Only entries are kept and no text: what they
refer to is read as it is by then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import dropwhile

from watchword.clock import steady_seconds
from watchword.journal.entries import Entry

KEPT_SECONDS = 60.0
MOST_BYTES = 16 << 20
"""Of all threads together; of more, what was heard first goes."""

_ENTRY_BYTES = 300
"""Of an entry without its reference, with its places in both queues."""


class _Thread:
    """Everything of it above the id `since` is among the entries."""

    __slots__ = ("entries", "since")

    def __init__(self, since: int) -> None:
        self.since = since
        self.entries: deque[Entry] = deque()


class Recent:
    """Knows a thread from `begin` to `forget`."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._threads: dict[int, _Thread] = {}
        self._heard: deque[tuple[float, Entry]] = deque()
        self._bytes = 0

    def __contains__(self, thread: int) -> bool:
        return thread in self._threads

    def begin(self, thread: int, since: int) -> None:
        """Whatever happens in it above this id is going to be added."""
        self._threads.setdefault(thread, _Thread(since))

    def add(self, entry: Entry) -> None:
        """The next one of its thread; of a thread that is not known, it is passed over."""
        thread = self._threads.get(entry.thread)
        if thread is None:
            return
        thread.entries.append(entry)
        self._heard.append((steady_seconds(), entry))
        self._bytes += _bytes_of(entry)
        while self._bytes > self._most_bytes:
            self._drop_oldest()

    def drop_old(self) -> None:
        """What was heard longer ago than is kept."""
        oldest = steady_seconds() - KEPT_SECONDS
        while self._heard and self._heard[0][0] < oldest:
            self._drop_oldest()

    def above(self, thread: int, after: int) -> Sequence[Entry] | None:
        """What happened in the thread above an id; None where that is not known any more, or not yet."""
        found = self._threads.get(thread)
        if found is None or found.since > after:
            return None
        return list(dropwhile(lambda entry: entry.id <= after, found.entries))

    def forget(self, thread: int) -> None:
        """It is not followed any more."""
        self._threads.pop(thread, None)

    def clear(self) -> None:
        """Nobody knows what happened in between: every thread is to be begun anew."""
        self._threads.clear()
        self._heard.clear()
        self._bytes = 0

    def _drop_oldest(self) -> None:
        _, entry = self._heard.popleft()
        self._bytes -= _bytes_of(entry)
        thread = self._threads.get(entry.thread)
        # It may have been forgotten, and begun again.
        if thread is not None and thread.entries and thread.entries[0] is entry:
            thread.entries.popleft()
            thread.since = max(thread.since, entry.id)


def _bytes_of(entry: Entry) -> int:
    return _ENTRY_BYTES + len(entry.reference)
