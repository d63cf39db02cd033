"""Frames of a WebSocket (RFC 6455, section 5), as far as they are usual: whole messages, written and read.

81 05  h e l l o                     a text of five bytes, from a server
81 85  <mask: 4 bytes>  <5 bytes>    the same from a client, whose bytes are masked
"""

from __future__ import annotations

from struct import Struct

MORE, TEXT, BINARY = 0x0, 0x1, 0x2
"""What a frame holds; `MORE` is a piece behind the first."""

WHOLE_TEXT = 0x80 | TEXT
_WHOLE_BINARY = 0x80 | BINARY
MASKED = 0x80
_IN_TWO_BYTES = 126

_short_head = Struct(">BB").pack
_head = Struct(">BBH").pack
_long_head = Struct(">BBQ").pack
_number = int.from_bytes


def text_frame(text: str | bytes) -> bytes:
    """A whole message; bytes are UTF-8 already. One frame is good for any number of sockets."""
    return _whole(WHOLE_TEXT, text.encode() if isinstance(text, str) else text)


def binary_frame(data: bytes) -> bytes:
    return _whole(_WHOLE_BINARY, data)


def find_payload(data: memoryview, position: int) -> tuple[int, int] | None:
    """Where the payload of the frame that begins at `position` begins and ends; None while its head is not there.

    What it ends at may lie behind what has arrived.
    """
    there = len(data) - position
    if there < 2:
        return None
    second = data[position + 1]
    length, start = second & 0x7F, position + 2
    if length >= _IN_TWO_BYTES:
        size = 2 if length == _IN_TWO_BYTES else 8
        if there < 2 + size:
            return None
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    if second & MASKED:
        start += 4
    return start, start + length


def unmask(data: memoryview, start: int, end: int) -> bytes:
    """The payload of a masked frame, which is there whole."""
    length = end - start
    # As one large number, which costs less than a step for each byte.
    mask = (data[start - 4 : start].tobytes() * (length // 4 + 1))[:length]
    return (_number(data[start:end], "little") ^ _number(mask, "little")).to_bytes(length, "little")


def _whole(kind: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < _IN_TWO_BYTES:
        return _short_head(kind, length) + payload
    if length < 65_536:
        return _head(kind, _IN_TWO_BYTES, length) + payload
    return _long_head(kind, _IN_TWO_BYTES + 1, length) + payload
