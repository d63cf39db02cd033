"""The official signaling client is cut again and again while others talk: nothing is lost, and little repeated."""

from __future__ import annotations

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.signaling_client import CONNECTED, SignalingClient, signaling_client
from tests.support.chat_users import ChatUser, new_user
from tests.support.postgres import Cluster
from tests.support.relays import relay
from tests.support.scraping import scrape
from tests.support.signed import SignedClient
from tests.support.tls import without_trust
from watchword import testing
from watchword.settings import Settings

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

THREADS = 5
MESSAGES_A_SECOND = 100
QUIET_SECONDS = 60.0


@dataclass
class Talk:
    """Somebody who sends to each thread in turn, at a steady rate, until told to stop."""

    threads: Sequence[str]
    send: Callable[[str, str], object]
    sent: list[int] = field(default_factory=lambda: [0] * THREADS)
    is_over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        begun = time.monotonic()
        while not self.is_over.is_set():
            number = sum(self.sent)
            time.sleep(max(0.0, begun + number / MESSAGES_A_SECOND - time.monotonic()))
            place = number % THREADS
            self.send(self.threads[place], str(self.sent[place]))
            self.sent[place] += 1


@dataclass
class Hearing:
    """What one client heard: of each thread in its order, repeats, and what came out of order."""

    heard: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    last: dict[str, int] = field(default_factory=dict)
    repeats: int = 0
    connections: int = 0
    wrong: list[str] = field(default_factory=list)

    def hear(self, name: str, payload: Any) -> None:
        if name == "connectionChanged":
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


def _listen(client: SignalingClient, hearing: Hearing, until: Callable[[], bool]) -> None:
    """Hear whatever comes, until it is enough."""
    since = time.monotonic()
    while not until():
        try:
            name, payload = client.next(0.05)
        except queue.Empty:
            assert time.monotonic() - since < QUIET_SECONDS, "nothing is heard any more"
            continue
        since = time.monotonic()
        hearing.hear(name, payload)


@pytest.mark.parametrize("cuts", [30, pytest.param(1_000, marks=pytest.mark.soak)])
def test_nothing_is_lost_and_repeats_are_no_more_than_had_no_answer(
    cluster: Cluster, tmp_path: Path, cuts: int
) -> None:
    settings = Settings(request_log=False, database=cluster.fresh(), encryption_key=KEY)
    with ExitStack() as stack:
        nodes = [stack.enter_context(testing.running_server(settings)) for _ in range(2)]
        both = tmp_path / "both.pem"
        both.write_text("".join(node.ca_file.read_text() for node in nodes if node.ca_file))
        environment = without_trust() | {"NODE_EXTRA_CA_CERTS": str(both), "NO_PROXY": "localhost"}
        signed = [stack.enter_context(SignedClient(node)) for node in nodes]
        ada, ben = new_user(signed[0]), new_user(signed[0])
        threads = [ada.new_thread(ben) for _ in range(THREADS)]
        adas = [ChatUser(each, ada.id, ada.token) for each in signed]
        turns = iter(range(1 << 62))

        def send_at_each_in_turn(thread: str, text: str) -> object:
            return adas[next(turns) % 2].send(thread, text)

        talk = Talk(threads, send_at_each_in_turn)
        # Each step of each handshake at another node than the one before.
        between = stack.enter_context(relay(*(node.port for node in nodes)))
        client = stack.enter_context(signaling_client(f"https://localhost:{between.port}", ben.token, environment))
        hearing = Hearing()
        talking = threading.Thread(target=talk.run)
        talking.start()
        try:
            for cut in range(cuts):
                _listen(client, hearing, lambda due=cut: hearing.connections >= due)  # type: ignore[misc]
                # Sometimes in the midst of what is told again.
                heard = sum(hearing.heard.values())
                _listen(client, hearing, lambda enough=heard + cut % 40: sum(hearing.heard.values()) >= enough)  # type: ignore[misc]
                between.cut()
        finally:
            talk.is_over.set()
            talking.join(60)
        _listen(client, hearing, lambda: sum(hearing.heard.values()) >= sum(talk.sent))
        # The operator is one of the database, whose token the first start made.
        scrapes = [scrape(node, token=nodes[0].operator_token) for node in nodes]
        cut_off = sum(each.value("watchword_realtime_pushes_cut_off_total") for each in scrapes)
        recalled = sum(each.value("watchword_realtime_sockets_recalled_total") for each in scrapes)
    print(
        f"{sum(talk.sent):,} messages, {hearing.connections:,} connections, {hearing.repeats:,} repeats of "
        f"{cut_off:,.0f} without an answer, {recalled:,.0f} told from memory"
    )
    assert hearing.wrong == []
    assert sorted(hearing.heard.values()) == sorted(talk.sent)
    assert hearing.connections >= cuts
    assert hearing.repeats <= cut_off
