"""Bringing a history in over the rules: an import, and records of long ago."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.chats import Chatting, invited
from watchword.chat.background import Background
from watchword.chat.departures import Departures
from watchword.chat.purges import Purges
from watchword.chat.speakers import Speaker
from watchword.chat.store import ChatStore
from watchword.chat.trusted_imports import NewHistory, TrustedImports
from watchword.chat.trusted_records import Record

LONG_AGO = 1_600_000_000_000
"""In milliseconds, as the time of every record is told from here."""


class Importing:
    """An import by its id."""

    def __init__(self, chatting: Chatting, id: str = "room") -> None:
        self.chat, self.id = chatting, id
        self.store = ChatStore(chatting.database, lambda: None)
        self.rules = TrustedImports(self.store, chatting.limits)

    async def begin(self, **more: Any) -> str:
        asked = NewHistory(**({"topic": "Lunch"} | more))
        found, _ = await self.rules.begin(self.chat.resource, self.id, asked, now_micros=self.chat.now)
        return found.thread

    async def append(self, records: Sequence[Record], after: int = 0) -> int:
        found = await self.rules.append(self.chat.resource, self.id, records, after=after, now_micros=self.chat.now)
        return found.reached

    async def finish(self, *participants: Speaker, **more: Any) -> None:
        await self.rules.finish(self.chat.resource, self.id, invited(*participants), now_micros=self.chat.now, **more)

    async def work(self) -> None:
        """What goes on in the background."""
        background = Background(Departures(self.store), Purges(self.store, self.chat.limits), self.chat.clock)
        await background.work()


def record(speaker: Speaker, content: str, millis: int, **more: Any) -> Record:
    return Record(sender=f"8:{speaker.subject}", content=content, created_millis=LONG_AGO + millis, **more)
