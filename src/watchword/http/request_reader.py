"""Bytes into exchanges: httptools parses, and a request is handed on when it has arrived whole.

Kept here: the request target to the byte (signatures cover it, and `/identities?` is not `/identities`), and the caps
on the size of a head and a body.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import httptools

from watchword.errors import TooLarge
from watchword.http.exchange import Connection, Exchange

MAXIMUM_HEAD_BYTES = 32_768
"""Of target and headers together, each header with four bytes for what separates it. Trailers count as headers do."""

MAXIMUM_BODY_BYTES = 65_536
"""Of the body, and once more of what frames it where it comes in chunks."""

_PIECE_BYTES = 4_096
"""What the parser is given at once. It holds some two hundred of the smallest requests."""


class NotHttp(Exception):
    """Nothing can be read from here on."""


class Part(Enum):
    """What the parser is in the middle of."""

    NOTHING = "nothing"
    HEAD = "head"
    BODY = "body"


class _Stop(Exception):
    """Makes the parser stop; never leaves this file."""


class RequestReader:
    """Calls `enter` at the beginning of each part, `expect` when a client waits to send its body, and `hand_on` with
    each exchange: whole, or too large and then at once.

    It reads nothing while `is_paused`, which whoever is handed an exchange may set; what comes meanwhile is kept for
    the next `feed`.
    """

    def __init__(
        self,
        connection: Connection,
        enter: Callable[[Part], None],
        expect: Callable[[], None],
        hand_on: Callable[[Exchange], None],
    ) -> None:
        self._connection = connection
        self._enter = enter
        self._expect = expect
        self._hand_on = hand_on
        self._parser: Any = httptools.HttpRequestParser(self)
        self.part = Part.NOTHING
        self.is_paused = False
        self._is_over = False
        self._unread = memoryview(b"")
        self._bytes_of_part = 0
        self._exchange = Exchange(connection)

    def feed(self, data: bytes) -> None:
        """Raises:
        TooLarge: the head, or a body with what frames it.
        NotHttp: it is none.
        """
        if self._is_over:
            return
        if len(data) <= _PIECE_BYTES and not self._unread and not self.is_paused:
            self._parse(data)
        else:
            self._unread = memoryview(b"".join((self._unread, data)) if self._unread else data)
            self._read_on()

    @property
    def has_unread(self) -> bool:
        return bool(self._unread)

    def close(self) -> None:
        # Each holds the other.
        self._parser = None

    def _read_on(self) -> None:
        # The parser cannot be told to stop behind a request; so it is given little at once.
        while self._unread and not self.is_paused and not self._is_over:
            piece, self._unread = self._unread[:_PIECE_BYTES], self._unread[_PIECE_BYTES:]
            self._parse(piece)
        if not self._unread or self._is_over:
            # An empty view would keep alive what it is a view of.
            self._unread = memoryview(b"")

    def _parse(self, data: bytes | memoryview) -> None:
        self._bytes_of_part += len(data)
        try:
            while not self._is_over:
                try:
                    self._parser.feed_data(data)
                    break
                except httptools.HttpParserUpgrade as offer:
                    self._ignore_offer()
                    data = data[offer.args[0] :]
        except httptools.HttpParserError:
            if self._is_over:
                return
            if self._exchange.head_bytes > MAXIMUM_HEAD_BYTES:
                raise TooLarge("head", MAXIMUM_HEAD_BYTES) from None
            raise NotHttp from None
        # Half a header and the extensions of chunks are not told by the parser, yet or ever.
        if self.part is Part.HEAD and self._bytes_of_part > MAXIMUM_HEAD_BYTES + _PIECE_BYTES:
            raise TooLarge("head", MAXIMUM_HEAD_BYTES)
        if self.part is Part.BODY and self._bytes_of_part - self._body_bytes > MAXIMUM_BODY_BYTES:
            raise TooLarge("body", MAXIMUM_BODY_BYTES)

    def _ignore_offer(self) -> None:
        """Go on as if the request had not offered another protocol (RFC 9110, section 7.8).

        The parser takes whatever follows such a head for the other protocol. Therefore a new one reads on, and is told
        first how the body is framed.
        """
        exchange = self._exchange
        self._parser = httptools.HttpRequestParser(self)
        framing = _framing(exchange)
        if framing is None:
            self._complete()
            return
        self._parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n\r\n")
        self._exchange = exchange

    # -- What the parser calls.

    def on_message_begin(self) -> None:
        self._exchange = Exchange(self._connection)
        self._fields: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._begin(Part.HEAD)

    def on_url(self, url: bytes) -> None:
        self._exchange.target += url.decode("latin-1")
        self._exchange.head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        # The trailers of a body in chunks come here too. They are counted, and nobody reads them: what comes after the
        # body can be no credential, and says nothing of how to read it (RFC 9110, section 6.5.1).
        exchange = self._exchange
        exchange.head_bytes += len(name) + len(value) + 4
        if exchange.head_bytes > MAXIMUM_HEAD_BYTES:
            raise _Stop
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        exchange, parser = self._exchange, self._parser
        if exchange.head_bytes > MAXIMUM_HEAD_BYTES:
            raise _Stop
        exchange.headers = sent = _headers(self._fields)
        if "transfer-encoding" in sent and sent["transfer-encoding"].lower() != "chunked":
            raise _Stop
        exchange.method = parser.get_method().decode("ascii")
        exchange.path, exchange.query = _split(exchange.target)
        exchange.is_modern = parser.get_http_version() != "1.0"
        # After CONNECT comes what is no HTTP.
        exchange.keep_alive = exchange.is_modern and exchange.method != "CONNECT"
        self._begin(Part.BODY)
        if "expect" in sent and sent["expect"].lower() == "100-continue":
            self._expect()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > MAXIMUM_BODY_BYTES:
            # It is answered now; what is left of it is not read, so the connection cannot be used again.
            self._exchange.is_too_large = True
            self._exchange.keep_alive = False
            self._complete()
            raise _Stop
        self._body.append(body)

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            # A trailer may have said so too, and then the parser reads nothing more.
            self._exchange.keep_alive = False
        if self._parser.should_upgrade():
            # This is only the head's end; see `_ignore_offer`.
            return
        self._complete()
        if self._is_over:
            raise _Stop

    def _complete(self) -> None:
        exchange = self._exchange
        if not exchange.is_too_large:
            exchange.body = b"".join(self._body)
        self._is_over = not exchange.keep_alive
        self._begin(Part.NOTHING)
        self._hand_on(exchange)

    def _begin(self, part: Part) -> None:
        self.part = part
        self._bytes_of_part = 0
        self._enter(part)


def _headers(fields: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """By name; the values of one that was sent again and again are joined only once."""
    found: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    for raw_name, raw_value in fields:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in found:
            repeated.setdefault(name, [found[name]]).append(value)
        else:
            found[name] = value
    for name, values in repeated.items():
        found[name] = ", ".join(values)
    return found


def _framing(exchange: Exchange) -> bytes | None:
    """The header that says how the body is framed, if there is one: the parser has refused what says it twice."""
    if exchange.method == "CONNECT":
        return None
    if "transfer-encoding" in exchange.headers:
        return b"transfer-encoding: chunked"
    length = int(exchange.headers.get("content-length", "0"))
    return b"content-length: %d" % length if length else None


def _split(target: str) -> tuple[str, str]:
    """Path and query. An absolute target (RFC 9112, section 3.2.2) is for proxies, and has a path too."""
    if target.startswith("/"):
        path, _, query = target.partition("?")
        return path, query
    parsed = httptools.parse_url(target.encode("latin-1"))
    return (parsed.path or b"*").decode("latin-1"), (parsed.query or b"").decode("latin-1")
