"""Clients that take slowly what they missed: who comes behind them is told all the same, and they lose nothing."""

from __future__ import annotations

from contextlib import ExitStack, suppress

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.engines import FreshSettings
from tests.support.polling import until
from tests.support.realtime_clients import Heard, RealtimeSocket, RealtimeWorld
from tests.support.scraping import scrape
from tests.support.signed import SignedClient
from watchword.realtime import arrivals, sockets
from watchword.testing import running_server

_TURNS = 3
_MISSED = 700
"""More than a client is sent, and more than then waits for it in its outbox."""


@pytest.mark.parametrize("most_slow", [_TURNS, 1], ids=["room for all", "room for one"])
def test_who_takes_it_slowly_gives_its_turn_to_others(
    fresh_settings: FreshSettings, most_slow: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "AT_ONCE", _TURNS)
    monkeypatch.setattr(sockets, "UNANSWERED_SECONDS", 3_600.0)
    monkeypatch.setattr(arrivals, "_MOST_SLOW", most_slow)
    settings = fresh_settings(synchronous="OFF")
    with running_server(settings) as server, SignedClient(server) as client, ExitStack() as stack:
        world = RealtimeWorld(server, client)
        ada, ben, eve = world.user(), world.user(), world.user()
        of_ben, of_eve = ada.new_thread(ben), ada.new_thread(eve)
        clients = [world.realtime(eve) for _ in range(_TURNS)]
        slow = [each.session_id() for each in clients]
        waiting = world.realtime(ben).session_id()
        for number in range(_MISSED):
            ada.send(of_eve, str(number))
        ada.send(of_ben, "for Ben")
        opened = [
            stack.enter_context(each.connected(*ids, answers=False)) for each, ids in zip(clients, slow, strict=True)
        ]
        with world.realtime(ben).connected(*waiting) as socket:
            assert socket.text() == "for Ben"
        closed = _TURNS - most_slow
        until(lambda: scrape(server).value("watchword_realtime_slow_readers_closed_total"), lambda n: n == closed)
        # Once they answer, they hear the rest; who was closed would hear it after coming back.
        heard = [everything(each) for each in opened]
        assert sorted(map(len, heard)) == [0] * closed + [_MISSED] * most_slow


def everything(socket: RealtimeSocket) -> list[str]:
    """What was missed, in order; nothing where the socket was closed."""
    heard: list[Heard] = []
    try:
        # More comes once these are answered.
        with suppress(TimeoutError):
            while True:
                heard.append(socket.push(0.5))
    except ConnectionClosed:
        return []
    for each in heard:
        socket.answer(each.id)
    socket.answers = True
    texts = [each.text for each in heard if each.name == "chatMessageReceived"]
    texts += [socket.text() for _ in range(_MISSED - len(texts))]
    assert texts == [str(number) for number in range(_MISSED)]
    return texts
