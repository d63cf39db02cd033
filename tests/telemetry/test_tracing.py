"""Traces: what a collector is sent by the real exporter, within whose trace, and what it is never told."""

import asyncio
import json
import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.support.nginx import free_port
from tests.support.signed import NEWEST, PREVIEW, SignedClient
from watchword.clock import SystemClock
from watchword.errors import OperatorError
from watchword.server.event_loop import run_event_loop
from watchword.settings import Settings
from watchword.telemetry.finished import Finished
from watchword.telemetry.opening import open_tracing
from watchword.telemetry.tracing import Tracing
from watchword.testing import running_server

SETTINGS = Settings(tls=False, traces=True)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


class Collector(ThreadingHTTPServer):
    """Takes spans as OTLP over HTTP, and keeps them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[bytes] = []

    def spans(self) -> list[Any]:
        found = []
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                names = {each.key: each.value.string_value for each in resource.resource.attributes}
                assert names["service.name"] == "watchword"
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{running.server_address[1]}")
        yield running
        running.shutdown()
        thread.join()


def finished(headers: dict[str, str] | None = None, method: str = "GET", status: int = 404) -> Finished:
    return Finished(
        request_id="x.0",
        method=method,
        path="",
        operation=None,
        version=None,
        headers=headers or {},
        scheme="https",
        status=status,
        code=None,
        reason=None,
        resource=None,
        caller=None,
        seconds=0.25,
        seconds_to_caller=None,
    )


def attributes(span: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_a_request_becomes_a_span_of_its_clients_trace(collector: Collector, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "watchword.requests")
    with running_server(SETTINGS) as server, SignedClient(server) as client:
        identity = client.new_identity()
        request = client.sign(
            "POST", f"/identities/{identity}/:issueAccessToken?api-version={NEWEST}", b'{"scopes":["chat"]}'
        )
        request.headers["traceparent"] = f"00-{TRACE}-{PARENT}-01"
        reply = client.send(request)
        assert reply.status == 200
    # The server has ended, and exported what waited before.
    spans = [span for span in collector.spans() if span.trace_id.hex() == TRACE]
    whole, *parts = sorted(spans, key=lambda span: span.end_time_unix_nano - span.start_time_unix_nano, reverse=True)
    assert (whole.name, whole.parent_span_id.hex()) == ("POST /identities/{id}/:issueAccessToken", PARENT)
    assert attributes(whole) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/identities/{id}/:issueAccessToken",
        "server.address": "localhost",
        "server.port": server.port,
        "url.scheme": "http",
        "watchword.request_id": reply.headers["ms-cv"],
        "watchword.operation": "CommunicationIdentity_IssueAccessToken",
        "watchword.api_version": NEWEST,
    }
    assert {part.name for part in parts} == {"authenticate", "CommunicationIdentity_IssueAccessToken"}
    assert {part.parent_span_id for part in parts} == {whole.span_id}
    assert all(whole.start_time_unix_nano <= part.start_time_unix_nano for part in parts)
    assert all(part.end_time_unix_nano <= whole.end_time_unix_nano for part in parts)
    lines = "\n".join(record.getMessage() for record in caplog.records if record.name == "watchword.requests")
    [entry] = [each for each in map(json.loads, lines.splitlines()) if each["requestId"] == reply.headers["ms-cv"]]
    assert entry["traceId"] == TRACE


def test_a_refusal_names_its_error_and_nothing_names_an_identity_or_a_secret(collector: Collector) -> None:
    with running_server(SETTINGS) as server, SignedClient(server) as client:
        reply = client.create({"customId": "bob@contoso.example", "createTokenWithScopes": ["chat"]}, PREVIEW)
        identity, token = reply.json["identity"]["id"], reply.json["accessToken"]["token"]
        assert client.call("POST", f"/identities?api-version={NEWEST}", key=b"wrong").status == 401
        assert client.call("GET", f"/{token}").status == 404
        assert client.call("POST", f"/identities/{identity}/:issueAccessToken?api-version={NEWEST}").status == 400
    errors = {attributes(span).get("error.type") for span in collector.spans()}
    assert errors == {None, "Denied", "NotFound", "ValidationError"}
    told = b"".join(collector.bodies)
    for secret in (identity, identity.partition("_")[2], token, token.rpartition(".")[2], "bob@contoso", "Signature"):
        assert secret.encode() not in told


def test_what_the_client_does_not_sample_is_not_kept(collector: Collector, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "watchword.requests")
    with running_server(SETTINGS) as server, SignedClient(server) as client:
        request = client.sign("POST", f"/identities?api-version={NEWEST}")
        request.headers["traceparent"] = f"00-{TRACE}-{PARENT}-00"
        assert client.send(request).status == 201
    assert collector.spans() == []
    assert "traceId" not in caplog.text


def test_a_collector_that_is_away_costs_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    with running_server(SETTINGS) as server, SignedClient(server) as client:
        assert [client.create().status for _ in range(20)] == [201] * 20


class Hanging(SpanExporter):
    """A collector that takes its time, until a test lets it go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.came_back = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.let_go.wait(10)
        self.came_back = True
        return SpanExportResult.SUCCESS


def test_a_collector_that_hangs_keeps_no_server_from_ending(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("watchword.telemetry.tracing._FLUSH_SECONDS", 0.05)
    hanging = Hanging()

    async def serve() -> None:
        tracing = Tracing(SystemClock(), hanging)
        tracing.record(finished())
        await tracing.close()

    run_event_loop(serve())
    assert not hanging.came_back
    assert "the last traces could not be exported in time" in caplog.text
    hanging.let_go.set()


def test_what_somebody_wrote_into_a_tracestate_reaches_no_log(caplog: pytest.LogCaptureFixture) -> None:
    tracing = Tracing(SystemClock(), InMemorySpanExporter())
    for state in ("bob@contoso.example", "a=b,\u00e9", "x" * 2_000):
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": state}
        assert tracing.record(finished(headers)) == TRACE
    assert tracing.record(finished({"traceparent": "bob@contoso.example" * 100})) != TRACE
    asyncio.run(tracing.close())
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("localhost:8443", {"server.address": "localhost", "server.port": 8443}),
        ("acs.example", {"server.address": "acs.example"}),
        ("[::1]", {"server.address": "[::1]"}),
        ("[::1]:8443", {"server.address": "[::1]", "server.port": 8443}),
        ("bob@contoso.example", {}),
    ],
)
async def test_a_span_names_the_address_that_was_called(host: str, told: dict[str, Any]) -> None:
    kept = InMemorySpanExporter()
    tracing = Tracing(SystemClock(), kept)
    tracing.record(finished({"host": host}, method="BREW"))
    await tracing.close()
    [span] = kept.get_finished_spans()
    found = dict(span.attributes or {})
    assert {name: value for name, value in found.items() if name.startswith("server.")} == told
    # The conventions want few names: what nobody serves has none of its own.
    assert (span.name, found["http.request.method"]) == ("HTTP", "_OTHER")


def test_a_variable_that_cannot_hold_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1000000")
    with pytest.raises(OperatorError, match="max_export_batch_size must be less than or equal to max_queue_size"):
        open_tracing(SystemClock())


async def test_a_span_of_a_fault_is_an_error() -> None:
    kept = InMemorySpanExporter()
    tracing = Tracing(SystemClock(), kept)
    trace_id = tracing.record(finished(status=503))
    await tracing.close()
    [span] = kept.get_finished_spans()
    assert (span.name, span.status.status_code.name) == ("GET", "ERROR")
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == trace_id
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time - span.start_time == 250_000_000


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchword.telemetry.tracing", None)
    with pytest.raises(OperatorError, match=r"pip install '\.\[otel\]'"):
        open_tracing(SystemClock())
