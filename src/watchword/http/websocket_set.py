"""The WebSockets of a server: counted, given a buffer to read into, and moved on when it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from watchword.http.conversation import GOING_AWAY
from watchword.http.outflow import Outflow
from watchword.http.turns import Turns
from watchword.http.websocket import WebSocket

MOVE_DEADLINE = timedelta(seconds=5)
"""How long owners have, once the server stops, to send their clients elsewhere."""

_BUFFER_BYTES = 65_536
_NOBODY = asyncio.Protocol()
_CHUNK = 250
"""So many are told before others have their turn."""


class WebSockets:
    """Nobody waits for them as for a request: at a stop each owner is told, and has until the deadline."""

    def __init__(self, move_deadline: timedelta = MOVE_DEADLINE) -> None:
        self._move_deadline = move_deadline
        self._open: set[WebSocket] = set()
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))
        self._turns = Turns()
        self._leave = self._open.discard

    def __len__(self) -> int:
        return len(self._open)

    def open(self, transport: asyncio.Transport, out: Outflow) -> WebSocket:
        """A socket that the transport belongs to from now on."""
        socket = WebSocket(transport, out, self._buffer, turns=self._turns, leave=self._leave)
        self._open.add(socket)
        # The event loop goes on holding the method by which the protocol before took its data, and with it all that a
        # connection keeps for requests, until another one takes data in that way.
        transport.set_protocol(_NOBODY)
        transport.set_protocol(socket)
        return socket

    async def stop(self) -> None:
        """Returns when every client was told to go; who does not is cut off soon after that."""
        await self._tell(WebSocket.stop)
        await asyncio.sleep(self._move_deadline.total_seconds())
        await self._tell(lambda socket: socket.close(GOING_AWAY))

    def abort(self) -> None:
        for socket in list(self._open):
            socket.abort()

    async def _tell(self, tell: Callable[[WebSocket], None]) -> None:
        for number, socket in enumerate(list(self._open), 1):
            tell(socket)
            if number % _CHUNK == 0:
                await asyncio.sleep(0)
