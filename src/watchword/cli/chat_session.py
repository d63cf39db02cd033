"""What one user does in chat, by their access token: as much of the API as commands need."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from watchword.client.authentication import FetchBearer, require_private
from watchword.client.conversation import Terms, converse
from watchword.client.replies import Reply
from watchword.client.requests import Call, Request
from watchword.client.retries import Retries
from watchword.client.transport import Transport, Verify, host_of
from watchword.clock import Clock, SystemClock
from watchword.wire import chat, chat_versions
from watchword.wire.chat_answers import (
    CreatedThreadBody,
    MessageBody,
    MessagePage,
    ParticipantBody,
    ParticipantPage,
    ReceiptBody,
    ReceiptPage,
    SentBody,
    ThreadBody,
    ThreadItemBody,
    ThreadPage,
)
from watchword.wire.operations import Operation

Shape = TypeVar("Shape")
Result = TypeVar("Result")
Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)

_TIMEOUT = timedelta(seconds=30)
_PAGE = 100


class _Page(Protocol[Item_co]):
    """A page of any list."""

    @property
    def value(self) -> Sequence[Item_co]: ...

    @property
    def nextLink(self) -> str | None: ...  # noqa: N802 - the wire's name.


class _AccessToken:
    """Proves a user."""

    def __init__(self, token: str) -> None:
        self._token = token

    def authorize(self, request: Request, host: str, clock: Clock) -> Generator[FetchBearer, Any, dict[str, str]]:
        del request, host, clock
        yield from ()
        return {"Authorization": f"Bearer {self._token}"}


class ChatSession:
    """Speaks for whom the token was issued to. `user` is their id.

    Raises:
        ValueError: the token would leave this machine unencrypted.
    """

    def __init__(self, endpoint: str, user: str, token: str, *, verify: Verify = None) -> None:
        endpoint = endpoint.rstrip("/")
        require_private(endpoint)
        self.user = user
        self._terms = Terms(host_of(endpoint), _AccessToken(token), Retries(count=1), SystemClock())
        self._transport = Transport(endpoint, None, _TIMEOUT, verify=verify)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._transport.close()

    def create_thread(self, topic: str, names: dict[str, str]) -> ThreadBody:
        """Makes one with these users: by id, the name that is shown."""
        entries = [{"communicationIdentifier": _identifier(user), "displayName": name} for user, name in names.items()]
        body = {"topic": topic, "participants": entries}
        return self._ask(chat.CREATE_THREAD, CreatedThreadBody, body=body).chatThread

    def threads(self) -> Iterator[ThreadItemBody]:
        """The one with the newest message first."""
        return self._pages(chat.LIST_THREADS, ThreadPage)

    def thread(self, thread: str) -> ThreadBody:
        return self._ask(chat.GET_THREAD, ThreadBody, thread)

    def delete_thread(self, thread: str) -> None:
        self._tell(chat.DELETE_THREAD, thread)

    def participants(self, thread: str) -> Iterator[ParticipantBody]:
        return self._pages(chat.LIST_PARTICIPANTS, ParticipantPage, thread)

    def messages(self, thread: str) -> Iterator[MessageBody]:
        """The one that was sent, edited or deleted last first."""
        return self._pages(chat.LIST_MESSAGES, MessagePage, thread)

    def send(self, thread: str, content: str, *, type: str = "text", sender_name: str | None = None) -> str:
        """The id of the message."""
        body = {"content": content, "type": type, "senderDisplayName": sender_name}
        return self._ask(chat.SEND_MESSAGE, SentBody, thread, body=body).id

    def delete_message(self, thread: str, message: str) -> None:
        self._tell(chat.DELETE_MESSAGE, thread, message)

    def mark_read(self, thread: str, message: str) -> None:
        self._tell(chat.SEND_RECEIPT, thread, body={"chatMessageId": message})

    def receipts(self, thread: str) -> Iterator[ReceiptBody]:
        """The newest of each participant."""
        return self._pages(chat.LIST_RECEIPTS, ReceiptPage, thread)

    def _pages(self, operation: Operation, shape: type[_Page[Item]], thread: str = "") -> Iterator[Item]:
        target: str | None = _target(operation, thread, maxPageSize=_PAGE)
        while target is not None:
            page = self._send(operation, target, partial(_read, shape))
            yield from page.value
            # Of a link only path and query count: a token is never sent to a host that a reply chose.
            parts = None if page.nextLink is None else urlsplit(page.nextLink)
            target = None if parts is None else f"{quote(parts.path, safe='/%:@')}?{parts.query}"

    def _ask(self, operation: Operation, shape: type[Shape], thread: str = "", *, body: Any = None) -> Shape:
        return self._send(operation, _target(operation, thread), partial(_read, shape), body=body)

    def _tell(self, operation: Operation, thread: str, message: str = "", *, body: Any = None) -> None:
        self._send(operation, _target(operation, thread, message), lambda _: None, body=body)

    def _send(self, operation: Operation, target: str, read: Callable[[Reply], Result], *, body: Any = None) -> Result:
        request = Request(operation.method, target, b"" if body is None else msgspec.json.encode(body))
        return self._transport.run(converse(Call(request, read, repeatable=operation.method != "POST"), self._terms))


def _read(shape: type[Shape], reply: Reply) -> Shape:
    try:
        return msgspec.json.decode(reply.body, type=shape)
    except (ValueError, RecursionError):
        raise reply.unexpected("The reply is not one of the Chat API; is the endpoint right?") from None


def _target(operation: Operation, thread: str, message: str = "", **query: Any) -> str:
    # Percent-encoded throughout, the dots of `..` too, which would otherwise be resolved to another path.
    parts = {"chatThreadId": thread, "chatMessageId": message}
    quoted = {name: quote(text, safe="").replace(".", "%2E") for name, text in parts.items()}
    return f"{operation.path.format(**quoted)}?{urlencode({'api-version': chat_versions.V2025_03_15, **query})}"


def _identifier(user: str) -> dict[str, Any]:
    return {"rawId": user, "communicationUser": {"id": user}}
