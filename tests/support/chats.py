"""Chat without HTTP: the rules over a database of their own, with users who talk."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.support.clock import stopped_clock
from watchword.chat.limits import ChatLimits
from watchword.chat.messages import Message
from watchword.chat.participants import Invitation
from watchword.chat.rules import Chat, open_rules
from watchword.chat.speakers import Speaker
from watchword.clock import SystemClock
from watchword.identifiers import FlakeMinter, IdentityId, new_guid
from watchword.identity.store import IdentityStore
from watchword.keyring.encryption import Encryption
from watchword.resources.access_keys import create_resource
from watchword.resources.store import Resource
from watchword.storage import Database, Row
from watchword.testing import MovableClock


@dataclass
class Chatting:
    """`clock` stands still but for a millisecond at each look: two changes are never of one instant."""

    database: Database
    resource: Resource
    limits: ChatLimits = field(default_factory=ChatLimits)
    clock: MovableClock = field(default_factory=stopped_clock)
    minter: FlakeMinter = field(default_factory=lambda: FlakeMinter(SystemClock()))

    @property
    def rules(self) -> Chat:
        return open_rules(self.database, self.minter, self.limits)

    @property
    def now(self) -> int:
        """In microseconds, a millisecond later each time."""
        self.clock.move(timedelta(milliseconds=1))
        return self.clock.micros()

    async def user(self, resource: Resource | None = None) -> Speaker:
        """A new identity."""
        resource = resource or self.resource
        id = IdentityId(resource.id, self.minter.mint())
        await IdentityStore(self.database).insert(resource.number, id.flake, None, created_micros=1)
        return Speaker(resource, id.skype_id)

    async def users(self, count: int) -> list[Speaker]:
        return [await self.user() for _ in range(count)]

    async def thread(self, creator: Speaker, *others: Speaker, **more: Any) -> str:
        """The id of a new thread with all of them."""
        asked: dict[str, Any] = {"topic": "a topic", "invited": invited(*others), "now_micros": self.now}
        made = await self.rules.threads.create(creator, **(asked | more))
        return made.thread.id

    async def send(self, speaker: Speaker, thread: str, content: str = "hello", **more: Any) -> str:
        sent = await self.rules.messages.send(speaker, thread, content=content, now_micros=self.now, **more)
        return str(sent.id)

    async def add(self, speaker: Speaker, thread: str, *others: Speaker, history_millis: int = 0) -> None:
        entries = [Invitation(f"8:{each.subject}", None, history_millis) for each in others]
        assert await self.rules.participants.add(speaker, thread, entries, now_micros=self.now) == []

    async def remove(self, speaker: Speaker, thread: str, other: Speaker) -> None:
        await self.rules.participants.remove(speaker, thread, f"8:{other.subject}", now_micros=self.now)

    async def listed(self, speaker: Speaker, thread: str, size: int = 200, **more: Any) -> list[Message]:
        """All pages."""
        found: list[Message] = []
        below = None
        while True:
            page = await self.rules.messages.list(speaker, thread, below=below, most=size, now_micros=self.now, **more)
            found += page.messages
            below = page.next_version
            if below is None:
                return found

    async def rows(self, sql: str) -> list[Row]:
        return await self.database.query(sql)


def invited(*others: Speaker) -> list[Invitation]:
    return [Invitation(f"8:{each.subject}") for each in others]


async def chatting(database: Database, **limits: Any) -> Chatting:
    """Over a database that has no resource yet, or one more."""
    return Chatting(database, await another_resource(database), ChatLimits(**limits))


async def another_resource(database: Database) -> Resource:
    name = f"r{new_guid()}"
    return await database.transact(
        lambda each: create_resource(each, Encryption(bytes(32)), 1, name=name, location="europe")
    )
