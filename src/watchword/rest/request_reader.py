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
from watchword.rest.exchange import Connection, Exchange

MAXIMUM_HEAD_BYTES = 32_768
"""Of target and headers together, each header with four bytes for what separates it."""

MAXIMUM_BODY_BYTES = 65_536


class NotHttp(Exception):
    """Nothing can be read from here on."""


class Part(Enum):
    """What the parser is in the middle of."""

    NOTHING = "nothing"
    HEAD = "head"
    BODY = "body"


class _HeadTooLarge(Exception):
    """Makes the parser stop; never leaves this file."""


class RequestReader:
    """Calls `enter` at the beginning of each part, `expect` when a client waits to send its body, and `hand_on` with
    each exchange: whole, or too large and then at once.
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
        # A request after one that closes the connection must not turn the first one's answer into an error.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.part = Part.NOTHING
        self._bytes_of_head = 0
        self._exchange = Exchange(connection)

    def feed(self, data: bytes) -> None:
        """Raises:
        TooLarge: the head.
        NotHttp: it is none.
        """
        self._bytes_of_head += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nobody here offers another protocol: the request is answered as if it had not asked for one.
            pass
        except httptools.HttpParserError:
            if self._head_is_too_large():
                raise TooLarge("head", MAXIMUM_HEAD_BYTES) from None
            raise NotHttp from None
        if self.part is Part.HEAD and self._bytes_of_head > MAXIMUM_HEAD_BYTES:
            raise TooLarge("head", MAXIMUM_HEAD_BYTES)

    def close(self) -> None:
        # Each holds the other.
        self._parser = None

    # -- What the parser calls.

    def on_message_begin(self) -> None:
        self._exchange = Exchange(self._connection)
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._begin(Part.HEAD)
        self._bytes_of_head = 0

    def on_url(self, url: bytes) -> None:
        self._exchange.target += url.decode("latin-1")

    def on_header(self, raw_name: bytes, raw_value: bytes) -> None:
        exchange = self._exchange
        exchange.head_bytes += len(raw_name) + len(raw_value) + 4
        name, value, known = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1"), exchange.headers
        known[name] = f"{known[name]}, {value}" if name in known else value

    def on_headers_complete(self) -> None:
        exchange, parser = self._exchange, self._parser
        if self._head_is_too_large():
            raise _HeadTooLarge
        exchange.method = parser.get_method().decode("ascii")
        exchange.path, exchange.query = _split(exchange.target)
        exchange.is_modern = parser.get_http_version() != "1.0"
        exchange.keep_alive = exchange.is_modern and parser.should_keep_alive()
        self._begin(Part.BODY)
        if "expect" in exchange.headers and exchange.headers["expect"].lower() == "100-continue":
            self._expect()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes <= MAXIMUM_BODY_BYTES:
            self._body.append(body)
        elif not self._exchange.is_too_large:
            # It is answered now; what is left of it is not read, so the connection cannot be used again.
            self._exchange.is_too_large = True
            self._exchange.keep_alive = False
            self._begin(Part.NOTHING)
            self._hand_on(self._exchange)

    def on_message_complete(self) -> None:
        self._begin(Part.NOTHING)
        if not self._exchange.is_too_large:
            self._exchange.body = b"".join(self._body)
            self._hand_on(self._exchange)

    def _begin(self, part: Part) -> None:
        self.part = part
        self._enter(part)

    def _head_is_too_large(self) -> bool:
        return self._exchange.head_bytes + len(self._exchange.target) > MAXIMUM_HEAD_BYTES


def _split(target: str) -> tuple[str, str]:
    """Path and query. An absolute target (RFC 9112, section 3.2.2) is for proxies, and has a path too."""
    if target.startswith("/"):
        path, _, query = target.partition("?")
        return path, query
    parsed = httptools.parse_url(target.encode("latin-1"))
    return (parsed.path or b"*").decode("latin-1"), (parsed.query or b"").decode("latin-1")
