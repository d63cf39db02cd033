"""Users of chat over HTTP: identities with access tokens, and the requests that they send."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support.signed import Reply, Signed, SignedClient

NEWEST = "2025-03-15"


@dataclass(frozen=True)
class ChatUser:
    """A user with a token, on a connection that others share."""

    client: SignedClient
    id: str
    token: str

    def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        version: str | None = NEWEST,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """A body that is not bytes goes as JSON; `version` None adds none to the target."""
        if version is not None:
            target += f"{'&' if '?' in target else '?'}api-version={version}"
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"Host": self.client.host, "Authorization": f"Bearer {self.token}", **(headers or {})}
        return self.client.send(Signed(method, target, sent, content))

    def new_thread(self, *others: ChatUser, topic: str = "Lunch", **more: Any) -> str:
        """The path of a thread with these participants."""
        body = {"topic": topic, "participants": [participant(each.id) for each in (self, *others)], **more}
        reply = self.ask("POST", "/chat/threads", body)
        assert reply.status == 201, reply
        assert "invalidParticipants" not in reply.json
        return f"/chat/threads/{reply.json['chatThread']['id']}"

    def send(self, thread: str, content: str = "Hello", **more: Any) -> str:
        """The id of a message that was sent to a thread, by the thread's path."""
        reply = self.ask("POST", f"{thread}/messages", {"content": content, **more})
        assert reply.status == 201, reply
        id: str = reply.json["id"]
        return id

    def with_token(self, token: str) -> ChatUser:
        return ChatUser(self.client, self.id, token)


def pages(user: ChatUser, target: str) -> Iterator[list[dict[str, Any]]]:
    """By following each nextLink as it is."""
    target += f"{'&' if '?' in target else '?'}api-version={NEWEST}"
    while target:
        page = user.ask("GET", target, version=None)
        assert page.status == 200, page
        yield page.json["value"]
        link = urlsplit(page.json.get("nextLink", ""))
        target = f"{link.path}?{link.query}" if link.path else ""


def identifier(id: str) -> dict[str, Any]:
    return {"rawId": id, "communicationUser": {"id": id}}


def participant(id: str, **more: Any) -> dict[str, Any]:
    return {"communicationIdentifier": identifier(id), **more}


def new_user(client: SignedClient, *scopes: str, key: bytes | None = None) -> ChatUser:
    """A new identity with a token; `key` is of the resource that it is of."""
    asked = {"createTokenWithScopes": list(scopes or ("chat",))}
    more = {} if key is None else {"key": key}
    reply = client.call("POST", "/identities?api-version=2023-10-01", asked, **more)
    assert reply.status == 201, reply
    return ChatUser(client, reply.json["identity"]["id"], reply.json["accessToken"]["token"])
