"""What is said over a WebSocket (RFC 6455), without the socket: bytes into messages, and the order of an end.

Whole frames of text are read here, by hand. What is unusual goes frame by frame to a library, which is made for a
socket only when that comes: fragments, binary messages, pings, the close, and everything that breaks the protocol.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from watchword.http.frames import BINARY, MASKED, MORE, TEXT, WHOLE_TEXT, find_payload, unmask

if TYPE_CHECKING:
    from websockets.frames import Frame
    from websockets.server import ServerProtocol

MOST_MESSAGE_BYTES = 65_536
"""What a client may send in one message, in however many frames."""

NORMAL, GOING_AWAY, CANNOT_READ, NOT_TEXT, FAILED = 1000, 1001, 1003, 1007, 1011
"""Codes of a close (RFC 6455, section 7.4.1)."""

LOST = 1006
"""Told where no close came: the connection broke, or was cut off."""

_log = logging.getLogger(__name__)


class _Failures(logging.LoggerAdapter[logging.Logger]):
    """Whatever level is configured, frames are not logged: what people say is in them."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the library's name.
        return level >= logging.ERROR


FAILURES = _Failures(_log)
"""The log of the library `websockets`."""


class Conversation:
    """The server's part of it. Whoever has the socket says how to hear, to write and to hang up.

    It `is_closing` once a close has left or the connection is at its end: nothing more is heard or sent. It `is_over`
    once nothing more is read.
    """

    __slots__ = ("_fragments", "_fragments_are_text", "_kept", "_needed_bytes", "_rare", "is_closing", "is_over")

    def __init__(self) -> None:
        self._rare: ServerProtocol | None = None
        self._fragments: bytearray | None = None
        self._fragments_are_text = True
        self._kept: bytearray | None = None
        self._needed_bytes = 0
        self.is_closing = self.is_over = False

    def hear_text(self, text: str) -> None:
        raise NotImplementedError

    def hear_binary(self, data: bytes) -> None:
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        raise NotImplementedError

    def hang_up(self) -> None:
        """Everything was said."""
        raise NotImplementedError

    # -- What has arrived.

    def receive(self, data: memoryview) -> None:
        """It is not held on to."""
        if self._kept is None:
            self._read(data)
            return
        self._kept += data
        if len(self._kept) >= self._needed_bytes:
            kept, self._kept = self._kept, None
            self._read(memoryview(kept))

    def _read(self, data: memoryview) -> None:
        position = 0
        while not self.is_over:
            found = find_payload(data, position)
            if found is None:
                self._keep(data[position:], 0)
                return
            start, end = found
            if end - start > MOST_MESSAGE_BYTES or data[position + 1] < MASKED:
                # The head is enough to refuse it.
                self._read_rare(data[position:start])
                return
            if end > len(data):
                self._keep(data[position:], end - position)
                return
            if data[position] == WHOLE_TEXT and self._fragments is None and not self.is_closing:
                self._hear(unmask(data, start, end), is_text=True)
            else:
                self._read_rare(data[position:end])
            position = end

    def _keep(self, rest: memoryview, needed_bytes: int) -> None:
        if rest:
            self._kept = bytearray(rest)
            self._needed_bytes = needed_bytes

    def _read_rare(self, frame: memoryview) -> None:
        rare = self._library()
        rare.receive_data(bytes(frame))
        for event in rare.events_received():
            if not self.is_closing:
                self._gather(cast("Frame", event))
        self._flush(rare)

    def _gather(self, frame: Frame) -> None:
        if frame.opcode in (TEXT, BINARY):
            self._fragments = bytearray(frame.data)
            self._fragments_are_text = frame.opcode == TEXT
        elif frame.opcode == MORE and self._fragments is not None:
            self._fragments += frame.data
        else:
            return
        if frame.fin:
            message, self._fragments = bytes(self._fragments), None
            self._hear(message, is_text=self._fragments_are_text)

    def _hear(self, message: bytes, *, is_text: bool) -> None:
        try:
            text = message.decode() if is_text else None
        except UnicodeDecodeError:
            self.fail(NOT_TEXT, "a text is not UTF-8")
            return
        try:
            if text is not None:
                self.hear_text(text)
            else:
                self.hear_binary(message)
        except Exception:  # noqa: BLE001 - whatever it is, it ends this socket alone.
            _log.exception("the owner of a WebSocket failed")
            self.fail(FAILED)

    # -- Ends.

    def say_close(self, code: int, reason: str) -> None:
        """It must not be closing yet."""
        rare = self._library()
        rare.send_close(code, reason)
        self._flush(rare)

    def forget(self) -> tuple[int, str]:
        """How it ended: with the peer's code, else with our own, else with `LOST`."""
        self.is_over = self.is_closing = True
        told = self._rare and (self._rare.close_rcvd or self._rare.close_sent)
        self._fragments = self._kept = self._rare = None
        return (told.code, told.reason) if told else (LOST, "")

    def fail(self, code: int, reason: str = "") -> None:
        if not self.is_over:
            rare = self._library()
            rare.fail(code, reason)
            self._flush(rare)

    def _library(self) -> ServerProtocol:
        if self._rare is None:
            # Loaded with the first socket, and not at every start.
            from websockets.protocol import State
            from websockets.server import ServerProtocol

            # It has no part in the handshake, and goes on from there.
            self._rare = ServerProtocol(state=State.OPEN, max_size=MOST_MESSAGE_BYTES, logger=FAILURES)
        return self._rare

    def _flush(self, rare: ServerProtocol) -> None:
        if rare.close_sent is not None or rare.eof_sent:
            self.is_closing = True
        for data in rare.data_to_send():
            if self.is_over:
                return
            if data:
                self.write(data)
            else:
                # The library's way to say so.
                self.is_over = True
                self.hang_up()
