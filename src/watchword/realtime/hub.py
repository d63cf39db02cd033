"""Tells everybody who is here what happens, as the journal says it; each entry is spelled once.

What is revoked or closed is applied first. A chunk of sockets is written, then others have their turn. What cannot be
told now, because the database is away, is told once it is back: nothing after it goes before.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from watchword.clock import Clock, steady_seconds
from watchword.errors import Unavailable
from watchword.identifiers import new_request_id
from watchword.journal.entries import Entry, Interest, News, Signal
from watchword.journal.following import Following
from watchword.journal.journal import Journal
from watchword.journal.marks import Mark, position_of
from watchword.measurements import RealtimeCounts
from watchword.realtime.endings import Endings
from watchword.realtime.happenings import Happening, Narrator, Part, Thread, is_seen, joined, left
from watchword.realtime.outbox import Told
from watchword.realtime.recent import Recent
from watchword.realtime.roster import CLAIMED, KINDS, RELEASED, Roster, User, of_resource
from watchword.realtime.spelling import spell, told_of

CHUNK = 32
"""Sockets that are written to before others have their turn: a request takes several turns."""

_MOST_AT_ONCE = 1_000
_PAUSE_SECONDS = 0.1
_IDLE_SECONDS = 60.0

Again = Callable[[int | None], None]
"""Everybody is to be told anew what they have not heard; in another history, from this position on."""

HearSignal = Callable[[Signal], None]

_log = logging.getLogger(__name__)


class Hub:
    """`low` is a position in the history `epoch`: everything up to there was told to everybody who is here."""

    def __init__(
        self,
        journal: Journal,
        narrator: Narrator,
        *,
        roster: Roster,
        endings: Endings,
        clock: Clock,
        counts: RealtimeCounts,
        hear_signal: HearSignal,
    ) -> None:
        self._following: Following = journal.follow()
        self._narrator = narrator
        self._roster = roster
        self._endings = endings
        self._clock = clock
        self._counts = counts
        self._hear_signal = hear_signal
        self._recent = Recent()
        self._behind: dict[int, int] = {}
        self._skipped: dict[int, int] = {}
        self._resources: dict[int, float] = {}
        self.epoch = ""
        self.low = 0
        self._top = 0

    async def follow_resource(self, resource: int) -> tuple[str, int]:
        """Hear of a resource; epoch and position above which nothing of it is missed.

        Raises:
            Unavailable: the database does not answer.
        """
        self._resources[resource] = steady_seconds()
        mark = await self._following.want(*of_resource(resource))
        self._note(mark)
        return mark.epoch, mark.low

    async def follow(self, threads: Iterable[int]) -> None:
        """Hear of these threads too. Once it returned, everything is heard that is not in the database yet.

        Raises:
            Unavailable: the database does not answer.
        """
        # Somebody else may be waiting for one of them to be followed, but has not seen that it is.
        interests = [Interest.of_thread(thread) for thread in threads if thread not in self._recent]
        if interests:
            mark = await self._following.want(*interests)
            self._note(mark)
            for interest in interests:
                if interest in self._following.interests:
                    self._recent.begin(interest.thread, mark.top)

    def recall(self, user: User, after: int) -> Sequence[tuple[Part, Entry]] | None:
        """What happened in the threads of a user above an id of today's history, by id; None where that is not known
        here any more.
        """
        if user.known_since is None or max(user.known_since, user.left_at) > after:
            return None
        found: list[tuple[Part, Entry]] = []
        for thread, history_millis in user.parts.items():
            entries = self._recent.above(thread, after)
            if entries is None:
                return None
            part = Part(thread, history_millis)
            found += ((part, entry) for entry in entries)
        return sorted(found, key=lambda each: each[1].id)

    def drop_idle(self) -> None:
        """Follow nothing any more of who was not here lately."""
        self._recent.drop_old()
        self.drop_threads(self._roster.drop_away())
        now = steady_seconds()
        for resource, asked in list(self._resources.items()):
            if self._roster.is_resource_here(resource):
                self._resources[resource] = now
            elif now - asked > _IDLE_SECONDS:
                del self._resources[resource]
                self._following.drop(*of_resource(resource))

    def drop_threads(self, threads: Sequence[int]) -> None:
        """Nobody here takes part in them any more."""
        self._following.drop(*(Interest.of_thread(thread) for thread in threads))
        for thread in threads:
            self._recent.forget(thread)

    async def keep_telling(self, again: Again) -> None:
        """Tells until cancelled or closed. `again` is called where nobody knows what came in between."""
        async for news in self._following:
            while True:
                try:
                    await self._take(news, again)
                    break
                except Unavailable:
                    await asyncio.sleep(_PAUSE_SECONDS)
                except Exception:  # noqa: BLE001 - whatever it is, it must not be the last that anybody hears.
                    _log.exception("what happened could not be told; everybody is told anew what they have not heard")
                    await asyncio.sleep(_PAUSE_SECONDS)
                    self._forget()
                    again(None)
                    break

    async def _take(self, news: News, again: Again) -> None:
        """It can be called again where it failed: what was told is taken out of the news."""
        # This one needs no database, and waits for none.
        self._endings.close(news.entries)
        await self._end_revoked()
        found = position_of(news.position)
        if news.is_anew or (found is not None and self.epoch and found[0] != self.epoch):
            is_another = found is not None and (found[0] != self.epoch or news.top < self._top)
            await self._endings.apply_all()
            await self._close_missed(0 if is_another else self.low)
            self._forget()
            news.is_anew = False
            if found is not None:
                self.epoch, self.low = found
                self._top = news.top
            again(self.low if is_another else None)
        await self._catch_up()
        entries = deque(each for each in news.entries if self._roster.follows(each.thread) or each.kind in KINDS)
        news.entries = entries
        while entries:
            chunk = list(islice(entries, _MOST_AT_ONCE))
            for entry, happening in zip(chunk, await self._narrator.tell(chunk), strict=True):
                if happening is not None and entry.id > self._skipped.get(entry.thread, 0):
                    await self._tell(entry, happening)
                entries.popleft()
                await self._catch_up()
                await self._end_revoked()
        signals, news.signals = news.signals, ()
        for signal in signals:
            await self._tell_signal(signal)
        if found is not None:
            self.epoch, self.low = found
            self._top = news.top
            self._skipped = {thread: id for thread, id in self._skipped.items() if id > self.low}

    async def _end_revoked(self) -> None:
        """What was revoked meanwhile need not wait until everything is told."""
        await self._endings.apply(self._following.feed_cursor)

    async def _close_missed(self, after: int) -> None:
        """Sockets that were closed meanwhile, as far as the journal goes back: such entries are of no thread."""
        while entries := await self._narrator.happened(0, after, _MOST_AT_ONCE):
            self._endings.close(entries)
            after = entries[-1].id

    async def _tell(self, entry: Entry, happening: Happening) -> None:
        roster, thread = self._roster, entry.thread
        for named in joined(happening):
            user = roster.find(entry.resource, named.subject)
            if user is not None:
                roster.link(user, thread, named.history_millis or 0)
                user.joins += 1
        if roster.follows(thread) and thread not in self._recent:
            await self.follow([thread])
            self._behind[thread] = entry.id
        self._recent.add(entry)
        told = told_of(entry, happening, self.epoch)
        await self._tell_members(told, happening)
        self._counts.lags.observe(max(0.0, (self._clock.micros() - entry.moment_micros) / 1_000_000))
        gone = [user for named in left(happening) if (user := roster.find(entry.resource, named.subject)) is not None]
        if isinstance(happening, Thread) and happening.kind == "threadDeleted":
            gone += roster.of_thread(thread)
        for user in gone:
            user.left_at = max(user.left_at, entry.id)
            if roster.unlink(user, thread):
                self.drop_threads([thread])

    async def _catch_up(self) -> None:
        """What happened in threads between the entry by which they came here and when they were followed."""
        while self._behind:
            thread, after = next(iter(self._behind.items()))
            entries = await self._narrator.happened(thread, after, _MOST_AT_ONCE)
            for entry, happening in zip(entries, await self._narrator.tell(entries), strict=True):
                if happening is not None:
                    await self._tell(entry, happening)
                self._behind[thread] = self._skipped[thread] = entry.id
            if len(entries) < _MOST_AT_ONCE:
                del self._behind[thread]

    async def _tell_members(self, told: Told, happening: Happening) -> None:
        count = 0
        for user in list(self._roster.of_thread(told.thread)):
            if not is_seen(happening, user.parts.get(told.thread, 0)):
                continue
            for session in list(user.sessions):
                session.tell(told)
                count += 1
                if count % CHUNK == 0:
                    await asyncio.sleep(0)

    async def _tell_signal(self, signal: Signal) -> None:
        if signal.kind in (CLAIMED, RELEASED):
            self._hear_signal(signal)
        elif self._roster.follows(signal.thread) and (typing := self._narrator.tell_signal(signal)) is not None:
            push = spell(typing, new_request_id().hex())
            await self._tell_members(Told(0, signal.thread, push), typing)

    def _forget(self) -> None:
        """Nobody knows what happened in between."""
        self._recent.clear()
        self._roster.doubt()
        self._skipped.clear()
        self._behind.clear()

    def _note(self, mark: Mark) -> None:
        if not self.epoch:
            self.epoch, self.low = mark.epoch, mark.low
            self._top = mark.top

    def close(self) -> None:
        """Hear of nothing any more."""
        self._following.close()
