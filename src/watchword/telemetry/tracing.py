"""A span for each request, for OpenTelemetry: within the trace that its client began (W3C trace context), or a new one.

    POST /identities/{id}/:issueAccessToken           412 us   the server's span
      authenticate                                     96 us
      CommunicationIdentity_IssueAccessToken          316 us   rules, database, signature

Where spans go, how many are kept and what the service is called is for OpenTelemetry's own OTEL_* variables to say.
They are made when the request is over, so that nothing of it lies in the way of an answer. Source: OpenTelemetry's
semantic conventions for HTTP servers. As in the log, the route stands for the path, and nothing names an identity.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_trace_id, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from watchword.clock import Clock
from watchword.http.forwarded import is_authority
from watchword.http.methods import METHODS
from watchword.telemetry.finished import Finished

_FLUSH_SECONDS = 5.0
_NANOS = 1_000_000_000

_log = logging.getLogger(__name__)

# It would repeat whatever somebody wrote into a `tracestate` that cannot be read.
logging.getLogger("opentelemetry.trace").setLevel(logging.ERROR)


class Tracing:
    """Makes spans, and hands them to a thread that exports them in batches; what it cannot get rid of is dropped."""

    def __init__(self, clock: Clock, exporter: SpanExporter | None = None) -> None:
        self._clock = clock
        named = Resource({"service.name": "watchword"}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=Resource.create().merge(named), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("watchword")
        self._propagator = TraceContextTextMapPropagator()

    def record(self, finished: Finished) -> str | None:
        """The trace's id, 32 hexadecimal digits, or None where it is not kept (OTEL_TRACES_SAMPLER)."""
        ended = self._clock.micros() * 1_000
        began = ended - round(finished.seconds * _NANOS)
        span = self._tracer.start_span(
            _name(finished),
            self._propagator.extract(finished.headers),
            SpanKind.SERVER,
            _attributes(finished),
            start_time=began,
        )
        if not span.is_recording():
            return None
        if finished.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        if finished.seconds_to_caller is not None:
            proved = began + round(finished.seconds_to_caller * _NANOS)
            self._add(span, "authenticate", began, ended=proved)
            if finished.operation is not None:
                self._add(span, finished.operation, proved, ended=ended)
        span.end(ended)
        return format_trace_id(span.get_span_context().trace_id)

    async def close(self) -> None:
        """What waits is exported, unless that takes too long.

        The library's own time limits do not hold while a collector hangs, and an event loop does not end before the
        threads that it has made: so this one is made by hand, and nobody has to wait for it.
        """
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def export() -> None:
            self._provider.shutdown()
            with contextlib.suppress(RuntimeError):
                # Raised where the loop has ended meanwhile.
                loop.call_soon_threadsafe(done.set)

        threading.Thread(target=export, name="watchword-traces", daemon=True).start()
        try:
            await asyncio.wait_for(done.wait(), _FLUSH_SECONDS)
        except TimeoutError:
            _log.warning("the last traces could not be exported in time")

    def _add(self, parent: Span, name: str, began: int, *, ended: int) -> None:
        self._tracer.start_span(name, set_span_in_context(parent), start_time=began).end(ended)


def _name(finished: Finished) -> str:
    method = finished.method if finished.method in METHODS else "HTTP"
    return f"{method} {finished.path}".rstrip()


def _attributes(finished: Finished) -> dict[str, Any]:
    """The path is left out on purpose, though the conventions want `url.path`: it names identities."""
    found: dict[str, Any] = {
        "http.request.method": finished.method if finished.method in METHODS else "_OTHER",
        "http.response.status_code": finished.status,
        "url.scheme": finished.scheme,
        "watchword.request_id": finished.request_id,
    }
    host = finished.headers.get("host", "")
    if is_authority(host):
        name, _, port = host.rpartition(":")
        found["server.address"] = name if port.isdecimal() and name else host
        if port.isdecimal() and name:
            found["server.port"] = int(port)
    if finished.path:
        found["http.route"] = finished.path
    if finished.operation is not None:
        found["watchword.operation"] = finished.operation
    if finished.known_version is not None:
        found["watchword.api_version"] = finished.known_version
    if finished.code is not None:
        found["error.type"] = finished.code
    return found
