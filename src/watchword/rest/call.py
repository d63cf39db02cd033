"""What an operation is given, how it answers, and how it is bound to its function and its door."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import msgspec

from watchword.http.exchange import Exchange, Headers
from watchword.http.websocket import OnOpen
from watchword.rest.doors import Door
from watchword.rest.request import Request
from watchword.wire.headers import JSON
from watchword.wire.operations import Operation

Who = TypeVar("Who")


class Call(msgspec.Struct, Generic[Who], frozen=True):
    """One call of an operation, by whom its door let in.

    `parts` are what stands in the path for the names in the operation's, decoded. `now` is the time for the caller's
    resource, in microseconds since 1970: it was read once, and rules are handed it.
    """

    operation: Operation
    version: str
    request: Request
    caller: Who
    parts: Mapping[str, str]
    now: int

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
            if exchange.method == "HEAD":
                exchange.end()
                return
            with contextlib.suppress(ConnectionResetError):
                async for event in events:
                    await exchange.write(event.encode())
        exchange.end()


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The connection becomes a WebSocket, if the request offers one as it has to be done.

    `on_open` is called once it is open, and never where the handshake is refused: what a socket needs is made there.
    """

    on_open: OnOpen

    def accept(self, exchange: Exchange) -> Accepted:
        """Judge the handshake that the request offers.

        Raises:
            UpgradeRequired, InvalidHandshake: the request offers none, or not so.
            Unavailable: the server is stopping.
        """
        # Its library is loaded with the first socket, and not at every start.
        from watchword.http.handshake import shake_hands

        return Accepted(shake_hands(exchange), self.on_open)


@dataclass(frozen=True, slots=True)
class Accepted:
    """An `Upgrade` whose handshake was judged; `headers` answer it."""

    headers: Headers
    on_open: OnOpen


Answer = msgspec.Struct | RawAnswer | EventStream | Upgrade | None
"""A body of `wire`, or nothing for 204."""


Work = Literal["reads", "writes", "waits"]
"""What an answer needs: committed state, a commit, or something that may take as long as it likes."""


@dataclass(frozen=True, slots=True)
class Binding(Generic[Who]):
    """An operation, the function that carries it out, and the door to it.

    `most_body_bytes` is how large a body may be where that follows from limits by setting, and not from the operation.
    """

    operation: Operation
    function: Callable[[Call[Who]], Awaitable[Answer]]
    door: Door[Who]
    work: Work = "reads"
    most_body_bytes: int | None = None
    largest_body_bytes: int = field(init=False)
    known_versions: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        # Every request asks for them.
        most = self.operation.largest_body_bytes if self.most_body_bytes is None else self.most_body_bytes
        object.__setattr__(self, "largest_body_bytes", most)
        object.__setattr__(self, "known_versions", frozenset(self.operation.versions or ()))


AnyBinding: TypeAlias = Binding[Any]
