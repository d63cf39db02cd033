"""Those in this process who follow the journal, and what each has yet to hear."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import Protocol, Self

from watchword.clock import steady_seconds
from watchword.journal.entries import Entry, Interest, News, Signal, interests_of
from watchword.journal.follower import Handed
from watchword.journal.marks import Mark

MOST_WAITING = 10_000
"""Entries that somebody may leave unheard; with more they start anew, which costs no memory."""


MOST_SIGNALS = 1_000
"""That wait to be heard; of more, the oldest are lost."""


class Wanting(Protocol):
    """What a `Following` asks the journal for."""

    async def want(self, following: Following, interests: Sequence[Interest]) -> Mark: ...

    def drop(self, following: Following, interests: Sequence[Interest]) -> None: ...


class Following:
    """One who follows, by `async for news in following`; made by `Journal.follow`.

    `feed_cursor` is the newest that is known of the revocations, also while older news are still dealt with.
    """

    def __init__(self, journal: Wanting) -> None:
        self._journal = journal
        self._news = News()
        self._entries: list[Entry] = []
        self._signals: deque[Signal] = deque(maxlen=MOST_SIGNALS)
        self._arrived = asyncio.Event()
        self._is_closed = False
        self.interests: set[Interest] = set()
        self.feed_cursor = 0

    async def want(self, *interests: Interest) -> Mark:
        """Hear of these too: of everything that the mark, which is returned, has not heard.

        Whatever is read after this returned is as new as the mark, or newer: so an entry may be heard of something
        that was read already.

        Raises:
            Unavailable: the database does not answer, and nothing changed.
        """
        return await self._journal.want(self, interests)

    def drop(self, *interests: Interest) -> None:
        """Hear no more of these."""
        self._journal.drop(self, interests)

    def close(self) -> None:
        """Hear of nothing any more; whoever waits for news is told that there will be none."""
        self.drop(*self.interests)
        self.end()

    def end(self) -> None:
        self._is_closed = True
        self._arrived.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> News:
        """Everything that came since the last time, at once."""
        await self._arrived.wait()
        if self._is_closed:
            raise StopAsyncIteration
        news, self._news = self._news, News()
        news.entries, self._entries = self._entries, []
        news.signals, self._signals = [*self._signals], deque(maxlen=MOST_SIGNALS)
        self._arrived.clear()
        return news

    def hear(self, handed: Handed, mark: Mark, entries: Sequence[Entry], *, signals: Sequence[Signal]) -> None:
        waiting = self._news
        if handed.is_anew or len(self._entries) + len(entries) > MOST_WAITING:
            # What is too much goes as well: whoever reads everything anew is shown that, too.
            waiting.is_anew = True
            self._entries.clear()
        if len(self._entries) + len(entries) <= MOST_WAITING:
            self._entries += entries
        self._signals += signals
        waiting.position, waiting.top = mark.position, mark.top
        waiting.feed_cursor = self.feed_cursor = handed.feed_cursor
        self._arrived.set()


class Audience:
    """All who follow in this process; to the follower of the server they are one.

    `mark` is how far they have heard together, at `heard_at`; None while nobody follows.
    """

    def __init__(self) -> None:
        self.mark: Mark | None = None
        self.heard_at = 0.0
        self.members: set[Following] = set()
        self._following: defaultdict[Interest, set[Following]] = defaultdict(set)

    @property
    def interests(self) -> list[Interest]:
        return list(self._following)

    def add(self, following: Following, interests: Iterable[Interest]) -> None:
        self.members.add(following)
        for interest in interests:
            following.interests.add(interest)
            self._following[interest].add(following)

    def remove(self, following: Following, interests: Iterable[Interest]) -> list[Interest]:
        """Those that nobody here has any more."""
        gone = []
        for interest in interests:
            following.interests.discard(interest)
            members = self._following.get(interest, set())
            members.discard(following)
            if not members and self._following.pop(interest, None) is not None:
                gone.append(interest)
        if not following.interests:
            self.members.discard(following)
        if not self._following:
            self.mark = None
        return gone

    def begin(self, mark: Mark) -> None:
        """Somebody is going to hear what comes after the mark."""
        if self.mark is None and self._following:
            self.mark, self.heard_at = mark, steady_seconds()

    def hear(self, handed: Handed) -> None:
        if self.mark is None:
            self.begin(handed.mark)
        if (mark := self.mark) is None:
            return
        if handed.is_anew or handed.mark.epoch != mark.epoch:
            self.mark, entries = handed.mark, handed.entries
            handed.is_anew = True
        else:
            # What this process has read itself, between two followers, may come again.
            self.mark, entries = (
                mark.joined(handed.mark),
                [each for each in handed.entries if not mark.has_heard(each.id)],
            )
        self.heard_at = steady_seconds()
        heard = self.mark
        told: dict[Following, tuple[list[Entry], list[Signal]]] = {each: ([], []) for each in self.members}
        for entry in entries:
            for following in self._concerned(entry):
                told[following][0].append(entry)
        for signal in handed.signals:
            for following in self._concerned(signal):
                told[following][1].append(signal)
        for following, (its_entries, its_signals) in told.items():
            following.hear(handed, heard, its_entries, signals=its_signals)

    def _concerned(self, happened: Entry | Signal) -> set[Following]:
        return set().union(*(self._following.get(interest, set()) for interest in interests_of(happened)))
