"""How much waits for chat's purges: for whoever watches a server, or looks at its data without one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import timedelta

from watchword.chat.limits import ChatLimits
from watchword.chat.store import ChatStore
from watchword.clock import Clock
from watchword.errors import Unavailable
from watchword.telemetry.levels import Gauge

MOST_COUNTED = 1_000
"""Of each kind, so that counting costs the same whatever waits."""

_EVERY_SECONDS = 5.0
_DAY_MILLIS = timedelta(days=1) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """`departures` are of users who were deleted, `deleted_threads` still have messages, and `expired_threads` are past
    their retention.
    """

    departures: int = 0
    deleted_threads: int = 0
    expired_threads: int = 0

    def __bool__(self) -> bool:
        return any(astuple(self))


class Backlog:
    """`waiting` is as of the last look."""

    def __init__(self, store: ChatStore, limits: ChatLimits, clock: Clock) -> None:
        self._store = store
        self._limits = limits
        self._clock = clock
        self.waiting = Waiting()

    @property
    def gauges(self) -> Sequence[Gauge]:
        return (
            Gauge(
                "watchword_chat_departures_waiting",
                "Users who were deleted and are still being taken out of chats.",
                lambda: self.waiting.departures,
            ),
            Gauge(
                "watchword_chat_deleted_threads_waiting",
                "Threads that were deleted and whose messages are still there.",
                lambda: self.waiting.deleted_threads,
            ),
            Gauge(
                "watchword_chat_expired_threads_waiting",
                "Threads past their retention that are not deleted yet.",
                lambda: self.waiting.expired_threads,
            ),
        )

    async def keep_looking(self, is_asked: Callable[[], bool]) -> None:
        """Runs until it is cancelled. One process looks for its server, the one that is asked; all others tell 0."""
        while True:
            with suppress(Unavailable):
                self.waiting = await self.look() if is_asked() else Waiting()
            await asyncio.sleep(_EVERY_SECONDS)

    async def look(self) -> Waiting:
        """Counts what waits now.

        Raises:
            Unavailable: the database does not answer.
        """
        if not await self._store.has_tables():
            return Waiting()
        now = self._clock.micros() // 1_000
        days = self._limits.retention_days
        oldest = now - days * _DAY_MILLIS if days else 0
        [row] = await self._store.query(_WAITING, now, oldest, MOST_COUNTED)
        departures, deleted, expired, old = map(int, row)
        return Waiting(departures, deleted, min(expired + old, MOST_COUNTED))


_WAITING = """
    select
        (select count(*) from (select 1 from departures limit $3) as a),
        (select count(*) from (
            select 1 from threads where emptied = 0 and deleted_millis is not null limit $3
        ) as b),
        (select count(*) from (
            select 1 from threads where deleted_millis is null and retention_days is not null
            and created_millis + retention_days * 86400000 <= $1 and created_millis > $2 limit $3
        ) as c),
        (select count(*) from (
            select 1 from threads where deleted_millis is null and created_millis <= $2 limit $3
        ) as d)
"""
