"""Clients that do not read what they are answered: what is held for one has an end, and so has the wait."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.http_servers import http_server
from tests.support.polling import until
from tests.support.signed import read_reply, read_to_end
from watchword.certificates import ensure_leaf, prepare_authority
from watchword.http.exchange import Exchange
from watchword.http.outflow import Outflow
from watchword.http.tls import tls_context
from watchword.testing import MovableClock

LARGE = b"x" * 65_536
MANY = 1_000
MOST = 60
"""More answers of that size than all buffers between the two ends hold."""

SHORT_SECONDS = 0.3


class Wire(NamedTuple):
    """How the server speaks, and how a client connects that takes in little at once."""

    tls: ssl.SSLContext | None
    connect: Callable[[int], socket.socket]


def connect(port: int) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", port))
    return connection


@pytest.fixture(params=["plain", "tls"])
def wire(request: pytest.FixtureRequest, tmp_path: Path) -> Wire:
    if request.param == "plain":
        return Wire(None, connect)
    now = MovableClock().now()
    authority, _ = prepare_authority(tmp_path, now)
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", (), now=now)
    trusting = ssl.create_default_context(cafile=authority.certificate_path)
    return Wire(
        tls_context(leaf.certificate_path, leaf.key_path),
        lambda port: trusting.wrap_socket(connect(port), server_hostname="localhost"),
    )


class Counting:
    """Answers every request with what it sent and so much more, and counts them."""

    def __init__(self, more: bytes = b"") -> None:
        self.carried_out = 0
        self._more = more

    async def __call__(self, exchange: Exchange) -> None:
        self.carried_out += 1
        exchange.answer(200, [], f"{exchange.target} {exchange.body.decode()} ".encode() + self._more)


def test_who_pipelines_and_reads_nothing_is_held_back_and_then_cut_off(wire: Wire) -> None:
    counting = Counting(LARGE)
    with (
        http_server(counting, tls=wire.tls, answer_deadline=SHORT_SECONDS) as (server, port),
        wire.connect(port) as one,
    ):
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * MANY)
        until(lambda: (counting.carried_out > 0, server.open_connections), lambda told: told == (True, 0))
        assert counting.carried_out < MOST


def test_who_sends_one_request_after_another_and_reads_nothing_is_held_back_too(wire: Wire) -> None:
    counting = Counting(LARGE)
    with (
        http_server(counting, tls=wire.tls, answer_deadline=SHORT_SECONDS) as (server, port),
        wire.connect(port) as one,
    ):
        with suppress(OSError):
            for number in range(MOST):
                one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                # The next packet comes when this one was answered, as long as they are.
                until(lambda sent=number: counting.carried_out > sent or not server.open_connections, bool)  # type: ignore[misc]
        until(lambda: server.open_connections, lambda left: left == 0)
        assert counting.carried_out < MOST


def test_who_reads_late_gets_every_answer_in_order(wire: Wire) -> None:
    counting = Counting(b"y" * 10_000)
    lengths = b"".join(b"POST /%d HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody" % number for number in range(200))
    chunks = b"".join(
        b"POST /%d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nA: b\r\n\r\n" % number
        for number in range(200, 400)
    )
    with http_server(counting, tls=wire.tls) as (_, port), wire.connect(port) as one:
        one.sendall(lengths + chunks + b"GET /last HTTP/1.1\r\nConnection: close\r\n\r\n")
        until(lambda: counting.carried_out, lambda count: count > 1)
        assert counting.carried_out < 400
        answers = read_to_end(one).split(b"HTTP/1.1 200 OK\r\n")[1:]
    told = [answer.partition(b"\r\n\r\n")[2].split(b" ")[:2] for answer in answers]
    assert told == [[b"/%d" % number, b"body"] for number in range(400)] + [[b"/last", b""]]


def test_a_stream_that_nobody_reads_ends(wire: Wire) -> None:
    ends: list[str] = []

    async def stream(exchange: Exchange) -> None:
        exchange.begin(200, [])
        try:
            while True:
                await exchange.write(LARGE)
        except ConnectionResetError:
            ends.append("reset")

    with http_server(stream, tls=wire.tls, answer_deadline=SHORT_SECONDS) as (server, port), wire.connect(port) as one:
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: ends, lambda found: found == ["reset"])
        until(lambda: server.open_connections, lambda left: left == 0)


def test_a_last_answer_that_nobody_reads_does_not_keep_its_connection(wire: Wire) -> None:
    with (
        http_server(Counting(LARGE * 20), tls=wire.tls, answer_deadline=SHORT_SECONDS) as (server, port),
        wire.connect(port) as one,
    ):
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        until(lambda: server.open_connections, lambda left: left == 1)
        until(lambda: server.open_connections, lambda left: left == 0)


def test_a_refusal_is_not_told_in_place_of_an_answer_that_waits_for_room(wire: Wire) -> None:
    counting = Counting(LARGE * 20)
    with http_server(counting, tls=wire.tls) as (_, port), wire.connect(port) as one:
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: counting.carried_out, lambda count: count == 1)
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nbroken\r\n\r\n")
        answers = read_to_end(one)
    assert answers.count(b"HTTP/1.1 ") == 1
    assert answers.startswith(b"HTTP/1.1 200 ")


def test_a_connection_stays_open_after_requests_that_came_at_once(wire: Wire) -> None:
    with http_server(Counting(), tls=wire.tls, head_deadline=SHORT_SECONDS) as (_, port), wire.connect(port) as one:
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 500)
        answers = b""
        while answers.count(b"HTTP/1.1 200 OK\r\n") < 500 or not answers.endswith(b"/  "):
            answers += one.recv(65_536)
        one.settimeout(2 * SHORT_SECONDS)
        with pytest.raises(TimeoutError):
            one.recv(1)
        one.settimeout(20)
        one.sendall(b"GET /again HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_reply(one).body.startswith(b"/again")


# -- The deadline itself.


class Pipe(asyncio.Transport):
    """A transport with so many unsent bytes each time that somebody asks."""

    def __init__(self, *unsent: int) -> None:
        super().__init__()
        self.unsent = list(unsent)
        self.is_aborted = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.unsent.pop(0)

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        self.is_aborted = True


async def test_a_client_that_takes_some_before_each_deadline_is_waited_for() -> None:
    pipe = Pipe(900, 800, 799, 1, 1, 50)
    outflow = Outflow(pipe, timedelta(milliseconds=1), asyncio.get_running_loop())
    outflow.pause()
    while not pipe.is_aborted:
        await asyncio.sleep(0)
    # It was looked at until nothing had been taken since the last time.
    assert pipe.unsent == [50]


async def test_who_made_room_between_two_looks_is_waited_for() -> None:
    pipe = Pipe(100, 100, 100, 100, 50)
    outflow = Outflow(pipe, timedelta(milliseconds=1), asyncio.get_running_loop())
    outflow.pause()
    outflow.resume()
    outflow.pause()
    while not pipe.is_aborted:
        await asyncio.sleep(0)
    # Nothing was seen to be taken but once: at the first look, thanks to what was made room for.
    assert pipe.unsent == [50]
