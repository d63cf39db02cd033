"""Thousands begin and never end: connections that stop within their handshake, and sessions without a socket."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import pytest

from tests.fuzz.watching import sample
from tests.support.chat_users import ChatUser
from tests.support.commands import Home, server
from tests.support.engines import FreshSettings
from tests.support.polling import until
from tests.support.process_tree import linux_only
from tests.support.processes import PLAIN, reached
from tests.support.raw_websocket import opening
from tests.support.realtime_clients import RealtimeSocket, RealtimeWorld
from tests.support.signed import SignedClient
from watchword.settings import Settings

pytestmark = linux_only

LONGER_THAN_THE_TEST = "600"
MESSAGES = 50
CONNECTIONS_TO_A_DATABASE = Settings().database_pool


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.soak)])
def test_thousands_who_begin_and_never_end_take_nothing_from_others(
    tmp_path: Path, fresh_settings: FreshSettings, count: int
) -> None:
    home, data, settings = Home(tmp_path / "home"), tmp_path / "data", fresh_settings()
    # All of them are held at once: by default each would be refused after ten seconds.
    patient = {"WATCHWORD_HEAD_DEADLINE": LONGER_THAN_THE_TEST, "WATCHWORD_DATABASE": settings.database}
    with server(home, "serve", "--data", data, environment=PLAIN | patient) as running:
        pid, there = running.process.pid, reached(running, data, settings)
        with SignedClient(there) as client:
            world = RealtimeWorld(there, client)
            ada, ben, eve = world.user(), world.user(), world.user()
            thread = ada.new_thread(ben)
            with world.realtime(ben).opened() as of_ben:
                alone = seconds_to_hear(ada, thread, of_ben)
                before = sample(pid)
                # Session ids for which no socket is ever opened.
                for _ in range(count // 10):
                    world.realtime(eve).session_id()
                with half_open(there.port, count):
                    until(lambda: sample(pid).descriptors, lambda held: held >= before.descriptors + count)
                    beside = seconds_to_hear(ada, thread, of_ben)
                    held = sample(pid)
                    # Whoever comes now is let in, also she whose sessions nobody opened.
                    for user in (world.user(), eve):
                        with world.realtime(user).opened() as another:
                            assert another.hears_nothing(0.1)
                most = before.descriptors + CONNECTIONS_TO_A_DATABASE
                until(lambda: sample(pid).descriptors, lambda left: left <= most)
                assert len(seconds_to_hear(ada, thread, of_ben)) == MESSAGES
    for name, taken in (("alone", alone), (f"beside {count:,}", beside)):
        print(f"{name}: heard after {median(taken) * 1_000:.1f} ms, {max(taken) * 1_000:.1f} at most")
    print(f"{(held.memory_bytes - before.memory_bytes) / count / 1_024:.1f} KiB for each that is half open")


def seconds_to_hear(ada: ChatUser, thread: str, of_ben: RealtimeSocket) -> list[float]:
    """From sending until Ben hears it, one message after the other."""
    taken = []
    for number in range(MESSAGES):
        begun = time.monotonic()
        ada.send(thread, str(number))
        assert of_ben.text() == str(number)
        taken.append(time.monotonic() - begun)
    return taken


@contextmanager
def half_open(port: int, count: int) -> Iterator[None]:
    """So many connections that offer a WebSocket, and stop in the midst of it; some of them say nothing at all."""
    offer = opening("/socket.io/1/websocket/x")
    with ExitStack() as stack:
        for number in range(count):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            if number % 4:
                half.sendall(offer[: 1 + number % (len(offer) - 4)])
        yield
