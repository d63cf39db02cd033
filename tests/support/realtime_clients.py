"""A realtime client, step by step, as the official one does it; it answers each push unless it is told not to."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.support.chat_users import ChatUser, new_user
from tests.support.signed import Reachable, Reply, Signed, SignedClient

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Heard:
    """A push: the event's name, by which its address ends, and the payload."""

    id: int
    name: str
    body: dict[str, Any]
    frame: dict[str, Any] = field(repr=False)

    @property
    def text(self) -> str:
        return str(self.body.get("messageBody", ""))


@dataclass
class RealtimeClient:
    """One client of a user; its epid stays the same for as long as it lives."""

    user: ChatUser
    server: Reachable
    epid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> Reply:
        sent = {"Host": self.user.client.host, "X-Skypetoken": self.user.token, **headers}
        return self.user.client.send(Signed(method, target, sent, body))

    def allocate(self, **query: str) -> Reply:
        return self.ask("POST", "/v4/a?" + urlencode({"epid": self.epid, "cor_id": "c", "con_num": "1_0", **query}))

    def query(self, allocated: Mapping[str, Any], **more: str) -> str:
        """The query of steps 3 and 4: parameters go unescaped, as they do from the official client."""
        params = "&".join(f"{name}={value}" for name, value in allocated["connectparams"].items())
        rest = {"v": "v4", "timeout": "40", "auth": "true", "epid": self.epid, "ccid": allocated["ccid"], **more}
        return f"{params}&{urlencode(rest)}"

    def begin(self, allocated: Mapping[str, Any], **more: str) -> Reply:
        return self.ask("GET", "/socket.io/1/?" + self.query(allocated, **more))

    def session_id(self) -> tuple[str, str]:
        """A session id, and the query that goes with it."""
        allocated = self.allocate()
        assert allocated.status == 200, allocated
        begun = self.begin(allocated.json)
        assert begun.status == 200, begun
        sid, heartbeat, close, transports = begun.body.decode().split(":")
        assert (heartbeat, close, transports) == ("45", "45", "websocket")
        return sid, self.query(allocated.json)

    @contextmanager
    def opened(self, *, answers: bool = True, origin: str | None = None) -> Iterator[RealtimeSocket]:
        sid, query = self.session_id()
        with self.connected(sid, query, answers=answers, origin=origin) as found:
            yield found

    @contextmanager
    def connected(
        self, sid: str, query: str = "", *, answers: bool = True, origin: str | None = None
    ) -> Iterator[RealtimeSocket]:
        url = self.server.endpoint.replace("http", "ws", 1) + f"/socket.io/1/websocket/{quote(sid)}?{query}"
        tls = self.server.client_tls() if self.server.ca_file else None
        headers = {} if origin is None else {"Origin": origin}
        with connect(url, ssl=tls, additional_headers=headers, open_timeout=PATIENCE_SECONDS) as connection:
            found = RealtimeSocket(connection, answers)
            assert found.frame() == "1::"
            kind, told = found.frame().split(":::", 1)
            assert (kind, json.loads(told)["name"]) == ("5", "trouter.connected")
            yield found

    def status(self, sid: str, query: str = "", origin: str | None = None) -> int:
        """How step 4 is answered: 101 is a socket, which is closed again."""
        try:
            with self.connected(sid, query, origin=origin):
                return 101
        except InvalidStatus as error:
            return error.response.status_code


@dataclass
class RealtimeSocket:
    """One socket of a client."""

    connection: ClientConnection
    answers: bool = True
    events: list[str] = field(default_factory=list)

    def frame(self, seconds: float = PATIENCE_SECONDS) -> str:
        return str(self.connection.recv(timeout=seconds))

    def push(self, seconds: float = PATIENCE_SECONDS) -> Heard:
        """The next one; what comes in between is answered as the official client does it."""
        while True:
            text = self.frame(seconds)
            if text.startswith("2::"):
                self.connection.send("2::")
            elif text.startswith("3:::"):
                frame = json.loads(text[4:])
                found = Heard(frame["id"], frame["url"].rpartition("/")[2], json.loads(frame["body"]), frame)
                if self.answers:
                    self.answer(found.id)
                return found
            else:
                self.events.append(text)

    def message(self) -> Heard:
        """The next one that is not about a new thread: what is kept from an allocation on may begin a moment before."""
        while (heard := self.push()).name == "chatThreadCreated":
            self.answer(heard.id)
        return heard

    def text(self) -> str:
        return self.message().text

    def answer(self, id: int, status: int = 200) -> None:
        said = {"id": id, "status": status, "headers": {"trouter-client": '{"cd":1}'}, "body": ""}
        self.connection.send("3:::" + json.dumps(said))

    def pushes(self, count: int) -> list[Heard]:
        return [self.push() for _ in range(count)]

    def hears_nothing(self, seconds: float = 0.3) -> bool:
        try:
            self.push(seconds)
        except TimeoutError:
            return True
        return False

    def last_words(self, seconds: float = PATIENCE_SECONDS) -> list[str]:
        """What is still said until the server closes the connection."""
        said: list[str] = []
        try:
            while True:
                said.append(self.frame(seconds))
        except ConnectionClosed:
            return said


@dataclass
class RealtimeWorld:
    """A server, and who signs its requests."""

    server: Reachable
    client: SignedClient

    def user(self, *scopes: str) -> ChatUser:
        return new_user(self.client, *scopes)

    def realtime(self, user: ChatUser) -> RealtimeClient:
        return RealtimeClient(user, self.server)

    def new_token(self, user: ChatUser, minutes: int = 1440) -> ChatUser:
        asked = {"scopes": ["chat"], "expiresInMinutes": minutes}
        reply = self.client.call("POST", f"/identities/{user.id}/:issueAccessToken?api-version=2023-10-01", asked)
        assert reply.status == 200, reply
        return user.with_token(reply.json["token"])
