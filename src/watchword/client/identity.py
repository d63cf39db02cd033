"""The clients of the Identity API, for Watchword and for Azure Communication Services alike.

Their names are those of the official Python client. Which calls are safe to repeat, and when they are, is told in
`requests` and `retries`; what they raise, in `errors`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self, TypedDict, TypeVar, Unpack

from watchword.client import requests
from watchword.client.authentication import (
    AccessKeyCredential,
    AsyncTokenCredential,
    TokenCredential,
    authentication_for,
    connection_parts,
)
from watchword.client.conversation import Terms, converse
from watchword.client.requests import Call
from watchword.client.retries import Retries
from watchword.client.transport import AsyncTransport, Transport, Verify, host_of
from watchword.client.values import Identity, IssuedToken
from watchword.clock import Clock, SystemClock
from watchword.wire import versions
from watchword.wire.connection_string import parse_endpoint

Result = TypeVar("Result")

_TIMEOUT = timedelta(seconds=30)
_RETRIES = Retries()
_CLOCK = SystemClock()


class ClientOptions(TypedDict, total=False):
    """The keywords that both ways of making a client take.

    `timeout` bounds each connecting, each sending and each receiving; `verify` is a CA file, a folder of them or an
    SSL context, where the machine's own store will not do.
    """

    api_version: str
    retries: Retries
    timeout: timedelta | None
    verify: Verify
    clock: Clock


class IdentityClient:
    """Creates and deletes identities, issues and revokes their access tokens. Safe to share between threads.

    Raises:
        InvalidConnectionString: the endpoint is no http(s) address.
        ValueError: a bearer token would go to another machine unencrypted.
    """

    def __init__(
        self,
        endpoint: str,
        credential: AccessKeyCredential | TokenCredential,
        *,
        api_version: str = versions.V2023_10_01,
        retries: Retries = _RETRIES,
        timeout: timedelta | None = _TIMEOUT,
        verify: Verify = None,
        clock: Clock = _CLOCK,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        endpoint = parse_endpoint(endpoint)
        self._api_version = api_version
        self._terms = Terms(host_of(endpoint), authentication_for(credential, endpoint), retries, clock)
        self._transport = Transport(endpoint, credential, timeout, verify=verify, sleep=sleep)

    @classmethod
    def from_connection_string(cls, connection_string: str, **options: Unpack[ClientOptions]) -> Self:
        """Make a client from the connection string of a resource.

        Raises:
            InvalidConnectionString: a part is missing or unreadable.
        """
        return cls(*connection_parts(connection_string), **options)

    def create_user(self, *, custom_id: str | None = None) -> Identity:
        """A new identity; or the one that has the custom id already, where one has."""
        return self._run(requests.create_user(self._api_version, custom_id))

    def create_user_and_token(
        self, scopes: Iterable[str], *, token_expires_in: timedelta | None = None, custom_id: str | None = None
    ) -> tuple[Identity, IssuedToken]:
        """The same, with an access token; without `token_expires_in` it lives for 24 hours."""
        return self._run(
            requests.create_user_and_token(self._api_version, scopes, token_expires_in, custom_id=custom_id)
        )

    def get_token(
        self, user: Identity | str, scopes: Iterable[str], *, token_expires_in: timedelta | None = None
    ) -> IssuedToken:
        """A new access token; without `token_expires_in` it lives for 24 hours."""
        return self._run(requests.get_token(self._api_version, user, scopes, lifetime=token_expires_in))

    def revoke_tokens(self, user: Identity | str) -> None:
        """End every access token that was issued to the identity so far."""
        self._run(requests.revoke_tokens(self._api_version, user))

    def revoke_token(self, token: str | None = None, *, token_id: str | None = None) -> None:
        """End one access token, by itself or by its id. Watchword only. One that proves nothing changes nothing."""
        self._run(requests.revoke_token(token, token_id))

    def delete_user(self, user: Identity | str) -> None:
        """Delete the identity and all its data, and end its access tokens."""
        self._run(requests.delete_user(self._api_version, user))

    def get_user(self, user: Identity | str) -> Identity:
        """The identity with its custom id, and when it was last issued a token."""
        return self._run(requests.get_user(user))

    def list_users(
        self,
        *,
        custom_id: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        page_size: int | None = None,
    ) -> Iterator[Identity]:
        """All identities, oldest first, fetched a page at a time. Watchword only: Azure cannot list them."""
        call = requests.list_users(
            self._api_version,
            custom_id=custom_id,
            created_after=created_after,
            created_before=created_before,
            page_size=page_size,
        )
        return self._pages(call)

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _pages(self, call: Call[tuple[list[Identity], str | None]]) -> Iterator[Identity]:
        identities, following = self._run(call)
        yield from identities
        while following is not None:
            identities, following = self._run(requests.next_page(following))
            yield from identities

    def _run(self, call: Call[Result]) -> Result:
        return self._transport.run(converse(call, self._terms))


class AsyncIdentityClient:
    """`IdentityClient` for asyncio, method by method.

    Raises:
        InvalidConnectionString: the endpoint is no http(s) address.
        ValueError: a bearer token would go to another machine unencrypted.
    """

    def __init__(
        self,
        endpoint: str,
        credential: AccessKeyCredential | AsyncTokenCredential,
        *,
        api_version: str = versions.V2023_10_01,
        retries: Retries = _RETRIES,
        timeout: timedelta | None = _TIMEOUT,
        verify: Verify = None,
        clock: Clock = _CLOCK,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        endpoint = parse_endpoint(endpoint)
        self._api_version = api_version
        self._terms = Terms(host_of(endpoint), authentication_for(credential, endpoint), retries, clock)
        self._transport = AsyncTransport(endpoint, credential, timeout, verify=verify, sleep=sleep)

    @classmethod
    def from_connection_string(cls, connection_string: str, **options: Unpack[ClientOptions]) -> Self:
        """Make a client from the connection string of a resource.

        Raises:
            InvalidConnectionString: a part is missing or unreadable.
        """
        return cls(*connection_parts(connection_string), **options)

    async def create_user(self, *, custom_id: str | None = None) -> Identity:
        return await self._run(requests.create_user(self._api_version, custom_id))

    async def create_user_and_token(
        self, scopes: Iterable[str], *, token_expires_in: timedelta | None = None, custom_id: str | None = None
    ) -> tuple[Identity, IssuedToken]:
        return await self._run(
            requests.create_user_and_token(self._api_version, scopes, token_expires_in, custom_id=custom_id)
        )

    async def get_token(
        self, user: Identity | str, scopes: Iterable[str], *, token_expires_in: timedelta | None = None
    ) -> IssuedToken:
        return await self._run(requests.get_token(self._api_version, user, scopes, lifetime=token_expires_in))

    async def revoke_tokens(self, user: Identity | str) -> None:
        await self._run(requests.revoke_tokens(self._api_version, user))

    async def revoke_token(self, token: str | None = None, *, token_id: str | None = None) -> None:
        await self._run(requests.revoke_token(token, token_id))

    async def delete_user(self, user: Identity | str) -> None:
        await self._run(requests.delete_user(self._api_version, user))

    async def get_user(self, user: Identity | str) -> Identity:
        return await self._run(requests.get_user(user))

    def list_users(
        self,
        *,
        custom_id: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[Identity]:
        call = requests.list_users(
            self._api_version,
            custom_id=custom_id,
            created_after=created_after,
            created_before=created_before,
            page_size=page_size,
        )
        return self._pages(call)

    async def close(self) -> None:
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def _pages(self, call: Call[tuple[list[Identity], str | None]]) -> AsyncIterator[Identity]:
        identities, following = await self._run(call)
        for identity in identities:
            yield identity
        while following is not None:
            identities, following = await self._run(requests.next_page(following))
            for identity in identities:
                yield identity

    async def _run(self, call: Call[Result]) -> Result:
        return await self._transport.run(converse(call, self._terms))
