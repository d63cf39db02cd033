"""One request that has arrived whole, and the way its answer goes back."""

from __future__ import annotations

import http
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from watchword.http.websocket import OnOpen

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in http.HTTPStatus}
_WITHOUT_BODY = (204, 304)

Headers = Sequence[tuple[str, str]]

_LAST = "connection: close\r\n\r\n"
_EARLIER_SECONDS = 5
"""So much earlier than we do clients are to give up an idle connection: else a request crosses with our closing it."""


def persistence(keep_alive: timedelta) -> str:
    """How a head ends on a connection that stays open: with how long its client may leave it idle.

    Source: RFC 9112, section 9.3, and RFC 2068, section 19.7.1, for the parameter, which Apache's client, undici and
    .NET obey.
    """
    seconds = int(keep_alive.total_seconds()) - _EARLIER_SECONDS
    return f"connection: keep-alive\r\nkeep-alive: timeout={seconds}\r\n\r\n" if seconds > 0 else "\r\n"


class Connection(Protocol):
    """What an exchange needs of the connection that it came over."""

    scheme: str
    client_host: str | None
    server_port: int | None
    is_lost: bool
    is_stopping: bool
    persistence: str

    @property
    def date(self) -> str: ...

    def send(self, data: bytes) -> None: ...

    async def drain(self) -> None: ...

    def finish(self, exchange: Exchange) -> None: ...

    def can_switch(self, exchange: Exchange) -> bool: ...

    def switch(self, on_open: OnOpen) -> None: ...


class Exchange:
    """`target` is exactly what was sent, `path` and `query` its parts, undecoded. Nothing is there of a body that
    `is_too_large`, or that `finds_no_room` beside those of others. `headers` have lower-case names; one that was sent
    twice holds both values, joined by a comma.
    """

    __slots__ = (
        "_is_chunked",
        "body",
        "connection",
        "extra_headers",
        "finds_no_room",
        "head_bytes",
        "headers",
        "is_begun",
        "is_modern",
        "is_too_large",
        "keep_alive",
        "method",
        "path",
        "query",
        "target",
    )

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.method = self.target = self.path = self.query = ""
        self.headers: dict[str, str] = {}
        self.body = b""
        self.head_bytes = 0
        self.is_too_large = self.finds_no_room = self.is_begun = False
        self.is_modern = self.keep_alive = True
        self.extra_headers: Headers = ()
        """What goes along with whatever the answer is."""

    def answer(self, status: int, headers: Headers, body: bytes = b"") -> None:
        """The whole answer, in one write.

        Raises:
            ValueError: a header would break the head; nothing was sent.
        """
        if status not in _WITHOUT_BODY:
            headers = [*headers, ("content-length", str(len(body)))]
        head = self._head(status, headers)
        self.connection.send(head if self.method == "HEAD" else head + body)
        self.connection.finish(self)

    def begin(self, status: int, headers: Headers) -> None:
        """The head of an answer whose end is not known yet; `write` and `end` follow."""
        self.is_begun = True
        self._is_chunked = self.is_modern
        if self._is_chunked:
            headers = [*headers, ("transfer-encoding", "chunked")]
        else:
            self.keep_alive = False
        self.connection.send(self._head(status, headers))

    async def write(self, data: bytes) -> None:
        """Send a piece of the answer, and wait until it is taken.

        Raises:
            ConnectionResetError: nobody listens any more.
        """
        if self.connection.is_lost:
            raise ConnectionResetError
        self.connection.send(b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data)
        await self.connection.drain()

    def end(self) -> None:
        if self._is_chunked and self.method != "HEAD":
            self.connection.send(b"0\r\n\r\n")
        self.connection.finish(self)

    def switch(self, headers: Headers, on_open: OnOpen) -> None:
        """Answer that from here on the connection is a WebSocket, as it must be able to."""
        self.connection.send(self._head(101, headers, "\r\n"))
        self.connection.switch(on_open)

    def _head(self, status: int, headers: Headers, end: str = "") -> bytes:
        lines = [f"{name}: {value}\r\n" for name, value in (*headers, *self.extra_headers)]
        text = f"{_STATUS_LINES[status]}date: {self.connection.date}\r\n{''.join(lines)}"
        # A value with a line break of its own could pass for a header, or for a second answer.
        if text.count("\n") != len(lines) + 2 or text.count("\r") != len(lines) + 2:
            raise ValueError("a header has a line break")
        end = end or (self.connection.persistence if self.keep_alive else _LAST)
        return (text + end).encode("latin-1")
