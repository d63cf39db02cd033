"""The clients of the inbox, for whoever has a user's access token. Watchword only.

with Inbox(endpoint, token) as inbox:
    for thread in inbox.threads(unread=True):
        print(thread.topic, thread.unread_count)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from types import TracebackType
from typing import Any, Protocol, Self, Unpack

from watchword.client.async_credential import AsyncUserTokenCredential
from watchword.client.authentication import FetchBearer, require_private
from watchword.client.conversation import Terms, converse
from watchword.client.credential import UserTokenCredential
from watchword.client.inbox_values import InboxThread, Membership, list_inbox, next_page
from watchword.client.options import ConnectionOptions, with_defaults
from watchword.client.requests import Request
from watchword.client.transport import AsyncTransport, Transport, host_of
from watchword.clock import Clock
from watchword.wire.connection_string import parse_endpoint

_PAGE = 50


class _HasToken(Protocol):
    @property
    def token(self) -> str: ...


class _Given:
    """A token that the caller has."""

    def __init__(self, token: str) -> None:
        self.token = token

    def get_token(self, *scopes: str) -> _HasToken:
        del scopes
        return self


class _AsyncGiven(_Given):
    async def get_token(self, *scopes: str) -> _HasToken:  # type: ignore[override]
        del scopes
        return self


class _UserAuthentication:
    """A user is proved by the token alone, and the credential keeps it fresh."""

    def authorize(self, request: Request, host: str, clock: Clock) -> Generator[FetchBearer, Any, dict[str, str]]:
        del request, host, clock
        held: _HasToken = yield FetchBearer("")
        return {"Authorization": f"Bearer {held.token}"}


class Inbox:
    """Lists the threads of the user whose token it is given. Safe to share between threads.

    Raises:
        InvalidConnectionString: the endpoint is no http(s) address.
        ValueError: the token would go to another machine unencrypted.
    """

    def __init__(
        self, endpoint: str, credential: str | UserTokenCredential, **options: Unpack[ConnectionOptions]
    ) -> None:
        endpoint, given = parse_endpoint(endpoint), with_defaults(options)
        require_private(endpoint)
        held = _Given(credential) if isinstance(credential, str) else credential
        self._terms = Terms(host_of(endpoint), _UserAuthentication(), given["retries"], given["clock"])
        self._transport = Transport(endpoint, held, given["timeout"], verify=given["verify"])

    def threads(
        self,
        *,
        unread: bool = False,
        membership: Membership = "all",
        topic_prefix: str = "",
        page_size: int = _PAGE,
    ) -> Iterator[InboxThread]:
        """The thread with the newest message first, fetched a page at a time."""
        call = list_inbox(unread=unread, membership=membership, topic_prefix=topic_prefix, page_size=page_size)
        while True:
            threads, following = self._transport.run(converse(call, self._terms))
            yield from threads
            if following is None:
                return
            call = next_page(following)

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncInbox:
    """`Inbox` for asyncio, method by method.

    Raises:
        InvalidConnectionString: the endpoint is no http(s) address.
        ValueError: the token would go to another machine unencrypted.
    """

    def __init__(
        self, endpoint: str, credential: str | AsyncUserTokenCredential, **options: Unpack[ConnectionOptions]
    ) -> None:
        endpoint, given = parse_endpoint(endpoint), with_defaults(options)
        require_private(endpoint)
        held = _AsyncGiven(credential) if isinstance(credential, str) else credential
        self._terms = Terms(host_of(endpoint), _UserAuthentication(), given["retries"], given["clock"])
        self._transport = AsyncTransport(endpoint, held, given["timeout"], verify=given["verify"])

    async def threads(
        self,
        *,
        unread: bool = False,
        membership: Membership = "all",
        topic_prefix: str = "",
        page_size: int = _PAGE,
    ) -> AsyncIterator[InboxThread]:
        call = list_inbox(unread=unread, membership=membership, topic_prefix=topic_prefix, page_size=page_size)
        while True:
            threads, following = await self._transport.run(converse(call, self._terms))
            for each in threads:
                yield each
            if following is None:
                return
            call = next_page(following)

    async def close(self) -> None:
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
