"""The trusted server finds, reads, changes and deletes threads in which it takes no part."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.chats import Chatting, another_resource
from watchword.chat.speakers import trusted_server
from watchword.chat.store import ChatStore
from watchword.chat.trusted_threads import LOOKED_AT, ThreadFilter, TrustedThread, TrustedThreads
from watchword.errors.chat import InvalidTopic, MalformedParticipant, ThreadNotFound


def trusted(chatting: Chatting) -> TrustedThreads:
    return TrustedThreads(ChatStore(chatting.database, lambda: None))


async def listed(chatting: Chatting, most: int = 2, **wanted: Any) -> list[TrustedThread]:
    """All pages, each of which begins where the one before said."""
    found: list[TrustedThread] = []
    after = None
    while True:
        page = await trusted(chatting).list(chatting.resource, ThreadFilter(**wanted), after=after, most=most)
        assert len(page.threads) <= most
        found += page.threads
        after = page.next
        if after is None:
            return found


async def test_every_thread_of_the_resource_is_listed_once_with_the_newest_activity_first(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    threads = [await chatting.thread(ada, topic=f"topic {number}") for number in range(5)]
    chatting.clock.move(timedelta(seconds=10))
    await chatting.send(ada, threads[1])
    other = Chatting(chatting.database, await another_resource(chatting.database))
    await other.thread(await other.user())
    await chatting.rules.threads.delete(ada, threads[2], chatting.now)
    assert [each.id for each in await listed(chatting)] == [threads[each] for each in (1, 4, 3, 0)]
    assert [each.id for each in await listed(chatting, 200)] == [threads[each] for each in (1, 4, 3, 0)]
    assert await listed(chatting, member=f"8:{ben.subject}") == []


async def test_threads_are_found_by_a_member_who_takes_part_now(chatting: Chatting) -> None:
    ada, ben, cleo = await chatting.users(3)
    both = [await chatting.thread(ada, ben, topic=f"{number}") for number in range(3)]
    await chatting.thread(ada)
    await chatting.remove(ada, both[1], ben)
    assert [each.id for each in await listed(chatting, 1, member=f"8:{ben.subject}")] == [both[2], both[0]]
    assert len(await listed(chatting, member=f"8:{ada.subject}")) == 4
    assert await listed(chatting, member=f"8:{cleo.subject}") == []
    assert [each.id for each in await listed(chatting, member=f"8:{ben.subject}", topic_prefix="0")] == [both[0]]
    with pytest.raises(MalformedParticipant):
        await listed(chatting, member="ben")


async def test_threads_are_found_by_the_beginning_of_their_topic_in_the_order_of_topics(chatting: Chatting) -> None:
    ada = await chatting.user()
    long = "Lunch, " + 60 * "x"
    topics = ["Lunch", "lunch", "Lunch today", f"{long}1", f"{long}2", "Lunch\U0010ffff", "Lunç", "Dinner", "Lunch"]
    for topic in topics:
        await chatting.thread(ada, topic=topic)
    found = [each.topic for each in await listed(chatting, 1, topic_prefix="Lunch")]
    assert found == ["Lunch", "Lunch", "Lunch today", f"{long}1", f"{long}2", "Lunch\U0010ffff"]
    assert [each.topic for each in await listed(chatting, topic_prefix=f"{long}2")] == [f"{long}2"]
    assert await listed(chatting, topic_prefix=f"{long}2 and more") == []
    assert [each.topic for each in await listed(chatting, topic_prefix="Lun")] == [*found, "Lunç"]
    # The largest topic that there may be, of the letters that take most room.
    largest = "".join(chr(0x1F300 + number % 700) for number in range(1_000))
    await chatting.thread(ada, topic=largest)
    assert [each.topic for each in await listed(chatting, topic_prefix=largest)] == [largest]


async def test_threads_are_found_by_their_activity(chatting: Chatting) -> None:
    ada = await chatting.user()
    old, quiet, young = [await chatting.thread(ada, topic=topic) for topic in "abc"]
    chatting.clock.move(timedelta(seconds=60))
    await chatting.send(ada, young)
    since = chatting.now // 1_000
    first = await chatting.send(ada, quiet)
    await chatting.send(ada, old)
    assert {each.id for each in await listed(chatting, since_millis=since)} == {old, quiet}
    assert {each.id for each in await listed(chatting, since_millis=int(first))} == {old, quiet}
    assert {each.id for each in await listed(chatting, since_millis=since - 50)} == {old, quiet, young}
    assert await listed(chatting, since_millis=chatting.now) == []
    assert [each.id for each in await listed(chatting, since_millis=since, topic_prefix="b")] == [quiet]


async def test_a_page_looks_at_so_many_threads_and_goes_on_where_none_of_them_was_wanted(chatting: Chatting) -> None:
    ada = await chatting.user()
    wanted = await chatting.thread(ada, topic="b")
    chatting.clock.move(timedelta(seconds=10))
    number = (await trusted(chatting).get(chatting.resource, wanted)).number
    copied = "id, resource, topic, created_by, created_millis, last_millis, listed_millis"
    await chatting.database.transact(
        lambda each: each.execute(
            f"insert into threads ({copied}) select 'copy ' || n, t.resource, 'a', t.created_by, t.created_millis,"
            " t.last_millis + 5000, t.listed_millis + 5000 from threads t, (with recursive c(n) as"
            " (select 1 union all select n + 1 from c where n < $2) select n from c) n where t.number = $1",
            number,
            LOOKED_AT + 1,
        )
    )
    rules, only = trusted(chatting), ThreadFilter(since_millis=1)
    page = await rules.list(chatting.resource, only, most=1)
    assert (len(page.threads), page.next is not None) == (1, True)
    await chatting.database.transact(lambda each: each.execute("update threads set last_millis = 0 where topic = 'a'"))
    empty = await rules.list(chatting.resource, only, most=1)
    assert (empty.threads, empty.next is not None) == ([], True)
    assert [each.id for each in await listed(chatting, since_millis=1)] == [wanted]


async def test_what_is_in_a_thread_is_counted(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben, topic="Lunch", metadata={"k": "v"}, retention_days=40)
    last = await chatting.send(ada, thread, "four")
    await chatting.remove(ada, thread, ben)
    found = await trusted(chatting).get(chatting.resource, thread)
    assert (found.id, found.topic, found.created_by, found.metadata) == (thread, "Lunch", ada.subject, {"k": "v"})
    assert (found.participants, found.messages, found.last_millis) == (1, 4, int(last))
    assert (found.retention_days, found.frozen_millis) == (40, None)
    [(size,)] = await chatting.rows("select sum(length(content)) from messages")
    assert found.bytes == size


async def test_a_thread_of_another_resource_or_a_deleted_one_is_not_found(chatting: Chatting) -> None:
    ada = await chatting.user()
    thread, deleted = await chatting.thread(ada), await chatting.thread(ada)
    await chatting.rules.threads.delete(ada, deleted, chatting.now)
    elsewhere = await another_resource(chatting.database)
    rules = trusted(chatting)
    for resource, id in ((elsewhere, thread), (chatting.resource, deleted)):
        with pytest.raises(ThreadNotFound):
            await rules.get(resource, id)
        with pytest.raises(ThreadNotFound):
            await rules.update(resource, id, topic="t", now_micros=chatting.now)
        with pytest.raises(ThreadNotFound):
            await rules.delete(resource, id, now_micros=chatting.now)
    assert (await rules.get(chatting.resource, thread)).topic == "a topic"


async def test_another_topic_is_a_message_of_the_trusted_server(chatting: Chatting) -> None:
    ada = await chatting.user()
    thread = await chatting.thread(ada)
    rules = trusted(chatting)
    await rules.update(chatting.resource, thread, topic="Dinner", now_micros=chatting.now)
    newest = (await chatting.listed(ada, thread))[0]
    by = trusted_server(chatting.resource).subject
    assert (newest.kind, newest.content, newest.sender) == ("topicUpdated", "Dinner", by)
    assert (await chatting.rules.threads.get(ada, thread)).topic == "Dinner"
    [*_, told] = await chatting.rows("select kind, reference from journal order by id")
    assert told == ("threadUpdated", by)
    with pytest.raises(InvalidTopic):
        await rules.update(chatting.resource, thread, topic="", now_micros=chatting.now)


async def test_a_thread_that_the_trusted_server_deletes_is_gone_for_its_members(chatting: Chatting) -> None:
    ada = await chatting.user()
    thread = await chatting.thread(ada)
    nudged: list[bool] = []
    rules = TrustedThreads(ChatStore(chatting.database, lambda: None), lambda: nudged.append(True))
    await rules.delete(chatting.resource, thread, now_micros=chatting.now)
    with pytest.raises(ThreadNotFound):
        await chatting.send(ada, thread)
    assert nudged == [True]
    [*_, told] = await chatting.rows("select kind, reference from journal order by id")
    assert told == ("threadDeleted", trusted_server(chatting.resource).subject)
