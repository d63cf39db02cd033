"""How much there is of something at one instant: in a process, and in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec


class Levels(msgspec.Struct):
    """Of one process; of one that has ended there is nothing."""

    connections: int = 0
    requests_in_flight: int = 0
    feed_waiting: int = 0
    feed_view_age_seconds: float = 0.0

    def add(self, other: Levels) -> None:
        self.connections += other.connections
        self.requests_in_flight += other.requests_in_flight
        self.feed_waiting += other.feed_waiting
        self.feed_view_age_seconds = max(self.feed_view_age_seconds, other.feed_view_age_seconds)


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
