"""Conversations that no client would begin: drawn from a seed, over every operation that a server says it has."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal
from urllib.parse import quote

from tests.fuzz import hostile_chat
from tests.fuzz.hostile_chat import HostileChat
from tests.support.signed import EARLY, NEWEST, PREVIEW, ZERO_ID, sign

Reading = Literal["at once", "late", "never", "leaves"]

MOST_IDENTITIES = 300
_PARTS = {"{subscriptionId}": 1, "{resourceGroupName}": 2}
"""How many there are of what others lie in; few, so that something is found there."""

_STRANGE = (
    "\0", "a\0b", "é", "\ud800", "%00", "%ff", "..", "'", '"', "\\", " ", ";--", "x" * 300, "8:acs:", "😀", "-1", "",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 1e308, "", "chat", ["chat"], ["voip", "chat.join"], ["chat\0"], [], {}, [[]], {"a": {}},
    1440, 60, "user 1", "2020-01-01T00:00:00Z", *_STRANGE,
)  # fmt: skip
_NAMES = (
    "createTokenWithScopes", "scopes", "expiresInMinutes", "customId", "tokensValidFrom", "token", "appId", "userId",
    "properties", "location", "tags", "name", "type", "keyType", "clientIds", "statement", "\0", "a\0", "",
)  # fmt: skip
_OFFERS = (
    ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAB"),
    ("Connection: Upgrade", "Upgrade: TLS/1.2"),
    ("Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAA"),
)
_ODD_HEADERS = (
    "Expect: 100-continue", "Accept: */*", "x-ms-client-request-id: 1", "x-ms-client-request-id: 2", "Cookie: a=b",
    'Forwarded: for="[::1', "Content-Type: text/plain", "Content-Encoding: gzip", "If-Match: *", "Origin: null",
    "Authorization: Bearer a.b.c", "Authorization: Basic ", "Last-Event-ID: -1", "traceparent: 00-0-0-0",
)  # fmt: skip
_RUBBISH = (
    b"\0\0\0\0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n", b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"\x16\x03\x01\x02\0\x01\0\x01\xfc",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"CONNECT localhost:1 HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 40_000 + b"\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"a:\r\n" * 9_000 + b"\r\n",
    b"POST /identities HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
    b"POST /identities HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"a" * 200_000 + b"\r\nx\r\n",
    b"POST /identities HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 40_000,
    b"POST /identities HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000,
)  # fmt: skip


@dataclass(frozen=True)
class Conversation:
    """What is sent, and in which pieces; how its client reads. `is_sound` says that each request is answered."""

    requests: list[bytes]
    pieces: list[bytes]
    is_sound: bool
    reading: Reading


class Hostile:
    """`operations` are methods and path templates; `keys` sign, `operator` is a token of the management API, and
    `users` are access tokens; `members`, who are in `threads`, are neither revoked nor deleted.
    """

    def __init__(
        self,
        seed: int,
        port: int,
        keys: Sequence[bytes],
        operator: str,
        users: Sequence[str],
        members: Sequence[str],
        threads: Sequence[str],
        operations: Sequence[tuple[str, str]],
    ) -> None:
        self._random = random.Random(seed)
        self._host = f"localhost:{port}"
        self._keys = keys
        self._operator = operator
        self._operations = sorted(operations)
        self._of_chat = [each for each in self._operations if "/chat/" in each[1]]
        self._identities = [ZERO_ID]
        self._members = frozenset(members)
        self.chat = HostileChat(self._random, users, members, threads, self._identities)

    def learn(self, identity: str) -> None:
        """An identity that there is, or was."""
        if identity in self._members:
            return
        if len(self._identities) < MOST_IDENTITIES:
            self._identities.append(identity)
        else:
            self._identities[self._random.randrange(MOST_IDENTITIES)] = identity

    def conversation(self) -> Conversation:
        draw = self._random.random()
        if draw < 0.03:
            return self._unread()
        count = 1 if draw < 0.3 else self._random.randint(2, 40)
        requests = [self._request() for _ in range(count - 1)]
        if draw > 0.9:
            requests.append(self._random.choice(_RUBBISH))
            return Conversation(requests, self._cut(b"".join(requests)), is_sound=False, reading="at once")
        requests.append(self._request(closes=True))
        data = b"".join(requests)
        if draw > 0.85:
            begun = data[: self._random.randrange(len(data))]
            return Conversation(requests, self._cut(begun), is_sound=False, reading="leaves")
        reading: Reading = "late" if draw > 0.75 else "at once"
        return Conversation(requests, self._cut(data), is_sound=True, reading=reading)

    def _unread(self) -> Conversation:
        """Many requests for much, whose answers nobody reads."""
        target = self._random.choice(["/openapi.json", "/identities?maxPageSize=1000", "/revocations"])
        stream = {"Accept": "text/event-stream"} if self._random.random() < 0.3 else {}
        request = self._signed("GET", target, b"", stream)
        requests = [request] * self._random.randint(30, 150)
        return Conversation(requests, [b"".join(requests)], is_sound=False, reading="never")

    def _request(self, *, closes: bool = False) -> bytes:
        """One whose head and body are as HTTP wants them, whatever they say."""
        chance = self._random.random
        method, template = self._random.choice(self._of_chat if chance() < 0.4 else self._operations)
        if (method, template) in hostile_chat.ENDING and chance() < 0.6:
            method = "GET"  # Or nothing is left to talk in.
        if chance() < 0.05:
            method = self._random.choice(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
        target = self._target(template)
        body = self._body(method, template) if method not in ("GET", "DELETE") or chance() < 0.1 else b""
        extra = ["Connection: close"] if closes else []
        if chance() < 0.25:
            offer = self._random.choice(_OFFERS)
            extra = [*offer, *extra] if not closes else [offer[0] + ", close", *offer[1:]]
        extra += self._random.sample(_ODD_HEADERS, self._random.choice([0, 0, 0, 1, 2]))
        head = [f"{method} {target} HTTP/1.1", *self._credentials(method, target, body), *extra]
        if chance() < 0.3:
            framed, framing = self._in_chunks(body), "Transfer-Encoding: chunked"
        else:
            framed, framing = body, f"Content-Length: {len(body)}"
        return "\r\n".join([*head, framing, "", ""]).encode("latin-1") + framed

    def _target(self, template: str) -> str:
        parts = [self._part(part) if part.startswith("{") else part for part in template.split("/")]
        versions: Sequence[str] = (NEWEST, PREVIEW, PREVIEW, EARLY)
        if "subscriptions" in template:
            versions = ("2025-09-01", "2021-04-01")
        if "/chat/" in template:
            versions = hostile_chat.VERSIONS
            if link := self.chat.link("/".join(parts)):
                return link
        query = {"api-version": self._random.choice(versions if self._random.random() < 0.9 else ("\0", "x", ""))}
        if "/chat/" in template:
            query |= self.chat.query()
        elif self._random.random() < 0.2:
            query[self._random.choice(["maxPageSize", "customId", "skip", "since", "$top", "\0", "é"])] = str(
                self._value()
            )
        if self._random.random() < 0.5 or template == "/revocations":
            query["wait"] = "0"
        return "/".join(parts) + "?" + "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in query.items())

    def _part(self, name: str) -> str:
        if self._random.random() < (0.05 if name.startswith("{chat") else 0.2):
            return _quoted(self._random.choice(["", "fuzz"]) + self._random.choice(_STRANGE[:-1]))
        if name == "{id}":
            return quote(self._random.choice(self._identities), safe=self._random.choice(["", ":"]))
        if name.startswith("{chat"):
            return self.chat.part(name)
        return f"fuzz-{self._random.randrange(_PARTS.get(name, 10))}"

    def _body(self, method: str, template: str) -> bytes:
        draw = self._random.random()
        if "/chat/" in template and draw > 0.1:
            return self.chat.body(method, template)
        if draw < 0.05:
            return bytes(self._random.randbytes(self._random.randrange(200)))
        if draw < 0.07:
            return b"[" * self._random.randrange(5_000)
        if draw < 0.09:
            return json.dumps({"scopes": "x" * self._random.randrange(60_000)}).encode()
        said: dict[str, Any] = {self._random.choice(_NAMES): self._value() for _ in range(self._random.randrange(5))}
        if draw < 0.5:
            said |= {"scopes": ["chat"]} if draw < 0.35 else {"createTokenWithScopes": ["chat", "voip"]}
        if draw > 0.8:
            said = {"location": "global", "properties": {"dataLocation": "europe"}, "tags": said if draw > 0.95 else {}}
        text = json.dumps(said)
        return text.encode().replace(b"\\u0000", b"\0" if draw < 0.2 else b"\\u0000")

    def _value(self) -> Any:
        return self._random.choice(_VALUES)

    def _credentials(self, method: str, target: str, body: bytes) -> list[str]:
        draw = self._random.random()
        if "subscriptions" in target and draw < 0.8:
            return [f"Host: {self._host}", f"Authorization: Bearer {self._operator}"]
        if "/chat/" in target and draw < 0.9:
            return [f"Host: {self._host}", *self.chat.credentials()]
        if draw < 0.15:
            return [f"Host: {self._host}"]
        signed = sign(self._random.choice(self._keys), method, target, self._host, _now(), body)
        if draw < 0.4:
            # Something is not as it was signed.
            name = self._random.choice(list(signed.headers))
            changed = self._random.choice(["", "x", signed.headers[name][::-1], signed.headers[name] + " "])
            signed.headers[name] = changed
            if draw < 0.2:
                del signed.headers[name]
        return [f"{name}: {value}" for name, value in signed.headers.items()]

    def _signed(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> bytes:
        signed = sign(self._keys[0], method, target, self._host, _now(), body, headers=headers)
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in signed.headers.items())]
        return "\r\n".join([*lines, "", ""]).encode()

    def _in_chunks(self, body: bytes) -> bytes:
        size = self._random.choice([100, 1_000, 50_000])
        extension: Callable[[], bytes] = lambda: b";a=b" if self._random.random() < 0.2 else b""  # noqa: E731
        chunks = [
            b"%x%b\r\n%b\r\n" % (len(part), extension(), part)
            for part in (body[at : at + size] for at in range(0, len(body), size))
        ]
        trailers = b"".join(
            self._random.choice(
                [b"Authorization: x\r\n", b"Host: y\r\n", b"x-ms-date: z\r\n", b"Connection: Upgrade\r\n"]
            )
            for _ in range(self._random.choice([0, 0, 1, 5, 300]))
        )
        return b"".join([*chunks, b"0\r\n", trailers, b"\r\n"])

    def _cut(self, data: bytes) -> list[bytes]:
        """In one segment most often."""
        cuts = self._random.choice([0, 0, 0, 1, 2, 5])
        ends = sorted(self._random.randrange(len(data) + 1) for _ in range(cuts))
        return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True) if end > start]


def _quoted(text: Any) -> str:
    return quote(str(text).encode("utf-8", "surrogatepass"), safe="")


def _now() -> str:
    return format_datetime(datetime.now(UTC), usegmt=True)
