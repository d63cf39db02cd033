"""Calls that arrive together become one batch.

While no batch is in flight, the calls of one tick of the event loop are collected; while one is, everything that
arrives waits for the next. So a lone caller waits for nobody, and a crowd shares one transaction and one fsync. A batch
that is full gains nothing by waiting: it flies beside the others, where the database can carry several at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Generic, TypeVar, cast

from watchword.errors import Unavailable

Call = TypeVar("Call")
Result = TypeVar("Result")


class Coalescer(Generic[Call, Result]):
    """Hands each caller its own result or its own error.

    `execute` gets a batch of at most `largest_batch` calls and returns as many results, an exception among them for a
    call that failed alone. At most `most_flights` batches are in flight; of two, either may land first. At most
    `most_waiting` calls wait; one more is refused, so that latency stays bounded.
    """

    def __init__(
        self,
        execute: Callable[[list[Call]], Awaitable[list[Result | Exception]]],
        *,
        largest_batch: int = 256,
        most_flights: int = 1,
        most_waiting: int = 10_000,
    ) -> None:
        self._execute = execute
        self._largest_batch = largest_batch
        self._most_flights = most_flights
        self._most_waiting = most_waiting
        self._waiting: list[tuple[Call, asyncio.Future[Result]]] = []
        self._flights: set[asyncio.Task[None]] = set()

    async def submit(self, call: Call) -> Result:
        """Raises:
        Unavailable: too many calls wait already; this one was not begun.
        """
        return await self.enqueue(call)

    def enqueue(self, call: Call) -> asyncio.Future[Result]:
        """The same for whoever has several calls, and waits for them later."""
        if len(self._waiting) >= self._most_waiting:
            raise Unavailable(timedelta(seconds=1))
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((call, answer))
        flights = self._flights
        if not flights or (len(self._waiting) >= self._largest_batch and len(flights) < self._most_flights):
            # The task starts in the next tick, when this tick's other callers have joined. It belongs to nobody: a
            # caller that is cancelled takes only its own answer away.
            flights.add(loop.create_task(self._fly()))
        return answer

    async def settle(self) -> None:
        """Wait until nothing is waiting or in flight."""
        while self._flights:
            await asyncio.wait(tuple(self._flights))

    async def _fly(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._largest_batch]
                del self._waiting[: self._largest_batch]
                await self._carry(batch)
        finally:
            # In the same step in which nothing was waiting: whoever comes next starts a flight of its own.
            self._flights.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _carry(self, batch: list[tuple[Call, asyncio.Future[Result]]]) -> None:
        results: list[Result | Exception]
        try:
            results = await self._execute([call for call, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the callers of this batch.
            results = [error] * len(batch)
        for (_, answer), result in zip(batch, results, strict=True):
            if answer.done():
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
