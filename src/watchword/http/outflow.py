"""The way out of a connection: whether there is room for more, and an end for a client that takes nothing."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

ANSWER_DEADLINE = timedelta(seconds=30)

PARTING_SECONDS = 2.0
"""For what a client is still sending of a request that was answered before its end."""

_MOST_UNSENT_BYTES = 65_536
"""What may wait in this process before there is no room; one answer more was begun before that is noticed."""


class Outflow:
    """A client that takes its answers slowly is waited for, as long as it takes some before each deadline.

    One that takes none is cut off, also when its connection was closed already: a transport closes when the last byte
    is gone.
    """

    __slots__ = ("_deadline", "_is_parting", "_loop", "_room", "_timer", "_transport", "_unsent_bytes", "is_full")

    def __init__(self, transport: asyncio.Transport, deadline: timedelta, loop: asyncio.AbstractEventLoop) -> None:
        transport.set_write_buffer_limits(high=_MOST_UNSENT_BYTES)
        self._transport = transport
        self._deadline = deadline
        self._loop = loop
        self.is_full = self._is_parting = False
        self._room: asyncio.Event | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._unsent_bytes = 0

    def pause(self) -> None:
        self.is_full = True
        self._room = asyncio.Event()
        self._watch(self._transport.get_write_buffer_size())

    def resume(self) -> None:
        self.is_full = False
        # Something was taken, whatever waits when somebody looks again.
        self._unsent_bytes = sys.maxsize
        if self._room is not None:
            self._room.set()
            self._room = None

    async def drain(self) -> None:
        """Returns when there is room, or the connection is lost."""
        if self._room is not None:
            await self._room.wait()

    @property
    def has_ended(self) -> bool:
        """Whether nothing is answered any more, whatever arrives."""
        return self._is_parting or self._transport.is_closing()

    def close(self, *, is_still_sent_to: bool = False) -> None:
        """End the connection when what was answered has left.

        To close on bytes that nobody read resets the connection, which takes answers from its client that are on their
        way (RFC 9112, section 9.6). So what is still sent to us is taken in vain, for a moment.
        """
        if is_still_sent_to and not self.has_ended:
            self._is_parting = True
            if self._transport.can_write_eof():
                self._transport.write_eof()
            self._transport.resume_reading()
            self._loop.call_later(PARTING_SECONDS, self.close)
            return
        self._transport.close()
        if unsent := self._transport.get_write_buffer_size():
            self._watch(unsent)

    def lose(self) -> None:
        """The connection is lost."""
        self.resume()
        if self._timer is not None:
            self._timer.cancel()

    def _watch(self, unsent_bytes: int) -> None:
        if self._timer is None:
            self._unsent_bytes = unsent_bytes
            self._timer = self._loop.call_later(self._deadline.total_seconds(), self._look)

    def _look(self) -> None:
        self._timer = None
        if not self.is_full and not self._transport.is_closing():
            return
        unsent = self._transport.get_write_buffer_size()
        if unsent < self._unsent_bytes:
            self._watch(unsent)
        else:
            self._transport.abort()
