"""Credentials of a user: an access token that renews itself from a callback, blocking or not.

`held_token` says when a token is due. From then on one caller fetches the next, while the others go on with the
current one; once that has expired, all wait for the same fetch. A fetch that fails is an error only where no valid
token is left; otherwise it is logged, and tried again at half of the time that is left. Nobody waits for ever: not for
a refresher that never ends, nor for one that asks the very credential that it is to renew.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextvars import copy_context
from datetime import timedelta
from types import TracebackType
from typing import Self

from watchword.client.alarm import Alarm, StartTimer, start_thread_timer
from watchword.client.forks import survive_forks
from watchword.client.held_token import CurrentToken, HeldToken, hold, hold_if_valid
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


class UserTokenCredential:
    """Gives a valid token at any time. Safe to share between threads, and fit for clients built on azure-core.

    `proactive` renews ahead of time without being asked, from the first `get_token()` or `with` until `close()`.
    `refresh_deadline` is how long others wait for a refresher that does not end.
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        refresher: Callable[[], str],
        proactive: bool = False,
        refresh_deadline: timedelta = LONGEST_REFRESH,
        clock: Clock = _CLOCK,
        start_timer: StartTimer = start_thread_timer,
    ) -> None:
        self._refresher = refresher
        self._deadline = refresh_deadline
        self._clock = clock
        self._held = hold_if_valid(token, clock.micros())
        self._fetch: Future[HeldToken] | None = None
        self._alarm = Alarm(start_timer, self._wake) if proactive else None
        self._closed = False
        self._lock = threading.Lock()
        survive_forks(self)

    def get_token(self, *scopes: str, **options: object) -> CurrentToken:
        """The current token, or the next where that is due. What azure-core hands in has no bearing on it.

        Raises:
            InvalidToken: the refresher returned none, or one that has expired.
            RefreshFailed: the refresher did not end in time, or asked this credential for the token.
            RuntimeError: after `close()`.
        """
        del scopes, options
        with self._lock:
            self._begin()
            if (held := usable(self._held, self._clock, fetching=self._fetch is not None)) is not None:
                return held.current()
            fetch = self._fetch
            if fetch is None:
                fetch = self._fetch = Future()
                # On a thread of its own, since a refresher that does not end can be left behind but not be stopped.
                arguments = (self._carry_out, fetch)
                threading.Thread(
                    target=copy_context().run, args=arguments, name="watchword-refresher", daemon=True
                ).start()
        require_outside(fetch)
        try:
            return fetch.result(self._deadline.total_seconds()).current()
        except FutureTimeoutError:
            if fetch.done():
                raise
            self._abandon(fetch)
            raise did_not_end(self._deadline) from None

    def begin_anew(self) -> None:
        """A process that was forked off left the thread of a fetch, a timer and whoever holds the lock behind."""
        self._lock = threading.Lock()
        self._fetch = None
        if self._alarm is not None:
            self._alarm.forget()

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
        require_open(closed=self._closed)
        if self._alarm is not None:
            self._alarm.begin(self._held, self._clock.micros())

    def _carry_out(self, fetch: Future[HeldToken]) -> None:
        fetched: HeldToken | BaseException
        inside.set((*inside.get(), fetch))
        try:
            fetched = hold(self._refresher(), self._clock.micros())
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is.
            fetched = error
        with self._lock:
            if self._fetch is not fetch and isinstance(fetched, BaseException):
                # It was given up, and others have been told; a token that comes so late is as good as any.
                return
            now = self._clock.micros()
            outcome = spared(self._held, fetched, now)
            self._held = outcome if isinstance(outcome, HeldToken) else None
            if self._fetch is fetch:
                self._fetch = None
            if self._alarm is not None and not self._closed:
                self._alarm.renew(self._held, now)
        if isinstance(outcome, HeldToken):
            fetch.set_result(outcome)
        else:
            fetch.set_exception(outcome)

    def _abandon(self, fetch: Future[HeldToken]) -> None:
        """The next caller tries anew."""
        with self._lock:
            if self._fetch is fetch:
                self._fetch = None
                if self._alarm is not None and not self._closed:
                    self._alarm.renew(None, self._clock.micros())

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
