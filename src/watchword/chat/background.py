"""What chat does while nobody asks: departures, retention, and the purge of what was deleted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from watchword.chat.departures import Departures
from watchword.chat.purges import Purges
from watchword.clock import Clock
from watchword.errors import Unavailable

LOOK_EVERY_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Background:
    """Finishes what was begun, by this process or another; several processes may do it at once.

    `may_purge` says whether the clock is to be trusted: what is due by time waits until it is.
    """

    def __init__(
        self,
        departures: Departures,
        purges: Purges,
        clock: Clock,
        *,
        may_purge: Callable[[], bool] = lambda: True,
    ) -> None:
        self._departures = departures
        self._purges = purges
        self._clock = clock
        self._may_purge = may_purge
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Something was begun by this process."""
        self._nudged.set()

    async def keep_working(self) -> None:
        """Runs until it is cancelled; first of all it takes up what an earlier run left."""
        while True:
            self._nudged.clear()
            try:
                await self.work()
            except Unavailable:
                _log.warning("chat's purges have to wait: the database does not answer, or has no tables of chat yet")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await self._nudged.wait()

    async def work(self) -> None:
        """Everything that is due now.

        Raises:
            Unavailable: the database does not answer; the next call goes on from there.
        """
        while leaving := await self._departures.waiting():
            for resource, subject in leaving:
                if subject:
                    await self._departures.finish(resource, subject, self._clock.micros())
                    continue
                # The resource went by a release that knows nothing of chat.
                while await self._purges.of_resource(resource, 500):
                    pass
        if self._may_purge():
            while await self._purges.delete_due(self._clock.micros()):
                pass
        while await self._purges.empty_deleted():
            pass
        if self._may_purge():
            await self._forget()

    async def _forget(self) -> None:
        while await self._purges.drop_stale_imports(self._clock.micros()):
            pass
        while await self._purges.forget_deleted(self._clock.micros()):
            pass
        while await self._purges.forget_requests(self._clock.micros()):
            pass
        while await self._purges.end_restrictions(self._clock.micros()):
            pass
