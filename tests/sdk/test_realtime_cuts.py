"""The official signaling client is cut and moved over and over while others talk: nothing is lost, little repeated."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path

import pytest

from tests.fuzz.watching import watching
from tests.sdk.signaling_client import SignalingClient, signaling_client
from tests.sdk.steady_talk import Hearing, Send, Talk
from tests.support.chat_users import ChatUser, new_user
from tests.support.commands import Home, Server, server
from tests.support.postgres import Cluster
from tests.support.processes import reached
from tests.support.relays import Relay, relay
from tests.support.scraping import Scrape, scrape
from tests.support.signed import SignedClient
from tests.support.tls import without_trust
from watchword.realtime.handover import ANSWER_SECONDS
from watchword.settings import Settings
from watchword.testing import RunningServer

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
THREADS = 5
MESSAGES_A_SECOND = 100


@dataclass(frozen=True)
class Node:
    """One `watchword serve`, in a process of its own."""

    process: Server
    server: RunningServer

    def stop(self) -> None:
        status, _ = self.process.stop(signal.SIGTERM)
        assert status == 0


@dataclass
class World:
    """Nodes on one database, whose certificates one authority has signed; and two users, of whom Ada talks to Ben."""

    home: Home
    database: str
    stack: ExitStack
    ada: ChatUser = field(init=False)
    ben: ChatUser = field(init=False)
    threads: list[str] = field(init=False)
    _numbers: Iterator[int] = field(default_factory=count)

    def node(self) -> Node:
        """One more."""
        data = self.home.folder / f"node-{next(self._numbers)}"
        environment = {"WATCHWORD_DATABASE": self.database, "WATCHWORD_ENCRYPTION_KEY": KEY}
        process = self.stack.enter_context(
            server(self.home, "serve", "--data", data, "--no-request-log", environment=environment)
        )
        return Node(process, reached(process, data, Settings(database=self.database, encryption_key=KEY)))

    def meet(self, node: Node) -> None:
        signed = self.stack.enter_context(SignedClient(node.server))
        self.ada, self.ben = new_user(signed), new_user(signed)
        self.threads = [self.ada.new_thread(self.ben) for _ in range(THREADS)]

    def sender(self, thread: str, *nodes: Node) -> Send:
        """Ada, who says each message at the next of the nodes."""
        adas = cycle(
            ChatUser(self.stack.enter_context(SignedClient(each.server)), self.ada.id, self.ada.token) for each in nodes
        )
        return lambda text: next(adas).send(thread, text)

    def listening(self, between: Relay) -> AbstractContextManager[SignalingClient]:
        """Ben."""
        trust = {"NODE_EXTRA_CA_CERTS": str(self.home.folder / "data/certificates/ca.pem"), "NO_PROXY": "localhost"}
        return signaling_client(f"https://localhost:{between.port}", self.ben.token, without_trust() | trust)


@pytest.fixture
def world(cluster: Cluster, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(Home(tmp_path / "home"), cluster.fresh(), stack)


@pytest.mark.parametrize("cuts", [30, pytest.param(1_000, marks=pytest.mark.soak)])
def test_nothing_is_lost_and_repeats_are_no_more_than_had_no_answer(world: World, cuts: int) -> None:
    nodes = [world.node(), world.node()]
    world.meet(nodes[0])
    talk = Talk([world.sender(each, *nodes) for each in world.threads], MESSAGES_A_SECOND)
    # Each step of each handshake is at another node than the one before.
    with relay(*(each.server.port for each in nodes)) as between, world.listening(between) as client:
        hearing = Hearing(client)
        with talk.going_on():
            for cut in range(cuts):
                hearing.listen(lambda due=cut: hearing.connections >= due)  # type: ignore[misc]
                # Sometimes in the midst of what is told again.
                hearing.listen(lambda enough=hearing.count + cut % 40: hearing.count >= enough)  # type: ignore[misc]
                between.cut()
        # It comes back after the last one too, though everything may have been heard by then.
        hearing.listen(lambda: hearing.count >= sum(talk.sent) and hearing.connections >= cuts)
        scrapes = [scrape(each.server) for each in nodes]
    cut_off = _sum(scrapes, "pushes_cut_off")
    print(
        f"{sum(talk.sent):,} messages, {talk.rate:.0f} a second, {hearing.connections:,} connections, "
        f"{hearing.repeats:,} repeats of {cut_off:,.0f} without an answer, "
        f"{_sum(scrapes, 'sockets_recalled'):,.0f} told from memory"
    )
    assert hearing.wrong == []
    assert sorted(hearing.heard.values()) == sorted(talk.sent)
    assert hearing.repeats <= cut_off


@pytest.mark.parametrize("moves", [2, pytest.param(50, marks=pytest.mark.soak)])
def test_nothing_is_repeated_where_a_node_that_stops_asks_to_be_left(world: World, moves: int) -> None:
    staying, leaving = world.node(), world.node()
    world.meet(staying)
    talk = Talk([world.sender(each, staying) for each in world.threads], MESSAGES_A_SECOND)
    with watching("sleep") as slept, relay(leaving.server.port) as between, world.listening(between) as client:
        hearing = Hearing(client)
        with talk.going_on():
            for _ in range(moves):
                following = world.node()
                between.ports = [following.server.port]
                stopping = threading.Thread(target=leaving.stop)
                stopping.start()
                hearing.listen(lambda: not stopping.is_alive())  # noqa: B023 - asked within this turn alone.
                leaving = following
        hearing.listen(lambda: hearing.count >= sum(talk.sent))
    late = max(look.seconds for look in slept[0].looks)
    print(
        f"{sum(talk.sent):,} messages, {talk.rate:.0f} a second, {hearing.repeats:,} repeats after {moves} moves; "
        f"who only sleeps woke {late * 1_000:.0f} ms late at most"
    )
    assert hearing.wrong == []
    assert sorted(hearing.heard.values()) == sorted(talk.sent)
    assert hearing.losses == 0
    # Answers that are under way are waited for; each goes through five hands, which a busy machine may hold up.
    assert hearing.repeats == 0 or 5 * late > ANSWER_SECONDS


def _sum(scrapes: list[Scrape], name: str) -> float:
    return sum(each.value(f"watchword_realtime_{name}_total") for each in scrapes)
