"""The inbox over HTTP: where the wire meets its rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from watchword.chat.inbox import Inbox, InboxItem, Membership, Wanted
from watchword.chat.speakers import Speaker
from watchword.chat.threads import ThreadPosition
from watchword.errors import InvalidQuery
from watchword.rest import paging
from watchword.rest.call import AnyBinding, Binding, Call
from watchword.rest.callers import User
from watchword.rest.chat_door import ChatDoor
from watchword.rest.doors import Doors
from watchword.wire import chat_shown as shown
from watchword.wire import inbox as wire
from watchword.wire.chat_cursors import read_cursor, write_cursor
from watchword.wire.chat_values import format_millis
from watchword.wire.chat_versions import V2025_03_15

_SHOWN_AS = V2025_03_15
"""Messages are as this api-version of chat shows them."""


class InboxOperations:
    """Speaks both languages; holds no rule and no state."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        return [Binding(wire.LIST_INBOX, self.list_inbox, ChatDoor(doors.users))]

    async def list_inbox(self, call: Call[User]) -> wire.InboxPage:
        query = call.request.query
        speaker = Speaker(call.caller.resource, call.caller.token.identity.removeprefix("8:"))
        wanted = _wanted(query)
        size = paging.page_size(query, default=wire.DEFAULT_ITEMS, largest=wire.LARGEST_PAGE, is_cut=True)
        bound = ("inbox", speaker.subject, str(wanted.unread), wanted.membership, wanted.topic_prefix)
        found = read_cursor(query.get("syncstate"), 2, *bound)
        page = await self._inbox.list(speaker, wanted, after=ThreadPosition(*found) if found else None, most=size)
        link = None
        if page.next is not None:
            link = paging.next_link(
                call, syncState=write_cursor((page.next.last_millis, page.next.number), *bound), maxPageSize=str(size)
            )
        return wire.InboxPage([_item(each) for each in page.items], link)


def _wanted(query: Mapping[str, str]) -> Wanted:
    membership: dict[str, Membership] = {each: each for each in get_args(Membership)}
    asked, unread = query.get("membership", "all"), query.get("unread", "false").lower()
    if asked not in membership:
        raise InvalidQuery("membership", f"It must be one of {', '.join(membership)}.")
    if unread not in ("true", "false"):
        raise InvalidQuery("unread", "It must be true or false.")
    return Wanted(unread=unread == "true", membership=membership[asked], topic_prefix=query.get("topicprefix", ""))


def _item(found: InboxItem) -> wire.InboxItemBody:
    return wire.InboxItemBody(
        id=found.id,
        topic=found.topic,
        lastMessageReceivedOn=format_millis(found.last_millis),
        membership="current" if found.left_millis is None else "past",
        leftOn=None if found.left_millis is None else format_millis(found.left_millis),
        unreadCount=found.unread,
        hasMoreUnread=found.has_more_unread,
        lastMessage=None if found.message is None else shown.message(found.message, _SHOWN_AS),
        isLastMessageCut=found.is_message_cut,
    )
