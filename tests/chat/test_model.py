"""Random operations against a plain model: numbers, order, paging and who sees what, on both engines.

The model keeps the rules of chat.md as lists; whatever is done, every user's pages are compared with what it says.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from tests.support.chats import Chatting
from watchword.chat.message import Message
from watchword.chat.participants import Invitation
from watchword.chat.speakers import Speaker
from watchword.errors.chat import (
    MessageNotFound,
    NotAParticipant,
    NotTheSender,
    ParticipantNotFound,
    UnknownReadMessage,
)

STEPS = 120
_ONE = timedelta(milliseconds=1)
CONTENT = "text {}"


@dataclass
class _Message:
    id: int
    version: int
    sequence: int
    kind: str
    sender: str
    content: str
    is_deleted: bool = False
    is_edited: bool = False


@dataclass
class _Member:
    history: int = 0
    removed: int | None = None
    read: int = 0


@dataclass
class Model:
    """One thread. Whoever calls hands in the ids that the rules gave."""

    messages: list[_Message] = field(default_factory=list)
    members: dict[str, _Member] = field(default_factory=dict)
    newest: int = 0

    def takes_part(self, subject: str) -> bool:
        return subject in self.members and self.members[subject].removed is None

    def version(self, now: int) -> int:
        self.newest = max(self.newest + 1, now)
        return self.newest

    def say(self, now: int, kind: str, sender: str, content: str = "") -> _Message:
        version = self.version(now)
        message = _Message(version, version, len(self.messages) + 1, kind, sender, content)
        self.messages.append(message)
        return message

    def visible(self, subject: str) -> list[_Message]:
        member = self.members[subject]
        seen = [
            each
            for each in self.messages
            if each.id >= member.history and (member.removed is None or each.version <= member.removed)
        ]
        return sorted(seen, key=lambda each: -each.version)


def same(found: Message, expected: _Message) -> bool:
    return (
        found.id,
        found.version,
        found.sequence,
        found.kind,
        found.sender,
        found.deleted_millis is not None,
        found.edited_millis is not None,
    ) == (
        expected.id,
        expected.version,
        expected.sequence,
        expected.kind,
        expected.sender,
        expected.is_deleted,
        expected.is_edited,
    ) and (expected.kind != "text" or found.content == expected.content)


class _Run:
    def __init__(self, chatting: Chatting, users: list[Speaker], thread: str, dice: random.Random) -> None:
        self.chat, self.users, self.thread, self.dice = chatting, users, thread, dice
        self.model = Model()

    async def step(self) -> None:
        actions: list[Callable[[Speaker, int], Awaitable[None]]] = [
            self.send,
            self.send,
            self.send,
            self.edit,
            self.delete,
            self.add,
            self.remove,
            self.read,
        ]
        # Sometimes the clock stands still, and sometimes it goes back.
        self.chat.clock.move(_ONE * self.dice.choice([-30, -1, 0, 0, 1, 5]))
        await self.dice.choice(actions)(self.dice.choice(self.users), self.chat.clock.micros())

    async def refused(self, call: Awaitable[object], *errors: type[Exception]) -> None:
        with pytest.raises(errors):
            await call

    async def send(self, speaker: Speaker, now: int) -> None:
        content = CONTENT.format(len(self.model.messages))
        call = self.chat.rules.messages.send(speaker, self.thread, content=content, now_micros=now)
        if not self.model.takes_part(speaker.subject):
            await self.refused(call, NotAParticipant)
            return
        assert (await call).id == self.model.say(now // 1_000, "text", speaker.subject, content).id

    async def edit(self, speaker: Speaker, now: int) -> None:
        message = self.dice.choice(self.model.messages)
        call = self.chat.rules.messages.edit(speaker, self.thread, str(message.id), content="new", now_micros=now)
        if not self.model.takes_part(speaker.subject):
            await self.refused(call, NotAParticipant)
            return
        if message not in self.model.visible(speaker.subject):
            await self.refused(call, MessageNotFound)
            return
        if message.kind != "text" or message.sender != speaker.subject:
            await self.refused(call, NotTheSender)
            return
        if message.is_deleted:
            await self.refused(call, MessageNotFound)
            return
        await call
        message.version, message.content, message.is_edited = self.model.version(now // 1_000), "new", True

    async def delete(self, speaker: Speaker, now: int) -> None:
        message = self.dice.choice(self.model.messages)
        call = self.chat.rules.messages.delete(speaker, self.thread, str(message.id), now_micros=now)
        if not self.model.takes_part(speaker.subject):
            await self.refused(call, NotAParticipant)
            return
        if message not in self.model.visible(speaker.subject):
            await self.refused(call, MessageNotFound)
            return
        if message.kind != "text" or message.sender != speaker.subject:
            await self.refused(call, NotTheSender)
            return
        await call
        if not message.is_deleted:
            message.version = self.model.version(now // 1_000)
            message.content, message.is_deleted, message.is_edited = "", True, False

    async def add(self, speaker: Speaker, now: int) -> None:
        other = self.dice.choice(self.users)
        history = self.dice.choice([0, 0, self.dice.choice(self.model.messages).id])
        entry = Invitation(f"8:{other.subject}", None, history)
        call = self.chat.rules.participants.add(speaker, self.thread, [entry], now_micros=now)
        if not self.model.takes_part(speaker.subject):
            await self.refused(call, NotAParticipant)
            return
        assert await call == []
        if not self.model.takes_part(other.subject):
            self.model.members[other.subject] = _Member(history)
            self.model.say(now // 1_000, "participantAdded", speaker.subject)

    async def remove(self, speaker: Speaker, now: int) -> None:
        other = self.dice.choice(self.users)
        call = self.chat.rules.participants.remove(speaker, self.thread, f"8:{other.subject}", now_micros=now)
        if not self.model.takes_part(speaker.subject):
            await self.refused(call, NotAParticipant)
            return
        if not self.model.takes_part(other.subject):
            await self.refused(call, ParticipantNotFound)
            return
        if other is self.users[0]:
            # Somebody has to be left who lets others in.
            await self.refused(_never(call), ValueError)
            return
        await call
        member = self.model.members[other.subject]
        member.removed = self.model.say(now // 1_000, "participantRemoved", speaker.subject).id

    async def read(self, speaker: Speaker, now: int) -> None:
        message = self.dice.choice(self.model.messages)
        call = self.chat.rules.receipts.mark_read(speaker, self.thread, str(message.id), now_micros=now)
        if not self.model.takes_part(speaker.subject):
            await self.refused(call, NotAParticipant)
            return
        if message not in self.model.visible(speaker.subject):
            await self.refused(call, UnknownReadMessage)
            return
        member = self.model.members[speaker.subject]
        assert await call == (message.id > member.read)
        member.read = max(member.read, message.id)

    async def compare(self) -> None:
        for speaker in self.users:
            if speaker.subject not in self.model.members:
                await self.refused(self.chat.listed(speaker, self.thread), NotAParticipant)
                continue
            expected = self.model.visible(speaker.subject)
            size = self.dice.randint(1, 7)
            found = await self.chat.listed(speaker, self.thread, size=size)
            assert len(found) == len(expected)
            assert all(map(same, found, expected))
            for message in self.dice.sample(self.model.messages, min(5, len(self.model.messages))):
                call = self.chat.rules.messages.get(speaker, self.thread, str(message.id))
                if message in expected:
                    assert same(await call, message)
                else:
                    await self.refused(call, MessageNotFound)


async def _never(call: Awaitable[object]) -> None:
    call.close()  # type: ignore[attr-defined]
    raise ValueError


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_done_everybody_sees_what_the_model_says(chatting: Chatting, seed: int) -> None:
    users = await chatting.users(5)
    thread = await chatting.thread(users[0], users[1])
    run = _Run(chatting, users, thread, random.Random(seed))
    for subject in (users[0].subject, users[1].subject):
        run.model.members[subject] = _Member()
    now = chatting.clock.micros() // 1_000
    run.model.say(now, "participantAdded", users[0].subject)
    run.model.say(now, "topicUpdated", users[0].subject)
    for step in range(STEPS):
        await run.step()
        if step % 10 == 9:
            await run.compare()
    rows = await chatting.rows("select change from journal order by id")
    assert [change for (change,) in rows] == list(range(1, len(rows) + 1))
