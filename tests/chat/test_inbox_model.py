"""Unread counts and the order of inboxes against a plain model, in random histories whose steps come several at once.

What comes at once may be carried out in any order; the journal tells in which it was. So the model is what comes out
when the journal of each thread is read from its beginning, and an inbox that was read meanwhile is one of its states.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import pytest

from tests.chat.test_inbox import inbox
from tests.support.chats import Chatting, invited
from tests.support.clock import stopped_clock
from watchword.chat.inbox import InboxItem, Wanted
from watchword.chat.participants import Invitation
from watchword.chat.speakers import Speaker
from watchword.errors import CallerError

USERS, THREADS, BATCHES, AT_ONCE, BESIDE = 4, 3, 6, 7, 8
_ONE = timedelta(milliseconds=1)

_Told = dict[int, tuple[str, str, str]]
"""Messages by id, each with kind, sender and content."""

_Entries = dict[str, list[tuple[str, str]]]
"""Of each thread what happened, each with kind and reference."""

Seen = tuple[int | None, int, int | None, int]
"""When somebody left, what is unread, the last message, and the time of the newest one."""


@dataclass
class _Member:
    history: int
    removed: int | None = None
    read: int = 0
    listed: int = 0


@dataclass
class _Thread:
    """`told` are all its messages, of which those in `messages` are there yet."""

    number: int
    told: _Told
    messages: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    members: dict[str, _Member] = field(default_factory=dict)
    last: int = 0

    def states(self, entries: Sequence[tuple[str, str]]) -> Iterator[_Thread]:
        for kind, reference in entries:
            self.apply(kind, reference)
            yield self

    def apply(self, kind: str, reference: str) -> None:
        if kind == "threadCreated":
            first, second = sorted(self.told)[:2]
            self._add(first)
            self.say(second)
        elif kind == "messageReceived":
            self.say(int(reference))
        elif kind == "messageDeleted":
            self.deleted.add(int(reference))
        elif kind == "participantsAdded":
            self._add(int(reference))
        elif kind == "participantsRemoved":
            self.messages.add(int(reference))
            [[subject, *_]] = json.loads(self.told[int(reference)][2])
            member = self.members[subject]
            member.removed, member.listed, member.read = int(reference), self.last, 0
        elif kind == "readReceiptReceived":
            subject, _, id = reference.partition("/")
            self.members[subject].read = int(id)

    def say(self, id: int) -> None:
        self.messages.add(id)
        self.last = id

    def _add(self, id: int) -> None:
        self.say(id)
        for subject, _, history in json.loads(self.told[id][2]):
            self.members[subject] = _Member(history)

    def seen(self, subject: str) -> Seen | None:
        member = self.members.get(subject)
        if member is None:
            return None
        there = [id for id in self.messages if id >= member.history and id <= (member.removed or id)]
        unread = sum(
            id > member.read and id not in self.deleted and self.told[id][0] == "text" and self.told[id][1] != subject
            for id in there
        )
        if member.removed is not None:
            return member.removed, 0, max(there, default=None), member.listed
        return None, unread, max(there, default=None), self.last


def _seen(item: InboxItem) -> Seen:
    return item.left_millis, item.unread, None if item.message is None else item.message.id, item.last_millis


class _History:
    def __init__(self, chatting: Chatting, number: int) -> None:
        # Of its own is the clock alone: what histories that run beside each other write at once goes in one statement.
        self.chat, self.dice = replace(chatting, clock=stopped_clock()), random.Random(number)
        resource = chatting.resource
        # Users of another provider need no row of their own.
        self.users = [
            Speaker(resource, f"acs:{resource.id}_{UUID(int=number)}_{UUID(int=each)}") for each in range(USERS)
        ]
        self.threads: list[str] = []
        self.numbers: dict[str, int] = {}
        self.sent: dict[str, list[tuple[Speaker, str]]] = {}

    async def run(self) -> None:
        for _ in range(self.dice.randint(1, THREADS)):
            creator, *others = self.dice.sample(self.users, self.dice.randint(1, USERS))
            made = await self.chat.rules.threads.create(
                creator, topic="t", invited=invited(*others), now_micros=self.chat.now
            )
            self.threads.append(made.thread.id)
            self.numbers[made.thread.id] = made.thread.number
            self.sent[made.thread.id] = []
        _, entries = await self._written()
        for _ in range(self.dice.randint(2, BATCHES)):
            looking = self.dice.choice(self.users)
            steps = [asyncio.ensure_future(self._step()) for _ in range(self.dice.randint(1, AT_ONCE))]
            meanwhile = await inbox(self.chat, looking)
            await asyncio.gather(*steps)
            before = {id: len(found) for id, found in entries.items()}
            entries = await self.compare(before, looking, meanwhile)

    async def _step(self) -> None:
        thread, speaker = self.dice.choice(self.threads), self.dice.choice(self.users)
        # Sometimes the clock stands still, and sometimes it goes back.
        self.chat.clock.move(_ONE * self.dice.choice([-30, -1, 0, 0, 1, 5, 3_000]))
        with suppress(CallerError):
            await self._act(
                self.dice.choice(["send"] * 3 + ["read"] * 2 + ["edit", "delete", "remove", "add"]), thread, speaker
            )

    async def _act(self, action: str, thread: str, speaker: Speaker) -> None:
        rules, now = self.chat.rules, self.chat.clock.micros()
        author, message = self.dice.choice(self.sent[thread] or [(speaker, "1")])
        other = f"8:{self.dice.choice(self.users).subject}"
        if action == "send":
            sent = await rules.messages.send(speaker, thread, content="hello", now_micros=now)
            self.sent[thread].append((speaker, str(sent.id)))
        elif action == "read":
            await rules.receipts.mark_read(speaker, thread, message, now_micros=now)
        elif action == "edit":
            await rules.messages.edit(author, thread, message, content="changed", now_micros=now)
        elif action == "delete":
            await rules.messages.delete(author, thread, message, now_micros=now)
        elif action == "remove":
            await rules.participants.remove(speaker, thread, other, now_micros=now)
        else:
            history = self.dice.choice([0, int(message), now // 1_000 + 2])
            await rules.participants.add(speaker, thread, [Invitation(other, None, history)], now_micros=now)

    async def compare(self, before: dict[str, int], looking: Speaker, meanwhile: list[InboxItem]) -> _Entries:
        told, entries = await self._written()
        threads = []
        found = {each.id: _seen(each) for each in meanwhile}
        for id in self.threads:
            thread = _Thread(self.numbers[id], told[id])
            states = [each.seen(looking.subject) for each in thread.states(entries[id])]
            assert found.get(id) in states[before[id] - 1 :]
            threads.append(thread)
        for user in self.users:
            by_activity = sorted(
                ((seen[3], each.number, seen) for each in threads if (seen := each.seen(user.subject))), reverse=True
            )
            expected = [seen for _, _, seen in by_activity]
            assert [_seen(each) for each in await inbox(self.chat, user, size=self.dice.randint(1, 4))] == expected
            unread = [each for each in expected if each[1]]
            assert [_seen(each) for each in await inbox(self.chat, user, Wanted(unread=True), 1)] == unread
        return entries

    async def _written(self) -> tuple[dict[str, _Told], _Entries]:
        """The messages of each thread, and its entries of the journal in their order."""
        told: dict[str, _Told] = {id: {} for id in self.threads}
        entries: _Entries = {id: [] for id in self.threads}
        threads, where = {number: id for id, number in self.numbers.items()}, f"in ({_list(self.numbers.values())})"
        for thread, id, *about in await self.chat.rows(f"{_MESSAGES} {where}"):
            told[threads[thread]][id] = (about[0], about[1], about[2])
        for thread, kind, reference in await self.chat.rows(f"{_ENTRIES} {where} order by change"):
            entries[threads[thread]].append((kind, reference))
        for thread_id, found in told.items():
            assert {int(id): user.subject for user, id in self.sent[thread_id]} == {
                id: sender for id, (kind, sender, _) in found.items() if kind == "text"
            }
        return told, entries


def _list(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


_MESSAGES = "select thread, id, kind, sender, content from messages where thread"
_ENTRIES = "select thread, kind, reference from journal where thread"


async def run_histories(chatting: Chatting, count: int) -> None:
    """Several at a time; a difference says of which number it is, and that one alone shows it again."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            try:
                await _History(chatting, number).run()
            except Exception as error:
                error.add_note(f"history {number}")
                raise
            if number % 500 == 499:
                print(f"{number + 1} histories")

    async with asyncio.TaskGroup() as group:
        for _ in range(BESIDE):
            group.create_task(work())


async def test_whatever_comes_at_once_every_inbox_is_what_the_model_says(chatting: Chatting) -> None:
    await run_histories(chatting, 40)


@pytest.mark.soak
async def test_ten_thousand_histories(chatting: Chatting) -> None:
    await run_histories(chatting, 10_000)
