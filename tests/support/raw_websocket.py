"""The client's end of a WebSocket, byte by byte: what no library would send."""

from __future__ import annotations

import base64
import hashlib
import socket
from dataclasses import dataclass

KEY = base64.b64encode(b"0123456789abcdef")
ACCEPT = base64.b64encode(hashlib.sha1(KEY + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
TEXT, BINARY, CLOSE, PING, PONG = 0x81, 0x82, 0x88, 0x89, 0x8A
FIRST_TEXT, FIRST_BINARY, MORE, LAST = 0x01, 0x02, 0x00, 0x80
OFFER = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
VERSION = b"Sec-WebSocket-Version: 13\r\n"
MASK = bytes((0x37, 0xFA, 0x21, 0x3D))


def opening(target: str = "/", *, headers: bytes = OFFER + VERSION + b"Sec-WebSocket-Key: " + KEY + b"\r\n") -> bytes:
    return b"GET " + target.encode() + b" HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n"


def frame(kind: int, payload: bytes = b"", *, is_masked: bool = True, length: int | None = None) -> bytes:
    """`length` is what its head says, if that is not so."""
    said = len(payload) if length is None else length
    bit = 0x80 if is_masked else 0
    if said < 126:
        head = bytes((kind, bit | said))
    elif said < 65_536:
        head = bytes((kind, bit | 126)) + said.to_bytes(2, "big")
    else:
        head = bytes((kind, bit | 127)) + said.to_bytes(8, "big")
    if not is_masked:
        return head + payload
    return head + MASK + bytes(byte ^ MASK[place % 4] for place, byte in enumerate(payload))


def closing(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


@dataclass
class RawWebSocket:
    """A connection that is past the handshake."""

    connection: socket.socket
    unread: bytes = b""

    @classmethod
    def open(cls, connection: socket.socket, target: str = "/", behind: bytes = b"") -> RawWebSocket:
        """`behind` is sent in one piece with the head."""
        connection.sendall(opening(target) + behind)
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65_536)
        head, _, unread = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n"), head
        lines = head.lower().split(b"\r\n")
        assert b"sec-websocket-accept: " + ACCEPT.lower() in lines
        assert not [
            line for line in lines if line.startswith((b"content-length", b"transfer-encoding", b"sec-websocket-e"))
        ]
        return cls(connection, unread)

    def send(self, *frames: bytes) -> None:
        self.connection.sendall(b"".join(frames))

    def read(self) -> tuple[int, bytes]:
        """The next frame; its first byte is 0 at the end of the connection."""
        try:
            second = self._take(2)
            length = second[1]
            assert length < 0x80, "a server masks nothing"
            if length >= 126:
                length = int.from_bytes(self._take(2 if length == 126 else 8), "big")
            return second[0], self._take(length)
        except EOFError:
            return 0, b""

    def read_close(self) -> int | None:
        """The code of a close, which must be the next frame and the last; None if the connection just ended."""
        kind, payload = self.read()
        if kind == 0:
            return None
        assert kind == CLOSE, (kind, payload)
        return int.from_bytes(payload[:2], "big") if payload else 1005

    def _take(self, count: int) -> bytes:
        while len(self.unread) < count:
            received = self.connection.recv(65_536)
            if not received:
                raise EOFError
            self.unread += received
        taken, self.unread = self.unread[:count], self.unread[count:]
        return taken
