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

_FAREWELL_SECONDS = 2.0
_MOST_OF_A_FAREWELL_BYTES = 1_048_576

_log = logging.getLogger(__name__)


class FairAcceptor:
    """Takes one connection in a tick of the loop, so that whoever is idle takes the next one.

    The event loop's own server takes all that wait at once: of a crowd that comes at the same moment, every connection
    would be with the process that woke first, and stay with it.

    Who speaks plain HTTP where TLS is spoken is told so, by what `answer_plain_http` makes.
    """

    def __init__(
        self,
        sockets: list[socket.socket],
        protocol: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext | None,
        *,
        handshake_deadline: timedelta,
        answer_plain_http: Callable[[], bytes] = bytes,
    ) -> None:
        self._sockets = sockets
        self._protocol = protocol
        self._tls = tls
        # The event loop takes none where there is no handshake.
        self._handshake_seconds = handshake_deadline.total_seconds() if tls else None
        self._answer_plain_http = answer_plain_http
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
        """Waits until no TLS handshake is under way any more."""
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
        if self._tls is not None:
            try:
                first = await self._first_byte(connection)
            except BaseException as error:
                connection.close()
                if isinstance(error, OSError):  # TimeoutError among them.
                    return
                raise
            if first.isalpha():
                await self._turn_away(connection)
                return
        # A handshake that fails is the client's affair.
        with contextlib.suppress(OSError):
            await self._loop.connect_accepted_socket(
                self._protocol, connection, ssl=self._tls, ssl_handshake_timeout=self._handshake_seconds
            )

    async def _first_byte(self, connection: socket.socket) -> bytes:
        """It stays to be read. A letter is the beginning of a request; a handshake begins with 22 (RFC 8446, 5.1)."""
        arrived = asyncio.Event()
        self._loop.add_reader(connection, arrived.set)
        try:
            async with asyncio.timeout(self._handshake_seconds):
                await arrived.wait()
        finally:
            self._loop.remove_reader(connection)
        return connection.recv(1, socket.MSG_PEEK)

    async def _turn_away(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                await self._loop.sock_recv(connection, 65_536)
                await self._loop.sock_sendall(connection, self._answer_plain_http())
                connection.shutdown(socket.SHUT_WR)
                # To close while something is unread would reset the connection, and the answer with it.
                read = 0
                while read < _MOST_OF_A_FAREWELL_BYTES and (more := await self._loop.sock_recv(connection, 65_536)):
                    read += len(more)
