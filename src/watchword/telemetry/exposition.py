"""Makes the text that Prometheus reads of numbers, through its own library; loaded by the first scrape only."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from watchword.measurements import Histogram, Measurements, Trips
from watchword.telemetry.levels import Committed, Levels
from watchword.telemetry.snapshots import Snapshot

_OPEN_METRICS = "application/openmetrics-text"
_REQUEST_LABELS = ("operation", "status", "code", "api_version", "sdk", "sdk_version")


def render(committed: Committed | None, snapshots: Sequence[tuple[Snapshot, bool]], accepted: str) -> tuple[bytes, str]:
    """The text and its media type, of what all processes have counted and those that live have now."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Server(committed, snapshots))
    if _OPEN_METRICS in accepted:
        return openmetrics.generate_latest(registry), openmetrics.CONTENT_TYPE_LATEST  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4


class _Server(Collector):
    def __init__(self, committed: Committed | None, snapshots: Sequence[tuple[Snapshot, bool]]) -> None:
        self._committed = committed
        self._living = [snapshot for snapshot, is_alive in snapshots if is_alive]
        self._measured, self._levels = Measurements(), Levels()
        for snapshot, _ in snapshots:
            self._measured.add(snapshot.measured)
        for snapshot in self._living:
            self._levels.add(snapshot.levels)

    def collect(self) -> Iterator[Metric]:
        yield _build()
        yield from _requests(self._measured)
        yield from _database(self._measured)
        yield _histogram(
            "watchword_signature_duration_seconds", "To sign one access token.", [((), self._measured.signatures)]
        )
        yield _histogram(
            "watchword_revocation_feed_answer_duration_seconds",
            "From a revocation's acknowledgement until one that waited for it could be answered.",
            [((), self._measured.feed_answers)],
        )
        yield from _realtime(self._measured)
        yield from _moderation(self._measured)
        yield _histogram(
            "watchword_journal_lag_seconds",
            "From a commit until what it appended to the journal was handed on.",
            [((), self._measured.journal_lags)],
        )
        yield CounterMetricFamily(
            "watchword_log_lines_dropped",
            "Lines of the log that were dropped, because nobody read it.",
            self._measured.dropped_log_lines.value,
        )
        yield from _levels(self._levels, len(self._living))
        yield from _committed(self._committed)
        yield from _processes(self._living)


def _build() -> Metric:
    about = {"version": version("watchword"), "python": platform.python_version()}
    return InfoMetricFamily("watchword_build", "What runs.", about)


def _requests(measured: Measurements) -> Iterator[Metric]:
    requests = CounterMetricFamily("watchword_requests", "Requests that were answered.", labels=_REQUEST_LABELS)
    for labels, count in sorted(measured.requests.items()):
        requests.add_metric(labels, count.value)
    yield requests
    durations = [((operation,), durations) for operation, durations in sorted(measured.durations.items())]
    yield _histogram(
        "watchword_request_duration_seconds", "From the whole head to the answer.", durations, labels=("operation",)
    )


def _database(measured: Measurements) -> Iterator[Metric]:
    trips = measured.database
    by_kind: list[tuple[str, Trips]] = [("read", trips.reads), ("write", trips.writes)]
    durations = [((kind,), each.seconds) for kind, each in by_kind] + [(("transaction",), trips.transactions)]
    kind = ("kind",)
    yield _histogram("watchword_database_duration_seconds", "One trip to the database.", durations, labels=kind)
    yield _histogram(
        "watchword_database_queue_duration_seconds",
        "How long a call waited for its trip.",
        [((kind,), each.waits) for kind, each in by_kind],
        labels=kind,
    )
    yield _histogram(
        "watchword_database_batch_calls",
        "How many calls shared a trip.",
        [((kind,), each.calls) for kind, each in by_kind],
        labels=kind,
    )


def _realtime(measured: Measurements) -> Iterator[Metric]:
    counted = measured.realtime
    for name, meaning, count in (
        ("pushes", "Pushes that were sent over realtime sockets.", counted.pushes),
        ("pushes_not_taken", "Pushes that a client answered with an error.", counted.not_taken),
        ("pushes_unanswered", "Realtime sockets that were closed because a push had no answer.", counted.unanswered),
        ("pushes_passed_over", "Pushes that were given up, because no answer ever came.", counted.passed_over),
        ("pushes_cut_off", "Pushes that had no answer yet when their socket ended.", counted.cut_off),
        ("pushes_replayed", "Pushes of what happened while a client was away.", counted.replayed),
        ("sockets_recalled", "Realtime sockets that were told what they missed from memory.", counted.recalled),
        ("slow_readers_closed", "Realtime sockets that were closed because too much waited for them.",
         counted.slow_readers),
    ):  # fmt: skip
        yield CounterMetricFamily(f"watchword_realtime_{name}", meaning, count.value)
    yield _histogram(
        "watchword_realtime_lag_seconds", "From a commit until its last frame was written.", [((), counted.lags)]
    )


def _moderation(measured: Measurements) -> Iterator[Metric]:
    counted = measured.moderation
    verdicts = CounterMetricFamily("watchword_moderation_verdicts", "What the moderator said.", labels=("verdict",))
    for verdict, count in counted.by_verdict().items():
        verdicts.add_metric((verdict,), count.value)
    yield verdicts
    yield _histogram(
        "watchword_moderation_duration_seconds",
        "From a question to the moderator until its answer, or until it was given up.",
        [((), counted.durations)],
    )


def _levels(levels: Levels, processes: int) -> Iterator[Metric]:
    yield GaugeMetricFamily("watchword_processes", "Processes that serve.", processes)
    yield GaugeMetricFamily("watchword_open_connections", "Connections of clients.", levels.connections)
    yield GaugeMetricFamily("watchword_requests_in_flight", "Requests not answered yet.", levels.requests_in_flight)
    yield GaugeMetricFamily("watchword_revocation_feed_waiting", "Readers who wait for news.", levels.feed_waiting)
    yield GaugeMetricFamily(
        "watchword_revocation_feed_view_age_seconds",
        "How old is what those who wait are judged by.",
        levels.feed_view_age_seconds,
    )
    for name, (meaning, value) in sorted(levels.gauges.items()):
        yield GaugeMetricFamily(name, meaning, value)


def _committed(committed: Committed | None) -> Iterator[Metric]:
    yield GaugeMetricFamily("watchword_database_up", "Whether the database answered this scrape.", int(bool(committed)))
    if committed is None:
        return
    yield GaugeMetricFamily("watchword_database_writable", "Whether a write would succeed.", int(committed.is_writable))
    yield GaugeMetricFamily(
        "watchword_clock_right", "Whether tokens are issued by this machine's clock.", int(committed.is_clock_right)
    )
    yield GaugeMetricFamily("watchword_revocation_feed_cursor", "The newest number in the feed.", committed.feed_cursor)
    keys = GaugeMetricFamily("watchword_signing_keys", "Signing keys that are kept.", labels=("state",))
    for state, count in sorted(committed.keys.items()):
        keys.add_metric((state,), count)
    yield keys
    if committed.key_change_seconds is not None:
        yield GaugeMetricFamily(
            "watchword_signing_key_change_seconds", "Until another key signs.", committed.key_change_seconds
        )


def _processes(living: Iterable[Snapshot]) -> Iterator[Metric]:
    """What the library tells of a process, of each: a sum over processes is for those who ask."""
    families: dict[str, Metric] = {}
    for snapshot in living:
        labels = {"process": snapshot.name} if snapshot.name else {}
        for family in ProcessCollector(pid=lambda pid=snapshot.pid: pid, registry=None).collect():  # type: ignore[misc]
            joined = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                joined.add_sample(sample.name, labels, sample.value)
    yield from families.values()


def _histogram(
    name: str, meaning: str, found: Iterable[tuple[tuple[str, ...], Histogram]], *, labels: Sequence[str] = ()
) -> Metric:
    family = HistogramMetricFamily(name, meaning, labels=labels)
    for values, histogram in found:
        family.add_metric(values, list(_buckets(histogram)), histogram.sum)
    return family


def _buckets(histogram: Histogram) -> Iterator[tuple[str, float]]:
    """Cumulative, as the text has them."""
    total = 0
    for bound, count in zip((*histogram.bounds, float("inf")), histogram.counts, strict=True):
        total += count
        yield floatToGoString(bound), total  # type: ignore[no-untyped-call]
