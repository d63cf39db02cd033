"""What the clients share that act for a resource: how they connect, speak and close. Watchword only."""

from __future__ import annotations

from types import TracebackType
from typing import Self, TypeVar, Unpack

from watchword.client.authentication import (
    AccessKeyCredential,
    AsyncTokenCredential,
    TokenCredential,
    authentication_for,
    connection_parts,
)
from watchword.client.conversation import Terms, converse
from watchword.client.options import ConnectionOptions, with_defaults
from watchword.client.requests import Call
from watchword.client.transport import AsyncTransport, Transport, host_of
from watchword.wire.connection_string import parse_endpoint

Result = TypeVar("Result")


class ResourceClient:
    """A client with the access key of a resource, or a role in it.

    Raises:
        InvalidConnectionString: the endpoint is no http(s) address.
        ValueError: a bearer token would go to another machine unencrypted.
    """

    def __init__(
        self, endpoint: str, credential: AccessKeyCredential | TokenCredential, **options: Unpack[ConnectionOptions]
    ) -> None:
        endpoint, given = parse_endpoint(endpoint), with_defaults(options)
        authentication = authentication_for(credential, endpoint)
        self._terms = Terms(host_of(endpoint), authentication, given["retries"], given["clock"])
        self._transport = Transport(endpoint, credential, given["timeout"], verify=given["verify"])

    @classmethod
    def from_connection_string(cls, connection_string: str, **options: Unpack[ConnectionOptions]) -> Self:
        """Make a client from the connection string of a resource.

        Raises:
            InvalidConnectionString: a part is missing or unreadable.
        """
        return cls(*connection_parts(connection_string), **options)

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, call: Call[Result]) -> Result:
        return self._transport.run(converse(call, self._terms))


class AsyncResourceClient:
    """`ResourceClient` for asyncio, method by method.

    Raises:
        InvalidConnectionString: the endpoint is no http(s) address.
        ValueError: a bearer token would go to another machine unencrypted.
    """

    def __init__(
        self,
        endpoint: str,
        credential: AccessKeyCredential | AsyncTokenCredential,
        **options: Unpack[ConnectionOptions],
    ) -> None:
        endpoint, given = parse_endpoint(endpoint), with_defaults(options)
        authentication = authentication_for(credential, endpoint)
        self._terms = Terms(host_of(endpoint), authentication, given["retries"], given["clock"])
        self._transport = AsyncTransport(endpoint, credential, given["timeout"], verify=given["verify"])

    @classmethod
    def from_connection_string(cls, connection_string: str, **options: Unpack[ConnectionOptions]) -> Self:
        """Make a client from the connection string of a resource.

        Raises:
            InvalidConnectionString: a part is missing or unreadable.
        """
        return cls(*connection_parts(connection_string), **options)

    async def close(self) -> None:
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def _run(self, call: Call[Result]) -> Result:
        return await self._transport.run(converse(call, self._terms))
