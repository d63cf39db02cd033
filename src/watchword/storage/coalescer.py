"""Calls that arrive together become one batch.

While no batch is under way, the calls of one tick of the event loop are collected; while one is, everything that
arrives waits for the next. So a lone caller waits for nobody, and many share one transaction and one fsync. A batch
that is full gains nothing by waiting: it goes beside the others, where the database can carry several at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import perf_counter
from typing import Generic, TypeAlias, TypeVar, cast

from watchword.errors import Unavailable
from watchword.measurements import Trips

Call = TypeVar("Call")
Result = TypeVar("Result")

_Waiting: TypeAlias = tuple[Call, asyncio.Future[Result], float]
"""A call, the answer that its caller waits for, and since when."""


class Coalescer(Generic[Call, Result]):
    """Hands each caller its own result or its own error.

    `execute` gets a batch of at most `largest_batch` calls and returns as many results, an exception among them for a
    call that failed alone. At most `most_batches` batches are under way; of two, either may end first. At most
    `most_waiting` calls wait; one more is refused, so that latency stays bounded. `trips` counts what it does.
    """

    def __init__(
        self,
        execute: Callable[[list[Call]], Awaitable[list[Result | Exception]]],
        *,
        largest_batch: int = 256,
        most_batches: int = 1,
        most_waiting: int = 10_000,
        trips: Trips | None = None,
    ) -> None:
        self._execute = execute
        self._largest_batch = largest_batch
        self._most_batches = most_batches
        self._most_waiting = most_waiting
        self._trips = trips or Trips()
        self._waiting: list[_Waiting[Call, Result]] = []
        self._batches: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def submit(self, call: Call) -> Result:
        """Put a call into the next batch, and wait for its result.

        Raises:
            Unavailable: too many calls wait already; this one was not begun.
        """
        return await self.enqueue(call)

    def enqueue(self, call: Call) -> asyncio.Future[Result]:
        """The same for whoever has several calls, and waits for them later."""
        if len(self._waiting) >= self._most_waiting:
            raise Unavailable(timedelta(seconds=1))
        # To ask for it is a system call on Python 3.11, for every call of every request.
        loop = self._loop = self._loop or asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((call, answer, perf_counter()))
        batches = self._batches
        if not batches or (len(self._waiting) >= self._largest_batch and len(batches) < self._most_batches):
            # The task starts in the next tick, when this tick's other callers have joined. It belongs to nobody: a
            # caller that is cancelled takes only its own answer away.
            batches.add(loop.create_task(self._work_off()))
        return answer

    async def settle(self) -> None:
        """Wait until nothing is waiting or under way."""
        while self._batches:
            await asyncio.wait(tuple(self._batches))

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._largest_batch]
                del self._waiting[: self._largest_batch]
                await self._carry(batch)
        finally:
            # In the same step in which nothing was waiting: whoever comes next starts a batch of its own.
            self._batches.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _carry(self, batch: list[_Waiting[Call, Result]]) -> None:
        results: list[Result | Exception]
        trips, started = self._trips, perf_counter()
        trips.calls.observe(len(batch))
        for _, _, arrived in batch:
            trips.waits.observe(started - arrived)
        try:
            results = await self._execute([call for call, _, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the callers of this batch.
            results = [error] * len(batch)
        trips.seconds.observe(perf_counter() - started)
        for (_, answer, _), result in zip(batch, results, strict=True):
            if answer.done():
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
