"""The ordered log of revocations, for verifiers that keep a set of their own.

A cursor is an epoch and a number, `9f2c04b1d6e83a57.412`. Whoever asks without a cursor, or with one of another
history, is given everything that still matters, and then the tail. Commit order is the order of numbers, by
construction (see `NEXT_CURSOR`); a reader that has seen N can never be overtaken by a commit below N.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from time import perf_counter

from watchword.errors import Unavailable
from watchword.measurements import FINE_SECONDS, Histogram
from watchword.revocations.store import RevocationRow, RevocationStore

POLL_SECONDS = 0.02
"""How often committed state is looked at while somebody waits. A wake-up makes it sooner; this is the floor."""

LARGEST_PAGE = 1_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """`is_snapshot` says that a verifier must forget what it had; `more` that the next page is there already."""

    cursor: str
    is_snapshot: bool
    rows: list[RevocationRow]
    more: bool


class Feed:
    """Pages of the log, and waiting for the next one.

    `answers` counts for each who waited and was told news: seconds from the acknowledgement of the first of them, where
    this process committed it, until the page was ready. Where another process did, nobody here knows when; then it is
    from the last look that did not show it, so an upper bound.
    """

    def __init__(self, store: RevocationStore, answers: Histogram | None = None) -> None:
        self._store = store
        self._answers = answers or Histogram.of(FINE_SECONDS)
        self._looked = self._woken = self._news_since = 0.0
        self._waiting = 0
        self._poller: asyncio.Task[None] | None = None
        self._seen = -1
        self._moved = asyncio.Event()
        self._nudged = asyncio.Event()
        self._closed = False
        self._is_blind = False

    def wake(self) -> None:
        """Something was committed by this process."""
        if self._woken <= self._looked:
            self._woken = perf_counter()
        self._nudged.set()

    @property
    def waiting(self) -> int:
        """How many wait for news now."""
        return self._waiting

    @property
    def view_age_seconds(self) -> float:
        """How old is what the waiting are judged by: since the last look that succeeded; 0 where nobody waits."""
        return perf_counter() - self._looked if self._waiting else 0.0

    @property
    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Everybody who waits gets an answer now; nobody waits any more."""
        self._closed = True
        self._moved.set()
        self._nudged.set()

    async def page(self, resource: int, since: str | None) -> Page:
        """What concerns a resource after a cursor, at once.

        Raises:
            Unavailable: the database does not answer.
        """
        epoch, newest = await self._store.position()
        number = _number(since, epoch, newest)
        newest, rows = await self._store.after(resource, number or 0, LARGEST_PAGE)
        more = len(rows) == LARGEST_PAGE
        reached = rows[-1].cursor if more else newest
        return Page(f"{epoch}.{reached}", number is None, rows, more)

    async def wait(self, resource: int, since: str | None, seconds: float) -> Page:
        """The next page that has something in it, or an empty one when the time is up."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        asked = perf_counter()
        page = await self.page(resource, since)
        while not page.rows and not page.is_snapshot and not self._closed and (left := end - loop.time()) > 0:
            await self._wait_for_move(int(page.cursor.rpartition(".")[2]), left, asked)
            # What this very reader was not shown yet was committed later.
            began = max(self._news_since, asked)
            asked = perf_counter()
            page = await self.page(resource, page.cursor)
            if page.rows:
                self._answers.observe(perf_counter() - began)
        return page

    async def _wait_for_move(self, known: int, seconds: float, asked: float) -> None:
        self._waiting += 1
        if self._poller is None:
            self._looked = asked
            self._poller = asyncio.create_task(self._poll())
        try:
            async with asyncio.timeout(seconds):
                while self._seen <= known and not self._closed:
                    await self._moved.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1

    async def _poll(self) -> None:
        try:
            while self._waiting and not self._closed:
                self._nudged.clear()
                await self._look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._nudged.wait()
        finally:
            self._poller = None

    async def _look(self) -> None:
        began = perf_counter()
        try:
            _, newest = await self._store.position()
        except Unavailable:
            if not self._is_blind:
                _log.warning("the feed cannot read the database; it goes on trying")
            self._is_blind = True
            return
        self._is_blind = False
        if newest != self._seen:
            self._seen = newest
            self._news_since = max(self._looked, self._woken)
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()
        self._looked = began


def _number(since: str | None, epoch: str, newest: int) -> int | None:
    """The number of a cursor of this history, or None where everything must be told anew."""
    if since is None:
        return None
    known, _, digits = since.partition(".")
    if known != epoch or not digits.isascii() or not digits.isdecimal() or len(digits) > 18:
        return None
    return int(digits) if int(digits) <= newest else None
