"""The ordered log of revocations, for verifiers that keep a set of their own.

A cursor is an epoch and a number, `9f2c04b1d6e83a57.412`. Whoever asks without a cursor, or with one of another
history, is given everything that still matters, and then the tail. Commit order is the order of numbers, by
construction (see `NEXT_CURSOR`); a reader that has seen N can never be overtaken by a commit below N.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from time import perf_counter

from watchword.journal.waiting import Waiting
from watchword.measurements import FINE_SECONDS, Histogram
from watchword.revocations.store import RevocationRow, RevocationStore

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
        self._waiting = Waiting(self._newest, _say_blind)

    def wake(self) -> None:
        """Something was committed by this process."""
        self._waiting.wake()

    @property
    def waiting(self) -> int:
        """How many wait for news now."""
        return self._waiting.count

    @property
    def view_age_seconds(self) -> float:
        """How old is what the waiting are judged by: since the last look that succeeded; 0 where nobody waits."""
        return self._waiting.view_age_seconds

    @property
    def is_looking(self) -> bool:
        """Whether the database is looked at again and again, for those who wait."""
        return self._waiting.is_looking

    @property
    def is_closed(self) -> bool:
        return self._waiting.is_closed

    def close(self) -> None:
        """Everybody who waits gets an answer now; nobody waits any more."""
        self._waiting.close()

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
        while not page.rows and not page.is_snapshot and not self.is_closed and (left := end - loop.time()) > 0:
            await self._waiting.move_beyond(int(page.cursor.rpartition(".")[2]), left, asked)
            # What this very reader was not shown yet was committed later.
            began = max(self._waiting.news_since, asked)
            asked = perf_counter()
            page = await self.page(resource, page.cursor)
            if page.rows:
                self._answers.observe(perf_counter() - began)
        return page

    async def _newest(self) -> int:
        _, newest = await self._store.position()
        return newest


def _say_blind() -> None:
    _log.warning("the feed cannot read the database; it goes on trying")


def _number(since: str | None, epoch: str, newest: int) -> int | None:
    """The number of a cursor of this history, or None where everything must be told anew."""
    if since is None:
        return None
    known, _, digits = since.partition(".")
    if known != epoch or not digits.isascii() or not digits.isdecimal() or len(digits) > 18:
        return None
    return int(digits) if int(digits) <= newest else None
