"""Waiting for what others commit: committed state is looked at again and again, while somebody wants to know.

Whoever commits wakes those who wait, which makes it sooner. A wake-up may be lost, or come from nobody because another
process or node has committed: then the next look, 20 ms later at the most, finds it all the same. Where wake-ups come
from everybody, looks may be further apart once none has come for a while: to look is most of what an idle server does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from time import perf_counter

from watchword.errors import Unavailable

POLL_SECONDS = 0.02
"""How often committed state is looked at while somebody waits. A wake-up makes it sooner; this is the floor."""

IDLE_SECONDS = 0.05
"""The same, a moment after the last wake-up, where everybody who commits can give one."""

_log = logging.getLogger(__name__)


class Poll:
    """Calls `look` every `POLL_SECONDS` for as long as `is_wanted` says so; `alarm` is told once when it goes blind.

    Without wake-ups the time between two looks grows up to `idle_seconds`. A look that raises `Unavailable` is made
    again. Between two looks lie at least `rest_seconds`, so that a crowd of wake-ups shares one. `woken` and `looked`
    are when somebody last committed something here that no look has shown yet, and when the last look began that
    succeeded.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[None]],
        *,
        is_wanted: Callable[[], bool],
        alarm: Callable[[], None],
        rest_seconds: float = 0.0,
        idle_seconds: float = 0.0,
    ) -> None:
        self._look = look
        self._rest_seconds = rest_seconds
        self._idle_seconds = idle_seconds
        self._is_wanted = is_wanted
        self._alarm = alarm
        self._task: asyncio.Task[None] | None = None
        self._nudged = asyncio.Event()
        self._is_blind = False
        self.is_closed = False
        self.looked = self.woken = 0.0

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def wake(self) -> None:
        """Something was committed: look soon."""
        if self.woken <= self.looked:
            self.woken = perf_counter()
        self._nudged.set()

    def nudge(self) -> None:
        """Something was committed elsewhere, and nobody here knows when: look soon."""
        self._nudged.set()

    def start(self, looked: float) -> None:
        """Somebody wants to know from now on, who has looked for themselves at `looked`."""
        if self._task is None and not self.is_closed:
            self.looked = looked
            self._task = asyncio.create_task(self._run())

    def close(self) -> None:
        """Nobody looks any more once the look that is under way has ended."""
        self.is_closed = True
        self._nudged.set()

    async def end(self) -> None:
        """Close, and wait until nobody looks any more."""
        self.close()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        patience = POLL_SECONDS
        try:
            while self._is_wanted() and not self.is_closed:
                self._nudged.clear()
                ended = await self._look_once()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(patience):
                        await self._nudged.wait()
                is_nudged = self._nudged.is_set()
                patience = POLL_SECONDS if is_nudged else max(POLL_SECONDS, min(2 * patience, self._idle_seconds))
                rest = ended + self._rest_seconds - perf_counter()
                if rest > 0 and not self.is_closed:
                    await asyncio.sleep(rest)
        finally:
            self._task = None

    async def _look_once(self) -> float:
        """When it ended."""
        began = perf_counter()
        try:
            await self._look()
        except Unavailable:
            if not self._is_blind:
                self._alarm()
            self._is_blind = True
        except Exception:  # noqa: BLE001 - see below.
            # Whatever it is, it must not be the last look: nobody would be told of anything any more.
            if not self._is_blind:
                _log.exception("a look at what was committed failed; it is made again")
            self._is_blind = True
        else:
            self._is_blind = False
            self.looked = began
        return perf_counter()


class Waiting:
    """Those who wait until a position moves; `newest` reads how far it is."""

    def __init__(self, newest: Callable[[], Awaitable[int]], alarm: Callable[[], None]) -> None:
        self._newest = newest
        self._poll = Poll(self._look, is_wanted=lambda: self.count > 0, alarm=alarm)
        self._seen = -1
        self._moved = asyncio.Event()
        self.count = 0
        self.news_since = 0.0
        """When what the last move brought was committed here; of another process's, the last look without it."""

    @property
    def view_age_seconds(self) -> float:
        """How old is what the waiting are judged by: since the last look that succeeded; 0 where nobody waits."""
        return perf_counter() - self._poll.looked if self.count else 0.0

    @property
    def is_looking(self) -> bool:
        return self._poll.is_running

    @property
    def is_closed(self) -> bool:
        return self._poll.is_closed

    def wake(self) -> None:
        """Something was committed by this process."""
        self._poll.wake()

    def close(self) -> None:
        """Everybody who waits gets an answer now; nobody waits any more."""
        self._poll.close()
        self._moved.set()

    async def move_beyond(self, known: int, seconds: float, asked: float) -> None:
        """Returns once the position is above what the caller knows, the time is up, or nobody waits any more.

        `asked` is when the caller looked last.
        """
        self.count += 1
        self._poll.start(asked)
        try:
            async with asyncio.timeout(seconds):
                while self._seen <= known and not self.is_closed:
                    await self._moved.wait()
        except TimeoutError:
            pass
        finally:
            self.count -= 1

    async def _look(self) -> None:
        newest = await self._newest()
        if newest != self._seen:
            self._seen = newest
            self.news_since = max(self._poll.looked, self._poll.woken)
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()
