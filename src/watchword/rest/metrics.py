"""What the server tells Prometheus; every metric is documented in docs/reference/metrics.md.

Counting is done with plain numbers (`watchword.measurements`). The metrics library, which takes longer to load than the
server takes to start, is loaded by the first scrape, and works beside the event loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from watchword.errors import Unavailable
from watchword.files import Process
from watchword.ground import Ground
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.doors import Door, Doors
from watchword.rest.standing import Standing
from watchword.telemetry.levels import Committed, Gauge, Levels
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
    """Answers scrapes, for all processes of the server; `load` and `gauges` are this process's own."""

    def __init__(
        self,
        ground: Ground,
        traffic: Traffic,
        standing: Standing,
        *,
        process: Process | None,
        gauges: Sequence[Gauge] = (),
    ) -> None:
        self._traffic = traffic
        self._keyring = ground.keyring
        self._store = ground.revocation_store
        self._feed = ground.feed
        self._standing = standing
        self._gauges = gauges
        self._load: Load | None = None
        self.snapshots = Snapshots(process, ground.measured, self._levels)

    def watch(self, load: Load) -> None:
        """The levels are of this HTTP server from now on, and what it refuses by itself is counted."""
        self._load = load
        load.tell_refusals(self._traffic.record_refusal)

    def say_leaving(self) -> None:
        """This process calls itself not ready from now on, though it answers as before."""
        self._standing.is_leaving = True

    def bindings(self, doors: Doors, *, apart: bool) -> list[AnyBinding]:
        """Behind the door of operators, unless no stranger can ask, where operators have a port apart."""
        door: Door[Any] = doors.nobody if apart else doors.operators
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
            {gauge.name: (gauge.meaning, gauge.read()) for gauge in self._gauges},
        )
