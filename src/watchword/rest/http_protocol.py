"""HTTP/1.1 on the socket: uvicorn's parser, with what a server that faces strangers needs besides.

Kept here: the request target to the byte (signatures cover it, and `/identities?` is not `/identities`), a cap on the
size of a head, and deadlines for a head and a body that come slowly. Timers exist only while a request is incomplete,
so that one that arrives whole costs nothing.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from watchword.errors import TooLarge, TooSlow
from watchword.rest.corked_transport import CorkedTransport
from watchword.wire import headers
from watchword.wire.errors import WireError, describe

MAXIMUM_HEAD_BYTES = 32_768
HEAD_DEADLINE = timedelta(seconds=10)
BODY_DEADLINE = timedelta(seconds=20)

_PARTING_SECONDS = 0.5
_REASONS = {408: "Request Timeout", 431: "Request Header Fields Too Large"}


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    head_deadline = HEAD_DEADLINE
    body_deadline = BODY_DEADLINE

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_bytes = 0
        self._in_head = True
        self._in_message = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(CorkedTransport(transport, self.loop))
        # A connection that says nothing is as slow as one that says little.
        self._deadline = self.loop.call_later(self.head_deadline.total_seconds(), self._expire)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        # A polite end of TLS waits for the peer's answer; an idle client may never send it.
        self.loop.call_later(_PARTING_SECONDS, self._part)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        was_in_head = self._in_head
        self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and was_in_head and self._head_bytes > MAXIMUM_HEAD_BYTES:
            self._refuse(describe(TooLarge("head", MAXIMUM_HEAD_BYTES)))
        elif not self._in_message:
            self._disarm()
        elif self._deadline is None or was_in_head != self._in_head:
            self._disarm()
            allowed = self.head_deadline if self._in_head else self.body_deadline
            self._deadline = self.loop.call_later(allowed.total_seconds(), self._expire)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_message = self._in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self.scope["watchword.target"] = self.url.decode("latin-1")  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_message = False
        self._in_head = True
        self._head_bytes = 0

    def _part(self) -> None:
        if self.transport.is_closing():
            self.transport.abort()

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        self._deadline = None
        if not self._in_message:
            self.transport.close()
        else:
            self._refuse(describe(TooSlow("head" if self._in_head else "body", self._allowed())))

    def _allowed(self) -> timedelta:
        return self.head_deadline if self._in_head else self.body_deadline

    def _refuse(self, error: WireError) -> None:
        """Answer without the pipeline, which never saw the request whole, and close."""
        body = error.body()
        lines = [
            f"HTTP/1.1 {error.status} {_REASONS[error.status]}",
            f"content-type: {headers.JSON_ERROR}",
            f"content-length: {len(body)}",
            f"ms-cv: {headers.correlation_vector()}",
            f"request-context: {headers.REQUEST_CONTEXT}",
            "connection: close",
        ]
        self._disarm()
        if not self.transport.is_closing():
            self.transport.write("\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body)
            self.transport.close()
