"""A server whose connections all become WebSockets that say back what they hear."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.http_servers import http_server
from tests.support.polling import until
from tests.support.raw_websocket import (
    RawWebSocket,
)
from watchword.certificates import ensure_leaf, prepare_authority
from watchword.http.exchange import Connection, Exchange
from watchword.http.handshake import shake_hands
from watchword.http.server import HttpServer
from watchword.http.tls import tls_context
from watchword.http.websocket import SocketOwner, WebSocket
from watchword.testing import MovableClock

SHORT_SECONDS = 0.3


@dataclass
class Echo(SocketOwner):
    """Says back what it hears, and does what it is told to."""

    socket: WebSocket
    ends: list[tuple[int, str]]

    def on_text(self, text: str) -> None:
        match text:
            case "fail":
                raise RuntimeError("as it was told")
            case "close":
                self.socket.close(4_001, "enough")
            case "flood":
                while not self.socket.is_closing:
                    self.socket.send("x" * 65_536)
            case _:
                self.socket.send(text)

    def on_binary(self, socket: WebSocket, data: bytes) -> None:
        if data == b"no":
            super().on_binary(socket, data)
        socket.send_binary(data)

    def on_closed(self, code: int, reason: str) -> None:
        self.ends.append((code, reason))


@dataclass
class World:
    server: HttpServer
    port: int
    trust: ssl.SSLContext | None
    ends: list[tuple[int, str]] = field(default_factory=list)
    sockets: list[WebSocket] = field(default_factory=list)
    connections: list[weakref.ref[Connection]] = field(default_factory=list)
    """Those that became sockets, as long as anybody holds them."""
    loop: asyncio.AbstractEventLoop | None = None

    def open(self, socket: WebSocket) -> SocketOwner:
        self.sockets.append(socket)
        return Echo(socket, self.ends)

    def call(self, act: Callable[[], None]) -> None:
        """On the server's own thread; returns when it is done."""

        async def acting() -> None:
            act()

        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(acting(), self.loop).result(20)

    def busy(self, seconds: float) -> None:
        """Let the server do nothing for so long: what arrives meanwhile is there at once."""
        assert self.loop is not None
        self.loop.call_soon_threadsafe(time.sleep, seconds)

    async def answer(self, exchange: Exchange) -> None:
        self.loop = asyncio.get_running_loop()
        self.connections.append(weakref.ref(exchange.connection))
        exchange.switch(shake_hands(exchange), self.open)

    @property
    def url(self) -> str:
        return f"{'wss' if self.trust else 'ws'}://localhost:{self.port}/"

    @contextlib.contextmanager
    def opened(self, behind: bytes = b"") -> Iterator[RawWebSocket]:
        with self.connected() as connection:
            yield RawWebSocket.open(connection, behind=behind)

    def connected(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        return self.trust.wrap_socket(connection, server_hostname="localhost") if self.trust else connection

    def ended(self) -> tuple[int, str]:
        """How the only socket ended."""
        until(lambda: (len(self.ends), self.server.open_connections), lambda seen: seen == (1, 0))
        return self.ends[0]


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    folder: Path = tmp_path_factory.mktemp("tls")
    now = MovableClock().now()
    authority, _ = prepare_authority(folder, now)
    leaf, _ = ensure_leaf(authority, folder / "leaf", (), now=now)
    trusting = ssl.create_default_context(cafile=authority.certificate_path)
    return tls_context(leaf.certificate_path, leaf.key_path), trusting


@pytest.fixture(params=["plain", "tls"])
def world(request: pytest.FixtureRequest, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[World]:
    tls, trust = contexts if request.param == "tls" else (None, None)
    with echoing(tls, trust, head_deadline=SHORT_SECONDS) as found:
        yield found


@contextlib.contextmanager
def echoing(
    tls: ssl.SSLContext | None = None, trust: ssl.SSLContext | None = None, *, head_deadline: float = 20.0
) -> Iterator[World]:
    found: list[World] = []

    async def answer(exchange: Exchange) -> None:
        await found[0].answer(exchange)

    with http_server(answer, tls=tls, head_deadline=head_deadline) as (server, port):
        found.append(World(server, port, trust))
        yield found[0]
