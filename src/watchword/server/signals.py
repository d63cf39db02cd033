"""What the signals mean to a server in the foreground: stop gracefully, or load anew what can be loaded anew."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self


class Signals:
    """Directs signals to a server, from entering the block until leaving it; one that came too early counts.

    The HTTP library handles those that end a process while it runs, and sends them once more when it has stopped;
    without a handler that second signal would end the process before the database is closed.
    """

    def __init__(self, *, hang_up_reloads: bool) -> None:
        self._hang_up_reloads = hang_up_reloads
        self._stop: Callable[[], None] | None = None
        self._reload: Callable[[], None] | None = None
        self.asked_to_stop = False
        self._before: dict[int, Any] = {}

    def direct(self, *, stop: Callable[[], None], reload: Callable[[], None]) -> None:
        """Signals go here from now on; both are called between two instructions of the main thread, wherever it is."""
        self._stop, self._reload = stop, reload
        if self.asked_to_stop:
            stop()

    def __enter__(self) -> Self:
        for number in _signals():
            reloads = self._hang_up_reloads and number == getattr(signal, "SIGHUP", None)
            self._before[number] = signal.signal(number, self._on_reload if reloads else self._on_stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_stop(self, *_: object) -> None:
        self.asked_to_stop = True
        if self._stop is not None:
            self._stop()

    def _on_reload(self, *_: object) -> None:
        # Before there is a server to tell, everything is about to be loaded anyway.
        if self._reload is not None:
            self._reload()


def is_left_by_its_terminal() -> bool:
    """Whether a hang-up means that somebody closed the window that this server runs in, as opposed to a request."""
    return sys.stdin is not None and sys.stdin.isatty()


def _signals() -> list[signal.Signals]:
    names = ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP")
    there: list[signal.Signals] = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # Under nohup a hang-up is ignored, and has to stay so.
    return [each for each in there if signal.getsignal(each) is not signal.SIG_IGN]
