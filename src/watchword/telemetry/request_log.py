"""One JSON line for each request; its fields are documented in docs/reference/request-log.md.

    {"time":"2026-11-21T01:14:27.123456+00:00","requestId":"E1R1WbNQSkesx01XDn4uYg.0","method":"POST",
     "path":"/identities/{id}/:issueAccessToken","operation":"CommunicationIdentity_IssueAccessToken",
     "apiVersion":"2023-10-01","status":401,"code":"Denied","reason":"...","durationMicros":412, ...}

The path is the operation's template: neither a custom id nor an identifier that someone made up reaches the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec

from watchword.clock import Clock
from watchword.telemetry.finished import Finished
from watchword.telemetry.sdks import find_sdk

logger = logging.getLogger("watchword.requests")


class Entry(msgspec.Struct, omit_defaults=True):
    """The fields, in order. Absent ones are left out."""

    time: str
    requestId: str
    method: str
    path: str
    status: int
    durationMicros: int
    operation: str | None = None
    apiVersion: str | None = None
    code: str | None = None
    reason: str | None = None
    ignored: Sequence[str] | None = None
    resource: str | None = None
    caller: str | None = None
    clientRequestId: str | None = None
    sdk: str | None = None
    traceId: str | None = None


class RequestLog:
    """Writes through the standard logger `watchword.requests`; a logger that is off costs nothing.

    `format_time` says how microseconds since 1970 are written.
    """

    def __init__(self, clock: Clock, *, format_time: Callable[[int], str]) -> None:
        self._clock = clock
        self._format_time = format_time
        self._encoder = msgspec.json.Encoder()
        self._lines: list[bytes] = []

    def write(self, finished: Finished, trace_id: str | None, client_request_id: str | None) -> None:
        if not logger.isEnabledFor(logging.INFO):
            return
        sent = finished.headers
        # With more than fifteen named arguments a call costs Python several times as much.
        entry = Entry(
            self._format_time(self._clock.micros()),
            finished.request_id,
            method=finished.method,
            path=finished.path,
            status=finished.status,
            durationMicros=round(finished.seconds * 1_000_000),
            operation=finished.operation,
            apiVersion=finished.known_version,
            code=finished.code,
            reason=finished.reason,
            ignored=finished.ignored or None,
            resource=finished.resource,
            caller=finished.caller,
            clientRequestId=client_request_id,
            sdk=find_sdk(sent),
            traceId=trace_id,
        )
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(self._encoder.encode(entry))

    def _flush(self) -> None:
        """The lines of a tick go out as one record: a record costs far more than a line."""
        lines, self._lines = self._lines, []
        logger.info("%s", b"\n".join(lines).decode())
