"""The HTTP server on its listening sockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine
from datetime import timedelta
from types import FrameType
from typing import Any

import uvicorn

from watchword.errors import HttpsRequired
from watchword.http.accepting import FairAcceptor
from watchword.http.connection import STOP_LINGER, HttpProtocol
from watchword.http.deadlines import KEEP_ALIVE
from watchword.http.exchange import Exchange, persistence
from watchword.http.large_bodies import LargeBodies
from watchword.http.refusal import Wording
from watchword.http.request_reader import MAXIMUM_BODY_BYTES
from watchword.http.sockets import BACKLOG
from watchword.http.websocket_set import MOVE_DEADLINE, WebSockets

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.02
_LAST_WORDS_SECONDS = 0.5


class HttpServer:
    """Hands every exchange to an application until it is told to stop; then finishes what is in flight.

    A TLS handshake has as long as a head: it is what comes before the first one, and costs a stranger nothing either.
    `shares_sockets` says that other processes accept on them too; `word_refusal` words what never reaches the
    application. `most_body_bytes` says of a request how large its body may be, where that is more than of most. At a
    stop the owner of a WebSocket has until the `move_deadline` to send its client elsewhere. A signal that asks for the
    end stops it, or calls `on_signal`, which is to stop it later.
    """

    def __init__(
        self,
        application: Callable[[Exchange], Coroutine[Any, Any, None]],
        sockets: list[socket.socket],
        tls: ssl.SSLContext | None,
        *,
        head_deadline: timedelta,
        body_deadline: timedelta,
        answer_deadline: timedelta,
        stop_deadline: timedelta,
        on_stop: Callable[[], None],
        word_refusal: Wording,
        most_body_bytes: Callable[[Exchange], int] = lambda _: MAXIMUM_BODY_BYTES,
        shares_sockets: bool = False,
        on_signal: Callable[[], None] | None = None,
        move_deadline: timedelta = MOVE_DEADLINE,
        keep_alive: timedelta = KEEP_ALIVE,
    ) -> None:
        deadlines = {
            "keep_alive": keep_alive,
            "head_deadline": head_deadline,
            "body_deadline": body_deadline,
            "answer_deadline": answer_deadline,
        }
        protocol: type[HttpProtocol] = type("Protocol", (HttpProtocol,), deadlines)
        protocol.persistence = persistence(keep_alive)
        protocol.word_refusal = staticmethod(word_refusal)
        protocol.sockets = self._sockets = WebSockets(move_deadline)
        protocol.most_body_bytes = staticmethod(most_body_bytes)
        protocol.large_bodies = LargeBodies()
        self._protocol = protocol
        config = uvicorn.Config(
            application,
            http=protocol,
            interface="asgi3",  # Which it is not; but so uvicorn leaves it alone.
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        config.load()
        config.ssl = tls
        self._server = _Server(config, protocol, stop_deadline, on_stop=on_stop, shares_sockets=shares_sockets)
        self._server.on_signal = on_signal or self.stop
        self._listening = sockets

    async def run(self, on_listening: Callable[[], None] = lambda: None) -> None:
        """Returns after a stop, or after SIGINT or SIGTERM where it runs in the main thread."""
        self._server.on_listening = on_listening
        await self._server.serve(sockets=self._listening)

    @property
    def is_listening(self) -> bool:
        return self._server.started

    @property
    def open_connections(self) -> int:
        """Counts those that became a WebSocket too."""
        return len(self._server.server_state.connections) + len(self._sockets)

    @property
    def open_sockets(self) -> int:
        return len(self._sockets)

    @property
    def requests_in_flight(self) -> int:
        connections: Any = self._server.server_state.connections
        return sum(each.is_busy for each in connections)

    def tell_refusals(self, tell: Callable[[int, str], None]) -> None:
        """`tell` is given status and error code, from now on, of what never reaches the application."""
        self._protocol.tell_refusal = staticmethod(tell)

    def stop(self) -> None:
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """Stops without losing a request: those in flight are answered, and so are those that come on a connection that
    was open already, until each client has been told that its connection ends.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        protocol: type[HttpProtocol],
        stop_deadline: timedelta,
        *,
        on_stop: Callable[[], None],
        shares_sockets: bool,
    ) -> None:
        super().__init__(config)
        self._protocol = protocol
        self._stop_deadline = stop_deadline
        self._on_stop = on_stop
        self._shares_sockets = shares_sockets
        self.on_listening: Callable[[], None] = lambda: None
        self.on_signal: Callable[[], None] = lambda: None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            super().handle_exit(sig, frame)
            return
        # As the HTTP library does it: it sends the signal once more when it has stopped.
        self._captured_signals.append(sig)
        self.on_signal()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # As uvicorn does it, but with a deadline for the TLS handshake, for which the event loop allows a minute.
        tls, deadline = self.config.ssl, self._protocol.head_deadline
        if self._shares_sockets or (tls is not None and sys.platform != "win32"):
            acceptor = FairAcceptor(
                sockets or [],
                self._new_connection,
                tls,
                handshake_deadline=deadline,
                answer_plain_http=self._answer_plain_http,
            )
            self.servers = [acceptor]  # type: ignore[list-item]
        else:
            loop, seconds = asyncio.get_running_loop(), deadline.total_seconds() if tls else None
            self.servers = [
                await loop.create_server(
                    self._new_connection, sock=each, ssl=tls, backlog=BACKLOG, ssl_handshake_timeout=seconds
                )
                for each in sockets or []
            ]
        self.started = True
        self.on_listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        self._protocol.is_stopping = True
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        moving = asyncio.create_task(self._protocol.sockets.stop())
        try:
            async with asyncio.timeout(self._stop_deadline.total_seconds()):
                await self._all_gone()
                # A TLS handshake that was under way becomes a connection only when it is done.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STOP_LINGER.total_seconds()):
                        await asyncio.gather(*(server.wait_closed() for server in self.servers))
                await self._all_gone()
        except TimeoutError:
            left = len(self.server_state.connections) + len(self._protocol.sockets)
            _log.warning("%d connections were cut off at the stop deadline", left)
        moving.cancel()
        await self._cut_off()

    def _new_connection(self) -> HttpProtocol:
        return self._protocol(self.config, self.server_state, self.lifespan.state)

    def _answer_plain_http(self) -> bytes:
        refusal = self._protocol.word_refusal(HttpsRequired(), "")
        if self._protocol.tell_refusal is not None:
            self._protocol.tell_refusal(refusal.status, refusal.code)
        return refusal.to_bytes()

    async def _all_gone(self) -> None:
        # The HTTP library keeps sets, which nobody can wait for.
        while self._is_anybody_there() and not self.force_exit:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)

    def _is_anybody_there(self) -> bool:
        return bool(self.server_state.connections or self.server_state.tasks or self._protocol.sockets)

    async def _cut_off(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        self._protocol.sockets.abort()
        if tasks := set(self.server_state.tasks):
            _, tasks = await asyncio.wait(tasks, timeout=_LAST_WORDS_SECONDS)
        for task in tasks:
            task.cancel()
