"""Taking connections off sockets that several processes listen on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from datetime import timedelta

_PAUSE_SECONDS = 0.1

_log = logging.getLogger(__name__)


class FairAcceptor:
    """Takes one connection in a tick of the loop, so that whoever is idle takes the next one.

    The event loop's own server takes all that wait at once: of a crowd that comes at the same moment, every connection
    would be with the process that woke first, and stay with it.
    """

    def __init__(
        self,
        sockets: list[socket.socket],
        protocol: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext | None,
        *,
        handshake_deadline: timedelta,
    ) -> None:
        self._sockets = sockets
        self._protocol = protocol
        self._tls = tls
        # The event loop takes none where there is no handshake.
        self._handshake_seconds = handshake_deadline.total_seconds() if tls else None
        self._loop = asyncio.get_running_loop()
        self._greeting: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self._listen()

    def close(self) -> None:
        """The sockets are somebody else's to close."""
        self._is_closed = True
        for each in self._sockets:
            self._loop.remove_reader(each)

    async def wait_closed(self) -> None:
        """Until no TLS handshake is under way any more."""
        while self._greeting:
            await asyncio.wait(tuple(self._greeting))

    def _listen(self) -> None:
        if not self._is_closed:
            for each in self._sockets:
                self._loop.add_reader(each, self._accept, each)

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, _ = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            # Another process was faster, or the client went away.
            return
        except OSError as error:
            # Too many files are open: to look again at once would only burn the processor.
            _log.error("a connection could not be accepted: %s", error)
            for each in self._sockets:
                self._loop.remove_reader(each)
            self._loop.call_later(_PAUSE_SECONDS, self._listen)
            return
        connection.setblocking(False)
        task = self._loop.create_task(self._greet(connection))
        self._greeting.add(task)
        task.add_done_callback(self._greeting.discard)

    async def _greet(self, connection: socket.socket) -> None:
        # A handshake that fails is the client's affair.
        with contextlib.suppress(OSError):
            await self._loop.connect_accepted_socket(
                self._protocol, connection, ssl=self._tls, ssl_handshake_timeout=self._handshake_seconds
            )
