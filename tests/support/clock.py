"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime

from watchword.testing import MovableClock

START = datetime(2026, 11, 21, 1, 14, 27, tzinfo=UTC)


def stopped_clock(moment: datetime = START) -> MovableClock:
    clock = MovableClock()
    clock.stop(moment)
    return clock
