"""HTTP/1.1 on the socket: one connection, which uvicorn's server makes and ends.

Kept here: one request after another, however many arrive at once. While one waits for its turn, or for room for its
answer, no more is read; nor behind one that offers a WebSocket, to which the connection may be let go.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from watchword.errors import TooLarge, TooSlow
from watchword.http.deadlines import BODY_DEADLINE, HEAD_DEADLINE, KEEP_ALIVE, Deadlines
from watchword.http.exchange import Exchange, persistence
from watchword.http.large_bodies import LargeBodies
from watchword.http.outflow import ANSWER_DEADLINE, Outflow
from watchword.http.refusal import Refusal, Wording
from watchword.http.request_reader import MAXIMUM_BODY_BYTES, NotHttp, Part, RequestReader
from watchword.http.websocket import OnOpen
from watchword.http.websocket_set import WebSockets

STOP_LINGER = timedelta(seconds=1)
"""How long an idle connection stays open after a stop began, for the request that its client may just be sending."""

_PARTING_SECONDS = 0.5

_log = logging.getLogger(__name__)


class HttpProtocol(asyncio.Protocol):
    """One connection. The arguments are what uvicorn's server gives."""

    head_deadline = HEAD_DEADLINE
    body_deadline = BODY_DEADLINE
    answer_deadline = ANSWER_DEADLINE
    keep_alive = KEEP_ALIVE
    persistence = persistence(KEEP_ALIVE)
    is_stopping = False
    """Of the whole server: it makes a subclass for its connections."""

    word_refusal: Wording
    """Says what is answered to a request that never reaches the application, or that it did not answer."""

    most_body_bytes: Callable[[Exchange], int] = staticmethod(lambda _: MAXIMUM_BODY_BYTES)
    large_bodies = LargeBodies()
    """How large the body of a request may be; asked while one arrives that is larger than most are. They share room."""

    tell_refusal: Callable[[int, str], None] | None = None
    """Is told status and error code of what never reaches the application."""

    sockets: WebSockets
    """Where a connection goes that becomes one."""

    def __init__(
        self, config: Any, server_state: Any, app_state: Any, _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        del app_state
        self._application = config.loaded_app
        self._state = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._deadlines = Deadlines(self, self._loop)
        self._reader = RequestReader(
            self,
            self._deadlines.enter,
            self._expect,
            hand_on=self._hand_on,
            hand_on_offer=self._hand_on_offer,
            most_body_bytes=self.most_body_bytes,
            large_bodies=self.large_bodies,
        )
        self.transport: asyncio.Transport
        self._out: Outflow
        self.scheme = "http"
        self.client_host: str | None = None
        self.server_port: int | None = None
        self.is_lost = False
        self._current: Exchange | None = None
        self._task: asyncio.Task[None]
        self._waiting: deque[Exchange] = deque()
        self._offering: Exchange | None = None

    # -- What the event loop says.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self._out = Outflow(transport, self.answer_deadline, self._loop)
        self._state.connections.add(self)
        self.scheme = "https" if transport.get_extra_info("sslcontext") else "http"
        peer, own = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        self.client_host = str(peer[0]) if isinstance(peer, tuple) else None
        self.server_port = int(own[1]) if isinstance(own, tuple) else None
        # A connection that says nothing is as slow as one that says little.
        self._deadlines.arm()
        if self.is_stopping:
            self.shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.is_lost = True
        self._state.connections.discard(self)
        if self._current is not None:
            # The server's end waits for what is still being carried out, though nobody will hear of it.
            self._state.tasks.add(self._task)
            self._task.add_done_callback(self._state.tasks.discard)
        self._deadlines.cancel()
        self._out.lose()
        self._reader.close()

    def data_received(self, data: bytes) -> None:
        if self._out.has_ended:
            return
        try:
            self._reader.feed(data)
        except (NotHttp, TooLarge) as error:
            self._refuse(self.word_refusal(error, self._reader.path))
        else:
            if self._reader.part is not Part.NOTHING or not self.is_busy:
                # Without a request in progress, blank lines arrived; they must not hold the connection.
                self._deadlines.arm()

    def pause_writing(self) -> None:
        self._out.pause()

    def resume_writing(self) -> None:
        self._out.resume()
        if self._reader.is_paused and self._current is None and not self.transport.is_closing():
            self._go_on()

    def shutdown(self) -> None:
        """The server stops: the answers under way are the last, or that to a request that comes before long.

        Who is told by `Connection: close` sends no more. To close an idle connection at once would cross with the
        request that is on its way, which no client may repeat on its own where it creates something (RFC 9112, 9.3.1).
        """
        if self._current is not None and self._is_last():
            self._current.keep_alive = False
        self._loop.call_later(STOP_LINGER.total_seconds(), self._let_go)

    # -- What an exchange, and the reader of the next, say.

    def _expect(self) -> None:
        """A client waits to send its body. One that is behind another request is not told: it would be taken for the
        answer of that one.
        """
        if not self.is_busy:
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    @property
    def is_busy(self) -> bool:
        """Whether a request is being carried out, or waits for that."""
        return self._current is not None or bool(self._waiting)

    @property
    def date(self) -> str:
        """The value of the header, which uvicorn's server renews every second."""
        found: list[tuple[bytes, bytes]] = self._state.default_headers
        return found[0][1].decode("ascii")

    def send(self, data: bytes) -> None:
        if not self._out.has_ended:
            self.transport.write(data)

    async def drain(self) -> None:
        await self._out.drain()

    def finish(self, exchange: Exchange) -> None:
        self._state.total_requests += 1
        self._current = None
        if self.is_lost or not exchange.keep_alive:
            self.hang_up()
            return
        if self._reader.is_paused and not self._out.is_full:
            self._go_on()
        if self._current is None:
            self._deadlines.rest()

    def can_switch(self, exchange: Exchange) -> bool:
        """Whether it offered a WebSocket, nothing that came behind it was read, and its client is still there."""
        return exchange is self._offering and not self.transport.is_closing()

    def switch(self, on_open: OnOpen) -> None:
        """Let go of the transport: from here on it is a WebSocket's, which no request is counted for."""
        self._state.total_requests += 1
        self._current = self._offering = None
        self.is_lost = True
        self._deadlines.cancel()
        self._state.connections.discard(self)
        unread = self._reader.close()
        # They hold this connection, as it holds them.
        del self._reader, self._deadlines
        socket = self.sockets.open(self.transport, self._out)
        socket.begin(on_open, unread)

    # -- Requests, one after another.

    def _hand_on(self, exchange: Exchange) -> None:
        if self._current is None and not self._out.is_full:
            self._start(exchange)
            return
        if not self._reader.is_paused:
            self._reader.is_paused = True
            self.transport.pause_reading()
        self._waiting.append(exchange)

    def _hand_on_offer(self, exchange: Exchange) -> None:
        """The reader paused by itself."""
        self._offering = exchange
        self.transport.pause_reading()
        self._hand_on(exchange)

    def _go_on(self) -> None:
        """Nothing is in progress, and there is room for the next answer."""
        if self._waiting:
            self._start(self._waiting.popleft())
            return
        self._reader.is_paused = False
        # Deadlines did not run while nothing was read.
        self._deadlines.disarm()
        if self._reader.has_unread or self._reader.part is not Part.NOTHING:
            self.data_received(b"")
        if not self._reader.is_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def _is_last(self) -> bool:
        """Whether nothing more came behind the request in progress."""
        return not self._waiting and not self._reader.has_unread

    def _start(self, exchange: Exchange) -> None:
        self._current = exchange
        if self.is_stopping and self._is_last():
            exchange.keep_alive = False
        self._task = self._loop.create_task(self._run(exchange))

    async def _run(self, exchange: Exchange) -> None:
        try:
            await self._application(exchange)
        except Exception as error:  # noqa: BLE001 - what the application itself did not tell.
            refusal = self.word_refusal(error, exchange.path)
            _log.exception("request %s failed", refusal.request_id)
            if self._current is not exchange:
                # It had been answered; what failed came after that.
                return
            self._current = None
            self._waiting.clear()
            if exchange.is_begun:
                self.hang_up()
            else:
                self._refuse(refusal)

    # -- Deadlines, and ends.

    @property
    def is_idle(self) -> bool:
        return self._current is None and not self._reader.is_paused and self._reader.part is Part.NOTHING

    @property
    def is_paused(self) -> bool:
        """Whether it is we who do not read."""
        return self._reader.is_paused

    def be_late(self, part: Part, allowed: timedelta) -> None:
        if part is not Part.NOTHING:
            self._refuse(self.word_refusal(TooSlow(part.value, allowed), self._reader.path))
        elif self._current is None:
            self.hang_up()

    def hang_up(self) -> None:
        self._deadlines.disarm()
        self._waiting.clear()
        self._out.close(is_still_sent_to=self._reader.is_cut_short)

    def _refuse(self, refusal: Refusal) -> None:
        """Answer without the application, which never saw the request whole, and close.

        While an earlier request has no answer yet there is none: it would be taken for that one's.
        """
        if self.is_busy:
            self.hang_up()
            return
        if self.tell_refusal is not None:
            self.tell_refusal(refusal.status, refusal.code)
        exchange = Exchange(self)
        exchange.keep_alive = False
        exchange.answer(refusal.status, refusal.headers, refusal.body)

    def _let_go(self) -> None:
        """Close what is idle; what is at work, or has not sent everything yet, is looked at again."""
        if self.is_lost:
            return
        if self.transport.is_closing() and not self.transport.get_write_buffer_size():
            # A polite end of TLS waits for the peer's answer; an idle client may never send it.
            self.transport.abort()
            return
        if self.is_idle:
            self.hang_up()
        self._loop.call_later(_PARTING_SECONDS, self._let_go)
