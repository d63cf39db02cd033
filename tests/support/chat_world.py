"""A thread with two users in it, and who is not: what tests of chat over HTTP begin with."""

from __future__ import annotations

from typing import Any

from tests.support.chat_users import identifier, new_user, participant
from tests.support.data import OtherResource
from tests.support.signed import Reply, SignedClient
from watchword.testing import RunningServer


class World:
    def __init__(self, client: SignedClient, server: RunningServer, other: OtherResource) -> None:
        self.client = client
        self.server = server
        self.ada, self.bob, self.stranger = (new_user(client) for _ in range(3))
        self.foreign = new_user(client, key=other.key)
        self.thread = self.ada.new_thread(self.bob, metadata={"k": "v"})
        self.message = self.ada.send(self.thread, "Hello", metadata={"k": "v"})

    def state(self) -> Any:
        """Everything that a participant can see of the thread, and all of the threads of both."""
        seen = [
            self.ada.ask("GET", f"{self.thread}{of}").json
            for of in ("", "/messages?maxPageSize=200", "/participants", "/readReceipts")
        ]
        return [seen, self.ada.ask("GET", "/chat/threads").json, self.bob.ask("GET", "/chat/threads").json]


def refused(reply: Reply, *statuses: int) -> str:
    """The sentence; in both shapes, of a status that is the caller's fault."""
    assert reply.status in (statuses or (400,)), reply
    body = reply.json
    error, communication = body["error"], body["CommunicationError"]
    assert (error["code"], communication["Details"]) == (communication["Code"], [])
    assert error["message"].endswith(".")
    assert error["message"].isprintable()
    return str(error["message"])


def writes(world: World) -> list[tuple[str, str, Any]]:
    """Every operation with a body, as it would be carried out."""
    entry = participant(world.stranger.id)
    return [
        ("POST", "/chat/threads", {"topic": "t", "participants": [entry], "metadata": {"k": "v"}}),
        ("PATCH", world.thread, {"topic": "t", "metadata": {"k": "w"}}),
        ("POST", f"{world.thread}/participants/:add", {"participants": [entry]}),
        ("POST", f"{world.thread}/participants/:remove", identifier(world.bob.id)),
        ("POST", f"{world.thread}/messages", {"content": "c", "metadata": {"k": "v"}}),
        ("PATCH", f"{world.thread}/messages/{world.message}", {"content": "c", "metadata": {"k": "v"}}),
        ("POST", f"{world.thread}/readReceipts", {"chatMessageId": world.message}),
        ("POST", f"{world.thread}/typing", {"senderDisplayName": "Ada"}),
    ]
