"""The official signaling client hears what the trusted server does, and no text of what it redacts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.programs import trusting_environment
from tests.sdk.signaling_client import CONNECTED, DISCONNECTED, SignalingClient, signaling_client
from tests.support.chat_users import ChatUser, new_user
from tests.support.relays import relay
from tests.support.signed import SignedClient
from watchword.client import TrustedServer
from watchword.client.trusted_values import ChatParticipant
from watchword.testing import RunningServer

NOBODY = "_00000000-0000-0000-0000-000000000000"
WORDS = ("wolframite", "cinnabarite", "serpentinite")
"""Text, display name and metadata, which are nowhere else."""


@pytest.fixture
def signed(server: RunningServer) -> Iterator[SignedClient]:
    with SignedClient(server) as client:
        yield client


@pytest.fixture
def trusted(server: RunningServer) -> Iterator[TrustedServer]:
    verify = server.client_tls()
    with TrustedServer.from_connection_string(server.connection_string, verify=verify) as client:
        yield client


def send_secret(sender: ChatUser, thread: str) -> str:
    text, name, value = WORDS
    return sender.send(thread, text, senderDisplayName=name, metadata={"k": value})


def frames_of(client: SignalingClient) -> list[str]:
    """What went over the wire since this was asked last."""
    found = []
    while not client.frames.empty():
        found.append(client.frames.get())
    return found


def is_shell(told: dict[str, Any], id: str, sender: ChatUser) -> None:
    assert (told["id"], told["sender"]["communicationUserId"]) == (id, sender.id)
    assert told["deletedOn"] > told["createdOn"]
    assert not told.get("senderDisplayName")
    assert not any(word in str(told) for word in WORDS)


def test_what_the_trusted_server_sends_and_redacts_is_heard(
    server: RunningServer, signed: SignedClient, trusted: TrustedServer, bundles: Path
) -> None:
    ada, ben, cleo = (new_user(signed) for _ in range(3))
    path = ada.new_thread(ben)
    thread = path.rpartition("/")[2]
    environment = trusting_environment(server, bundles)
    with (
        relay(server.port) as between,
        signaling_client(f"https://localhost:{between.port}", ben.token, environment, tells_frames=True) as client,
    ):
        id = trusted.send(thread, "<b>news</b>", sender_name="The house %", type="html", metadata={"k": "v%41"})
        [received] = client.hears("chatMessageReceived")
        assert (received["threadId"], received["id"], received["version"]) == (thread, id, id)
        assert (received["message"], received["type"].lower()) == ("<b>news</b>", "richtext/html")
        assert (received["senderDisplayName"], received["metadata"]) == ("The house %", {"k": "v%41"})
        assert received["sender"]["communicationUserId"].endswith(NOBODY)
        assert received["recipient"]["communicationUserId"] == ben.id

        secret = send_secret(ada, path)
        [heard] = client.hears("chatMessageReceived")
        assert [heard["message"], heard["senderDisplayName"], heard["metadata"]["k"]] == [*WORDS]
        assert any(WORDS[0] in frame for frame in frames_of(client)), "the frames are looked at"
        trusted.redact_message(thread, secret)
        [told] = client.hears("chatMessageDeleted")
        is_shell(told, secret, ada)

        # What was redacted while nobody could be told of it.
        between.is_up = False
        between.cut()
        client.is_connected(DISCONNECTED)
        missed = send_secret(ada, path)
        trusted.redact_message(thread, missed)
        trusted.add_participants(thread, [ChatParticipant(user=cleo.id, display_name=WORDS[1])])
        joined = next(each.id for each in trusted.messages(thread) if each.type == "participantAdded")
        trusted.redact_message(thread, joined)
        between.is_up = True
        client.is_connected(CONNECTED)
        heard = [client.next()]
        while heard[-1][1].get("id") != joined:
            heard.append(client.next())
        # The answer to the one before may have been lost with the connection: then it is repeated.
        heard = [each for each in heard if each[1].get("id") != secret]
        expected = ["chatMessageDeleted", "chatMessageDeleted", "participantsAdded", "chatMessageDeleted"]
        assert [name for name, _ in heard] == expected
        first, second, added, _ = (payload for _, payload in heard)
        is_shell(first, missed, ada)
        is_shell(second, missed, ada)
        [who] = added["participantsAdded"]
        assert (who["id"]["communicationUserId"], who.get("displayName", "")) == (cleo.id, "")
        assert not any(word in frame for frame in frames_of(client) for word in WORDS)
        client.stop()
