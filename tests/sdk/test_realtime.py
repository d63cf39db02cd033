"""The official signaling client, unmodified, in Node: what it hears, and how it comes back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.sdk.programs import trusting_environment
from tests.sdk.signaling_client import CONNECTED, DISCONNECTED, SignalingClient, signaling_client
from tests.support.chat_users import ChatUser, identifier, new_user, participant
from tests.support.postgres import Cluster
from tests.support.realtime_clients import RealtimeClient
from tests.support.relays import Relay, relay
from tests.support.signed import SignedClient
from tests.support.tls import without_trust
from watchword import testing
from watchword.settings import Settings
from watchword.testing import RunningServer

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


class World:
    def __init__(self, server: RunningServer, client: SignedClient, bundles: Path) -> None:
        self.server = server
        self.client = client
        self.environment = trusting_environment(server, bundles)

    def user(self) -> ChatUser:
        return new_user(self.client)

    def new_token(self, user: ChatUser) -> ChatUser:
        reply = self.client.call(
            "POST", f"/identities/{user.id}/:issueAccessToken?api-version=2023-10-01", {"scopes": ["chat"]}
        )
        return user.with_token(reply.json["token"])

    @contextmanager
    def signaling(self, user: ChatUser, *, tells_frames: bool = False) -> Iterator[tuple[SignalingClient, Relay]]:
        with (
            relay(self.server.port) as between,
            signaling_client(
                f"https://localhost:{between.port}", user.token, self.environment, tells_frames=tells_frames
            ) as client,
        ):
            yield client, between


@pytest.fixture
def world(server: RunningServer, bundles: Path) -> Iterator[World]:
    with SignedClient(server) as client:
        yield World(server, client, bundles)


def test_all_ten_events_come_with_their_values(world: World) -> None:
    ada, ben, cleo = world.user(), world.user(), world.user()
    topic = '100%41 é 你 %u4f60 "quoted" \\'
    with world.signaling(ben) as (client, _):
        thread = ada.new_thread(ben, topic=topic, metadata={"a%": "b%41"})
        [created] = client.hears("chatThreadCreated")
        assert created["threadId"] == thread.rpartition("/")[2]
        assert created["properties"] == {"topic": topic, "metadata": {"a%": "b%41"}}
        assert {each["id"]["communicationUserId"] for each in created["participants"]} == {ada.id, ben.id}
        assert created["createdBy"]["id"]["communicationUserId"] == ada.id

        id = ada.send(thread, "<b>100%</b>", type="html", senderDisplayName="Ada %", metadata={"k": "v%41"})
        [received] = client.hears("chatMessageReceived")
        assert (received["id"], received["version"], received["message"]) == (id, id, "<b>100%</b>")
        assert (received["type"].lower(), received["senderDisplayName"]) == ("richtext/html", "Ada %")
        assert received["metadata"] == {"k": "v%41"}
        assert received["sender"]["communicationUserId"] == ada.id
        assert received["recipient"]["communicationUserId"] == ben.id

        own = ben.send(thread, "mine")
        assert client.hears("chatMessageReceived")[0]["id"] == own
        ada.ask("POST", f"{thread}/typing", {"senderDisplayName": "Ada"})
        [typing] = client.hears("typingIndicatorReceived")
        assert (typing["senderDisplayName"], typing["sender"]["communicationUserId"]) == ("Ada", ada.id)
        ada.ask("POST", f"{thread}/readReceipts", {"chatMessageId": own})
        [receipt] = client.hears("readReceiptReceived")
        assert receipt["chatMessageId"] == own
        ada.ask("PATCH", f"{thread}/messages/{id}", {"content": "<i>edited</i>"})
        [edited] = client.hears("chatMessageEdited")
        assert (edited["id"], edited["message"]) == (id, "<i>edited</i>")
        assert edited["editedOn"] > edited["createdOn"]
        ada.ask("DELETE", f"{thread}/messages/{id}")
        [deleted] = client.hears("chatMessageDeleted")
        assert (deleted["id"], deleted["deletedOn"] > deleted["createdOn"]) == (id, True)

        entry = participant(
            cleo.id, displayName="Cleo %", metadata={"m": "n%"}, shareHistoryTime="2026-01-02T03:04:05Z"
        )
        ada.ask("POST", f"{thread}/participants/:add", {"participants": [entry]})
        [added] = client.hears("participantsAdded")
        [who] = added["participantsAdded"]
        assert (who["displayName"], who["shareHistoryTime"]) == ("Cleo %", "2026-01-02T03:04:05.000Z")
        assert (who["id"]["communicationUserId"], who["metadata"]) == (cleo.id, {"m": "n%"})
        ada.ask("PATCH", thread, {"topic": "Dinner"})
        assert client.hears("chatThreadPropertiesUpdated")[0]["properties"]["topic"] == "Dinner"
        ada.ask("POST", f"{thread}/participants/:remove", identifier(cleo.id))
        [removed] = client.hears("participantsRemoved")
        assert removed["participantsRemoved"][0]["id"]["communicationUserId"] == cleo.id
        ada.ask("DELETE", thread)
        [ended] = client.hears("chatThreadDeleted")
        assert (ended["deletedBy"]["id"]["communicationUserId"], ended["reason"]) == (ada.id, "deletedByUser")
        client.stop()


def test_it_comes_back_after_a_cut_and_misses_nothing(world: World) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    with world.signaling(ben) as (client, between):
        for turn in range(3):
            ada.send(thread, f"{turn} before")
            assert client.message() == f"{turn} before"
            between.cut()
            ada.send(thread, f"{turn} after")
            # The answer to the first may have been lost with the connection; nothing else is repeated.
            assert client.message() in (f"{turn} before", f"{turn} after")
            if client.last_message != f"{turn} after":
                assert client.message() == f"{turn} after"
            assert client.states == [CONNECTED, *[DISCONNECTED, CONNECTED] * (turn + 1)]
        client.hears_nothing()


def test_it_pings_and_is_answered_and_answers_heartbeats(world: World) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    with world.signaling(ben, tells_frames=True) as (client, _):
        ada.send(thread, "1")
        assert client.message() == "1"
        assert json.loads(client.frame("> 3:::").removeprefix("> 3:::"))["status"] == 200
        ping = client.frame("> 5:")
        number = ping.removeprefix("> 5:").partition("+")[0]
        assert json.loads(ping.partition(":::" if ":::" in ping else "::")[2])["name"] == "ping"
        assert client.frame("< 6:").startswith(f"< 6:::{number}")
        assert client.frame("< 2::")
        assert client.frame("> 2::")
        client.hears_nothing(0.1)


def test_of_two_clients_with_one_endpoint_id_each_takes_over_from_the_other(world: World) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    with world.signaling(ben, tells_frames=True) as (client, _):
        [epid] = parse_qs(urlsplit(client.frame("@ ").removeprefix("@ ")).query)["epid"]
        with RealtimeClient(ben, world.server, epid).opened() as other:
            assert client.frame("< 0:") == "< 0:::dup"
            client.is_connected(DISCONNECTED, CONNECTED)
            assert other.last_words()[-1] == "0:::dup"
        ada.send(thread, "1")
        assert client.message() == "1"
        client.hears_nothing(0.1)


def test_a_revoked_token_is_replaced_and_nothing_between_is_heard_by_the_old_one(world: World) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    with world.signaling(ben) as (client, _):
        world.client.call("POST", f"/identities/{ben.id}/:revokeAccessTokens?api-version=2023-10-01")
        client.use(world.new_token(ben).token)
        ada.send(thread, "while nobody may hear")
        client.is_connected(DISCONNECTED, CONNECTED)
        assert client.hears("chatMessageReceived")[0]["message"] == "while nobody may hear"


def test_a_server_that_stops_moves_it_to_another_node_without_a_gap(cluster: Cluster, tmp_path: Path) -> None:
    settings = Settings(request_log=False, database=cluster.fresh(), encryption_key=KEY)
    with ExitStack() as stack:
        leaving = ExitStack()
        first = leaving.enter_context(testing.running_server(settings))
        second = stack.enter_context(testing.running_server(settings))
        assert first.ca_file is not None
        assert second.ca_file is not None
        both = tmp_path / "both.pem"
        both.write_text(first.ca_file.read_text() + second.ca_file.read_text())
        environment = without_trust() | {"NODE_EXTRA_CA_CERTS": str(both), "NO_PROXY": "localhost"}
        signed = stack.enter_context(SignedClient(second))
        ada, ben = new_user(signed), new_user(signed)
        thread = ada.new_thread(ben)
        between = stack.enter_context(relay(first.port, second.port))
        # Each step at another node.
        client = stack.enter_context(signaling_client(f"https://localhost:{between.port}", ben.token, environment))
        for number in range(3):
            ada.send(thread, str(number))
            assert client.message() == str(number)
        between.ports = [second.port]
        stopping = threading.Thread(target=leaving.close)
        stopping.start()
        for number in range(3, 40):
            ada.send(thread, str(number))
        heard = [client.next() for _ in range(37)]
        stopping.join(60)
        ada.send(thread, "last")
        while heard[-1][0] != "chatMessageReceived" or heard[-1][1]["message"] != "last":
            heard.append(client.next())
        assert [payload["message"] for name, payload in heard if name == "chatMessageReceived"] == [
            *map(str, range(3, 40)),
            "last",
        ]
        assert DISCONNECTED not in [payload for name, payload in heard if name == "connectionChanged"]
