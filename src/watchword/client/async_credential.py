"""The credential of `credential` for asyncio; the rules are the same."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

from watchword.client.alarm import Alarm, StartTimer, start_loop_timer
from watchword.client.held_token import CurrentToken, HeldToken, hold, hold_if_valid
from watchword.client.loops import OneLoop
from watchword.client.refreshing import (
    LONGEST_REFRESH,
    did_not_end,
    inside,
    require_open,
    require_outside,
    spared,
    usable,
)
from watchword.clock import Clock, SystemClock

_log = logging.getLogger("watchword.client")
_CLOCK = SystemClock()


class AsyncUserTokenCredential:
    """`UserTokenCredential` for asyncio: the refresher is a coroutine function, and one event loop uses it."""

    def __init__(
        self,
        token: str | None = None,
        *,
        refresher: Callable[[], Awaitable[str]],
        proactive: bool = False,
        refresh_deadline: timedelta = LONGEST_REFRESH,
        clock: Clock = _CLOCK,
        start_timer: StartTimer = start_loop_timer,
    ) -> None:
        self._refresher = refresher
        self._deadline = refresh_deadline
        self._clock = clock
        self._held = hold_if_valid(token, clock.micros())
        self._fetch: asyncio.Task[HeldToken] | None = None
        self._alarm = Alarm(start_timer, self._wake) if proactive else None
        self._closed = False
        self._loop = OneLoop("credential")

    async def get_token(self, *scopes: str, **options: object) -> CurrentToken:
        """The current token, or the next where that is due. What azure-core hands in has no bearing on it.

        Raises:
            InvalidToken: the refresher returned none, or one that has expired.
            RefreshFailed: the refresher did not end in time, or asked this credential for the token.
            RuntimeError: after `close()`.
        """
        del scopes, options
        self._begin()
        fetching = self._fetch is not None and not self._fetch.done()
        if (held := usable(self._held, self._clock, fetching=fetching)) is not None:
            return held.current()
        fetch = self._start_fetch()
        require_outside(fetch)
        # Shielded: a caller that is cancelled does not take the fetch away from the others.
        return (await asyncio.shield(fetch)).current()

    async def close(self) -> None:
        """Stop renewing, and give up a fetch that is under way; the credential cannot be used again."""
        self._enter_loop()
        self._closed = True
        if self._alarm is not None:
            self._alarm.stop()
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.wait([self._fetch])

    async def __aenter__(self) -> Self:
        self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def _enter_loop(self) -> None:
        if self._loop.enter():
            self._fetch = None
            if self._alarm is not None:
                self._alarm.forget()

    def _begin(self) -> None:
        require_open(closed=self._closed)
        self._enter_loop()
        if self._alarm is not None:
            self._alarm.begin(self._held, self._clock.micros())

    def _start_fetch(self) -> asyncio.Task[HeldToken]:
        # A fetch that is done, yet still here, was cancelled with its event loop before it could begin.
        if self._fetch is None or self._fetch.done():
            self._fetch = asyncio.ensure_future(self._carry_out())
        return self._fetch

    async def _carry_out(self) -> HeldToken:
        fetched: HeldToken | BaseException
        inside.set((*inside.get(), asyncio.current_task()))
        try:
            async with asyncio.timeout(self._deadline.total_seconds()) as limit:
                fetched = hold(await self._refresher(), self._clock.micros())
        except TimeoutError as error:
            # One that the refresher raised is its own failure.
            fetched = did_not_end(self._deadline) if limit.expired() else error
        except Exception as error:  # noqa: BLE001 - raised again below, where no token is left.
            fetched = error
        finally:
            self._fetch = None
        now = self._clock.micros()
        outcome = spared(self._held, fetched, now)
        self._held = outcome if isinstance(outcome, HeldToken) else None
        if self._alarm is not None and not self._closed:
            self._alarm.renew(self._held, now)
        if isinstance(outcome, HeldToken):
            return outcome
        raise outcome

    def _wake(self) -> None:
        if self._closed or self._alarm is None:
            return
        now = self._clock.micros()
        if self._held is not None and not self._held.is_due(now):
            self._alarm.renew(self._held, now)
        else:
            self._start_fetch().add_done_callback(_log_failure)


def _log_failure(task: asyncio.Task[HeldToken]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.warning("The access token could not be renewed, and none is left.", exc_info=error)
