"""Credentials of a user: an access token that renews itself from a callback, blocking or not.

`held_token` says when a token is due. From then on one caller fetches the next, while the others go on with the
current one; once that has expired, all wait for the same fetch. A fetch that fails is an error only where no valid
token is left; otherwise it is logged, and tried again at half of the time that is left.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from watchword.client.alarm import Alarm, StartTimer, start_loop_timer, start_thread_timer
from watchword.client.held_token import CurrentToken, HeldToken, hold, hold_if_valid
from watchword.clock import Clock, SystemClock

_log = logging.getLogger("watchword.client")
_CLOCK = SystemClock()


class UserTokenCredential:
    """Gives a valid token at any time. Safe to share between threads, and fit for clients built on azure-core.

    `proactive` renews ahead of time without being asked, from the first `get_token()` or `with` until `close()`.
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        refresher: Callable[[], str],
        proactive: bool = False,
        clock: Clock = _CLOCK,
        start_timer: StartTimer = start_thread_timer,
    ) -> None:
        self._refresher = refresher
        self._clock = clock
        self._held = hold_if_valid(token, clock.micros())
        self._fetch: Future[HeldToken] | None = None
        self._alarm = Alarm(start_timer, self._wake) if proactive else None
        self._closed = False
        self._lock = threading.Lock()

    def get_token(self, *scopes: str, **options: object) -> CurrentToken:
        """The current token, or the next where that is due. What azure-core hands in has no bearing on it.

        Raises:
            InvalidToken: the refresher returned none, or one that has expired.
            RuntimeError: after `close()`.
        """
        del scopes, options
        with self._lock:
            self._begin()
            if (held := _usable(self._held, self._clock, fetching=self._fetch is not None)) is not None:
                return held.current()
            fetch, mine = self._fetch, self._fetch is None
            if fetch is None:
                fetch = self._fetch = Future()
        if mine:
            self._carry_out(fetch)
        return fetch.result().current()

    def close(self) -> None:
        """Stop renewing; the credential cannot be used again."""
        with self._lock:
            self._closed = True
            if self._alarm is not None:
                self._alarm.stop()

    def __enter__(self) -> Self:
        with self._lock:
            self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> None:
        _require_open(closed=self._closed)
        if self._alarm is not None:
            self._alarm.begin(self._held, self._clock.micros())

    def _carry_out(self, fetch: Future[HeldToken]) -> None:
        fetched: HeldToken | BaseException
        try:
            fetched = hold(self._refresher(), self._clock.micros())
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is.
            fetched = error
        with self._lock:
            now = self._clock.micros()
            outcome = _spared(self._held, fetched, now)
            self._held = outcome if isinstance(outcome, HeldToken) else None
            self._fetch = None
            if self._alarm is not None and not self._closed:
                self._alarm.renew(self._held, now)
        if isinstance(outcome, HeldToken):
            fetch.set_result(outcome)
        else:
            fetch.set_exception(outcome)

    def _wake(self) -> None:
        with self._lock:
            if self._closed or self._alarm is None:
                return
            now = self._clock.micros()
            if self._held is not None and not self._held.is_due(now):
                self._alarm.renew(self._held, now)
                return
        try:
            self.get_token()
        except Exception:  # noqa: BLE001 - on a timer's thread nobody else hears of it.
            _log.warning("The access token could not be renewed, and none is left.", exc_info=True)


class AsyncUserTokenCredential:
    """`UserTokenCredential` for asyncio: the refresher is a coroutine function, and one event loop uses it."""

    def __init__(
        self,
        token: str | None = None,
        *,
        refresher: Callable[[], Awaitable[str]],
        proactive: bool = False,
        clock: Clock = _CLOCK,
        start_timer: StartTimer = start_loop_timer,
    ) -> None:
        self._refresher = refresher
        self._clock = clock
        self._held = hold_if_valid(token, clock.micros())
        self._fetch: asyncio.Task[HeldToken] | None = None
        self._alarm = Alarm(start_timer, self._wake) if proactive else None
        self._closed = False

    async def get_token(self, *scopes: str, **options: object) -> CurrentToken:
        """The current token, or the next where that is due. What azure-core hands in has no bearing on it.

        Raises:
            InvalidToken: the refresher returned none, or one that has expired.
            RuntimeError: after `close()`.
        """
        del scopes, options
        self._begin()
        fetching = self._fetch is not None and not self._fetch.done()
        if (held := _usable(self._held, self._clock, fetching=fetching)) is not None:
            return held.current()
        # Shielded: a caller that is cancelled does not take the fetch away from the others.
        return (await asyncio.shield(self._start_fetch())).current()

    async def close(self) -> None:
        """Stop renewing, and give up a fetch that is under way; the credential cannot be used again."""
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

    def _begin(self) -> None:
        _require_open(closed=self._closed)
        if self._alarm is not None:
            self._alarm.begin(self._held, self._clock.micros())

    def _start_fetch(self) -> asyncio.Task[HeldToken]:
        # A fetch that is done, yet still here, was cancelled with its event loop before it could begin.
        if self._fetch is None or self._fetch.done():
            self._fetch = asyncio.ensure_future(self._carry_out())
        return self._fetch

    async def _carry_out(self) -> HeldToken:
        fetched: HeldToken | BaseException
        try:
            fetched = hold(await self._refresher(), self._clock.micros())
        except Exception as error:  # noqa: BLE001 - raised again below, where no token is left.
            fetched = error
        finally:
            self._fetch = None
        now = self._clock.micros()
        outcome = _spared(self._held, fetched, now)
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


def _require_open(*, closed: bool) -> None:
    if closed:
        raise RuntimeError("the credential was closed")


def _usable(held: HeldToken | None, clock: Clock, *, fetching: bool) -> HeldToken | None:
    """The token that is held, where it will do: it is not due yet, or somebody is fetching the next one already."""
    now = clock.micros()
    if held is None or not held.is_valid(now) or (held.is_due(now) and not fetching):
        return None
    return held


def _spared(held: HeldToken | None, fetched: HeldToken | BaseException, now_micros: int) -> HeldToken | BaseException:
    """What was fetched; but where that is a failure and the token held is still valid, that one a while longer."""
    if not isinstance(fetched, Exception) or held is None or not held.is_valid(now_micros):
        return fetched
    _log.warning("The access token could not be renewed; the current one is used on.", exc_info=fetched)
    return held.postponed(now_micros)


def _log_failure(task: asyncio.Task[HeldToken]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.warning("The access token could not be renewed, and none is left.", exc_info=error)
