"""One JSON line for each request; its fields are documented in docs/reference/request-log.md.

    {"time":"2026-11-21T01:14:27.123456+00:00","requestId":"E1R1WbNQSkesx01XDn4uYg.0","method":"POST",
     "path":"/identities/{id}/:issueAccessToken","operation":"CommunicationIdentity_IssueAccessToken",
     "apiVersion":"2023-10-01","status":401,"code":"Denied","reason":"...","durationMicros":412, ...}

The path is the operation's template: neither a custom id nor an identifier that someone made up reaches the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import falcon.asgi
import msgspec

from watchword.clock import Clock, to_datetime
from watchword.rest.call import Caller, Manager
from watchword.rest.routes import AnyBinding, Path
from watchword.rest.sdks import find_sdk
from watchword.wire.errors import WireError
from watchword.wire.headers import CLIENT_REQUEST_ID, echoed_request_id
from watchword.wire.identity_bodies import format_time

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
    resource: str | None = None
    caller: str | None = None
    clientRequestId: str | None = None
    sdk: str | None = None


class RequestLog:
    """Writes through the standard logger `watchword.requests`; a logger that is off costs nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._encoder = msgspec.json.Encoder()
        self._lines: list[bytes] = []

    def write(
        self,
        request_id: str,
        method: str,
        path: Path,
        binding: AnyBinding | None,
        version: str | None,
        sent: Mapping[str, str],
        response: falcon.asgi.Response,
        error: WireError | None,
        caller: Caller | Manager | None,
        seconds: float,
    ) -> None:
        if not logger.isEnabledFor(logging.INFO):
            return
        entry = Entry(
            time=format_time(to_datetime(self._clock.micros())),
            requestId=request_id,
            method=method,
            path=path.template,
            status=int(response.status_code),
            durationMicros=round(seconds * 1_000_000),
            operation=binding.operation.id if binding else None,
            # What is not one of ours could be anything that somebody typed.
            apiVersion=version if binding and version in (binding.operation.versions or ()) else None,
            code=error.code if error else None,
            reason=error.message if error else None,
            resource=caller.resource.id if isinstance(caller, Caller) else None,
            caller=caller.name if caller else None,
            clientRequestId=echoed_request_id(sent.get(CLIENT_REQUEST_ID)),
            sdk=find_sdk(sent),
        )
        if not self._lines:
            # Runs before the answers of this tick leave, see rest/corked_transport.py.
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(self._encoder.encode(entry))

    def _flush(self) -> None:
        """The lines of a tick go out as one record: a record costs far more than a line."""
        lines, self._lines = self._lines, []
        logger.info("%s", b"\n".join(lines).decode())
