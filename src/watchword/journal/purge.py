"""Forgetting: an entry goes once everybody has had the time to hear of it.

How old an entry is, its moment says, which is of the clock of whoever appended it, and may be wrong. So besides,
whoever purges has watched for a while that the entry was there: by a clock that nobody can set, for ten minutes; and
whatever was there for the whole time that entries are kept goes, whatever its moment says.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from watchword.clock import MachineClock
from watchword.errors import Unavailable
from watchword.journal.tail import LONGEST_SILENCE_SECONDS
from watchword.storage import Database, Transaction
from watchword.telemetry.levels import Gauge

_EVERY_SECONDS = 30.0
_LEAST_WATCHED_MICROS = 600 * 1_000_000
_LEAST_KEPT_MICROS = 2 * round(LONGEST_SILENCE_SECONDS * 1_000_000)

PIECE = 1_000
"""Entries that go in one commit, so that nobody waits long for it."""


class Purge:
    """`kept_micros` is how long entries are kept, two minutes at the least: nobody who follows is blind for so long
    without noticing.
    """

    def __init__(self, database: Database, clock: MachineClock, kept_micros: int) -> None:
        self._database = database
        self._clock = clock
        self._kept = max(kept_micros, _LEAST_KEPT_MICROS)
        self._watched: deque[tuple[int, int]] = deque()
        self.backlog_seconds = 0.0
        """For how long entries have been there that should have gone."""

    @property
    def gauges(self) -> Sequence[Gauge]:
        meaning = "For how long entries of the journal have been there that should have gone."
        return (Gauge("watchword_journal_purge_backlog_seconds", meaning, lambda: self.backlog_seconds),)

    async def keep_purging(self, may_purge: Callable[[], bool]) -> None:
        """Purges until it is cancelled, and only while the caller allows it."""
        while True:
            with suppress(Unavailable):
                await self.watch()
                if may_purge():
                    await self.purge()
                else:
                    self.backlog_seconds = 0.0
            await asyncio.sleep(_EVERY_SECONDS)

    async def watch(self) -> None:
        """Note that everything which is there now is there."""
        [(newest,)] = await self._database.query("select coalesce(max(id), 0) from journal")
        self._watched.append((self._clock.steady_micros(), newest))
        while len(self._watched) > 1 and self._clock.steady_micros() - self._watched[1][0] >= self._kept:
            self._watched.popleft()

    async def purge(self) -> int:
        """How many ids went."""
        total = 0
        while (piece := await self._find_piece()) is not None:
            total += await self._forget(*piece)
        self.backlog_seconds = await self.overdue_seconds()
        return total

    async def _forget(self, first: int, last: int) -> int:
        async def forget(transaction: Transaction) -> None:
            await transaction.execute(_FORGET, first, last)

        # Whoever forgets the same at once, as other nodes do, changes nothing more.
        await self._database.transact(forget)
        return last - first + 1

    async def _find_piece(self) -> tuple[int, int] | None:
        """The first and the last id of what may go now."""
        surely = self._watched_for(self._kept)
        perhaps = max(surely, self._watched_for(min(self._kept, _LEAST_WATCHED_MICROS)))
        [(first, last, latest_micros)] = await self._database.query(_OLDEST, perhaps, PIECE)
        if first is None:
            return None
        # Of many nodes, those whose clocks are right protect what the others append.
        if last > surely and latest_micros >= self._clock.micros() - self._kept:
            last = min(last, surely)
        return (first, last) if first <= last else None

    def _watched_for(self, micros: int) -> int:
        """The newest id that has been there for so long, at the least."""
        now = self._clock.steady_micros()
        return max((newest for since, newest in self._watched if now - since >= micros), default=0)

    async def overdue_seconds(self) -> float:
        """Says for how long the oldest entry has been there that should have gone; 0 without one.

        Raises:
            Unavailable: the database does not answer.
        """
        found = await self._database.query(_FIRST)
        overdue = sum(self._clock.micros() - self._kept - int(moment) for (moment,) in found)
        return max(0, overdue) / 1_000_000


_FORGET = "delete from journal where id between $1 and $2"
_FIRST = "select moment_micros from journal order by id limit 1"
_OLDEST = """
    select min(id), max(id), max(moment_micros) from (
        select id, moment_micros from journal
        where id <= $1 order by id limit $2
    ) as oldest
"""
