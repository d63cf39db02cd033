"""Frames of the dialect of socket.io 0.9 that realtime clients speak: `type:id(+):endpoint:data`, each a text message.

    1::                                                       connected
    2::                                                       heartbeat, either way
    3:::{"id":7,"method":"POST","url":...,"body":...}         a push; the answer is 3:::{"id":7,"status":200,...}
    5:::{"name":"trouter.connected","args":[...]}             an event
    5:1+::{"name":"user.activity","args":[...]}               an event that waits for an answer
    6:::1+[]                                                  that answer
    0:::{"reason":"unauthorized"}                             the end, with a reason

Source: chat.md section 8.2; socket.io's protocol of that version. Endpoints are not used.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

DISCONNECT, CONNECT, HEARTBEAT, MESSAGE, EVENT, ACK = "0", "1", "2", "3", "5", "6"
"""What a frame is; the others of the protocol (text, JSON, error, nothing) are never sent by clients."""

CONNECTED = b"1::"
BEAT = b"2::"

DUPLICATE = b"0:::dup"
UNAUTHORIZED = b'0:::{"reason":"unauthorized"}'
"""Observed: three colons, else the reason is read as an endpoint. Both make a client connect anew at once."""

_LONGEST_ID = 15
_PING_BEFORE, _PING_BEHIND = "5:", '+::{"name":"ping"}'


class Frame(NamedTuple):
    """`wants_data` says that the sender waits for an answer with data (`1+`)."""

    kind: str
    id: str = ""
    wants_data: bool = False
    data: str = ""


class PushAnswer(msgspec.Struct, frozen=True, gc=False):
    """What a client makes of a push: 200, or 404 where nobody listened or it could not be read, or 504."""

    id: int
    status: int


class ClientEvent(msgspec.Struct, frozen=True, gc=False):
    """`ping`, `user.activity`, or what is confirmed and has no effect."""

    name: str


def parse_frame(text: str) -> Frame | None:
    """None where it is no frame."""
    kind, colon, rest = text.partition(":")
    id, second, rest = rest.partition(":")
    _, third, data = rest.partition(":")
    if not colon or not second or len(kind) != 1 or kind not in "012345678":
        return None
    wants_data = id.endswith("+")
    number = id.removesuffix("+")
    if number and not (number.isascii() and number.isdecimal() and len(number) <= _LONGEST_ID):
        return None
    return Frame(kind, number, wants_data, data if third else "")


def find_ping(text: str) -> str | None:
    """The number of a ping as every client spells it, of which there is one for each push; None of anything else."""
    if text.startswith(_PING_BEFORE) and text.endswith(_PING_BEHIND):
        number = text[len(_PING_BEFORE) : -len(_PING_BEHIND)]
        if number.isascii() and number.isdecimal() and len(number) <= _LONGEST_ID:
            return number
    return None


def parse_answer(data: str) -> PushAnswer | None:
    """The client's answer to a push, from a message's data; None where it is none."""
    try:
        return _answer(data)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return None


def parse_event(data: str) -> str | None:
    """The name of a client's event; None where it is none."""
    try:
        return _event(data).name
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return None


def event(name: str, *arguments: Any) -> bytes:
    return b"5:::" + msgspec.json.encode({"name": name, "args": arguments})


def ack(frame: Frame) -> bytes:
    """The answer that the sender of a frame waits for."""
    return f"6:::{frame.id}{'+[]' if frame.wants_data and parse_event(frame.data) != 'ping' else ''}".encode()


def pong(number: str) -> bytes:
    """The same of a ping."""
    return b"6:::" + number.encode()


def connected(seconds: int, lifetime_seconds: int) -> bytes:
    """Source: chat.md section 8.1, step 5. `lifetime_seconds` has the better of the one told before."""
    return event("trouter.connected", {"dur": str(seconds), "ttl": lifetime_seconds})


MOVE = event("trouter.reconnect", {"target": "self"})
"""Makes a client build a second connection, and switch to it without a gap."""

_answer = msgspec.json.Decoder(PushAnswer).decode
_event = msgspec.json.Decoder(ClientEvent).decode
