"""The client of the trusted server for asyncio: an application's own server, which is in no chat. Watchword only.

    async with AsyncTrustedServer.from_connection_string(connection_string) as server:
        async for message in server.messages(thread):
            ...

Listed things are fetched a page at a time. What each does is told in docs/howto/trusted-server.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from typing import Literal, TypeVar

from watchword.client import trusted_calls as calls
from watchword.client.requests import Call
from watchword.client.resource_client import AsyncResourceClient
from watchword.client.trusted_values import ChatMessage, ChatParticipant, ChatSocket, ChatThread, Restriction

Item = TypeVar("Item")


class AsyncTrustedServer(AsyncResourceClient):
    """`TrustedServer` for asyncio, method by method.

    Raises:
        InvalidConnectionString: the endpoint is no http(s) address.
        ValueError: a bearer token would go to another machine unencrypted.
    """

    def threads(
        self,
        *,
        member: str | None = None,
        topic_prefix: str = "",
        active_since: datetime | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[ChatThread]:
        return self._pages(
            calls.list_threads(member=member, topic_prefix=topic_prefix, active_since=active_since, page_size=page_size)
        )

    async def thread(self, thread: str) -> ChatThread:
        return await self._run(calls.get_thread(thread))

    async def update_thread(self, thread: str, *, topic: str | None = None, frozen: bool | None = None) -> None:
        await self._run(calls.update_thread(thread, topic=topic, frozen=frozen))

    async def delete_thread(self, thread: str) -> None:
        await self._run(calls.delete_thread(thread))

    def messages(
        self, thread: str, *, oldest_first: bool = False, since: datetime | None = None, page_size: int = 200
    ) -> AsyncIterator[ChatMessage]:
        return self._pages(calls.list_messages(thread, oldest_first=oldest_first, since=since, page_size=page_size))

    async def message(self, thread: str, message: str) -> ChatMessage:
        return await self._run(calls.get_message(thread, message))

    async def send(
        self,
        thread: str,
        content: str,
        *,
        sender_name: str,
        type: Literal["text", "html"] = "text",
        metadata: Mapping[str, str] | None = None,
    ) -> str:
        return await self._run(
            calls.send_message(thread, content, sender_name=sender_name, type=type, metadata=metadata)
        )

    async def delete_message(self, thread: str, message: str) -> None:
        await self._run(calls.delete_message(thread, message))

    async def redact_message(self, thread: str, message: str) -> None:
        await self._run(calls.redact_message(thread, message))

    def participants(
        self, thread: str, *, former: bool = False, page_size: int = 200
    ) -> AsyncIterator[ChatParticipant]:
        return self._pages(calls.list_participants(thread, former=former, page_size=page_size))

    async def add_participants(self, thread: str, participants: Iterable[ChatParticipant]) -> tuple[str, ...]:
        return await self._run(calls.add_participants(thread, participants))

    async def remove_participant(self, thread: str, user: str) -> None:
        await self._run(calls.remove_participant(thread, user))

    def restrictions(self, thread: str | None = None, *, page_size: int = 200) -> AsyncIterator[Restriction]:
        return self._pages(calls.list_restrictions(thread, page_size))

    async def restriction(self, user: str, *, thread: str | None = None) -> Restriction:
        return await self._run(calls.get_restriction(user, thread))

    async def restrict(
        self, user: str, kind: Literal["mute", "ban"], *, thread: str | None = None, until: datetime | None = None
    ) -> Restriction:
        return await self._run(calls.put_restriction(user, kind, thread=thread, until=until))

    async def lift(self, user: str, *, thread: str | None = None) -> None:
        await self._run(calls.delete_restriction(user, thread))

    async def sockets(self, user: str) -> list[ChatSocket]:
        return await self._run(calls.list_sockets(user))

    async def close_sockets(self, user: str, socket: str | None = None) -> None:
        await self._run(calls.close_sockets(user, socket))

    def export_thread(self, thread: str) -> AsyncIterator[bytes]:
        return self._pages(calls.export_thread(thread))

    def export_user(self, user: str) -> AsyncIterator[bytes]:
        return self._pages(calls.export_user(user))

    async def _pages(self, call: Call[calls.Page[Item]]) -> AsyncIterator[Item]:
        following: Call[calls.Page[Item]] | None = call
        while following is not None:
            items, following = await self._run(following)
            for item in items:
                yield item
