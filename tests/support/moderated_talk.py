"""Users of a moderated chat who say something, in each of the ways that there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.chat_users import ChatUser, new_user
from tests.support.signed import Reply, SignedClient


class Talk:
    """A thread of two, who may say four things, each by a request of its own."""

    def __init__(self, client: SignedClient) -> None:
        self.ada, self.bob = new_user(client), new_user(client)
        self.thread = self.ada.new_thread(self.bob)
        self.message = self.ada.send(self.thread, "before", type="html", metadata={"k": "v"})

    @property
    def id(self) -> str:
        return self.thread.removeprefix("/chat/threads/")

    def said(self) -> Any:
        """All that is stored of it, and of the threads of both."""
        seen = [self.bob.ask("GET", f"{self.thread}{of}").json for of in ("", "/messages?maxPageSize=200")]
        return [seen, self.ada.ask("GET", "/chat/threads").json]

    def contents(self) -> list[str]:
        found = self.bob.ask("GET", f"{self.thread}/messages").json["value"]
        return [each["content"].get("message") or each["content"].get("topic", "") for each in found]


Say = Callable[[Talk, ChatUser, str], Reply]


def send(talk: Talk, user: ChatUser, text: str) -> Reply:
    return user.ask("POST", f"{talk.thread}/messages", {"content": text, "type": "html", "senderDisplayName": "Ada"})


def edit(talk: Talk, user: ChatUser, text: str) -> Reply:
    return user.ask("PATCH", f"{talk.thread}/messages/{talk.message}", {"content": text})


def rename(talk: Talk, user: ChatUser, text: str) -> Reply:
    return user.ask("PATCH", talk.thread, {"topic": text})


def create(talk: Talk, user: ChatUser, text: str) -> Reply:
    return user.ask("POST", "/chat/threads", {"topic": text})


WAYS: list[Say] = [send, edit, rename, create]
INTO_A_THREAD = [send, edit, rename]
