"""What an operation is given, how it answers, and how it is bound to its function and its door."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import msgspec

from watchword.http.exchange import Exchange
from watchword.rest.doors import Door
from watchword.rest.request import Request
from watchword.wire.headers import JSON
from watchword.wire.operations import Operation

Who = TypeVar("Who")


class Call(msgspec.Struct, Generic[Who], frozen=True):
    """One call of an operation, by whom its door let in; `parts` are what stands in the path for the names in the
    operation's, decoded.
    """

    operation: Operation
    version: str
    request: Request
    caller: Who
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
class Binding(Generic[Who]):
    """An operation, the function that carries it out, and the door to it."""

    operation: Operation
    function: Callable[[Call[Who]], Awaitable[Answer]]
    door: Door[Who]
    work: Work = "reads"


AnyBinding: TypeAlias = Binding[Any]
