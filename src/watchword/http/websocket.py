"""A connection that became a WebSocket: what its owner says and hears, and what the event loop says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from watchword.http.conversation import CANNOT_READ, FAILED, GOING_AWAY, NORMAL, Conversation
from watchword.http.frames import binary_frame, text_frame
from watchword.http.outflow import Outflow
from watchword.http.turns import Turns

MOST_UNSENT_BYTES = 1_048_576
"""What may wait for a client to take it; one that lets more gather is cut off."""

_MOST_UNHEARD_BYTES = 65_536
"""What is put aside of one socket; with more, it is heard out of its turn."""

_CLOSE_SECONDS = 3.0
"""For the peer's own close, and for what it has not taken yet."""

_PARTING_SECONDS = 0.5

_log = logging.getLogger(__name__)


class SocketOwner:
    """Hears what comes over a socket. Nothing here may wait; an error ends the socket.

    What it heard may be the last words of a connection that is lost already: then what is sent goes nowhere.
    """

    __slots__ = ()

    def on_text(self, text: str) -> None:
        """A message has arrived."""

    def on_binary(self, socket: WebSocket, data: bytes) -> None:
        del data
        socket.close(CANNOT_READ, "only text is read here")

    def on_room(self) -> None:
        """What was waiting for the client has left, or nearly so."""

    def on_stop(self) -> bool:
        """The server stops. Whether the owner closes the socket by itself, before long."""
        return False

    def on_closed(self, code: int, reason: str) -> None:
        """The last that is heard, once, whatever ended it: the peer's code, else our own, else 1006."""


class WebSocket(Conversation, asyncio.BufferedProtocol):
    """One socket. It is open from the beginning: the handshake has been answered.

    All sockets of a server read into one `buffer`, for what was read is heard, or put aside until its turn comes,
    before anybody else reads; `leave` is told when it has ended.
    """

    __slots__ = ("_buffer", "_leave", "_out", "_owner", "_timer", "_transport", "_turns", "_unheard", "was_too_slow")

    def __init__(
        self,
        transport: asyncio.Transport,
        out: Outflow,
        buffer: memoryview,
        *,
        turns: Turns,
        leave: Callable[[WebSocket], None],
    ) -> None:
        super().__init__()
        self._transport = transport
        self._out = out
        self._buffer = buffer
        self._turns = turns
        self._unheard: bytearray | None = None
        self._leave = leave
        self._owner = SocketOwner()
        self._timer: asyncio.TimerHandle | None = None
        self.was_too_slow = False
        """So much waited for the client that it was cut off."""

    # -- What the owner says.

    def send(self, text: str | bytes) -> None:
        """A message; bytes are UTF-8 already. On a socket that is closing it goes nowhere."""
        self.send_frames(text_frame(text))

    def send_binary(self, data: bytes) -> None:
        self.send_frames(binary_frame(data))

    def send_frames(self, frames: bytes) -> None:
        """Whole ones, as `text_frame` makes them: what many are to hear is spelled once."""
        if not self.is_closing:
            self.write(frames)

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Say that this is the end, and wait for the peer to say so too; not for long."""
        if not self.is_closing:
            self.say_close(code, reason)
            self._schedule(_CLOSE_SECONDS, self.abort)

    def abort(self) -> None:
        """End it without a word."""
        self.is_over = self.is_closing = True
        self._transport.abort()

    @property
    def unsent_bytes(self) -> int:
        return self._transport.get_write_buffer_size()

    @property
    def is_full(self) -> bool:
        """Whether so much waits for the client that the owner is told once there is room."""
        return self._out.is_full

    def pause(self) -> None:
        """Read no more from this client; what has been read is still heard."""
        self._transport.pause_reading()

    def resume(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    # -- What the server says.

    def begin(self, on_open: OnOpen, unread: bytes) -> None:
        """Hear what came behind the handshake, and go on reading."""
        try:
            self._owner = on_open(self)
        except Exception:  # noqa: BLE001 - whatever it is, it ends this socket alone.
            _log.exception("nobody could own a WebSocket")
            self.fail(FAILED)
        if unread:
            self.receive(memoryview(unread))
        self.resume()

    def stop(self) -> None:
        try:
            ends_by_itself = self._owner.on_stop()
        except Exception:  # noqa: BLE001 - whatever it is, it ends this socket alone.
            _log.exception("the owner of a WebSocket failed at a stop")
            ends_by_itself = False
        if not ends_by_itself:
            self.close(GOING_AWAY)

    # -- What the event loop says.

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._unheard is not None:
            if len(self._unheard) + nbytes <= _MOST_UNHEARD_BYTES:
                self._unheard += self._buffer[:nbytes]
                return
            self.hear()
        if self._turns.is_free():
            self.receive(self._buffer[:nbytes])
        else:
            self._unheard = bytearray(self._buffer[:nbytes])
            self._turns.stand_in_row(self)

    def hear(self) -> None:
        """What was put aside. Whatever goes wrong ends this socket alone, as it does where the event loop calls."""
        unheard, self._unheard = self._unheard, None
        if unheard is None:
            return
        try:
            self.receive(memoryview(unheard))
        except Exception:  # noqa: BLE001 - as it says.
            _log.exception("what a WebSocket said could not be heard")
            self.abort()

    def pause_writing(self) -> None:
        self._out.pause()

    def resume_writing(self) -> None:
        self._out.resume()
        if not self.is_closing:
            self._owner.on_room()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.hear()
        self._out.lose()
        if self._timer is not None:
            self._timer.cancel()
        self._leave(self)
        try:
            self._owner.on_closed(*self.forget())
        except Exception:  # noqa: BLE001 - whatever it is, it ends this socket alone.
            _log.exception("the owner of a WebSocket failed at its end")

    # -- What the conversation says.

    def hear_text(self, text: str) -> None:
        self._owner.on_text(text)

    def hear_binary(self, data: bytes) -> None:
        self._owner.on_binary(self, data)

    def write(self, data: bytes) -> None:
        self._transport.write(data)
        if self._out.is_full and self._transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            self.was_too_slow = True
            self.abort()

    def hang_up(self) -> None:
        self._out.close()
        self._schedule(_PARTING_SECONDS, self._part)

    def _part(self) -> None:
        """A polite end of TLS waits for the peer's answer, which may never come."""
        if self.unsent_bytes:
            self._schedule(_CLOSE_SECONDS, self.abort)
        else:
            self.abort()

    def _schedule(self, seconds: float, act: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, act)


OnOpen = Callable[[WebSocket], SocketOwner]
"""Is given a socket that is open, and says whose it is."""
