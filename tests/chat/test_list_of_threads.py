"""A user's threads, the newest message first."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.support.chats import Chatting
from watchword.chat.reading_statements import EVER
from watchword.chat.speakers import Speaker
from watchword.chat.store import ChatStore
from watchword.chat.threads import ThreadChange, ThreadPosition
from watchword.storage import Database, Row, Statement


async def ids(chatting: Chatting, speaker: Speaker, size: int = 100) -> list[str]:
    """The ids on all pages of the speaker's list."""
    found: list[str] = []
    after: ThreadPosition | None = None
    while True:
        page = await chatting.rules.threads.list(speaker, after=after, most=size, now_micros=chatting.now)
        found += [each.id for each in page.threads]
        after = page.next
        if after is None:
            return found


async def test_threads_are_listed_by_their_newest_message_over_any_page(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    threads = [await chatting.thread(ada, ben, topic=str(number)) for number in range(7)]
    assert await ids(chatting, ben) == threads[::-1]
    order = [3, 5, 0, 5, 6, 3]
    for number in order:
        await chatting.send(ada, threads[number])
        chatting.clock.move(timedelta(seconds=number % 3))
    expected = [threads[each] for each in (3, 6, 5, 0, 4, 2, 1)]
    for size in (1, 2, 3, 100):
        assert await ids(chatting, ben, size) == expected
    # Neither an edit nor a removal nor a receipt raises a thread; another topic and a new participant do.
    [cy] = await chatting.users(1)
    await chatting.add(ada, threads[1], cy)
    await chatting.rules.threads.update(ada, threads[2], ThreadChange(topic="new"), now_micros=chatting.now)
    await chatting.remove(ada, threads[0], ben)
    raised = [threads[each] for each in (2, 1, 3, 6, 5, 0, 4)]
    assert await ids(chatting, ben, 2) == raised
    assert await ids(chatting, cy) == [threads[1]]


async def test_a_list_that_begins_at_a_time_holds_what_is_newer(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    for _ in range(3):
        await chatting.thread(ada)
        chatting.clock.move(timedelta(minutes=1))
    page = await chatting.rules.threads.list(ada, most=100, now_micros=chatting.now)
    middle = page.threads[1].last_millis
    newer = await chatting.rules.threads.list(ada, start_millis=middle, most=100, now_micros=chatting.now)
    assert newer.threads == page.threads[:2]


async def test_listing_is_right_among_many_threads_of_one_moment(chatting: Chatting) -> None:
    """More than are looked at at once: what participants know of their threads is two seconds old at most."""
    [ada] = await chatting.users(1)
    threads = [await chatting.thread(ada) for _ in range(130)]
    chatting.clock.move(timedelta(milliseconds=5))
    for number in range(0, 130, 7):
        await chatting.send(ada, threads[number])
    sent = threads[0::7]
    expected = sent[::-1] + [each for each in threads[::-1] if each not in sent]
    assert await ids(chatting, ada, 4) == expected
    chatting.clock.move(timedelta(seconds=5))
    await chatting.send(ada, threads[1])
    assert (await ids(chatting, ada, 50))[0] == threads[1]


class _Counted:
    """A database that counts the rows it reads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.rows = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def read(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        rows = await self._database.read(statement, parameters)
        self.rows += len(rows)
        return rows


async def test_a_page_of_threads_looks_at_few_more_than_it_holds(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    for _ in range(30):
        await chatting.thread(ada)
        chatting.clock.move(timedelta(seconds=10))
    counted = _Counted(chatting.database)
    store = ChatStore(counted, lambda: None)
    found = await store.list_threads(ada, start=0, after=(EVER, EVER), most=5, is_shown=lambda _: True)
    assert (len(found), counted.rows <= 8) == (5, True)


@pytest.mark.parametrize("count", [300, pytest.param(5_000, marks=pytest.mark.soak)])
async def test_pages_have_no_hole_and_no_double_while_very_many_threads_are_active(
    chatting: Chatting, count: int
) -> None:
    """Half of them within two seconds: of the order of these, what a participant knows of them says nothing."""
    dice = random.Random(1)
    [ada] = await chatting.users(1)
    threads = []
    for _ in range(count):
        threads.append(await chatting.thread(ada))
        chatting.clock.move(timedelta(seconds=1))
    busy = dice.sample(threads, count // 2)
    instant = timedelta(seconds=1.9) / (2 * count)

    async def send(thread: str) -> None:
        chatting.clock.move(instant)
        await chatting.rules.messages.send(ada, thread, content="hello", now_micros=chatting.clock.micros())

    # Only the first message of a thread is noted at once by its participants.
    for _ in range(3):
        dice.shuffle(busy)
        for thread in busy:
            await send(thread)
    before = await ids(chatting, ada, count)
    assert set(before[: len(busy)]) == set(busy)
    counted = _Counted(chatting.database)
    store = ChatStore(counted, lambda: None)
    found: list[str] = []
    active: set[str] = set()
    after = EVER, EVER
    while page := await store.list_threads(ada, start=0, after=after, most=17, is_shown=lambda _: True):
        # Each that is uncertain once at the most; where few are, hardly more than the page holds.
        assert counted.rows <= (count if page[0][1] in busy or page[0][1] in active else 5 * 20)
        counted.rows = 0
        found += [row[1] for row in page]
        after = page[-1][4], page[-1][0]
        for thread in dice.sample(threads, 2):
            active.add(thread)
            await send(thread)
    assert len(found) == len(set(found))
    assert [id for id in found if id not in active] == [id for id in before if id not in active]
