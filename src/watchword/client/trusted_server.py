"""The client of the trusted server: an application's own server, which is in no chat. Watchword only.

    with TrustedServer.from_connection_string(connection_string) as server:
        for message in server.messages(thread):
            ...

Listed things are fetched a page at a time. What each does is told in docs/howto/trusted-server.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal, TypeVar

from watchword.client import trusted_calls as calls
from watchword.client.requests import Call
from watchword.client.resource_client import ResourceClient
from watchword.client.trusted_values import ChatMessage, ChatParticipant, ChatSocket, ChatThread, Restriction

Item = TypeVar("Item")


class TrustedServer(ResourceClient):
    """Reads and moderates every chat of a resource. Safe to share between threads.

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
    ) -> Iterator[ChatThread]:
        """The thread with the newest message first; with `topic_prefix` and no member, in the order of topics."""
        return self._pages(
            calls.list_threads(member=member, topic_prefix=topic_prefix, active_since=active_since, page_size=page_size)
        )

    def thread(self, thread: str) -> ChatThread:
        """The properties of a thread, and how much is in it."""
        return self._run(calls.get_thread(thread))

    def update_thread(self, thread: str, *, topic: str | None = None, frozen: bool | None = None) -> None:
        """Give it another topic, freeze it, or open it again; what is None stays as it is."""
        self._run(calls.update_thread(thread, topic=topic, frozen=frozen))

    def delete_thread(self, thread: str) -> None:
        """Delete a thread for everybody."""
        self._run(calls.delete_thread(thread))

    def messages(
        self, thread: str, *, oldest_first: bool = False, since: datetime | None = None, page_size: int = 200
    ) -> Iterator[ChatMessage]:
        """The one that was sent, edited or deleted last first; or by id, the oldest first."""
        return self._pages(calls.list_messages(thread, oldest_first=oldest_first, since=since, page_size=page_size))

    def message(self, thread: str, message: str) -> ChatMessage:
        """One message, whoever sees it."""
        return self._run(calls.get_message(thread, message))

    def send(
        self,
        thread: str,
        content: str,
        *,
        sender_name: str,
        type: Literal["text", "html"] = "text",
        metadata: Mapping[str, str] | None = None,
    ) -> str:
        """Send a message under a name that is no user's; its id."""
        return self._run(calls.send_message(thread, content, sender_name=sender_name, type=type, metadata=metadata))

    def delete_message(self, thread: str, message: str) -> None:
        """Delete a message as its sender would."""
        self._run(calls.delete_message(thread, message))

    def redact_message(self, thread: str, message: str) -> None:
        """Leave nothing of a message that anybody wrote, names included."""
        self._run(calls.redact_message(thread, message))

    def participants(self, thread: str, *, former: bool = False, page_size: int = 200) -> Iterator[ChatParticipant]:
        """Lists them in the order of joining; or with those who left, in the order of users."""
        return self._pages(calls.list_participants(thread, former=former, page_size=page_size))

    def add_participants(self, thread: str, participants: Iterable[ChatParticipant]) -> tuple[str, ...]:
        """Add participants; the ids of those who could not be added."""
        return self._run(calls.add_participants(thread, participants))

    def remove_participant(self, thread: str, user: str) -> None:
        """Remove a participant from a thread."""
        self._run(calls.remove_participant(thread, user))

    def restrictions(self, thread: str | None = None, *, page_size: int = 200) -> Iterator[Restriction]:
        """Who is muted or banned, in a thread or anywhere in the resource."""
        return self._pages(calls.list_restrictions(thread, page_size))

    def restriction(self, user: str, *, thread: str | None = None) -> Restriction:
        """How a user is muted or banned there."""
        return self._run(calls.get_restriction(user, thread))

    def restrict(
        self, user: str, kind: Literal["mute", "ban"], *, thread: str | None = None, until: datetime | None = None
    ) -> Restriction:
        """Mute or ban a user in a thread, or in the whole resource; until a time, or until that is lifted."""
        return self._run(calls.put_restriction(user, kind, thread=thread, until=until))

    def lift(self, user: str, *, thread: str | None = None) -> None:
        """Let a user be as all others there again."""
        self._run(calls.delete_restriction(user, thread))

    def sockets(self, user: str) -> list[ChatSocket]:
        """The user's clients that hear of chats at once."""
        return self._run(calls.list_sockets(user))

    def close_sockets(self, user: str, socket: str | None = None) -> None:
        """Close all of them, or that one, on every node."""
        self._run(calls.close_sockets(user, socket))

    def export_thread(self, thread: str) -> Iterator[bytes]:
        """Lines of JSON: the thread, its participants, messages and read receipts."""
        return self._pages(calls.export_thread(thread))

    def export_user(self, user: str) -> Iterator[bytes]:
        """The same of all that is kept of a user's chats: threads, what they wrote, receipts, clients, restrictions."""
        return self._pages(calls.export_user(user))

    def _pages(self, call: Call[calls.Page[Item]]) -> Iterator[Item]:
        following: Call[calls.Page[Item]] | None = call
        while following is not None:
            items, following = self._run(following)
            yield from items
