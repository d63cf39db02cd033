"""Requests that are signed by hand, byte for byte, and a raw socket for what no client would send."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Protocol, Self

from watchword.testing import MovableClock
from watchword.wire.signature import content_hash, signature

NEWEST = "2023-10-01"
"""The api-version of every official client of today."""

PREVIEW = "2025-03-02-preview"
EARLY = "2020-07-20-preview2"
ZERO_ID = "8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000000"
SIGNED = ("x-ms-date", "host", "x-ms-content-sha256")


@dataclass(frozen=True)
class Reply:
    """An answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, str]:
        assert self.headers["content-type"] == "application/json"
        found: dict[str, str] = self.json["error"]
        return found


@dataclass
class Signed:
    """A request that is ready to send; a test changes what it likes after signing."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def sign(
    key: bytes,
    method: str,
    target: str,
    host: str,
    date: str,
    body: bytes = b"",
    *,
    names: Sequence[str] = SIGNED,
    headers: Mapping[str, str] | None = None,
) -> Signed:
    """`names` are the signed headers in their order; `headers` go along, and are signed where they are named."""
    sent = {"Host": host, "x-ms-date": date, "x-ms-content-sha256": content_hash(body)} | dict(headers or {})
    if "date" in map(str.lower, names):
        sent["Date"] = sent.pop("x-ms-date")
    known = {name.lower(): value for name, value in sent.items()}
    proof = signature(key, method, target, values=[known[name.lower()] for name in names])
    sent["Authorization"] = f"HMAC-SHA256 SignedHeaders={';'.join(names)}&Signature={proof}"
    return Signed(method, target, sent, body)


class Reachable(Protocol):
    """What a client needs of a server, whether it runs in this process or in another."""

    @property
    def port(self) -> int: ...

    @property
    def endpoint(self) -> str: ...

    @property
    def keys(self) -> tuple[bytes, bytes]: ...

    @property
    def clock(self) -> MovableClock: ...

    @property
    def ca_file(self) -> Path | None: ...

    def client_tls(self) -> ssl.SSLContext: ...


class SignedClient:
    """One connection to a running server; every request is signed anew, at the time of the server's own clock."""

    def __init__(self, server: Reachable) -> None:
        self.server = server
        self.host = f"localhost:{server.port}"
        tls = server.client_tls() if server.ca_file else None
        self._connection = _connection(server.port, tls)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    @property
    def port(self) -> int:
        """Its own, once it is connected."""
        return int(self._connection.sock.getsockname()[1])

    def sign(self, method: str, target: str, body: bytes = b"", **parts: Any) -> Signed:
        """`parts`: key, host, date, names, headers."""
        key = parts.pop("key", self.server.keys[0])
        host = parts.pop("host", self.host)
        date = parts.pop("date", None) or http_date(self.server.clock.now())
        return sign(key, method, target, host, date, body, **parts)

    def send(self, request: Signed) -> Reply:
        connection = self._connection
        try:
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                connection.putheader(name, value.encode("latin-1"))
            if request.body or request.method in ("POST", "PATCH", "PUT"):
                connection.putheader("Content-Length", str(len(request.body)))
            connection.endheaders(request.body or None)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read())
        except BaseException:
            connection.close()
            raise

    def call(self, method: str, target: str, body: Any = b"", **parts: Any) -> Reply:
        """A signed request; a body that is not bytes goes as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send(self.sign(method, target, content, **parts))

    # The operations, for tests that are about something else.

    def create(self, body: Any = b"", version: str = NEWEST) -> Reply:
        return self.call("POST", f"/identities?api-version={version}", body)

    def new_identity(self) -> str:
        reply = self.create()
        assert reply.status == 201, reply
        id: str = reply.json["identity"]["id"]
        return id

    def issue(self, id: str, body: Any = None, version: str = NEWEST) -> Reply:
        asked = {"scopes": ["chat"]} if body is None else body
        return self.call("POST", f"/identities/{id}/:issueAccessToken?api-version={version}", asked)

    def new_token(self, id: str) -> str:
        reply = self.issue(id)
        assert reply.status == 200, reply
        token: str = reply.json["token"]
        return token

    def revoke(self, id: str, version: str = NEWEST) -> Reply:
        return self.call("POST", f"/identities/{id}/:revokeAccessTokens?api-version={version}")

    def delete(self, id: str, version: str = NEWEST) -> Reply:
        return self.call("DELETE", f"/identities/{id}?api-version={version}")

    def get(self, id: str) -> Reply:
        return self.call("GET", f"/identities/{id}?api-version={PREVIEW}")

    def update(self, id: str, body: Any) -> Reply:
        return self.call("PATCH", f"/identities/{id}?api-version={EARLY}", body)

    def listed(self, query: str = "") -> list[str]:
        """Every identity of the resource, in the order of the list."""
        reply = self.call("GET", f"/identities{query}")
        assert reply.status == 200, reply
        return [row["id"] for row in reply.json["value"]]


def raw_exchange(port: int, *chunks: bytes, half_close: bool = False) -> bytes:
    """Write the chunks to a fresh connection, then read until the server closes it."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for chunk in chunks:
            connection.sendall(chunk)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        return read_to_end(connection)


def read_to_end(connection: socket.socket) -> bytes:
    """What the server still says; a reset after its last word is an end too."""
    found = b""
    try:
        while chunk := connection.recv(65_536):
            found += chunk
    except ConnectionResetError:
        pass
    return found


def one_status(answer: bytes) -> int:
    """The status of the only answer on a connection."""
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    return int(answer.split(b" ")[1])


def read_reply(connection: socket.socket) -> Reply:
    """One answer, while the connection stays open."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    found = {name.lower(): value for name, value in answer.getheaders()}
    return Reply(answer.status, found, answer.read())


def to_bytes(request: Signed, *, target: bytes | None = None, extra: bytes = b"", close: bool = True) -> bytes:
    """The request as it stands on the wire; `extra` is added to its headers."""
    lines = [request.method.encode() + b" " + (target or request.target.encode("latin-1")) + b" HTTP/1.1"]
    lines += [f"{name}: {value}".encode("latin-1") for name, value in request.headers.items()]
    if b"transfer-encoding" not in extra.lower() and b"content-length" not in extra.lower():
        lines.append(f"Content-Length: {len(request.body)}".encode())
    if close:
        lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n" + extra + b"\r\n" + request.body


def _connection(port: int, tls: ssl.SSLContext | None) -> http.client.HTTPConnection:
    if tls is None:
        return http.client.HTTPConnection("localhost", port, timeout=30)
    return http.client.HTTPSConnection("localhost", port, timeout=30, context=tls)
