"""Who is heard when thousands of sockets say something at once: everybody, in order, and others in between."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.support.echo_server import Echo, World, contexts, echoing
from tests.support.http_servers import http_server
from tests.support.polling import until
from tests.support.raw_websocket import TEXT, RawWebSocket, frame
from watchword.http.exchange import Exchange
from watchword.http.handshake import shake_hands
from watchword.http.outflow import Outflow
from watchword.http.turns import A_TURN, Turns
from watchword.http.websocket import WebSocket

__all__ = ["contexts"]

_BUSY_SECONDS = 0.5


@pytest.fixture(params=["plain", "tls"])
def world(request: pytest.FixtureRequest, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[World]:
    with echoing(*contexts if request.param == "tls" else ()) as found:
        yield found


@dataclass
class One:
    """Says by its number that it was heard."""

    number: int
    say: Callable[[int], None]

    def hear(self) -> None:
        self.say(self.number)


async def test_a_few_are_heard_in_each_turn_in_the_order_in_which_they_came() -> None:
    turns, heard = Turns(), list[int]()
    assert [turns.is_free() for _ in range(A_TURN + 1)] == [True] * A_TURN + [False]
    for number in range(2 * A_TURN + 5):
        turns.stand_in_row(One(number, heard.append))
    counts = []
    while len(heard) < 2 * A_TURN + 5:
        await asyncio.sleep(0)
        counts.append(len(heard))
        assert turns.is_free() == (len(heard) == 2 * A_TURN + 5)
    assert heard == [*range(2 * A_TURN + 5)]
    assert [count for count in counts if count] == [A_TURN, 2 * A_TURN, 2 * A_TURN + 5]


async def test_nobody_in_a_long_row_waits_for_more_than_so_many_turns() -> None:
    turns, heard = Turns(), list[int]()
    for number in range(20_000):
        turns.stand_in_row(One(number, heard.append))
    for _ in range(128):
        assert len(heard) < 20_000
        await asyncio.sleep(0)
    assert heard == [*range(20_000)]
    turns.stand_in_row(One(20_000, heard.append))
    assert turns.is_free()


def test_what_many_say_at_once_is_heard_in_the_order_of_each(world: World) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(world.opened()) for _ in range(4 * A_TURN)]
        pieces = [frame(TEXT, b"one") + frame(TEXT, b"two")[:5], frame(TEXT, b"two")[5:] + frame(TEXT, b"x" * 60_000)]
        for piece in pieces:
            world.busy(_BUSY_SECONDS)
            for client in clients:
                client.send(piece)
        for client in clients:
            assert [client.read() for _ in range(3)] == [(TEXT, b"one"), (TEXT, b"two"), (TEXT, b"x" * 60_000)]


@dataclass
class Listening(Echo):
    """Keeps what it hears."""

    said: list[str]

    def on_text(self, text: str) -> None:
        self.said.append(text)


def test_what_was_said_before_the_connection_was_lost_is_heard_before_its_end() -> None:
    ends: list[tuple[int, str]] = []
    said: list[str] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def answer(exchange: Exchange) -> None:
        loops.append(asyncio.get_running_loop())
        exchange.switch(shake_hands(exchange), lambda socket: Listening(socket, ends, said))

    with http_server(answer) as (_, port), contextlib.ExitStack() as stack:
        connections = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(4 * A_TURN)]
        clients = [RawWebSocket.open(stack.enter_context(each)) for each in connections]
        loops[0].call_soon_threadsafe(time.sleep, _BUSY_SECONDS)
        for client in clients:
            client.send(frame(TEXT, b"goodbye"))
        for connection in connections:
            connection.shutdown(socket.SHUT_WR)
        until(lambda: len(ends), lambda ended: ended == len(clients))
    assert said == ["goodbye"] * len(clients)


def test_who_says_more_than_is_put_aside_is_heard_at_once(world: World) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(world.opened()) for _ in range(2 * A_TURN)]
        world.busy(_BUSY_SECONDS)
        for client in clients:
            client.send(*[frame(TEXT, b"y" * 50_000)] * 6)
        for client in clients:
            assert [client.read() for _ in range(6)] == [(TEXT, b"y" * 50_000)] * 6


class Wire(asyncio.Transport):
    """Takes everything, and notes whether it was cut off."""

    is_cut_off = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing waits here."""

    def write(self, data: Any) -> None:
        """It is gone."""

    def is_closing(self) -> bool:
        return self.is_cut_off

    def resume_reading(self) -> None:
        """What is read is put into the buffer by the test."""

    def abort(self) -> None:
        self.is_cut_off = True


async def test_one_that_cannot_be_heard_ends_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    loop, turns, buffer, said = asyncio.get_running_loop(), Turns(), memoryview(bytearray(100)), list[str]()
    receive = WebSocket.receive

    def receive_or_fail(self: WebSocket, data: memoryview) -> None:
        if data == frame(TEXT, b"poison"):
            raise MemoryError
        receive(self, data)

    monkeypatch.setattr(WebSocket, "receive", receive_or_fail)
    while turns.is_free():
        pass
    wires = [Wire() for _ in range(3)]
    for wire, word in zip(wires, (b"one", b"poison", b"three"), strict=True):
        one = WebSocket(wire, Outflow(wire, timedelta(1), loop), buffer, turns=turns, leave=lambda _: None)
        one.begin(lambda socket: Listening(socket, [], said), b"")
        arrived = frame(TEXT, word)
        buffer[: len(arrived)] = arrived
        one.buffer_updated(len(arrived))
    assert said == []
    await asyncio.sleep(0)
    assert (said, [wire.is_cut_off for wire in wires]) == (["one", "three"], [False, True, False])
    assert turns.is_free()
    assert "what a WebSocket said could not be heard" in caplog.text
