"""What one process counts, as plain numbers: how often, how long, how many together.

It knows neither what a metric is called nor who asks for it (rest/metrics.py does); so whoever does something worth
counting may be handed its part, for a few hundred nanoseconds each time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Self

import msgspec

REQUEST_SECONDS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
FINE_SECONDS = (0.000005, 0.00001, 0.000025, 0.00005, *REQUEST_SECONDS)
"""For what takes microseconds: a signature, a look-up in an embedded database."""

CALLS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)

Labels = tuple[str, ...]


class Tally(msgspec.Struct, array_like=True):
    """How often."""

    value: int = 0


class Histogram(msgspec.Struct, array_like=True):
    """How many values lay at or below each bound and above the one before; the last count is of those above all."""

    bounds: tuple[float, ...]
    counts: list[int]
    sum: float = 0.0

    @classmethod
    def of(cls, bounds: tuple[float, ...]) -> Self:
        return cls(bounds, [0] * (len(bounds) + 1))

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @contextmanager
    def timing(self) -> Iterator[None]:
        """Observes how many seconds the block takes, however it ends; for cold paths."""
        started = perf_counter()
        try:
            yield
        finally:
            self.observe(perf_counter() - started)

    def add(self, other: Histogram) -> None:
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.sum += other.sum


def _of_seconds() -> Histogram:
    return Histogram.of(FINE_SECONDS)


class Trips(msgspec.Struct):
    """Trips to the database of one kind: how long each took, how many calls it carried, how long each call waited."""

    seconds: Histogram = msgspec.field(default_factory=_of_seconds)
    calls: Histogram = msgspec.field(default_factory=lambda: Histogram.of(CALLS))
    waits: Histogram = msgspec.field(default_factory=_of_seconds)

    def add(self, other: Trips) -> None:
        self.seconds.add(other.seconds)
        self.calls.add(other.calls)
        self.waits.add(other.waits)


class DatabaseTrips(msgspec.Struct):
    """Trips are told apart by kind: look-ups and lists, coalesced writes, and transactions of the cold path."""

    reads: Trips = msgspec.field(default_factory=Trips)
    writes: Trips = msgspec.field(default_factory=Trips)
    transactions: Histogram = msgspec.field(default_factory=_of_seconds)

    def add(self, other: DatabaseTrips) -> None:
        self.reads.add(other.reads)
        self.writes.add(other.writes)
        self.transactions.add(other.transactions)


class RealtimeCounts(msgspec.Struct):
    """What was pushed over sockets, what became of it, and how late.

    `not_taken` were answered that nobody listened, or that they could not be read; `unanswered` ended a socket, and
    `passed_over` did so too often. `cut_off` had no answer yet when their socket ended, for whatever reason. `replayed`
    are pushes of what was missed, a part of `pushes`. `recalled` are sockets that were told it from memory. `lags` in
    seconds are from the commit of an entry until its last frame was written; clocks of nodes that differ show in it.
    """

    pushes: Tally = msgspec.field(default_factory=Tally)
    not_taken: Tally = msgspec.field(default_factory=Tally)
    unanswered: Tally = msgspec.field(default_factory=Tally)
    passed_over: Tally = msgspec.field(default_factory=Tally)
    cut_off: Tally = msgspec.field(default_factory=Tally)
    replayed: Tally = msgspec.field(default_factory=Tally)
    recalled: Tally = msgspec.field(default_factory=Tally)
    slow_readers: Tally = msgspec.field(default_factory=Tally)
    lags: Histogram = msgspec.field(default_factory=_of_seconds)

    def add(self, other: RealtimeCounts) -> None:
        for name in (
            "pushes",
            "not_taken",
            "unanswered",
            "passed_over",
            "cut_off",
            "replayed",
            "recalled",
            "slow_readers",
        ):
            getattr(self, name).value += getattr(other, name).value
        self.lags.add(other.lags)


class ModerationCounts(msgspec.Struct):
    """What a moderator was asked, and what came of it.

    `unanswered` had no verdict in time, or none that could be used; those that were not even asked are among them.
    `durations` in seconds are of those that were.
    """

    allowed: Tally = msgspec.field(default_factory=Tally)
    changed: Tally = msgspec.field(default_factory=Tally)
    refused: Tally = msgspec.field(default_factory=Tally)
    unanswered: Tally = msgspec.field(default_factory=Tally)
    durations: Histogram = msgspec.field(default_factory=lambda: Histogram.of(REQUEST_SECONDS))

    def by_verdict(self) -> dict[str, Tally]:
        return {name: getattr(self, name) for name in ("allowed", "changed", "refused", "unanswered")}

    def add(self, other: ModerationCounts) -> None:
        for name, tally in other.by_verdict().items():
            getattr(self, name).value += tally.value
        self.durations.add(other.durations)


DROPPED_LOG_LINES = Tally()
"""Of this process, whose log is one, whatever runs in it."""


class Measurements(msgspec.Struct):
    """Everything that a process has counted since it began.

    `requests` by operation, status, error code, api-version, SDK and its version; `durations` in seconds by operation;
    `feed_answers` in seconds, see `revocations.feed`; `journal_lags` in seconds, see `journal.follower`.
    `dropped_log_lines` are those that nobody read.
    """

    requests: dict[Labels, Tally] = msgspec.field(default_factory=dict)
    durations: dict[str, Histogram] = msgspec.field(default_factory=dict)
    database: DatabaseTrips = msgspec.field(default_factory=DatabaseTrips)
    signatures: Histogram = msgspec.field(default_factory=_of_seconds)
    feed_answers: Histogram = msgspec.field(default_factory=_of_seconds)
    realtime: RealtimeCounts = msgspec.field(default_factory=RealtimeCounts)
    moderation: ModerationCounts = msgspec.field(default_factory=ModerationCounts)
    journal_lags: Histogram = msgspec.field(default_factory=_of_seconds)
    dropped_log_lines: Tally = msgspec.field(default_factory=Tally)

    def add(self, other: Measurements) -> None:
        """What another process has counted too."""
        for labels, count in other.requests.items():
            self.requests.setdefault(labels, Tally()).value += count.value
        for operation, durations in other.durations.items():
            self.durations.setdefault(operation, Histogram.of(durations.bounds)).add(durations)
        self.database.add(other.database)
        self.signatures.add(other.signatures)
        self.feed_answers.add(other.feed_answers)
        self.realtime.add(other.realtime)
        self.moderation.add(other.moderation)
        self.journal_lags.add(other.journal_lags)
        self.dropped_log_lines.value += other.dropped_log_lines.value
