"""What the server tells Prometheus; every metric is documented in docs/reference/metrics.md.

Counting is done with plain numbers (`watchword.measurements`). The metrics library, which takes longer to load than the
server takes to start, is loaded by the first scrape, and works beside the event loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from watchword.errors import Unavailable
from watchword.files import Worker
from watchword.keyring.keyring import Keyring
from watchword.measurements import Measurements
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.doors import Door
from watchword.rest.standing import Standing
from watchword.revocations.feed import Feed
from watchword.revocations.store import RevocationStore
from watchword.telemetry.levels import Committed, Levels
from watchword.telemetry.snapshots import Snapshot, Snapshots
from watchword.telemetry.traffic import Traffic
from watchword.wire.operations import Body, Operation

METRICS = Operation(
    "Watchword_GetMetrics", "GET", "/metrics", 200, None,
    "Counts, times and levels of the whole server, for Prometheus.",
    gives=(Body(str, media_type="text/plain"), Body(str, media_type="application/openmetrics-text")),
)  # fmt: skip


class Load(Protocol):
    """What an HTTP server has to do at this instant."""

    @property
    def open_connections(self) -> int: ...

    @property
    def requests_in_flight(self) -> int: ...

    def tell_refusals(self, tell: Callable[[int, str], None]) -> None: ...


class Metrics:
    """Answers scrapes, for all processes of the server; `feed` and `load` are this process's own."""

    def __init__(
        self,
        measured: Measurements,
        traffic: Traffic,
        keyring: Keyring,
        store: RevocationStore,
        feed: Feed,
        standing: Standing,
        worker: Worker | None,
    ) -> None:
        self._traffic = traffic
        self._keyring = keyring
        self._store = store
        self._feed = feed
        self._standing = standing
        self._load: Load | None = None
        self.snapshots = Snapshots(worker, measured, self._levels)

    def watch(self, load: Load) -> None:
        """From now on the levels are of this HTTP server, and what it refuses by itself is counted."""
        self._load = load
        load.tell_refusals(self._traffic.record_refusal)

    def bindings(self, door: Door[Any]) -> list[AnyBinding]:
        """Behind that of operators where strangers can ask, else behind none."""
        return [Binding(METRICS, self._answer, door, "waits")]

    async def _answer(self, call: Call[Any]) -> RawAnswer:
        committed = await self._committed()
        own = await self.snapshots.write()
        body, media_type = await asyncio.to_thread(self._render, committed, own, call.request.headers.get("accept", ""))
        return RawAnswer(body, (("content-type", media_type), ("cache-control", "no-store")))

    def _render(self, committed: Committed | None, own: Snapshot, accepted: str) -> tuple[bytes, str]:
        from watchword.telemetry.exposition import render

        return render(committed, [(own, True), *self.snapshots.read_others()], accepted)

    async def _committed(self) -> Committed | None:
        """None where the database is away."""
        try:
            _, cursor = await self._store.position()
            keys = await self._keyring.states()
        except Unavailable:
            return None
        now = self._keyring.micros()
        change = self._keyring.schedule.next_change([row for row, _ in keys], now)
        seconds = None if change is None else (change - now) / 1_000_000
        trouble = await self._standing.trouble()
        counted = Counter[str](state for _, state in keys)
        return Committed(cursor, counted, seconds, "database" not in trouble, "clock" not in trouble)

    def _levels(self) -> Levels:
        load = self._load
        return Levels(
            load.open_connections if load else 0,
            load.requests_in_flight if load else 0,
            self._feed.waiting,
            self._feed.view_age_seconds,
        )
