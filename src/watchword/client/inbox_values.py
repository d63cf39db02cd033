"""What the inbox shows of a thread, and how a page of it is asked for and read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from watchword.client.replies import Reply
from watchword.client.requests import Call, Request
from watchword.wire import inbox as wire
from watchword.wire.chat_answers import MessageBody

Membership = Literal["current", "past", "all"]


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """The last message that the user sees. `text` is its beginning, or the topic where the system tells of another.

    `sender` is None of what the system says.
    """

    id: str
    type: str
    text: str
    sender: str | None
    sender_name: str
    created: datetime
    is_deleted: bool
    is_cut: bool


@dataclass(frozen=True, slots=True)
class InboxThread:
    """A thread of the user's. `left` is None while the user is in it. With `has_more_unread` there is more above the
    user's read receipt than was counted: show `100+`.
    """

    id: str
    topic: str
    last_message_received: datetime
    left: datetime | None
    unread_count: int
    has_more_unread: bool
    last_message: InboxMessage | None


def list_inbox(*, unread: bool, membership: Membership, topic_prefix: str, page_size: int) -> Call[Page]:
    """The first page."""
    query: dict[str, object] = {"maxPageSize": page_size, "membership": membership, "unread": str(unread).lower()}
    if topic_prefix:
        query["topicPrefix"] = topic_prefix
    return next_page(f"{wire.LIST_INBOX.path}?{urlencode(query, quote_via=quote, safe='')}")


def next_page(target: str) -> Call[Page]:
    return Call(Request(wire.LIST_INBOX.method, target), _read)


Page = tuple[list[InboxThread], str | None]
"""The threads of a page, and the target of the next."""


def _read(reply: Reply) -> Page:
    try:
        page = msgspec.json.decode(reply.body, type=wire.InboxPage)
        threads = [_thread(each) for each in page.value]
        # Of a link only path and query count: a token is never sent to a host that a reply chose.
        link = None if page.nextLink is None else urlsplit(page.nextLink)
    except (ValueError, RecursionError):
        raise reply.unexpected("The reply is no page of an inbox; is the endpoint right, and a Watchword?") from None
    return threads, None if link is None else f"/{link.path.lstrip('/')}?{link.query}"


def _thread(body: wire.InboxItemBody) -> InboxThread:
    return InboxThread(
        body.id,
        body.topic,
        _moment(body.lastMessageReceivedOn),
        None if body.leftOn is None else _moment(body.leftOn),
        body.unreadCount,
        body.hasMoreUnread,
        None if body.lastMessage is None else _message(body.lastMessage, is_cut=body.isLastMessageCut),
    )


def _message(body: MessageBody, *, is_cut: bool) -> InboxMessage:
    sender = body.senderCommunicationIdentifier
    return InboxMessage(
        body.id,
        body.type,
        body.content.message or body.content.topic or "",
        None if sender is None else sender.rawId,
        body.senderDisplayName or "",
        _moment(body.createdOn),
        body.deletedOn is not None,
        is_cut,
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
