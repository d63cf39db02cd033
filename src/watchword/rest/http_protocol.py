"""HTTP/1.1 on the socket: uvicorn's parser, with what a server that faces strangers needs besides.

Kept here: the request target to the byte (signatures cover it, and `/identities?` is not `/identities`), a cap on the
size of a head, and deadlines for a head and a body that come slowly. Timers exist only while a request is incomplete,
so that one that arrives whole costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from watchword.errors import TooLarge, TooSlow
from watchword.rest.corked_transport import CorkedTransport
from watchword.wire import headers
from watchword.wire.errors import WireError, describe

MAXIMUM_HEAD_BYTES = 32_768
"""Of target and headers together, each header with four bytes for what separates it."""

HEAD_DEADLINE = timedelta(seconds=10)
BODY_DEADLINE = timedelta(seconds=20)

_PARTING_SECONDS = 0.5
_REASONS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}


class _Part(Enum):
    """What the parser is in the middle of."""

    NOTHING = "nothing"
    HEAD = "head"
    BODY = "body"


class _HeadTooLarge(Exception):
    """Makes the parser stop; never leaves this file."""


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    head_deadline = HEAD_DEADLINE
    body_deadline = BODY_DEADLINE
    tell_refusal: Callable[[int, str], None] | None = None
    """Is told status and error code of what never reaches the application."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._part = _Part.NOTHING
        self._head_bytes = 0
        self._is_too_large = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(CorkedTransport(transport, self.loop))
        # A connection that says nothing is as slow as one that says little.
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        # A polite end of TLS waits for the peer's answer; an idle client may never send it.
        self.loop.call_later(_PARTING_SECONDS, self._abort)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            self._disarm()
        elif self._part is _Part.HEAD and self._head_bytes > MAXIMUM_HEAD_BYTES:
            self._refuse(describe(TooLarge("head", MAXIMUM_HEAD_BYTES)))
        elif self._part is not _Part.NOTHING or self._is_idle():
            # Idle, though something arrived: blank lines stop uvicorn's own timer, and begin no request.
            self._arm()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._enter(_Part.HEAD)
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MAXIMUM_HEAD_BYTES:
            self._is_too_large = True
            raise _HeadTooLarge
        self.scope["watchword.target"] = self.url.decode("latin-1")  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()
        self._enter(_Part.BODY)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._enter(_Part.NOTHING)

    def send_400_response(self, msg: str) -> None:
        """Called when the parser gave up: a 400 that says no more, unless the parser was stopped by us."""
        if self._is_too_large:
            self._refuse(describe(TooLarge("head", MAXIMUM_HEAD_BYTES)))
            return
        if self._may_answer():
            self._answer(400, "", "text/plain; charset=utf-8", msg.encode("ascii"))
        self._hang_up()

    def _enter(self, part: _Part) -> None:
        self._part = part
        # Every part has a deadline of its own, counted from its beginning.
        self._disarm()

    def _arm(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self._allowed().total_seconds(), self._expire)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _allowed(self) -> timedelta:
        return self.body_deadline if self._part is _Part.BODY else self.head_deadline

    def _expire(self) -> None:
        self._deadline = None
        if self.flow.read_paused:
            # It is we who do not read: the client waits for its turn.
            self._arm()
        elif self._part is _Part.NOTHING:
            self.transport.close()
        else:
            self._refuse(describe(TooSlow(self._part.value, self._allowed())))

    def _is_idle(self) -> bool:
        # Before the first request there is no cycle, whatever uvicorn's annotation says.
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def _may_answer(self) -> bool:
        """Whether what is written now is the answer to the message that is being read, and to no earlier one."""
        if self._is_idle():
            return self._part is not _Part.BODY
        return self._part is _Part.BODY and not self.pipeline and not self.cycle.response_started

    def _refuse(self, error: WireError) -> None:
        """Answer without the pipeline, which never saw the request whole, and close."""
        if self._may_answer():
            self._answer(error.status, error.code, headers.JSON_ERROR, error.body())
        self._hang_up()

    def _answer(self, status: int, code: str, media_type: str, body: bytes) -> None:
        if self.tell_refusal is not None:
            self.tell_refusal(status, code)
        lines = [
            f"HTTP/1.1 {status} {_REASONS[status]}",
            f"content-type: {media_type}",
            f"content-length: {len(body)}",
            f"ms-cv: {headers.correlation_vector()}",
            f"request-context: {headers.REQUEST_CONTEXT}",
            "connection: close",
        ]
        self.transport.write("\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body)

    def _hang_up(self) -> None:
        self._disarm()
        self.transport.close()
        if not self._is_idle():
            # Whoever reads the rest of the body learns that there is none, and is not waited for.
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _abort(self) -> None:
        if self.transport.is_closing():
            self.transport.abort()
