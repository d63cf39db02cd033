"""How far issue times have come, written down behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from watchword.clock import MonotoneClock
from watchword.errors import Unavailable
from watchword.storage.clock_marks import raise_high_water
from watchword.storage.database import CLOCK, Database

_EVERY_SECONDS = 1.0

_log = logging.getLogger(__name__)


class HighWater:
    """Writes down, a second later, the highest issue time that was given out: no later run goes below it."""

    def __init__(self, database: Database, issue_clock: MonotoneClock) -> None:
        self._database = database
        self._issue_clock = issue_clock
        self._written = issue_clock.last

    async def keep_writing(self) -> None:
        """Runs until it is cancelled, and writes it down once more then."""
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(_EVERY_SECONDS)
                await self._write()
        await self._write()

    async def _write(self) -> None:
        last = self._issue_clock.last
        if last == self._written:
            return
        try:
            await note_high_water(self._database, last)
        except Unavailable:
            _log.warning("how far issue times have come could not be written down yet")
        else:
            self._written = last


async def note_high_water(database: Database, micros: int) -> None:
    """The highest issue time that was given out, as far as this process knows.

    Raises:
        Unavailable: it is not written down.
    """
    await database.transact(lambda transaction: raise_high_water(transaction, micros), CLOCK)
