"""The inbox: a user's threads in the order of activity, each with its last message and how much of it is unread.

A page costs the same however many threads and messages there are: its threads are found by index, in the order of their
newest message, and of each only the newest messages are looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from watchword.chat.excerpt import excerpt
from watchword.chat.inbox_statements import MOST_LOOKED_AT, MOST_READ_CHARACTERS
from watchword.chat.limits import ChatLimits
from watchword.chat.message import Message, read_message
from watchword.chat.reading_statements import EVER
from watchword.chat.speakers import Speaker
from watchword.chat.store import ChatStore
from watchword.chat.threads import ThreadPosition
from watchword.storage import Row

MOST_THREADS_LOOKED_AT = 200
"""For one page: so it may be short, or empty, although more follow."""
_AT_ONCE = 20

Membership = Literal["current", "past", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which threads are shown; `unread` are those with something unread."""

    unread: bool = False
    membership: Membership = "all"
    topic_prefix: str = ""

    @property
    def is_any(self) -> bool:
        return self == _ANY


_ANY = Wanted()


class InboxItem(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A thread as it stands in the inbox.

    `left_millis` is when the user left or was removed; then nothing is unread. `unread` is at most `MOST_LOOKED_AT`,
    and with `has_more_unread` there are messages above the user's receipt that were not looked at. `message` is the
    last one that the user sees, short; `is_message_cut` says that it goes on.
    """

    id: str
    topic: str
    last_millis: int
    left_millis: int | None
    unread: int
    has_more_unread: bool
    message: Message | None
    is_message_cut: bool


@dataclass(frozen=True, slots=True)
class InboxPage:
    """`next` is None where nothing follows."""

    items: Sequence[InboxItem]
    next: ThreadPosition | None


class Inbox:
    """Reads, and changes nothing."""

    def __init__(self, store: ChatStore, limits: ChatLimits) -> None:
        self._store = store
        self._limits = limits

    async def list(
        self, speaker: Speaker, wanted: Wanted = _ANY, *, after: ThreadPosition | None = None, most: int
    ) -> InboxPage:
        """Threads that the speaker is or was in and that are not deleted, the one with the newest message first."""
        items: list[InboxItem] = []
        position, piece = after, max(most, _AT_ONCE)
        # Most of the time there is as much to show as was looked at.
        for asked in (most, max(most, MOST_THREADS_LOOKED_AT)):
            rows = await self._store.list_threads(
                speaker,
                start=0,
                after=(EVER, EVER) if position is None else (position.last_millis, position.number),
                most=asked + 1,
                is_shown=lambda _: True,
            )
            for first in range(0, min(asked, len(rows)), piece):
                looked_at = rows[first : min(first + piece, asked)]
                for row, item in zip(looked_at, await self._find(speaker, wanted, looked_at), strict=True):
                    if len(items) == most:
                        return InboxPage(items, position)
                    position = ThreadPosition(row[4], row[0])
                    items += [] if item is None else [item]
            if len(rows) <= asked:
                return InboxPage(items, None)
            if len(items) == most:
                break
        return InboxPage(items, position)

    async def _find(self, speaker: Speaker, wanted: Wanted, rows: Sequence[Row]) -> Sequence[InboxItem | None]:
        """The items of threads that were listed; None where one is not shown."""
        asked = [row for row in rows if self._may_be_shown(wanted, row)]
        found = await asyncio.gather(
            *(self._store.find_inbox_item(speaker, row[0], most=MOST_LOOKED_AT + 1) for row in asked)
        )
        items = {row[0]: self._item(wanted, each) for row, each in zip(asked, found, strict=True)}
        return [items.get(row[0]) for row in rows]

    def _may_be_shown(self, wanted: Wanted, row: Row) -> bool:
        """What the list says of a thread may be otherwise by now, so the item is judged once more."""
        _, _, topic, deleted_millis, _, _, is_removed = row
        return (
            deleted_millis is None
            and topic.startswith(wanted.topic_prefix)
            and not (is_removed and (wanted.unread or not self._limits.reading_after_removal))
            and wanted.membership in ("all", "past" if is_removed else "current")
        )

    def _item(self, wanted: Wanted, found: Row | None) -> InboxItem | None:
        if found is None:
            return None
        id, topic, deleted_millis, removed_millis, last_millis, unread, looked_at, *message = found
        if deleted_millis is not None or (removed_millis is not None and not self._limits.reading_after_removal):
            return None
        is_past, has_more = removed_millis is not None, looked_at > MOST_LOOKED_AT
        if wanted.membership not in ("all", "past" if is_past else "current"):
            return None
        if (wanted.unread and not unread and not has_more) or not topic.startswith(wanted.topic_prefix):
            return None
        last, is_cut = (None, False)
        if message[0] is not None:
            last, is_cut = excerpt(read_message(tuple(message)), MOST_READ_CHARACTERS)
        return InboxItem(
            id=id,
            topic=topic,
            last_millis=last_millis,
            left_millis=removed_millis,
            unread=min(unread, MOST_LOOKED_AT),
            has_more_unread=has_more,
            message=last,
            is_message_cut=is_cut,
        )
