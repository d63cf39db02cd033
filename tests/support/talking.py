"""A user of chat over HTTP, by an access token: what is asked, and what came back."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.support.signed import Reply

_VERSION = "api-version=2025-03-15"


@dataclass(frozen=True)
class Talker:
    """At a server without TLS."""

    port: int
    token: str

    def call(self, method: str, path: str, body: Any = None) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}", "Host": f"localhost:{self.port}"}
        sent = None
        if body is not None:
            sent, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        try:
            connection.request(method, f"{path}{'&' if '?' in path else '?'}{_VERSION}", sent, headers)
            found = connection.getresponse()
            return Reply(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())
        finally:
            connection.close()

    def create(self, *others: str) -> Reply:
        invited = [{"communicationIdentifier": {"rawId": each}} for each in others]
        return self.call("POST", "/chat/threads", {"topic": "a topic", "participants": invited})

    def new_thread(self, *others: str) -> str:
        made = self.create(*others)
        assert made.status == 201, made
        id: str = made.json["chatThread"]["id"]
        return id

    def send(self, thread: str, content: str) -> Reply:
        return self.call("POST", f"/chat/threads/{quote(thread)}/messages", {"content": content, "type": "text"})

    def messages(self, thread: str) -> list[dict[str, Any]]:
        """The newest page of them."""
        found = self.call("GET", f"/chat/threads/{quote(thread)}/messages?maxPageSize=200")
        assert found.status == 200, found
        page: list[dict[str, Any]] = found.json["value"]
        return page

    def participants(self, thread: str) -> list[str]:
        found = self.call("GET", f"/chat/threads/{quote(thread)}/participants")
        assert found.status == 200, found
        return [each["communicationIdentifier"]["rawId"] for each in found.json["value"]]
