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
from watchword.http.large_bodies import LargeBodies

MAXIMUM_HEAD_BYTES = 32_768
"""Of target and headers together, each header with four bytes for what separates it. Trailers count as headers do."""

MAXIMUM_BODY_BYTES = 65_536
"""Of the body, where the application does not say more, and once more of what frames it where it comes in chunks."""

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
    each exchange: whole, or too large and then at once. One that offers a WebSocket goes to `hand_on_offer` instead,
    and the reader pauses right behind it: what follows may be none of its own.

    It reads nothing while `is_paused`, which whoever is handed an exchange may set; what comes meanwhile is kept for
    the next `feed`. `most_body_bytes` is asked for a body that is larger than most are, which then has to find room
    among `large_bodies`.
    """

    def __init__(
        self,
        connection: Connection,
        enter: Callable[[Part], None],
        expect: Callable[[], None],
        *,
        hand_on: Callable[[Exchange], None],
        hand_on_offer: Callable[[Exchange], None],
        most_body_bytes: Callable[[Exchange], int] = lambda _: MAXIMUM_BODY_BYTES,
        large_bodies: LargeBodies,
    ) -> None:
        self._connection = connection
        self._enter = enter
        self._expect = expect
        self._hand_on = hand_on
        self._hand_on_offer = hand_on_offer
        self._most_body_bytes = most_body_bytes
        self._large_bodies = large_bodies
        self._taken_bytes = 0
        self._parser: Any = httptools.HttpRequestParser(self)
        self.part = Part.NOTHING
        self.is_paused = False
        self._is_over = self._is_cut_short = False
        self._unread = memoryview(b"")
        self._bytes_of_part = 0
        self._exchange = Exchange(connection)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the connection.

        Raises:
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

    @property
    def is_cut_short(self) -> bool:
        """Whether something of a request was not read, which may still arrive."""
        return self._is_cut_short or self.part is not Part.NOTHING or self.has_unread

    @property
    def path(self) -> str:
        """What of the path has arrived of the request that is being read, undecoded; nothing of an absolute target."""
        target = self._exchange.target
        return target.partition("?")[0] if target.startswith("/") else ""

    def close(self) -> bytes:
        """What was not read."""
        self._give_back()
        # Each holds the other.
        self._parser = None
        unread, self._unread = bytes(self._unread), memoryview(b"")
        return unread

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
                    self._pass_offer()
                    data = data[offer.args[0] :]
                    if self.is_paused:
                        self._unread = memoryview(b"".join((data, self._unread)))
                        break
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

    def _pass_offer(self) -> None:
        """Go on as if the request had not offered another protocol (RFC 9110, section 7.8), but pause where a WebSocket
        may begin.

        The parser takes whatever follows such a head for the other protocol. Therefore a new one reads on, and is told
        first how the body is framed.
        """
        exchange = self._exchange
        self._parser = httptools.HttpRequestParser(self)
        framing = _framing(exchange)
        if framing is None:
            if _offers_websocket(exchange):
                self.is_paused = True
                self._complete(self._hand_on_offer)
            else:
                self._complete(self._hand_on)
            return
        self._parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n\r\n")
        self._exchange = exchange

    # -- What the parser calls.

    def on_message_begin(self) -> None:
        self._exchange = Exchange(self._connection)
        self._fields: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._room = MAXIMUM_BODY_BYTES
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
        if self._body_bytes > self._room:
            self._room = self._most_body_bytes(self._exchange)
        if self._body_bytes > MAXIMUM_BODY_BYTES:
            self._require_room(len(body))
        self._body.append(body)

    def _require_room(self, count: int) -> None:
        is_too_large = self._body_bytes > self._room
        if not is_too_large and self._large_bodies.take(count):
            self._taken_bytes += count
            return
        # It is answered now; what is left of it is not read, so the connection cannot be used again.
        self._exchange.is_too_large, self._exchange.finds_no_room = is_too_large, not is_too_large
        self._exchange.keep_alive = False
        self._is_cut_short = True
        self._complete(self._hand_on)
        raise _Stop

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            # A trailer may have said so too, and then the parser reads nothing more.
            self._exchange.keep_alive = False
        if self._parser.should_upgrade():
            # This is only the head's end; see `_pass_offer`.
            return
        self._complete(self._hand_on)
        if self._is_over:
            raise _Stop

    def _complete(self, hand_on: Callable[[Exchange], None]) -> None:
        exchange = self._exchange
        if not exchange.is_too_large and not exchange.finds_no_room:
            exchange.body = b"".join(self._body)
        if self._taken_bytes:
            self._give_back()
        self._is_over = not exchange.keep_alive
        self._begin(Part.NOTHING)
        hand_on(exchange)

    def _give_back(self) -> None:
        self._large_bodies.give_back(self._taken_bytes)
        self._taken_bytes = 0

    def _begin(self, part: Part) -> None:
        self.part = part
        self._bytes_of_part = 0
        self._enter(part)


def _headers(fields: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name; the values of one that was sent again and again are joined only once."""
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


def _offers_websocket(exchange: Exchange) -> bool:
    return exchange.method == "GET" and exchange.keep_alive and "websocket" in exchange.headers["upgrade"].lower()


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
