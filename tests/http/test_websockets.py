"""Connections that become a WebSocket: clients of every kind, and how each socket ends."""

from __future__ import annotations

import contextlib
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.echo_server import SHORT_SECONDS, Echo, World, contexts, world
from tests.support.http_servers import http_server
from tests.support.polling import until
from tests.support.processes import accepts
from tests.support.raw_websocket import (
    PING,
    TEXT,
    RawWebSocket,
    closing,
    frame,
    opening,
)
from tests.support.signed import read_reply
from watchword.errors import Unavailable
from watchword.http.conversation import MOST_MESSAGE_BYTES
from watchword.http.exchange import Exchange
from watchword.http.handshake import shake_hands
from watchword.http.websocket import MOST_UNSENT_BYTES

__all__ = ["contexts", "world"]


def test_the_client_of_the_library_is_understood(world: World) -> None:
    with connect(world.url, ssl=world.trust, compression="deflate") as client:
        for text in ("", "hello", "ü" * 200, "x" * MOST_MESSAGE_BYTES):
            client.send(text)
            assert client.recv() == text
        client.send([b"in ", b"three ", b"pieces"])
        assert client.recv() == b"in three pieces"
        assert client.ping("?").wait(20)
        assert client.protocol.extensions == []
        client.close(4_000, "bye")
    assert world.ended() == (4_000, "bye")


async def test_the_client_of_aiohttp_is_understood(world: World) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(world.url, ssl=world.trust or True, compress=15, heartbeat=0.01) as client,
    ):
        for _ in range(20):
            await client.send_str("hello")
            assert await client.receive_str() == "hello"
        await client.close()
    assert world.ended() == (1_000, "")


# -- Ends.


@pytest.mark.parametrize("world", ["plain"], indirect=True)
def test_our_own_close_waits_for_the_peers_and_not_for_long(world: World) -> None:
    with world.opened() as client:
        client.send(frame(TEXT, b"close"))
        assert client.read_close() == 4_001
        assert client.read() == (0, b"")
    assert world.ended() == (4_001, "enough")


def test_a_client_that_is_gone_without_a_word_is_told_to_the_owner(world: World) -> None:
    with world.opened() as client:
        client.send(frame(TEXT, b"a"), frame(TEXT, b"half")[:-2])
        assert client.read() == (TEXT, b"a")
        if world.trust is None:
            # It says that it sends no more, and could still read.
            client.connection.shutdown(socket.SHUT_WR)
            assert client.read() == (0, b"")
    assert world.ended() == (1_006, "")


def test_a_client_that_reads_nothing_is_cut_off_before_it_costs_memory(world: World) -> None:
    with world.opened() as client:
        client.send(frame(TEXT, b"flood"))
        assert world.ended() == (1_006, "")
        [one] = world.sockets
        assert (one.was_too_slow, one.unsent_bytes) == (True, 0)
    assert MOST_UNSENT_BYTES < 2**21


def test_a_client_that_floods_with_pings_and_reads_nothing_is_cut_off_too(world: World) -> None:
    with world.opened() as client, contextlib.suppress(OSError):
        pings = frame(PING, b"?" * 125) * 5_000
        for _ in range(40):
            client.send(pings)
    assert world.ended()[0] == 1_006


def test_a_stop_says_that_the_server_goes_away(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with contextlib.ExitStack() as stack, caplog.at_level(logging.WARNING):
        clients = [stack.enter_context(world.opened()) for _ in range(20)]
        world.server.stop()
        for client in clients:
            assert client.read_close() == 1_001
            client.send(closing(1_001))
            assert client.read() == (0, b"")
        until(lambda: world.server.open_connections, lambda left: left == 0)
    assert [code for code, _ in world.ends] == [1_001] * 20
    assert not caplog.records


@dataclass
class Moving(Echo):
    """Sends its client elsewhere when the server stops."""

    closes: bool = True

    def on_stop(self) -> bool:
        self.socket.send("go elsewhere")
        if self.closes:
            self.socket.close(4_002, "moved")
        return True


@pytest.mark.parametrize(("closes", "code"), [(True, 4_002), (False, 1_001)])
@pytest.mark.parametrize("shares_sockets", [True, False], ids=["one of several", "alone"])
def test_an_owner_has_some_time_to_move_its_client_when_the_server_stops(
    closes: bool, code: int, shares_sockets: bool
) -> None:
    ends: list[tuple[int, str]] = []

    async def answer(exchange: Exchange) -> None:
        exchange.switch(shake_hands(exchange), lambda socket: Moving(socket, ends, closes))

    with (
        http_server(answer, stop_deadline=20, move_deadline=0.3, shares_sockets=shares_sockets) as (server, port),
        contextlib.ExitStack() as stack,
    ):
        connections = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(300)]
        clients = [RawWebSocket.open(stack.enter_context(each)) for each in connections]
        server.stop()
        for client in clients:
            # What is said while it goes is still heard.
            client.send(frame(TEXT, b"last"))
        for client in clients:
            said = [client.read(), client.read()]
            assert (TEXT, b"go elsewhere") in said
            if not closes:
                assert (TEXT, b"last") in said
                assert client.read_close() == 1_001
            client.send(closing(code))
        until(lambda: server.open_connections, lambda left: left == 0)
    assert ends == [(code, "")] * 300


def test_a_stop_under_load_ends_every_socket_and_loses_nothing_before_its_close(world: World) -> None:
    def talk(number: int) -> tuple[int, int]:
        sent = 0
        with connect(world.url, ssl=world.trust) as client, contextlib.suppress(ConnectionClosed):
            while True:
                client.send(f"{number} {sent}")
                assert client.recv() == f"{number} {sent}"
                sent += 1
                talked.add(number)
        return sent, client.close_code or 0

    talked: set[int] = set()
    with ThreadPoolExecutor(10) as threads:
        talks = [threads.submit(talk, number) for number in range(10)]
        until(lambda: len(talked), lambda count: count == 10)
        world.server.stop()
        assert {talk.result()[1] for talk in talks} == {1_001}
    until(lambda: len(world.ends), lambda count: count == 10)


def test_nothing_is_left_of_a_request_once_its_connection_is_a_socket(world: World) -> None:
    """Deadlines and idleness would both end it."""
    with world.opened() as client:
        until(lambda: world.server.requests_in_flight, lambda count: count == 0)
        assert (world.server.open_connections, world.server.open_sockets) == (1, 1)
        client.send(frame(TEXT, b"a")[:3])
        client.connection.settimeout(3 * SHORT_SECONDS)
        with pytest.raises(TimeoutError):
            client.connection.recv(1)
        client.connection.settimeout(20)
        client.send(frame(TEXT, b"a")[3:])
        assert client.read() == (TEXT, b"a")


def test_a_connection_that_became_a_socket_is_forgotten_without_the_garbage_collector(world: World) -> None:
    """Ten thousand sockets would keep as many parsers, deadlines and requests."""
    with world.opened() as client:
        client.send(frame(TEXT, b"a"))
        assert client.read() == (TEXT, b"a")
        until(lambda: [each() for each in world.connections], lambda found: found == [None])


def test_reading_can_rest_and_go_on(world: World) -> None:
    with world.opened() as client:
        client.send(frame(TEXT, b"a"))
        assert client.read() == (TEXT, b"a")
        [one] = world.sockets
        world.call(one.pause)
        client.send(frame(TEXT, b"b"))
        client.connection.settimeout(SHORT_SECONDS)
        with pytest.raises(TimeoutError):
            client.connection.recv(1)
        client.connection.settimeout(20)
        world.call(one.resume)
        assert client.read() == (TEXT, b"b")


def test_a_socket_that_is_asked_for_during_a_stop_is_refused_until_another_server_is_there() -> None:
    async def answer(exchange: Exchange) -> None:
        if exchange.method == "POST":
            exchange.answer(200, [])
            return
        try:
            shake_hands(exchange)
        except Unavailable as refusal:
            exchange.answer(503, [("retry-after", f"{refusal.retry_after.total_seconds():g}")])

    with http_server(answer) as (server, port), socket.create_connection(("127.0.0.1", port), timeout=20) as one:
        one.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        assert read_reply(one).status == 200
        server.stop()
        until(lambda: accepts(port), lambda accepting: not accepting)
        one.sendall(opening())
        reply = read_reply(one)
        assert (reply.status, reply.headers["retry-after"], reply.headers["connection"]) == (503, "1", "close")
