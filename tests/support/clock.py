"""A clock that stands still until a test moves it."""

import threading
from datetime import UTC, datetime, timedelta

from watchword.clock import to_micros


class MovableClock:
    """What time a test says it is; safe to read and move from several threads."""

    def __init__(self, moment: datetime = datetime(2026, 11, 21, 1, 14, 27, tzinfo=UTC)) -> None:
        self._micros = to_micros(moment)
        self._lock = threading.Lock()

    def micros(self) -> int:
        with self._lock:
            return self._micros

    def move(self, by: timedelta) -> None:
        with self._lock:
            self._micros += by // timedelta(microseconds=1)
