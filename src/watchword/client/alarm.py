"""What wakes a proactive credential: one timer at a time, on a thread or on the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Protocol

from watchword.client.held_token import HeldToken

_LONGEST_SECONDS = 3_600.0
"""A timer does not notice that its machine slept or that the clock was set; so it looks again after an hour."""

_AFTER_FAILURE_SECONDS = 10.0


class Timer(Protocol):
    """A call that is yet to come."""

    def cancel(self) -> None: ...


StartTimer = Callable[[float, Callable[[], None]], Timer]


def start_thread_timer(seconds: float, callback: Callable[[], None]) -> Timer:
    timer = threading.Timer(seconds, callback)
    # A daemon, so that a credential that nobody closed does not keep the program from ending.
    timer.daemon = True
    timer.start()
    return timer


def start_loop_timer(seconds: float, callback: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(seconds, callback)


class Alarm:
    """Calls `wake` when the token that is held is due; without one, a little after the last failure."""

    def __init__(self, start_timer: StartTimer, wake: Callable[[], None]) -> None:
        self._start_timer = start_timer
        self._wake = wake
        self._timer: Timer | None = None

    def begin(self, held: HeldToken | None, now_micros: int) -> None:
        """The first time only: without a token, at once."""
        if self._timer is None:
            self._set(0.0 if held is None else _seconds(held, now_micros))

    def renew(self, held: HeldToken | None, now_micros: int) -> None:
        self._set(_AFTER_FAILURE_SECONDS if held is None else _seconds(held, now_micros))

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def forget(self) -> None:
        """The timer is another process's, or of an event loop that has ended; `begin` sets the next one."""
        self._timer = None

    def _set(self, seconds: float) -> None:
        self.stop()
        self._timer = self._start_timer(seconds, self._wake)


def _seconds(held: HeldToken, now_micros: int) -> float:
    return min(max((held.due_micros - now_micros) / 1_000_000, 0.0), _LONGEST_SECONDS)
