"""What an operation is given, and how it is bound to its function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from watchword.resources.access_keys import AccessKey
from watchword.wire.operations import Operation


@dataclass(frozen=True, slots=True)
class Caller:
    """Who proved to be calling: the access key, and with it the resource."""

    access_key: AccessKey


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it stood on the wire.

    `target` is exactly what was signed: path and query as sent. `headers` have lower-case names; a header that was
    sent twice holds both values, joined by a comma, and so matches nothing. `origin` is the address under which the
    client reached us, such as `https://localhost:8443`.
    """

    method: str
    target: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    origin: str
    server_port: int | None
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation. `id` is the identity's text in the path, decoded, or empty."""

    operation: Operation
    version: str
    request: Request
    caller: Caller
    id: str = ""


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A body that is ready to send, with its own headers: for what is not the contract's JSON."""

    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 200


Answer = msgspec.Struct | RawAnswer | None
"""A body of `wire`, or nothing for 204."""


@dataclass(frozen=True, slots=True)
class Binding:
    """An operation and the function that carries it out."""

    operation: Operation
    function: Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class PublicBinding:
    """An operation that asks nobody who they are, and so is told nothing of a caller."""

    operation: Operation
    function: Callable[[Request], Awaitable[Answer]]


class Authenticator(Protocol):
    """Answers in three ways: the caller; None for "not my scheme"; an error for "mine, and bad"."""

    async def authenticate(self, request: Request) -> Caller | None:
        """Raises:
        NotAuthenticated: the request uses this scheme and proves nobody.
        """
        ...
