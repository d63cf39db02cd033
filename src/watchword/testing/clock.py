"""A clock that a test moves."""

from __future__ import annotations

from datetime import datetime, timedelta

from watchword.clock import Clock, SystemClock, to_datetime, to_micros


class MovableClock:
    """Runs with the machine's clock, shifted by what a test says; `stop` makes it stand still.

    `move` and `stop` are about time itself: every clock of the world goes along. `set_wrong` is about this machine's
    clock alone.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._shift = 0
        self._wrong = 0
        self._stopped_at: int | None = None

    def micros(self) -> int:
        return self._right_micros() + self._wrong

    def steady_micros(self) -> int:
        return self._right_micros()

    @property
    def travelled_micros(self) -> int:
        return self._right_micros() - self._clock.micros()

    def now(self) -> datetime:
        return to_datetime(self.micros())

    def move(self, step: timedelta) -> None:
        """Forward, or back where the step is negative."""
        self._shift += round(step / timedelta(microseconds=1))

    def set_wrong(self, by: timedelta) -> None:
        """This machine's clock alone is so far ahead from now on, or behind where that is negative."""
        self._wrong = round(by / timedelta(microseconds=1))

    def stop(self, at: datetime | None = None) -> None:
        """Stand still, at a moment or now."""
        moment = self._right_micros() if at is None else to_micros(at)
        self._stopped_at, self._shift = moment, 0

    def _right_micros(self) -> int:
        return (self._clock.micros() if self._stopped_at is None else self._stopped_at) + self._shift
