"""What a client may send over a WebSocket, and what it may not, whole and byte by byte (RFC 6455)."""

from __future__ import annotations

import pytest

from tests.support.echo_server import World, contexts, world
from tests.support.raw_websocket import (
    BINARY,
    CLOSE,
    FIRST_BINARY,
    FIRST_TEXT,
    LAST,
    MORE,
    PING,
    PONG,
    TEXT,
    closing,
    frame,
)
from watchword.http.conversation import MOST_MESSAGE_BYTES

__all__ = ["contexts", "world"]

# -- Frames, one table: what is sent, and what comes back. Each is sent whole, and byte by byte.

EXCHANGES: dict[str, tuple[bytes, list[tuple[int, bytes]]]] = {
    "a text": (frame(TEXT, b"hi"), [(TEXT, b"hi")]),
    "nothing": (frame(TEXT), [(TEXT, b"")]),
    "three texts": (
        frame(TEXT, b"1") + frame(TEXT, b"2") + frame(TEXT, b"3"),
        [(TEXT, b"1"), (TEXT, b"2"), (TEXT, b"3")],
    ),
    "125 bytes": (frame(TEXT, b"x" * 125), [(TEXT, b"x" * 125)]),
    "126 bytes": (frame(TEXT, b"x" * 126), [(TEXT, b"x" * 126)]),
    "binary": (frame(BINARY, b"\xff\x00"), [(BINARY, b"\xff\x00")]),
    "fragments": (frame(FIRST_TEXT, b"a") + frame(MORE, b"b") + frame(LAST, b"c"), [(TEXT, b"abc")]),
    "fragments of nothing": (frame(FIRST_TEXT) + frame(MORE) + frame(LAST), [(TEXT, b"")]),
    "binary fragments": (frame(FIRST_BINARY, b"\xff") + frame(LAST, b"\xfe"), [(BINARY, b"\xff\xfe")]),
    "a letter in two fragments": (frame(FIRST_TEXT, b"\xc3") + frame(LAST, b"\xbc"), [(TEXT, "ü".encode())]),
    "a text behind fragments": (
        frame(FIRST_TEXT, b"a") + frame(LAST) + frame(TEXT, b"b"),
        [(TEXT, b"a"), (TEXT, b"b")],
    ),
    "a ping": (frame(PING, b"?"), [(PONG, b"?")]),
    "the longest ping": (frame(PING, b"?" * 125), [(PONG, b"?" * 125)]),
    "a pong that nobody asked for": (frame(PONG, b"!") + frame(TEXT, b"a"), [(TEXT, b"a")]),
    "a ping between fragments": (
        frame(FIRST_TEXT, b"a") + frame(PING, b"?") + frame(LAST, b"b"),
        [(PONG, b"?"), (TEXT, b"ab")],
    ),
    "a close": (closing(1_000), [(CLOSE, b"\x03\xe8"), (0, b"")]),
    "a close without a code": (frame(CLOSE), [(CLOSE, b""), (0, b"")]),
    "a close with a reason": (closing(3_000, b"why"), [(CLOSE, b"\x0b\xb8why"), (0, b"")]),
    "a text behind a close": (closing(1_000) + frame(TEXT, b"a"), [(CLOSE, b"\x03\xe8"), (0, b"")]),
    "our own close": (
        frame(TEXT, b"close") + frame(TEXT, b"a") + closing(4_001),
        [(CLOSE, b"\x0f\xa1enough"), (0, b"")],
    ),
}


@pytest.mark.parametrize("step", [1_000_000, 1], ids=["whole", "bytes"])
@pytest.mark.parametrize(("sent", "told"), EXCHANGES.values(), ids=EXCHANGES.keys())
def test_what_is_right_is_answered(world: World, sent: bytes, told: list[tuple[int, bytes]], step: int) -> None:
    with world.opened() as client:
        for start in range(0, len(sent), step):
            client.send(sent[start : start + step])
        assert [client.read() for _ in told] == told


BREACHES: dict[str, tuple[bytes, int]] = {
    "not masked": (frame(TEXT, b"a", is_masked=False), 1_002),
    "a ping that is not masked": (frame(PING, b"a", is_masked=False), 1_002),
    "a reserved bit": (frame(TEXT | 0x40, b"a"), 1_002),
    "another reserved bit": (frame(PING | 0x10, b"a"), 1_002),
    "an opcode that nobody knows": (frame(0x83, b"a"), 1_002),
    "a control opcode that nobody knows": (frame(0x8B, b"a"), 1_002),
    "a fragment without a beginning": (frame(LAST, b"a"), 1_002),
    "a text among fragments": (frame(FIRST_TEXT, b"a") + frame(TEXT, b"b"), 1_002),
    "a second beginning": (frame(FIRST_TEXT, b"a") + frame(FIRST_TEXT, b"b"), 1_002),
    "a ping in fragments": (frame(PING & 0x7F, b"a"), 1_002),
    "a ping that is too long": (frame(PING, b"?" * 126), 1_002),
    "a close of one byte": (frame(CLOSE, b"\x03"), 1_002),
    "a close code that nobody may send": (closing(1_005), 1_002),
    "a close code below all": (closing(999), 1_002),
    "a close reason that is no UTF-8": (closing(1_000, b"\xff"), 1_007),
    "a text that is no UTF-8": (frame(TEXT, b"\xff"), 1_007),
    "a surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1_007),
    "a letter cut off": (frame(TEXT, b"\xc3"), 1_007),
    "fragments that are no UTF-8": (frame(FIRST_TEXT, b"\xc3") + frame(LAST, b"a"), 1_007),
    "a binary message where none is read": (frame(BINARY, b"no"), 1_003),
    "an owner that fails": (frame(TEXT, b"fail"), 1_011),
    "a byte too much": (frame(TEXT, length=MOST_MESSAGE_BYTES + 1), 1_009),
    "more than memory": (frame(TEXT, length=2**63 - 1), 1_009),
    "a length below nothing": (frame(TEXT, length=2**64 - 1), 1_009),
    "fragments too large together": (
        frame(FIRST_TEXT, b"x" * 40_000) + frame(MORE, b"x" * 20_000) + frame(LAST, b"x" * 6_000),
        1_009,
    ),
}


@pytest.mark.parametrize(("sent", "code"), BREACHES.values(), ids=BREACHES.keys())
def test_what_is_wrong_is_told_by_a_close_and_heard_no_further(world: World, sent: bytes, code: int) -> None:
    with world.opened() as client:
        client.send(sent, frame(TEXT, b"behind"))
        assert client.read_close() == code
        if code == 1_003:
            client.send(closing(code))
        assert client.read() == (0, b"")
    assert world.ended()[0] == code


def test_many_messages_that_come_at_once_are_all_heard_in_order(world: World) -> None:
    texts = [f"{number} {'x' * (number * 37 % 5_000)}".encode() for number in range(300)]
    with world.opened(behind=b"".join(frame(TEXT, text) for text in texts[:100])) as client:
        client.send(*(frame(TEXT, text) for text in texts[100:]))
        assert [client.read() for _ in texts] == [(TEXT, text) for text in texts]
