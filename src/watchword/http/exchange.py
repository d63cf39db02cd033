"""One request that has arrived whole, and the way its answer goes back."""

from __future__ import annotations

import http
from collections.abc import Sequence
from typing import Protocol

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in http.HTTPStatus}
_WITHOUT_BODY = (204, 304)

Headers = Sequence[tuple[str, str]]


class Connection(Protocol):
    """What an exchange needs of the connection that it came over."""

    scheme: str
    client_host: str | None
    server_port: int | None
    is_lost: bool

    @property
    def date(self) -> str: ...

    def send(self, data: bytes) -> None: ...

    async def drain(self) -> None: ...

    def finish(self, exchange: Exchange) -> None: ...


class Exchange:
    """`target` is exactly what was sent, `path` and `query` its parts, undecoded; of a body that `is_too_large` nothing
    is there. `headers` have lower-case names; one that was sent twice holds both values, joined by a comma.
    """

    __slots__ = (
        "_is_chunked",
        "body",
        "connection",
        "extra_headers",
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
        self.is_too_large = self.is_begun = False
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
        """Raises:
        ConnectionResetError: nobody listens any more.
        """
        if self.connection.is_lost:
            raise ConnectionResetError
        self.connection.send(b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data)
        await self.connection.drain()

    def end(self) -> None:
        if self._is_chunked:
            self.connection.send(b"0\r\n\r\n")
        self.connection.finish(self)

    def _head(self, status: int, headers: Headers) -> bytes:
        lines = [f"{name}: {value}\r\n" for name, value in (*headers, *self.extra_headers)]
        if not self.keep_alive:
            lines.append("connection: close\r\n")
        text = f"{_STATUS_LINES[status]}date: {self.connection.date}\r\n{''.join(lines)}\r\n"
        # A value with a line break of its own could pass for a header, or for a second answer.
        if text.count("\n") != len(lines) + 3 or text.count("\r") != len(lines) + 3:
            raise ValueError("a header has a line break")
        return text.encode("latin-1")
