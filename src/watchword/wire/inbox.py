"""The inbox: an operation of Watchword's own, shaped after the Chat API's lists.

GET /chat/inbox?unread=true&maxPageSize=20
{"value": [...], "nextLink": "https://..."}
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from watchword.wire.chat_answers import MessageBody
from watchword.wire.chat_errors import ChatErrorResponse
from watchword.wire.operations import Body, Operation, Parameter

DEFAULT_ITEMS = 20
LARGEST_PAGE = 100

_Time: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]


class InboxItemBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A thread that the user is in, or was in until `leftOn`.

        {"id": "19:...@thread.v2", "topic": "Lunch", "lastMessageReceivedOn": "2025-06-10T22:20:21Z",
         "membership": "current", "unreadCount": 100, "hasMoreUnread": true, "lastMessage": {...},
         "isLastMessageCut": true}

    `unreadCount` is counted among the newest messages above the user's read receipt; with `hasMoreUnread` there are
    older ones that were not looked at. `lastMessage` is the last one that the user sees, short: a text of at most 256
    characters, html without its markup.
    """

    id: str
    topic: str
    lastMessageReceivedOn: _Time
    membership: Literal["current", "past"]
    leftOn: _Time | None = None
    unreadCount: Annotated[int, msgspec.Meta(ge=0, le=100)]
    hasMoreUnread: bool = False
    lastMessage: MessageBody | None = None
    isLastMessageCut: bool = False


class InboxPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"value": [...], "nextLink": "https://..."}`; a page may be short, or empty, although more follow."""

    value: list[InboxItemBody]
    nextLink: str | None = None


LIST_INBOX = Operation(
    "Watchword_ListInbox", "GET", "/chat/inbox", 200, None,
    "List the caller's threads in the order of activity, with last message and unread count.",
    gives=(Body(InboxPage),),
    parameters=(
        Parameter("maxPageSize", f"How many threads at the most; {DEFAULT_ITEMS} where it is left out, {LARGEST_PAGE}"
                  " where it is more.", {"type": "integer", "format": "int32", "minimum": 1}),
        Parameter("unread", "Only threads with something unread.", {"type": "boolean"}),
        Parameter("membership", "Only threads that the caller is in, or was in; all where it is left out.",
                  {"type": "string", "enum": ["current", "past", "all"]}),
        Parameter("topicPrefix", "Only threads whose topic begins so."),
        Parameter("syncState", "Taken from a nextLink, unchanged."),
    ),
    scopes=("chat", "chat.join", "chat.join.limited"), limit="getThreads",
    is_for_any_page=True, error=ChatErrorResponse,
)  # fmt: skip
