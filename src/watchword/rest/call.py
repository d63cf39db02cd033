"""What an operation is given, and how it is bound to its function."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol

import msgspec

from watchword.http.exchange import Exchange
from watchword.resources.operators import Role
from watchword.resources.store import Resource
from watchword.wire.headers import JSON
from watchword.wire.operations import Operation


class Right(Enum):
    """What a caller may do with the resource that it proved to belong to."""

    MANAGE = "manage"
    """Every operation on identities and tokens."""

    VERIFY = "verify"
    """Ask whether tokens are valid, and which are not any more."""

    EXCHANGE = "exchange"
    """Exchange the token that the caller proved itself with, for an access token of its own."""


EVERYTHING = frozenset({Right.MANAGE, Right.VERIFY})
"""What an access key may."""


class Caller(msgspec.Struct, frozen=True):
    """Who proved to be calling.

    `access_key_id` goes into the tokens that it asks for; `name` into the request log. `credential` is the id of what
    it proved itself with, where that is one that can be deleted while it waits.
    """

    resource: Resource
    rights: frozenset[Right]
    name: str
    access_key_id: str | None = None
    credential: str | None = None

    @property
    def resource_id(self) -> str:
        return self.resource.id


class Request(msgspec.Struct, frozen=True):
    """A request as it stood on the wire.

    `target` is exactly what was signed: path and query as sent. `headers` have lower-case names; a header that was
    sent twice holds both values, joined by a comma, and so matches nothing. `origin` is the address under which the
    client reached us, such as `https://localhost:8443`. `ignored` is for the request log: whoever reads the body adds
    the names of members that only other api-versions know.
    """

    method: str
    target: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    origin: str
    server_port: int | None
    body: bytes
    ignored: list[str] = []

    def __repr__(self) -> str:
        """Without what may hold a secret."""
        return f"Request({self.method})"


class Call(msgspec.Struct, frozen=True):
    """One call of an operation. `parts` are what stands in the path for the names in the operation's, decoded."""

    operation: Operation
    version: str
    request: Request
    caller: Caller
    parts: Mapping[str, str]

    @property
    def id(self) -> str:
        return self.parts["id"]


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A body that is ready to send, with its own headers: for what is not the contract's JSON."""

    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 200

    @classmethod
    def json(cls, body: msgspec.Struct, status: int, extra: tuple[tuple[str, str], ...] = ()) -> RawAnswer:
        """A body of `wire`, where one operation has several ways to succeed."""
        return cls(msgspec.json.encode(body), (("content-type", JSON), *extra), status)


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event; `data` is a line of UTF-8."""

    name: str
    id: str
    data: bytes

    def encode(self) -> bytes:
        return f"event: {self.name}\nid: {self.id}\n".encode() + b"data: " + self.data + b"\n\n"


@dataclass(frozen=True, slots=True)
class EventStream:
    """Server-sent events, for as long as the client listens."""

    events: AsyncGenerator[Event, None]

    async def write_to(self, exchange: Exchange) -> None:
        """Returns when there are no more, or nobody listens."""
        async with contextlib.aclosing(self.events) as events:
            with contextlib.suppress(ConnectionResetError):
                async for event in events:
                    await exchange.write(event.encode())
        exchange.end()


Answer = msgspec.Struct | RawAnswer | EventStream | None
"""A body of `wire`, or nothing for 204."""


Work = Literal["reads", "writes", "waits"]
"""What an answer needs: committed state, a commit, or something that may take as long as it likes."""


@dataclass(frozen=True, slots=True)
class Binding:
    """An operation, the function that carries it out, and what a caller must be allowed to."""

    operation: Operation
    function: Callable[[Call], Awaitable[Answer]]
    right: Right = Right.MANAGE
    work: Work = "reads"


@dataclass(frozen=True, slots=True)
class PublicBinding:
    """An operation that asks nobody who they are, and so is told nothing of a caller."""

    operation: Operation
    function: Callable[[Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Manager:
    """Who proved to be calling the management API; `name` goes into the request log."""

    name: str
    role: Role

    @property
    def resource_id(self) -> None:
        """It belongs to none."""

    @property
    def may_change(self) -> bool:
        return self.role == "contributor"


@dataclass(frozen=True, slots=True)
class ManagementCall:
    """One call of the management API. `parts` as in `Call`."""

    operation: Operation
    version: str
    request: Request
    manager: Manager
    parts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ManagementBinding:
    """An operation of the management API: for those who manage the whole server, and belong to no resource."""

    operation: Operation
    function: Callable[[ManagementCall], Awaitable[Answer]]


def why_not_allowed(caller: Caller, needed: Right) -> str:
    """The sentence for a caller that lacks a right."""
    if needed is Right.EXCHANGE:
        return "Only the Entra ID token of a user is exchanged here, sent as the bearer token of the request."
    if Right.EXCHANGE in caller.rights:
        return "The Entra ID token of a user is good for exchanges only."
    return "A verifier credential is good for /introspect and /revocations only."


class Authenticator(Protocol):
    """Answers in three ways: the caller; None for "not my scheme"; an error for "mine, and bad"."""

    async def authenticate(self, request: Request) -> Caller | None:
        """Raises:
        NotAuthenticated: the request uses this scheme and proves nobody.
        """
        ...
