"""The one follower of a server: it looks at the journal, and hands on to each process what that one wants to hear."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from time import perf_counter
from typing import Protocol, TypeVar

import msgspec

from watchword.clock import steady_seconds
from watchword.journal.entries import Entry, Interest, Signal, interests_of
from watchword.journal.marks import Mark
from watchword.journal.store import JournalStore
from watchword.journal.tail import Tail
from watchword.journal.waiting import IDLE_SECONDS, Poll
from watchword.measurements import FINE_SECONDS, Histogram

_REST_SECONDS = 0.002
"""Between two looks: what is committed within it is read at once, whoever commits however often."""

_MARK_EVERY_SECONDS = 5.0
"""How old the mark of a process may be that hears nothing: so much it has to read again when its follower ends."""

Happened = TypeVar("Happened", Entry, Signal)

_log = logging.getLogger(__name__)


class Handed(msgspec.Struct, tag=0, array_like=True):
    """What a process is told at once. What it had heard before goes on up to `mark`, unless it `is_anew`."""

    mark: Mark
    feed_cursor: int
    is_anew: bool = False
    entries: Sequence[Entry] = ()
    signals: Sequence[Signal] = ()


class Listener(Protocol):
    """A process of the server, this one or another."""

    def hear(self, handed: Handed) -> None: ...


class Follower:
    """Looks while anybody is interested in anything, and rests else.

    `lags` counts for each look that brought something: seconds from the first commit of it that was told of here until
    it was handed on; of what nobody told, since the last look that did not show it, so an upper bound.
    """

    def __init__(self, store: JournalStore, lags: Histogram | None = None) -> None:
        self._store = store
        self._lags = lags or Histogram.of(FINE_SECONDS)
        self._wanted: dict[Listener, set[Interest]] = {}
        self._listening: defaultdict[Interest, set[Listener]] = defaultdict(set)
        self._poll = Poll(
            self._look,
            is_wanted=lambda: bool(self._wanted),
            alarm=_say_blind,
            rest_seconds=_REST_SECONDS,
            idle_seconds=IDLE_SECONDS if store.are_commits_told else 0.0,
        )
        self._beginning = asyncio.Lock()
        self._tail: Tail | None = None
        self._feed_cursor = 0
        self._told_marks = 0.0
        self._was_stuck = False

    async def want(self, listener: Listener, interests: Iterable[Interest]) -> Mark:
        """The listener hears of them from this mark on.

        Raises:
            Unavailable: the database does not answer.
        """
        async with self._beginning:
            if self._tail is None:
                self._tail, self._feed_cursor = await self._store.begin(steady_seconds())
                self._told_marks = perf_counter()
            # What a look finds that is under way is handed on to these too, and lies above the mark.
            mark = self._tail.mark
            wanted = self._wanted.setdefault(listener, set())
            for interest in interests:
                wanted.add(interest)
                self._listening[interest].add(listener)
        self._poll.start(perf_counter())
        return mark

    def resume(self, listener: Listener, interests: Collection[Interest], mark: Mark, *, heard_at: float) -> None:
        """Go on where the follower before was, as far as this process has heard of it, and when it did."""
        if interests and self._tail is None:
            self._tail = Tail(mark, now_seconds=heard_at)
            self._wanted[listener] = set(interests)
            for interest in interests:
                self._listening[interest].add(listener)
            self._poll.start(perf_counter())

    def drop(self, listener: Listener, interests: Iterable[Interest]) -> None:
        wanted = self._wanted.get(listener, set())
        for interest in list(interests):
            wanted.discard(interest)
            self._listening[interest].discard(listener)
            if not self._listening[interest]:
                del self._listening[interest]
        if not wanted:
            self._wanted.pop(listener, None)
        if not self._wanted:
            # Whoever comes next begins with what is newest then.
            self._tail = None

    def leave(self, listener: Listener) -> None:
        self.drop(listener, self._wanted.get(listener, set()))

    def wake(self) -> None:
        """Something was committed by this server."""
        self._poll.wake()

    def nudge(self) -> None:
        """Something was committed elsewhere."""
        self._poll.nudge()

    def pass_on(self, signals: Sequence[Signal]) -> None:
        """Hands it on to whoever listens in this server."""
        if self._tail is None:
            return
        for listener, heard in self._sorted_by_listener(signals).items():
            listener.hear(Handed(self._tail.mark, self._feed_cursor, signals=heard))

    async def end(self) -> None:
        """Nobody looks any more once this returns."""
        await self._poll.end()

    @property
    def view_age_seconds(self) -> float:
        """How old is what followers know; 0 where nobody follows."""
        return perf_counter() - self._poll.looked if self._tail is not None else 0.0

    @property
    def gaps(self) -> int:
        return self._tail.gaps if self._tail is not None else 0

    @property
    def oldest_gap_seconds(self) -> float:
        return self._tail.oldest_gap_seconds(steady_seconds()) if self._tail is not None else 0.0

    async def _look(self) -> None:
        while (tail := self._tail) is not None:
            look = await self._store.look(tail.mark)
            if self._tail is not tail:
                # Everybody has left meanwhile, and perhaps others have come.
                return
            entries = tail.take(look, steady_seconds())
            if entries is None:
                await self._start_anew(tail)
                return
            self._alarm(tail)
            if entries:
                self._lags.observe(perf_counter() - max(self._poll.looked, self._poll.woken))
            self._hand_on(tail.mark, look.feed_cursor, entries)
            if not look.is_full or not entries:
                return

    async def _start_anew(self, tail: Tail) -> None:
        begun, cursor = await self._store.begin(steady_seconds())
        if self._tail is tail:
            _log.warning("the journal was followed from too far behind, or is another one now: everybody starts anew")
            self._tail, self._feed_cursor = begun, cursor
            for listener in list(self._wanted):
                listener.hear(Handed(begun.mark, cursor, is_anew=True))

    def _hand_on(self, mark: Mark, feed_cursor: int, entries: Sequence[Entry]) -> None:
        by_listener = self._sorted_by_listener(entries)
        now = perf_counter()
        is_due = now - self._told_marks > _MARK_EVERY_SECONDS
        if is_due or feed_cursor != self._feed_cursor:
            self._told_marks, self._feed_cursor = now, feed_cursor
            told: Iterable[Listener] = list(self._wanted)
        else:
            told = by_listener
        for listener in told:
            listener.hear(Handed(mark, feed_cursor, entries=by_listener.get(listener, [])))

    def _sorted_by_listener(self, happened: Sequence[Happened]) -> dict[Listener, list[Happened]]:
        found: dict[Listener, list[Happened]] = {}
        for each in happened:
            for interest in interests_of(each):
                for listener in self._listening.get(interest, ()):
                    heard = found.setdefault(listener, [])
                    # It may have several interests in the same thing.
                    if not heard or heard[-1] is not each:
                        heard.append(each)
        return found

    def _alarm(self, tail: Tail) -> None:
        if tail.is_stuck and not self._was_stuck:
            _log.error("the journal has too many gaps: entries wait until transactions that are open have ended")
        self._was_stuck = tail.is_stuck


def _say_blind() -> None:
    _log.warning("the journal cannot be read, because the database is away; it goes on trying")
