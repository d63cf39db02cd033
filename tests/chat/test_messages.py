"""Messages: numbers, versions and order; sending once, editing, deleting; who may."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.chats import Chatting
from watchword.chat.limits import ChatLimits
from watchword.errors import Unstorable
from watchword.errors.chat import (
    ChatQuotaExceeded,
    EmptyMessage,
    InvalidDisplayName,
    MalformedMessageId,
    MalformedThreadId,
    MessageNotFound,
    MessageTooLarge,
    MetadataTooLarge,
    NotAParticipant,
    NotTheSender,
    ThreadNotFound,
    UnsupportedMessageType,
)
from watchword.identifiers import new_thread_id


async def test_a_thread_starts_with_two_system_messages(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben, topic="tea")
    topic, added = await chatting.listed(ben, thread)
    assert (added.sequence, added.kind, topic.sequence, topic.kind) == (1, "participantAdded", 2, "topicUpdated")
    assert [each.subject for each in added.participants] == [ada.subject, ben.subject]
    assert (topic.content, topic.sender, added.content) == ("tea", ada.subject, "")
    assert added.id < topic.id


async def test_an_edited_message_comes_first_with_id_sequence_and_creation_unchanged(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben)
    ids = [await chatting.send(ada, thread, f"m{number}") for number in range(3)]
    await chatting.rules.messages.edit(ada, thread, ids[0], content="new", now_micros=chatting.now)
    await chatting.rules.messages.delete(ada, thread, ids[1], now_micros=chatting.now)
    first, second, third, *_ = await chatting.listed(ben, thread)
    assert [str(each.id) for each in (first, second, third)] == [ids[1], ids[0], ids[2]]
    assert (second.sequence, second.content, second.edited_millis) == (3, "new", second.version)
    assert second.version > third.version
    assert (first.sequence, first.content, first.deleted_millis) == (4, "", first.version)


async def test_what_is_left_of_a_deleted_message_says_only_that_there_was_one(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    thread = await chatting.thread(ada)
    id = await chatting.send(ada, thread, "<b>x</b>", type="html", sender_name="Ada", metadata={"k": "v"})
    await chatting.rules.messages.edit(ada, thread, id, content="y", now_micros=chatting.now)
    await chatting.rules.messages.delete(ada, thread, id, now_micros=chatting.now)
    left = await chatting.rules.messages.get(ada, thread, id)
    assert (left.content, left.metadata, left.edited_millis) == ("", None, None)
    assert (left.kind, left.sender_name, left.sender, left.sequence) == ("html", "Ada", ada.subject, 3)
    await chatting.rules.messages.delete(ada, thread, id, now_micros=chatting.now)
    assert await chatting.rules.messages.get(ada, thread, id) == left
    with pytest.raises(MessageNotFound):
        await chatting.rules.messages.edit(ada, thread, id, content="z", now_micros=chatting.now)
    assert await chatting.rows("select content from messages where kind = 'html'") == [("",)]


async def test_metadata_of_a_message_is_merged_and_an_empty_text_removes_a_key(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    thread = await chatting.thread(ada)
    id = await chatting.send(ada, thread, metadata={"a": "1", "b": "2", "c": ""})
    assert (await chatting.rules.messages.get(ada, thread, id)).metadata == {"a": "1", "b": "2", "c": ""}
    change = {"a": "", "b": None, "d": "4"}
    await chatting.rules.messages.edit(ada, thread, id, metadata=change, now_micros=chatting.now)
    found = await chatting.rules.messages.get(ada, thread, id)
    assert (found.metadata, found.content) == ({"c": "", "d": "4"}, "hello")


async def test_thirty_items_are_three_full_pages_and_no_fourth(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    thread = await chatting.thread(ada)
    for _ in range(28):
        await chatting.send(ada, thread)
    sizes, below = [], None
    while True:
        page = await chatting.rules.messages.list(ada, thread, below=below, most=10, now_micros=chatting.now)
        sizes.append(len(page.messages))
        below = page.next_version
        if below is None:
            break
    assert sizes == [10, 10, 10]


async def test_paging_while_others_write_has_no_hole_and_no_double(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben)
    ids = [await chatting.send(ada, thread) for _ in range(20)]
    seen: list[str] = []
    below = None
    while True:
        page = await chatting.rules.messages.list(ben, thread, below=below, most=3, now_micros=chatting.now)
        seen += [str(each.id) for each in page.messages]
        await chatting.send(ben, thread, "meanwhile")
        await chatting.rules.messages.edit(ada, thread, ids[0], content="again", now_micros=chatting.now)
        below = page.next_version
        if below is None:
            break
    untouched = ids[1:]
    assert [id for id in seen if id in untouched] == untouched[::-1]
    assert len(seen) == len(set(seen)) == 21  # Its system messages, and all but the one that was edited meanwhile.


async def test_fifty_senders_at_once_get_consecutive_numbers(chatting: Chatting) -> None:
    speakers = await chatting.users(50)
    thread = await chatting.thread(*speakers)
    now = chatting.now
    sent = await asyncio.gather(
        *(chatting.rules.messages.send(each, thread, content="x", now_micros=now) for each in speakers)
    )
    found = await chatting.listed(speakers[0], thread)
    assert [each.sequence for each in found] == list(range(52, 0, -1))
    assert sorted(each.id for each in sent) == sorted(each.id for each in found if not each.is_system)
    assert len({each.id for each in sent}) == 50
    assert await chatting.rows("select sequence, messages, bytes from threads") == [
        (52, 52, 50 + sum(len(content) for (content,) in await chatting.rows(_SYSTEM)))
    ]
    entries = await chatting.rows("select change, kind from journal order by id")
    assert [change for change, _ in entries] == list(range(1, 52))


_SYSTEM = "select content from messages where kind <> 'text'"


async def test_a_clock_that_was_set_back_moves_no_version_back(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    thread = await chatting.thread(ada)
    first = await chatting.send(ada, thread)
    chatting.clock.move(timedelta(hours=-1))
    second = await chatting.send(ada, thread)
    await chatting.rules.messages.edit(ada, thread, first, content="later", now_micros=chatting.now)
    newest = (await chatting.listed(ada, thread))[0]
    assert int(second) == int(first) + 1
    assert (str(newest.id), newest.version) == (first, int(second) + 1)


async def test_only_the_sender_edits_and_deletes_and_nobody_a_system_message(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben)
    id = await chatting.send(ada, thread)
    system = str((await chatting.listed(ada, thread))[-1].id)
    for speaker, message in ((ben, id), (ada, system)):
        with pytest.raises(NotTheSender):
            await chatting.rules.messages.edit(speaker, thread, message, content="x", now_micros=chatting.now)
        with pytest.raises(NotTheSender):
            await chatting.rules.messages.delete(speaker, thread, message, now_micros=chatting.now)
    for unknown in ("1", "999999999999999999"):
        with pytest.raises(MessageNotFound):
            await chatting.rules.messages.edit(ada, thread, unknown, content="x", now_micros=chatting.now)
        with pytest.raises(MessageNotFound):
            await chatting.rules.messages.get(ada, thread, unknown)


async def test_a_stranger_is_told_nothing_but_that(chatting: Chatting) -> None:
    ada, eve = await chatting.users(2)
    thread = await chatting.thread(ada)
    id = await chatting.send(ada, thread)
    messages = chatting.rules.messages
    for call in (
        lambda: messages.send(eve, thread, content="x", now_micros=chatting.now),
        lambda: messages.edit(eve, thread, id, content="x", now_micros=chatting.now),
        lambda: messages.delete(eve, thread, id, now_micros=chatting.now),
        lambda: messages.get(eve, thread, id),
        lambda: messages.list(eve, thread, most=10, now_micros=chatting.now),
    ):
        with pytest.raises(NotAParticipant):
            await call()
    assert len(await chatting.listed(ada, thread)) == 3


async def test_what_cannot_be_is_refused_and_writes_nothing(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    thread = await chatting.thread(ada)
    before = await chatting.rows("select sequence, version, change from threads")

    async def refused(error: type[Exception], at: str = thread, **wrong: object) -> None:
        with pytest.raises(error):
            await chatting.rules.messages.send(ada, at, **({"content": "x", "now_micros": chatting.now} | wrong))  # type: ignore[arg-type]

    await refused(EmptyMessage, content="")
    await refused(MessageTooLarge, content="\N{GRINNING FACE}" * 7_169)
    await refused(Unstorable, content="nul \0")
    await refused(Unstorable, content="half a \ud83d")
    await refused(Unstorable, metadata={"k": "\ud83d"})
    await refused(Unstorable, sender_name="\0")
    await refused(UnsupportedMessageType, type="topicUpdated")
    await refused(UnsupportedMessageType, type="markdown")
    await refused(InvalidDisplayName, sender_name="n" * 257)
    await refused(MetadataTooLarge, metadata={"k" * 512: "v" * 513})
    await refused(MalformedThreadId, at="invalid_chat_thread_id")
    await refused(ThreadNotFound, at=new_thread_id())
    with pytest.raises(MalformedMessageId):
        await chatting.rules.messages.get(ada, thread, "invalid_chat_message_id")
    assert await chatting.rows("select sequence, version, change from threads") == before
    await chatting.send(ada, thread, "\N{GRINNING FACE}" * 7_168)


async def test_quotas_of_a_thread_hold_within_a_batch(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    thread = await chatting.thread(ada)
    for limits, quota in (
        (ChatLimits(messages_of_thread=5), "messages of a thread"),
        (ChatLimits(bytes_of_thread=(await chatting.rows("select bytes from threads"))[0][0] + 8), "bytes of a thread"),
    ):
        some = replace(chatting, limits=limits)
        now = some.now
        results = await asyncio.gather(
            *(some.rules.messages.send(ada, thread, content="xx", now_micros=now) for _ in range(6)),
            return_exceptions=True,
        )
        refused = [each for each in results if isinstance(each, ChatQuotaExceeded)]
        assert [each.quota for each in refused] == [quota] * (3 if quota.startswith("messages") else 5)
    assert [each.sequence for each in await chatting.listed(ada, thread)] == [6, 5, 4, 3, 2, 1]


async def test_html_is_stored_as_the_sanitiser_leaves_it_and_text_as_it_came(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    thread = await chatting.thread(ada)
    attack = "<div onclick='x()'>hi<script>alert(1)</script></div>"
    html = await chatting.send(ada, thread, attack, type="html")
    text = await chatting.send(ada, thread, attack, type="Text")
    assert (await chatting.rules.messages.get(ada, thread, html)).content == "<div>hi</div>"
    assert (await chatting.rules.messages.get(ada, thread, text)).content == attack
    await chatting.rules.messages.edit(ada, thread, html, content="<b>b<iframe>", now_micros=chatting.now)
    assert (await chatting.rules.messages.get(ada, thread, html)).content == "<b>b</b>"
