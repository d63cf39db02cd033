"""Each operation of the trusted server as a request to send and a way to read its reply: pure, for both clients."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import quote, urlencode

import httpx2
import msgspec

from watchword.client import trusted_values as values
from watchword.client.replies import Reply
from watchword.client.requests import Call, Request
from watchword.client.trusted_values import ChatMessage, ChatParticipant, ChatSocket, ChatThread, Restriction
from watchword.wire import trusted, trusted_exports, trusted_messages, trusted_sockets
from watchword.wire import trusted_bodies as bodies
from watchword.wire.chat_answers import AddedBody, SentBody
from watchword.wire.operations import Operation
from watchword.wire.trusted_message_bodies import TrustedMessageBody, TrustedMessagePage

Item = TypeVar("Item")
Body = TypeVar("Body")
Body_co = TypeVar("Body_co", covariant=True)
Result = TypeVar("Result")

Page = tuple[list[Item], "Call[Page[Item]] | None"]
"""The items of a page, and the call for the next."""

_NEXT = re.compile(r'<([^>]+)>; rel="next"')


class _WirePage(Protocol[Body_co]):
    @property
    def value(self) -> Sequence[Body_co]: ...

    @property
    def nextLink(self) -> str | None: ...  # noqa: N802 - the wire's name.


def list_threads(
    *, member: str | None, topic_prefix: str, active_since: datetime | None, page_size: int
) -> Call[Page[ChatThread]]:
    query = {"member": member, "topicPrefix": topic_prefix or None, "activeSince": _time(active_since)}
    target = _target(trusted.LIST_THREADS, query=query | {"maxPageSize": page_size})
    return _page(target, bodies.TrustedThreadPage, values.thread_of)


def get_thread(thread: str) -> Call[ChatThread]:
    return _get(_target(trusted.GET_THREAD, thread), bodies.TrustedThreadBody, values.thread_of)


def update_thread(thread: str, *, topic: str | None, frozen: bool | None) -> Call[None]:
    return _tell(trusted.UPDATE_THREAD, _target(trusted.UPDATE_THREAD, thread), {"topic": topic, "frozen": frozen})


def delete_thread(thread: str) -> Call[None]:
    return _tell(trusted.DELETE_THREAD, _target(trusted.DELETE_THREAD, thread))


def list_messages(
    thread: str, *, oldest_first: bool, since: datetime | None, page_size: int
) -> Call[Page[ChatMessage]]:
    query = {"order": "asc" if oldest_first else "desc", "startTime": _time(since), "maxPageSize": page_size}
    target = _target(trusted_messages.LIST_MESSAGES, thread, query=query)
    return _page(target, TrustedMessagePage, values.message_of)


def get_message(thread: str, message: str) -> Call[ChatMessage]:
    target = _target(trusted_messages.GET_MESSAGE, thread, message=message)
    return _get(target, TrustedMessageBody, values.message_of)


def send_message(
    thread: str, content: str, *, sender_name: str, type: str, metadata: Mapping[str, str] | None
) -> Call[str]:
    """Sent again, it would be there twice."""
    body = {"content": content, "senderDisplayName": sender_name, "type": type, "metadata": metadata}
    request = Request("POST", _target(trusted_messages.SEND_MESSAGE, thread), msgspec.json.encode(body))
    return Call(request, lambda reply: _decode(reply, SentBody).id, repeatable=False)


def delete_message(thread: str, message: str) -> Call[None]:
    operation = trusted_messages.DELETE_MESSAGE
    return _tell(operation, _target(operation, thread, message=message))


def redact_message(thread: str, message: str) -> Call[None]:
    operation = trusted_messages.REDACT_MESSAGE
    return _tell(operation, _target(operation, thread, message=message))


def list_participants(thread: str, *, former: bool, page_size: int) -> Call[Page[ChatParticipant]]:
    query = {"former": "true" if former else None, "maxPageSize": page_size}
    target = _target(trusted.LIST_PARTICIPANTS, thread, query=query)
    return _page(target, bodies.TrustedParticipantPage, values.participant_of)


def add_participants(thread: str, participants: Iterable[ChatParticipant]) -> Call[tuple[str, ...]]:
    """Whoever is one already stays as they are, so that it may be sent again."""
    entries = [
        {
            "user": each.user,
            "displayName": each.display_name,
            "shareHistoryTime": _time(each.since),
            "metadata": each.metadata,
        }
        for each in participants
    ]
    target = _target(trusted.ADD_PARTICIPANTS, thread)
    request = Request("POST", target, msgspec.json.encode({"participants": entries}))
    return Call(
        request, lambda reply: tuple(each.target for each in _decode(reply, AddedBody).invalidParticipants or ())
    )


def remove_participant(thread: str, user: str) -> Call[None]:
    """Sent again, it would not find the participant."""
    request = Request("POST", _target(trusted.REMOVE_PARTICIPANT, thread), msgspec.json.encode({"user": user}))
    return Call(request, _nothing, repeatable=False)


def list_restrictions(thread: str | None, page_size: int) -> Call[Page[Restriction]]:
    operation = trusted.LIST_RESTRICTIONS if thread is None else trusted.LIST_THREAD_RESTRICTIONS
    target = _target(operation, thread or "", query={"maxPageSize": page_size})
    return _page(target, bodies.RestrictionPage, values.restriction_of)


def put_restriction(
    user: str, kind: Literal["mute", "ban"], *, thread: str | None, until: datetime | None
) -> Call[Restriction]:
    operation = trusted.PUT_RESTRICTION if thread is None else trusted.PUT_THREAD_RESTRICTION
    target = _target(operation, thread or "", user=user)
    body = msgspec.json.encode({"kind": kind, "until": _time(until)})
    return _get(target, bodies.RestrictionBody, values.restriction_of, request=Request("PUT", target, body))


def get_restriction(user: str, thread: str | None) -> Call[Restriction]:
    operation = trusted.GET_RESTRICTION if thread is None else trusted.GET_THREAD_RESTRICTION
    return _get(_target(operation, thread or "", user=user), bodies.RestrictionBody, values.restriction_of)


def delete_restriction(user: str, thread: str | None) -> Call[None]:
    operation = trusted.DELETE_RESTRICTION if thread is None else trusted.DELETE_THREAD_RESTRICTION
    return _tell(operation, _target(operation, thread or "", user=user))


def list_sockets(user: str) -> Call[list[ChatSocket]]:
    target = _target(trusted_sockets.LIST_SOCKETS, user=user)
    return _get(target, trusted_sockets.SocketsBody, lambda body: [values.socket_of(each) for each in body.value])


def close_sockets(user: str, socket: str | None) -> Call[None]:
    operation = trusted_sockets.CLOSE_SOCKETS if socket is None else trusted_sockets.CLOSE_SOCKET
    return _tell(operation, _target(operation, user=user, socket=socket or ""))


def export_thread(thread: str) -> Call[Page[bytes]]:
    return _lines(_target(trusted_exports.EXPORT_THREAD, thread))


def export_user(user: str) -> Call[Page[bytes]]:
    return _lines(_target(trusted_exports.EXPORT_USER, user=user))


def _page(target: str, shape: type[_WirePage[Body]], read: Callable[[Body], Item]) -> Call[Page[Item]]:
    def read_page(reply: Reply) -> Page[Item]:
        page = _decode(reply, shape)
        following = page.nextLink
        if following is None:
            return [read(each) for each in page.value], None
        link = _target_of(reply, following)
        return [read(each) for each in page.value], _page(link, shape, read)

    return Call(Request("GET", target), read_page)


def _lines(target: str) -> Call[Page[bytes]]:
    def read_page(reply: Reply) -> Page[bytes]:
        if trusted_exports.JSON_LINES not in reply.headers.get("content-type", ""):
            raise reply.unexpected("The reply is no export; is the endpoint right, and a Watchword?")
        found = _NEXT.search(reply.headers.get("link", ""))
        lines = reply.body.splitlines(keepends=True)
        if found is None:
            return lines, None
        link = _target_of(reply, found[1])
        return lines, _lines(link)

    return Call(Request("GET", target), read_page)


def _get(
    target: str, shape: type[Body], read: Callable[[Body], Result], *, request: Request | None = None
) -> Call[Result]:
    return Call(request or Request("GET", target), lambda reply: read(_decode(reply, shape)))


def _tell(operation: Operation, target: str, body: Mapping[str, object] | None = None) -> Call[None]:
    return Call(Request(operation.method, target, b"" if body is None else msgspec.json.encode(body)), _nothing)


def _nothing(reply: Reply) -> None:
    if reply.body.strip():
        raise reply.unexpected("The reply has a body where none belongs; is the endpoint right?")


def _decode(reply: Reply, shape: Any) -> Any:
    try:
        return msgspec.json.decode(reply.body, type=shape)
    except (ValueError, RecursionError):
        raise reply.unexpected("The reply is none of the trusted server's; is the endpoint right?") from None


def _target_of(reply: Reply, link: str) -> str:
    """Path and query of a link; nothing else of it counts: a signature is never sent to a host that a reply chose."""
    try:
        target = httpx2.URL(link).raw_path.decode("ascii")
    except httpx2.InvalidURL:
        target = ""
    if not target.startswith("/"):
        raise reply.unexpected("The link to the next page cannot be read.")
    return target


def _target(
    operation: Operation,
    thread: str = "",
    *,
    message: str = "",
    user: str = "",
    socket: str = "",
    query: Mapping[str, object] | None = None,
) -> str:
    # Percent-encoded throughout, the dots of `..` too, which would otherwise be resolved to another path.
    parts = {"chatThreadId": thread, "chatMessageId": message, "userId": user, "socketId": socket}
    path = operation.path.format(**{name: quote(part, safe="").replace(".", "%2E") for name, part in parts.items()})
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return f"{path}?{urlencode(given, quote_via=quote, safe='')}" if given else path


def _time(moment: datetime | None) -> str | None:
    if moment is not None and moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return None if moment is None else moment.isoformat(timespec="milliseconds")
