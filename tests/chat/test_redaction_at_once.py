"""A message is redacted while others edit, delete and read it: whatever comes first, from then on it is nowhere."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain

import pytest

from tests.chat.test_inbox import inbox
from tests.chat.test_trusted_exports import of_thread, of_user
from tests.support.chats import Chatting
from tests.support.engines import Place
from tests.support.postgres import Cluster
from watchword.chat.message import Message
from watchword.chat.speakers import Speaker
from watchword.chat.store import ChatStore
from watchword.chat.trusted_exports import ExportedMessage
from watchword.chat.trusted_messages import Bounds, TrustedMessages
from watchword.errors.chat import MessageNotFound

ROUNDS, MESSAGES, READERS = 8, 4, 3
SECRET = "kqzwolframite"


@dataclass
class _Room:
    some: Chatting
    ada: Speaker
    ben: Speaker
    thread: str
    redacted: set[int] = field(default_factory=set)
    """The messages that whoever redacted them was told of."""

    @property
    def trusted(self) -> TrustedMessages:
        return TrustedMessages(ChatStore(self.some.database, lambda: None), self.some.minter, self.some.limits)

    async def send(self) -> str:
        return await self.some.send(self.ada, self.thread, SECRET, sender_name=SECRET, metadata={"k": SECRET})

    def changes(self, id: str) -> Iterator[Awaitable[object]]:
        """What befalls a message; it is redacted twice at once."""
        messages, asked = self.some.rules.messages, (self.ada, self.thread, id)
        yield messages.edit(*asked, content=f"{SECRET} again", now_micros=self.some.now)
        yield messages.edit(*asked, metadata={"k": f"{SECRET} again"}, now_micros=self.some.now)
        yield messages.delete(*asked, now_micros=self.some.now)
        yield self.some.rules.receipts.mark_read(self.ben, self.thread, id, now_micros=self.some.now)
        yield self._redact(id)
        yield self._redact(id)

    async def _redact(self, id: str) -> None:
        await self.trusted.redact(self.some.resource, self.thread, id, now_micros=self.some.now)
        self.redacted.add(int(id))

    async def look(self) -> None:
        """Whoever begins to read once the answer to a redaction is there finds nothing of the message."""
        gone = set(self.redacted)
        for found in await self._everything():
            assert found.id not in gone or SECRET not in str(found), found

    async def _everything(self) -> list[Message]:
        """Every message, as each way to read tells it."""
        some, resource = self.some, self.some.resource
        exported = chain(await of_thread(some, self.thread, 3), await of_user(some, self.ada, 3))
        inboxes = chain(await inbox(some, self.ada), await inbox(some, self.ben))
        return [
            *await some.listed(self.ben, self.thread, 3),
            *(await self.trusted.list(resource, self.thread, Bounds(upward=True), most=200)).messages,
            *(each.message for each in exported if isinstance(each, ExportedMessage)),
            *(each.message for each in inboxes if each.message is not None),
        ]


async def _passed_over(change: Awaitable[object]) -> None:
    # Whoever changes a message that is deleted already is told so.
    with suppress(MessageNotFound):
        await change


@pytest.fixture
def deadlocks(request: pytest.FixtureRequest, place: Place) -> Callable[[], int]:
    """How many there were; transactions that end so are sent again, and nobody else hears of it."""
    if not place.is_postgres:
        return lambda: 0
    cluster: Cluster = request.getfixturevalue("cluster")
    return lambda: (cluster.folder / "log").read_text("utf-8", "replace").count("deadlock detected")


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_what_is_redacted_meanwhile_is_nowhere(
    chatting: Chatting, number: int, deadlocks: Callable[[], int]
) -> None:
    before, dice = deadlocks(), random.Random(number)
    ada, ben = await chatting.users(2)
    room = _Room(chatting, ada, ben, await chatting.thread(ada, ben))
    ids = [await room.send() for _ in range(MESSAGES)]
    at_once = [_passed_over(change) for id in ids for change in room.changes(id)]
    at_once += [room.look() for _ in range(READERS)]
    dice.shuffle(at_once)
    await asyncio.gather(*at_once)
    assert room.redacted == {int(id) for id in ids}
    await room.look()
    written = [await chatting.rows(f"select * from {table}") for table in ("messages", "journal", "threads")]
    assert SECRET not in str(written)
    [(counted,)] = await chatting.rows("select bytes from threads")
    assert counted == sum(len(text.encode()) for (text,) in await chatting.rows("select content from messages"))
    assert deadlocks() == before
