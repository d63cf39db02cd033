"""Sockets that several listen on: a crowd spreads over all of them, and a stop leaves the sockets to the others."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from watchword.certificates import ensure_leaf, prepare_authority
from watchword.http.accepting import FairAcceptor
from watchword.http.tls import tls_context
from watchword.testing import MovableClock


class Listening:
    """One of several that accept on a socket."""

    def __init__(
        self,
        shared: socket.socket,
        tls: ssl.SSLContext | None = None,
        *,
        handshake_deadline: timedelta = timedelta(seconds=5),
    ) -> None:
        self.connections: list[asyncio.BaseTransport] = []
        self.socket = shared.dup()
        self.socket.setblocking(False)
        self.acceptor = FairAcceptor(
            [self.socket], lambda: _Protocol(self.connections), tls, handshake_deadline=handshake_deadline
        )

    def close(self) -> None:
        self.acceptor.close()
        self.socket.close()
        for each in self.connections:
            each.close()


class _Protocol(asyncio.Protocol):
    def __init__(self, connections: list[asyncio.BaseTransport]) -> None:
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.append(transport)


@contextmanager
def crowd(port: int, count: int) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        yield


@pytest.fixture
def shared() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        yield listening


async def test_a_crowd_spreads_over_all_who_listen(shared: socket.socket) -> None:
    several = [Listening(shared) for _ in range(3)]
    with crowd(shared.getsockname()[1], 30):
        while sum(len(each.connections) for each in several) < 30:
            await asyncio.sleep(0)
        assert all(len(each.connections) >= 5 for each in several)
        for each in several:
            each.close()
        await asyncio.sleep(0)


async def test_who_stops_leaves_the_rest_to_the_others(shared: socket.socket) -> None:
    one, other = Listening(shared), Listening(shared)
    one.close()
    await one.acceptor.wait_closed()
    with crowd(shared.getsockname()[1], 5):
        while len(other.connections) < 5:
            await asyncio.sleep(0)
        assert one.connections == []
        other.close()
        await asyncio.sleep(0)


async def test_a_handshake_that_fails_is_nobodys_affair(shared: socket.socket, tmp_path: Path) -> None:
    now = MovableClock().now()
    authority, _ = prepare_authority(tmp_path, now)
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", (), now=now)
    listening = Listening(shared, tls_context(leaf.certificate_path, leaf.key_path))
    port = shared.getsockname()[1]
    _, stranger = await asyncio.open_connection("127.0.0.1", port)
    stranger.write(b"GET / HTTP/1.1\r\n\r\n")
    trusting = ssl.create_default_context(cafile=authority.certificate_path)
    _, client = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="localhost")
    await listening.acceptor.wait_closed()
    assert len(listening.connections) == 1
    listening.close()
    for each in (client, stranger):
        each.close()
        await asyncio.gather(each.wait_closed(), return_exceptions=True)


async def test_a_handshake_that_never_comes_is_not_waited_for(shared: socket.socket, tmp_path: Path) -> None:
    now = MovableClock().now()
    authority, _ = prepare_authority(tmp_path, now)
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", (), now=now)
    tls = tls_context(leaf.certificate_path, leaf.key_path)
    listening = Listening(shared, tls, handshake_deadline=timedelta(seconds=0.2))
    reader, silent = await asyncio.open_connection("127.0.0.1", shared.getsockname()[1])
    async with asyncio.timeout(10):
        assert await reader.read() == b""
        await listening.acceptor.wait_closed()
    listening.close()
    silent.close()
    await asyncio.gather(silent.wait_closed(), return_exceptions=True)
