"""Each step at another node or process: no part of a handshake, nor of what is told, is of one of them alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from tests.support.chat_users import ChatUser
from tests.support.commands import Home, server
from tests.support.engines import FreshSettings
from tests.support.polling import until
from tests.support.postgres import Cluster
from tests.support.process_tree import client_of, kill, linux_only, workers
from tests.support.processes import PLAIN, Process
from tests.support.realtime_clients import Heard, RealtimeClient, RealtimeSocket, RealtimeWorld
from tests.support.signed import SignedClient
from watchword.server.installation import read_access_keys
from watchword.settings import Settings
from watchword.testing import running_server

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@dataclass
class Nodes:
    first: RealtimeWorld
    second: RealtimeWorld

    def at(self, number: int) -> RealtimeWorld:
        return (self.first, self.second)[number % 2]

    def realtime(self, client: RealtimeClient, number: int) -> RealtimeClient:
        """The same client, as it asks one of the nodes."""
        world = self.at(number)
        user = ChatUser(world.client, client.user.id, client.user.token)
        return RealtimeClient(user, world.server, client.epid)


@pytest.fixture(scope="module")
def settings(cluster: Cluster) -> Settings:
    return FreshSettings(cluster)(encryption_key=KEY)


@pytest.fixture(scope="module")
def nodes(settings: Settings) -> Iterator[Nodes]:
    with ExitStack() as stack:
        servers = [stack.enter_context(running_server(settings)) for _ in range(2)]
        yield Nodes(*(RealtimeWorld(each, stack.enter_context(SignedClient(each))) for each in servers))


def test_every_step_may_land_on_another_node(nodes: Nodes) -> None:
    ada, ben = nodes.first.user(), nodes.first.user()
    thread = ada.new_thread(ben)
    client = nodes.first.realtime(ben)
    for turn in range(4):
        allocated = nodes.realtime(client, turn).allocate().json
        begun = nodes.realtime(client, turn + 1).begin(allocated)
        assert begun.status == 200, begun
        sid = begun.body.decode().partition(":")[0]
        last = nodes.realtime(client, turn // 2)
        with last.connected(sid, client.query(allocated)) as socket:
            for text in (f"{turn} a", f"{turn} b"):
                ada.send(thread, text)
                assert socket.text() == text
        assert last.status(sid) == 401
        other = nodes.realtime(client, turn // 2 + 1)
        assert other.status(sid) == 401


@pytest.fixture
def wrong_by(nodes: Nodes) -> Iterator[Callable[[timedelta], None]]:
    """Sets the clock of the second node wrong; at the end it is right again."""
    yield nodes.second.server.clock.set_wrong
    nodes.second.server.clock.set_wrong(timedelta())


def test_a_node_whose_clock_is_ahead_forgets_nobody(nodes: Nodes, wrong_by: Callable[[timedelta], None]) -> None:
    ada, ben = nodes.first.user(), nodes.first.user()
    thread = ada.new_thread(ben)
    client = nodes.first.realtime(ben)
    with client.opened() as socket:
        ada.send(thread, "heard")
        assert socket.text() == "heard"
    ada.send(thread, "missed")
    wrong_by(timedelta(minutes=20))
    with nodes.realtime(client, 1).opened() as socket:
        assert socket.text() == "missed"


def test_a_step_at_a_node_whose_clock_is_wrong_goes_on_at_the_other(
    nodes: Nodes, wrong_by: Callable[[timedelta], None]
) -> None:
    client = nodes.first.realtime(nodes.first.user())
    wrong_by(timedelta(minutes=20))
    for turn in range(2):
        allocated = nodes.realtime(client, turn).allocate().json
        begun = nodes.realtime(client, turn + 1).begin(allocated)
        assert begun.status == 200, begun
        with nodes.realtime(client, turn).connected(begun.body.decode().partition(":")[0], client.query(allocated)):
            pass


def test_what_one_node_is_told_the_sockets_of_the_other_hear_and_typing_too(nodes: Nodes) -> None:
    ada = nodes.first.user()
    ben = nodes.first.user()
    with nodes.realtime(nodes.first.realtime(ben), 1).opened() as of_ben:
        thread = ada.new_thread(ben)
        assert of_ben.push().name == "chatThreadCreated"
        ada.send(thread, "1")
        assert of_ben.text() == "1"

        def typed() -> bool:
            ada.ask("POST", f"{thread}/typing", {})
            return not of_ben.hears_nothing(0.5)

        # It may be lost.
        until(typed, bool)


def test_a_socket_is_taken_over_from_another_node_with_nothing_lost_and_little_repeated(nodes: Nodes) -> None:
    ada, ben = nodes.first.user(), nodes.first.user()
    thread = ada.new_thread(ben)
    client = nodes.first.realtime(ben)
    heard: list[str] = []
    sent: list[str] = []

    def send() -> None:
        sent.append(str(len(sent)))
        ada.send(thread, sent[-1])

    with ExitStack() as stack:
        old: RealtimeSocket | None = None
        for turn in range(6):
            new = stack.enter_context(nodes.realtime(client, turn).opened())
            if old is not None:
                assert old.last_words()[-1] == "0:::dup"
            for _ in range(5):
                send()
            while sent[-1] not in heard:
                heard.append(new.text())
            old = new
        send()
        assert old is not None
        heard.append(old.text())
    assert list(dict.fromkeys(heard)) == sent
    # Of each socket only the last answer may have been under way.
    assert len(heard) <= len(sent) + 5


def test_a_revocation_at_one_node_closes_the_socket_at_the_other(nodes: Nodes) -> None:
    ben = nodes.first.user()
    with nodes.realtime(nodes.first.realtime(ben), 1).opened() as of_ben:
        path = f"/identities/{ben.id}/:revokeAccessTokens?api-version=2023-10-01"
        assert nodes.first.client.call("POST", path).status == 204
        assert of_ben.last_words()[-1] == '0:::{"reason":"unauthorized"}'


def test_a_node_that_stops_moves_its_clients_and_nothing_is_repeated(settings: Settings, nodes: Nodes) -> None:
    ada, ben = nodes.first.user(), nodes.first.user()
    thread = ada.new_thread(ben)
    client = nodes.first.realtime(ben)
    with ExitStack() as stack:
        leaving = ExitStack()
        third = leaving.enter_context(running_server(settings))
        there = RealtimeWorld(third, stack.enter_context(SignedClient(third)))
        moved = RealtimeClient(ChatUser(there.client, ben.id, ben.token), third, client.epid)
        old = stack.enter_context(moved.opened())
        ada.send(thread, "1")
        assert old.text() == "1"
        old.connection.send("5:2+::" + '{"name":"ping"}')
        assert old.frame() == "6:::2"

        stopping = threading.Thread(target=leaving.close)
        stopping.start()
        assert '"trouter.reconnect"' in old.frame()
        new = stack.enter_context(client.opened())
        ada.send(thread, "2")
        assert new.text() == "2"
        stopping.join(30)
        assert "0:::dup" not in old.last_words()
        assert new.hears_nothing()


@linux_only
@pytest.mark.parametrize("ends", [False, True], ids=["all live", "one is killed"])
def test_two_processes_of_one_server_tell_what_happens_in_either(home: Home, ends: bool) -> None:
    environment = PLAIN | {"WATCHWORD_WORKERS": "2"}
    with ExitStack() as stack:
        running = stack.enter_context(server(home, "serve", environment=environment))
        primary, secondary = read_access_keys(running.settings, home.server_data)
        process = Process(running, (primary.secret, secondary.secret))
        pids = workers(running.process.pid)
        one, other = (stack.enter_context(client_of(process, pid, pids)) for pid in sorted(pids))
        world = RealtimeWorld(process, one)
        ada, ben = world.user(), world.user()
        thread = ada.new_thread(ben)
        clients = [replace(world.realtime(ben), user=ChatUser(each, ben.id, ben.token)) for each in (one, other)]
        heard: dict[int, list[str]] = {0: [], 1: []}
        sockets = [stack.enter_context(client.opened()) for client in clients]
        for number in range(10):
            ada.send(thread, str(number))
            for place, socket in enumerate(sockets):
                heard[place].append(socket.text())
        assert heard == {0: [str(number) for number in range(10)], 1: [str(number) for number in range(10)]}
        if not ends:
            return
        kill(sorted(pids)[1])
        with SignedClient(process) as anew:
            survivor = ChatUser(anew, ada.id, ada.token)
            until(lambda: _sends(survivor, thread), bool)
            for client in clients:
                again = replace(client, user=ChatUser(anew, ben.id, ben.token))
                with again.opened() as socket:
                    _last(socket.push(), socket, "after")


def _sends(user: ChatUser, thread: str) -> bool:
    try:
        user.send(thread, "after")
    except OSError:
        return False
    return True


def _last(heard: Heard, socket: RealtimeSocket, text: str) -> None:
    """Repeats of the last second before a kill come first."""
    while heard.text != text:
        heard = socket.push()
