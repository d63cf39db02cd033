"""The one place that asks the time.

Machine time says whether clocks are sane, what came first, and what stands on the wire. Service time says whether
something of a resource is due: it is read once a request, and rules are handed it. See docs/reference/clocks.md.

Of machine time there are two clocks, because two questions must not be mixed up. `Clock` answers "what time is it?" as
well as the machine knows, and follows the machine's clock wherever it goes. `MonotoneClock` answers "what came after
what?": it never shows the same microsecond twice and never goes back, whatever the machine's clock does; identifiers
and issue times come from it.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """What time it is: microseconds since 1970-01-01T00:00:00Z."""

    def micros(self) -> int: ...


class MachineClock(Clock, Protocol):
    """A wall clock with what it takes to judge it."""

    def steady_micros(self) -> int:
        """Microseconds since some fixed moment, by a clock that nobody can set."""
        ...

    @property
    def travelled_micros(self) -> int:
        """How far a test has moved time itself, with every clock there is; 0 but in tests."""
        ...


class SystemClock:
    """The machine's wall clock."""

    travelled_micros = 0

    def micros(self) -> int:
        return time.time_ns() // 1_000

    def steady_micros(self) -> int:
        return round(steady_seconds() * 1_000_000)


class MonotoneClock:
    """Strictly growing microseconds: the wall clock's, or one more than the last when that stands still or steps back.

    `floor` is the highest value that any earlier run is known to have given out: a service that restarts after its
    machine's clock was set back carries on from there.
    """

    def __init__(self, clock: Clock, floor: int = 0) -> None:
        self._clock = clock
        self._last = floor
        self._lock = threading.Lock()

    def micros(self) -> int:
        with self._lock:
            self._last = max(self._clock.micros(), self._last + 1)
            return self._last

    @property
    def last(self) -> int:
        """The highest value given out so far, to be remembered as the next run's floor."""
        return self._last


class ReadingClock:
    """Looks at a monotone clock: the time, or the last value that was given out where that is higher.

    It gives nothing out itself. Who needs to know when something is, and stamps nothing, asks by this one: then a wall
    clock that is wrong for a moment leaves no trace in the issue times that follow.
    """

    def __init__(self, read: MonotoneClock, clock: Clock) -> None:
        self._read = read
        self._clock = clock

    def micros(self) -> int:
        return max(self._clock.micros(), self._read.last)


class ServiceClock:
    """Says what time it is for a resource: whether its tokens have expired, and what else of it is due.

    It follows the machine's clock wherever that goes, so that it is right as soon as that is. One that never went back
    would stay wrong for as long as the clock was ahead, and take good tokens for expired.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def micros(self, resource: int | None) -> int:
        """Now, for the resource of that number; None of whatever belongs to none."""
        return self.at(self._clock.micros(), resource)

    def at(self, machine_micros: int, resource: int | None) -> int:
        """The same at a moment of machine time. The one place where a resource's time may part from the machine's.

        What is stored as an issue time, or as a bound of them, is machine time: so the future of one resource never
        reaches another.
        """
        del resource
        return machine_micros


def to_datetime(micros: int) -> datetime:
    """An aware UTC datetime; exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=micros)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime; exact, where `timestamp()` would round."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def steady_seconds() -> float:
    """Seconds that passed since some fixed moment: the machine's sleep counted, a clock that is set ignored."""
    return time.clock_gettime(_STEADY) if _STEADY is not None else time.monotonic()


# `time.monotonic` stands still while a Linux machine or a Mac sleeps. Linux has a clock that does not, and on a Mac
# CLOCK_MONOTONIC itself is one; Windows has neither name, and needs neither.
_STEADY: int | None = getattr(time, "CLOCK_BOOTTIME", None) or getattr(time, "CLOCK_MONOTONIC", None)
