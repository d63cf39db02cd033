"""Somebody who talks in several threads at a steady rate, and what a client that is cut again and again hears of it."""

from __future__ import annotations

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.sdk.signaling_client import CONNECTED, DISCONNECTED, SignalingClient

_QUIET_SECONDS = 60.0

Send = Callable[[str], object]


@dataclass
class Talk:
    """One sender for each thread: each says 0, 1, 2 and so on, and all together so many messages a second.

    Who falls behind catches up, so the rate is held for as long as the servers keep up with it at all.
    """

    senders: Sequence[Send]
    messages_a_second: float
    sent: list[int] = field(default_factory=list)
    seconds: float = 0.0
    _is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def rate(self) -> float:
        """Messages a second, over all of the time."""
        return sum(self.sent) / self.seconds

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Until the block ends; then every message was acknowledged."""
        self.sent = [0] * len(self.senders)
        begun = time.monotonic()
        threads = [threading.Thread(target=self._talk, args=(place, begun)) for place in range(len(self.senders))]
        for each in threads:
            each.start()
        try:
            yield
        finally:
            self._is_over.set()
            for each in threads:
                each.join(60)
            self.seconds = time.monotonic() - begun

    def _talk(self, place: int, begun: float) -> None:
        pause = len(self.senders) / self.messages_a_second
        while not self._is_over.wait(max(0.0, begun + self.sent[place] * pause - time.monotonic())):
            self.senders[place](str(self.sent[place]))
            self.sent[place] += 1


@dataclass
class Hearing:
    """What one client heard: of each thread in its order, repeats, and what came out of order."""

    client: SignalingClient
    heard: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    last: dict[str, int] = field(default_factory=dict)
    repeats: int = 0
    connections: int = 0
    losses: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Messages, each once."""
        return sum(self.heard.values())

    def listen(self, until: Callable[[], bool]) -> None:
        """Hear whatever comes, until it is enough."""
        since = time.monotonic()
        while not until():
            try:
                name, payload = self.client.next(0.05)
            except queue.Empty:
                assert time.monotonic() - since < _QUIET_SECONDS, "nothing is heard any more"
                continue
            since = time.monotonic()
            self._hear(name, payload)

    def _hear(self, name: str, payload: Any) -> None:
        if name == "connectionChanged":
            self.losses += payload == DISCONNECTED
            if payload == CONNECTED:
                self.connections += 1
                # What had no answer comes again, from there on in order.
                self.last.clear()
        elif name == "chatMessageReceived":
            self._hear_message(payload["threadId"], int(payload["message"]))

    def _hear_message(self, thread: str, number: int) -> None:
        known, last = self.heard[thread], self.last.get(thread)
        if number > known or (last is not None and number != last + 1):
            self.wrong.append(f"{thread}: {number} came after {last}, where {known} was due")
        self.last[thread] = number
        if number < known:
            self.repeats += 1
        else:
            self.heard[thread] = number + 1
