"""How much there is of something at one instant: in a process, and in the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Gauge:
    """A level of a service: `name` is the whole name of the metric. The server's is the sum over its processes."""

    name: str
    meaning: str
    read: Callable[[], float]


class Levels(msgspec.Struct):
    """The levels of one process; one that has ended has none. `gauges`, by name, are meaning and value."""

    connections: int = 0
    requests_in_flight: int = 0
    feed_waiting: int = 0
    feed_view_age_seconds: float = 0.0
    gauges: dict[str, tuple[str, float]] = {}

    def add(self, other: Levels) -> None:
        self.connections += other.connections
        self.requests_in_flight += other.requests_in_flight
        self.feed_waiting += other.feed_waiting
        self.feed_view_age_seconds = max(self.feed_view_age_seconds, other.feed_view_age_seconds)
        for name, (meaning, value) in other.gauges.items():
            _, sum_so_far = self.gauges.get(name, ("", 0.0))
            self.gauges[name] = (meaning, sum_so_far + value)


@dataclass(frozen=True, slots=True)
class Committed:
    """What the database says, which is the same for every process.

    `keys` by state; `key_change_seconds` is None where no signing key will change by itself. `is_clock_right` is what
    it says of the clock of this process.
    """

    feed_cursor: int
    keys: Mapping[str, int]
    key_change_seconds: float | None
    is_writable: bool
    is_clock_right: bool
