"""The inbox: order, last message, unread count, and which threads are shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.chat_users import ChatUser, identifier, pages
from tests.support.chat_world import World, refused
from tests.support.chats import Chatting
from tests.support.chats import chatting as open_chatting
from watchword.chat.inbox import MOST_THREADS_LOOKED_AT, InboxItem, Wanted
from watchword.chat.inbox_statements import MOST_LOOKED_AT
from watchword.chat.speakers import Speaker
from watchword.chat.threads import ThreadPosition
from watchword.storage import Database

ANY = Wanted()


async def inbox(chatting: Chatting, speaker: Speaker, wanted: Wanted = ANY, size: int = 20) -> list[InboxItem]:
    """All pages."""
    found: list[InboxItem] = []
    after: ThreadPosition | None = None
    while True:
        page = await chatting.rules.inbox.list(speaker, wanted, after=after, most=size)
        assert len(page.items) <= size
        found += page.items
        after = page.next
        if after is None:
            return found


async def read(chatting: Chatting, speaker: Speaker, thread: str, id: str) -> None:
    await chatting.rules.receipts.mark_read(speaker, thread, id, now_micros=chatting.now)


async def test_threads_come_in_the_order_of_activity_with_what_is_unread(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    threads = [await chatting.thread(ada, ben, topic=str(number)) for number in range(7)]
    for number in (3, 5, 0, 5):
        await chatting.send(ada, threads[number], f"to {number}")
        chatting.clock.move(timedelta(seconds=number % 3))
    await chatting.send(ben, threads[6], "mine")
    for size in (1, 2, 3, 20):
        found = await inbox(chatting, ben, size=size)
        assert [each.topic for each in found] == ["6", "5", "0", "3", "4", "2", "1"]
        assert [each.unread for each in found] == [0, 2, 1, 1, 0, 0, 0]
        assert [each.message.content for each in found[:4] if each.message] == ["mine", "to 5", "to 0", "to 3"]
    assert [each.topic for each in await inbox(chatting, ben, Wanted(unread=True), 2)] == ["5", "0", "3"]


async def test_a_receipt_a_deletion_and_system_messages_leave_nothing_unread(chatting: Chatting) -> None:
    ada, ben, cy = await chatting.users(3)
    thread = await chatting.thread(ada, ben)
    first, second, third = [await chatting.send(ada, thread, str(number)) for number in range(3)]
    await read(chatting, ben, thread, first)
    await chatting.rules.messages.edit(ada, thread, first, content="changed", now_micros=chatting.now)
    [item] = await inbox(chatting, ben)
    assert item.unread == 2
    await chatting.rules.messages.delete(ada, thread, second, now_micros=chatting.now)
    await chatting.add(ada, thread, cy, history_millis=int(third))
    [item] = await inbox(chatting, ben)
    assert (item.unread, item.message and item.message.kind) == (1, "participantAdded")
    # Whoever came later sees and counts from their history on.
    [item] = await inbox(chatting, cy)
    assert item.unread == 1


async def test_whoever_left_keeps_the_thread_as_it_was_and_nothing_of_it_is_unread(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben)
    await chatting.send(ada, thread)
    await chatting.remove(ada, thread, ben)
    await chatting.send(ada, thread, "not for Ben")
    [item] = await inbox(chatting, ben)
    assert item.message is not None
    assert (item.left_millis, item.message.kind, item.unread) == (item.message.id, "participantRemoved", 0)
    assert await inbox(chatting, ben, Wanted(membership="current")) == []
    assert await inbox(chatting, ben, Wanted(unread=True)) == []
    assert len(await inbox(chatting, ben, Wanted(membership="past"))) == 1
    await chatting.add(ada, thread, ben)
    [item] = await inbox(chatting, ben)
    assert (item.left_millis, item.unread) == (None, 2)
    await chatting.rules.threads.delete(ada, thread, chatting.now)
    assert await inbox(chatting, ben) == []


async def test_who_may_not_read_after_a_removal_is_not_shown_the_thread(database: Database) -> None:
    chatting = await open_chatting(database, reading_after_removal=False)
    ada, ben = await chatting.users(2)
    await chatting.remove(ada, await chatting.thread(ada, ben), ben)
    assert await inbox(chatting, ben) == []


async def test_more_is_not_counted_than_is_looked_at(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben)
    ids = [await chatting.send(ada, thread) for _ in range(MOST_LOOKED_AT + 2)]
    [item] = await inbox(chatting, ben)
    assert (item.unread, item.has_more_unread) == (MOST_LOOKED_AT, True)
    await read(chatting, ben, thread, ids[1])
    [item] = await inbox(chatting, ben)
    assert (item.unread, item.has_more_unread) == (MOST_LOOKED_AT, False)
    for _ in range(MOST_LOOKED_AT):
        await chatting.send(ben, thread)
    # They may have read what is older than a hundred of their own, or not.
    [item] = await inbox(chatting, ben, Wanted(unread=True))
    assert (item.unread, item.has_more_unread) == (1, True)


async def test_a_page_that_finds_little_is_short_and_the_next_one_goes_on(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    first = await chatting.thread(ada, topic="wanted")
    for number in range(MOST_THREADS_LOOKED_AT + 5):
        await chatting.thread(ada, topic=f"other {number}")
    page = await chatting.rules.inbox.list(ada, Wanted(topic_prefix="want"), most=3)
    assert (page.items, page.next is not None) == ([], True)
    assert [each.id for each in await inbox(chatting, ada, Wanted(topic_prefix="want"), 3)] == [first]


@pytest.mark.parametrize(
    ("type", "content", "expected"),
    [
        ("text", "short", ("short", False)),
        ("text", "<b>&amp;" + "x" * 300, ("<b>&amp;" + "x" * 248, True)),
        (
            "html",
            "<p>one</p><p>two &lt;b&gt; <a href='https://a.test'>three</a></p>",
            ("one two &lt;b&gt; three", False),
        ),
        ("html", "&lt;" * 300, ("&lt;" * 256, True)),
        ("html", f"<p title='{'x' * 5_000}'>far</p>", ("", True)),
    ],
)
async def test_the_last_message_is_short(chatting: Chatting, type: str, content: str, expected: Any) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben)
    await chatting.send(ada, thread, content, type=type)
    [item] = await inbox(chatting, ben)
    assert item.message is not None
    assert (item.message.content, item.is_message_cut) == expected


def listed(user: ChatUser, query: str = "") -> list[Any]:
    return [item for page in pages(user, f"/chat/inbox{query}") for item in page]


def test_the_inbox_over_http(world: World) -> None:
    ada, bob = world.ada, world.bob
    [item] = listed(bob)
    message = bob.ask("GET", f"{world.thread}/messages/{world.message}").json
    assert item == {
        "id": world.thread.rpartition("/")[2],
        "topic": "Lunch",
        "lastMessageReceivedOn": message["createdOn"],
        "membership": "current",
        "unreadCount": 1,
        "lastMessage": message,
    }
    others = [ada.new_thread(bob, topic=f"Topic {number}") for number in range(3)]
    assert ada.ask("POST", f"{others[0]}/participants/:remove", identifier(bob.id)).status == 204
    by_hand = [each["topic"] for each in listed(bob)]
    assert by_hand == ["Topic 2", "Topic 1", "Topic 0", "Lunch"]
    assert [each["topic"] for each in listed(bob, "?maxPageSize=1&topicPrefix=Topic")] == by_hand[:3]
    [left] = listed(bob, "?membership=past")
    assert (left["topic"], left["leftOn"], left["unreadCount"]) == ("Topic 0", left["lastMessage"]["createdOn"], 0)
    assert [each["topic"] for each in listed(bob, "?unread=TRUE&membership=current")] == ["Lunch"]
    # Of none of ours an api-version is asked.
    assert bob.ask("GET", "/chat/inbox", version=None).json == bob.ask("GET", "/chat/inbox").json


def test_what_makes_no_sense_is_refused_in_words(world: World) -> None:
    for query in ("unread=maybe", "membership=former", "maxPageSize=0", "syncState=AAAA"):
        assert refused(world.ada.ask("GET", f"/chat/inbox?{query}"))
    for _ in range(2):
        world.ada.new_thread(world.bob)
    page = world.ada.ask("GET", "/chat/inbox?maxPageSize=1").json
    cursor = page["nextLink"].partition("syncState=")[2].partition("&")[0]
    assert world.ada.ask("GET", f"/chat/inbox?syncState={cursor}").status == 200
    for user, query in ((world.bob, ""), (world.ada, "&unread=true")):
        assert refused(user.ask("GET", f"/chat/inbox?syncState={cursor}{query}"))
