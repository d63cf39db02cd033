"""When identities were last issued a token, which issuing writes down behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from itertools import islice
from operator import itemgetter

from watchword.errors import Unavailable
from watchword.identity.store import IdentityStore

NOTES_A_SECOND = 1_000
MOST_WAITING = 20_000

_NOTES_IN_ONE_COMMIT = 250
_SOON_SECONDS = 0.01
_LATER_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Rate:
    """Tells whether more than `NOTES_A_SECOND` tokens a second are issued; as many may come in one moment."""

    def __init__(self, now_seconds: float) -> None:
        self._counted_at = now_seconds
        self._spare = float(NOTES_A_SECOND)

    def is_exceeded(self, issued: int, now_seconds: float) -> bool:
        """Whether too many were `issued` since the last call; a clock that never goes back says when this one is."""
        gained = (now_seconds - self._counted_at) * NOTES_A_SECOND
        spare = min(self._spare + gained, NOTES_A_SECOND) - issued
        self._counted_at, self._spare = now_seconds, max(spare, 0.0)
        return spare < 0


class LastTokens:
    """Remembers when identities were last issued a token, and writes it down some milliseconds later.

    It must not cost more than issuing does: each note rewrites a page of a table that may have millions, and each
    commit waits for the disk. So while more than `NOTES_A_SECOND` tokens are issued, that many notes go out once a
    second; the others queue, an identity once, and of more than `MOST_WAITING` the oldest are dropped. A crash loses
    what waits; issuing a token writes nothing else.
    """

    def __init__(self, store: IdentityStore) -> None:
        self._store = store
        self._noted: dict[tuple[int, bytes], int] = {}
        self._issued = 0
        self._news = asyncio.Event()

    def note(self, resource: int, flake: bytes, micros: int) -> None:
        self._noted[resource, flake] = micros
        self._issued += 1
        self._news.set()

    async def flush(self, most: int = MOST_WAITING) -> bool:
        """Write down the oldest notes; whether the database took them. What it did not take waits on."""
        if (excess := len(self._noted) - MOST_WAITING) > 0:
            _log.warning("too many tokens are issued to write down when: %d identities keep an older time", excess)
            self._take(excess)
        # In the order of the table, so that neighbours share a page; in small pieces, so that no caller's write waits
        # long behind them.
        rows = sorted(self._take(most), key=itemgetter(2, 1))
        try:
            while rows:
                await self._store.note_tokens(rows[:_NOTES_IN_ONE_COMMIT])
                del rows[:_NOTES_IN_ONE_COMMIT]
        except Unavailable:
            _log.warning("when %d identities were last issued a token could not be written down yet", len(rows))
            return False
        finally:
            for micros, resource, flake in rows:
                self._noted.setdefault((resource, flake), micros)
        return True

    async def keep_flushing(self) -> None:
        """Runs until it is cancelled, and writes everything down then."""
        loop = asyncio.get_running_loop()
        rate = Rate(loop.time())
        pause = _SOON_SECONDS
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await self._news.wait()
                await asyncio.sleep(pause)
                issued, self._issued = self._issued, 0
                if rate.is_exceeded(issued, loop.time()) or len(self._noted) > NOTES_A_SECOND:
                    await asyncio.sleep(_LATER_SECONDS)
                self._news.clear()
                began = loop.time()
                is_written = await self.flush(NOTES_A_SECOND)
                # Half of the writer's time at the most, also where a disk takes long.
                pause = max(_SOON_SECONDS, loop.time() - began) if is_written else _LATER_SECONDS
                if self._noted:
                    self._news.set()
        await self.flush()

    def _take(self, most: int) -> list[tuple[int, int, bytes]]:
        oldest = list(islice(self._noted, most))
        return [(self._noted.pop(key), *key) for key in oldest]
