"""The history of clients that are cut again and again while others talk: nothing lost, in order, and little repeated.

A client knows what it must not hear twice: whatever it answered on a connection that it ended itself, after that.
"""

from __future__ import annotations

import os
import random
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.realtime_clients import RealtimeClient, RealtimeSocket, RealtimeWorld
from tests.support.signed import SignedClient

ROUNDS = int(os.environ.get("WATCHWORD_SOAK_ROUNDS", "8"))


@dataclass
class History:
    """What one client heard, in its order; what it answered for sure, and repeats that nothing excuses."""

    client: RealtimeClient
    chance: random.Random
    heard: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    settled: set[tuple[str, int]] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def live(self, until: threading.Event, everything: int) -> None:
        """Connects and is cut, until the others have said everything and it has heard that."""
        while not (until.is_set() and self._count() >= everything):
            answered: list[tuple[str, int]] = []
            with self.client.opened(answers=False) as socket:
                with suppress(TimeoutError, ConnectionClosed):
                    self._listen(socket, answered, everything)
                if self.chance.random() < 0.3:
                    # Cut: nobody knows which of the last answers arrived.
                    socket.connection.socket.close()
                else:
                    self.settled.update(answered)

    def _listen(self, socket: RealtimeSocket, answered: list[tuple[str, int]], everything: int) -> None:
        open_push = False
        for _ in range(self.chance.randrange(1, 60)):
            heard = socket.push(1.0)
            if heard.name != "chatMessageReceived":
                socket.answer(heard.id)
                continue
            entry = (heard.body["groupId"], int(heard.text))
            self._note(*entry)
            if self.chance.random() < 0.02:
                # From here on it owes an answer, and what comes behind is told again too.
                open_push = True
            else:
                socket.answer(heard.id)
                if not open_push:
                    answered.append(entry)
            if self._count() >= everything:
                return

    def _note(self, thread: str, number: int) -> None:
        known = self.heard[thread]
        if (thread, number) in self.settled:
            self.wrong.append(f"{number} was answered, and came again")
        if number in known:
            return
        if number != len(known):
            self.wrong.append(f"{number} came where {len(known)} was due")
        known.append(number)

    def _count(self) -> int:
        return sum(map(len, self.heard.values()))


@pytest.mark.parametrize("rounds", [ROUNDS, pytest.param(300, marks=pytest.mark.soak)])
def test_nothing_is_lost_and_little_repeated_through_cuts(world: RealtimeWorld, rounds: int) -> None:
    ada = world.user()
    listeners = [world.user() for _ in range(4)]
    threads = [ada.new_thread(*listeners) for _ in range(3)]
    said = threading.Event()
    everything = len(threads) * rounds * 4

    def talk() -> None:
        for number in range(rounds * 4):
            for thread in threads:
                ada.send(thread, str(number))
        said.set()

    with ThreadPoolExecutor() as pool:
        clients = [SignedClient(world.server) for _ in listeners]
        histories = [
            History(RealtimeClient(type(user)(client, user.id, user.token), world.server), random.Random(place))
            for place, (user, client) in enumerate(zip(listeners, clients, strict=True))
        ]
        for history in histories:
            # From here on everything is kept for it.
            assert history.client.allocate().status == 200
        running = [pool.submit(history.live, said, everything) for history in histories]
        pool.submit(talk).result()
        for each in running:
            each.result(300)
        for client in clients:
            client.close()
    for history in histories:
        assert history.wrong == []
        assert sorted(history.heard.values()) == [list(range(rounds * 4))] * len(threads)
