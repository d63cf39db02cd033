"""Who sees what of a thread: one rule, the same for every way to read."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.chats import Chatting
from watchword.chat.limits import ChatLimits
from watchword.chat.speakers import Speaker
from watchword.errors.chat import MessageNotFound, NotAParticipant, UnknownReadMessage

_SECONDS = timedelta(seconds=3)


async def seen(chatting: Chatting, speaker: Speaker, thread: str, ids: list[int]) -> set[int]:
    """By list, which every other way to read must agree with."""
    listed = {each.id for each in await chatting.listed(speaker, thread, size=2)}
    by_id = set()
    for id in ids:
        with contextlib.suppress(MessageNotFound):
            by_id.add((await chatting.rules.messages.get(speaker, thread, str(id))).id)
    assert by_id == listed & set(ids)
    return by_id


async def test_a_participant_sees_the_history_from_the_time_given(chatting: Chatting) -> None:
    ada, ben, cy = await chatting.users(3)
    thread = await chatting.thread(ada)
    ids = [int(await chatting.send(ada, thread)) for _ in range(4)]
    await chatting.add(ada, thread, ben, history_millis=ids[2])
    await chatting.add(ada, thread, cy)
    assert await seen(chatting, ben, thread, ids) == set(ids[2:])
    assert await seen(chatting, cy, thread, ids) == set(ids)
    # What is older stays hidden when it changes, though it is the newest change now.
    await chatting.rules.messages.edit(ada, thread, str(ids[0]), content="x", now_micros=chatting.now)
    assert await seen(chatting, ben, thread, ids) == set(ids[2:])
    with pytest.raises(UnknownReadMessage):
        await chatting.rules.receipts.mark_read(ben, thread, str(ids[1]), now_micros=chatting.now)


async def test_who_was_removed_reads_what_came_until_then(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben)
    ids = [int(await chatting.send(ada, thread)) for _ in range(3)]
    await chatting.remove(ada, thread, ben)
    removal = (await chatting.listed(ada, thread))[0]
    assert (removal.kind, removal.participants[0].subject, removal.sender) == (
        "participantRemoved",
        ben.subject,
        ada.subject,
    )
    after = int(await chatting.send(ada, thread, "not for ben"))
    assert await seen(chatting, ben, thread, [*ids, removal.id, after]) == {*ids, removal.id}
    # An edit made later is not shown.
    await chatting.rules.messages.edit(ada, thread, str(ids[1]), content="x", now_micros=chatting.now)
    assert await seen(chatting, ben, thread, [*ids, removal.id, after]) == {ids[0], ids[2], removal.id}
    assert (await chatting.rules.threads.get(ben, thread)).id == thread
    for call in (
        lambda: chatting.send(ben, thread),
        lambda: chatting.add(ben, thread, ada),
        lambda: chatting.remove(ben, thread, ada),
        lambda: chatting.rules.participants.list(ben, thread, skip=0, most=10),
        lambda: chatting.rules.receipts.mark_read(ben, thread, str(ids[0]), now_micros=chatting.now),
        lambda: chatting.rules.typing.begin(ben, thread, now_micros=chatting.now),
        lambda: chatting.rules.threads.delete(ben, thread, chatting.now),
        lambda: chatting.rules.messages.delete(ben, thread, str(ids[0]), now_micros=chatting.now),
    ):
        with pytest.raises(NotAParticipant):
            await call()
    # Added again, the new time counts alone.
    await chatting.add(ada, thread, ben, history_millis=after)
    assert await seen(chatting, ben, thread, [*ids, removal.id, after]) == {after}


async def test_reading_after_removal_can_be_switched_off(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben)
    id = await chatting.send(ada, thread)
    await chatting.remove(ben, thread, ben)
    strict = replace(chatting, limits=ChatLimits(reading_after_removal=False))
    for call in (
        lambda: strict.listed(ben, thread),
        lambda: strict.rules.messages.get(ben, thread, id),
        lambda: strict.rules.threads.get(ben, thread),
        lambda: strict.rules.receipts.list(ben, thread, skip=0, most=10),
    ):
        with pytest.raises(NotAParticipant):
            await call()
    listing = {"most": 10, "now_micros": chatting.now}
    assert (await strict.rules.threads.list(ben, **listing)).threads == []  # type: ignore[arg-type]
    assert len((await chatting.rules.threads.list(ben, **listing)).threads) == 1  # type: ignore[arg-type]


async def test_the_list_of_threads_stands_still_for_who_was_removed(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben)
    await chatting.send(ada, thread)
    await chatting.remove(ada, thread, ben)
    before = await chatting.rules.threads.list(ben, most=10, now_micros=chatting.now)
    for _ in range(3):
        chatting.clock.move(_SECONDS)
        await chatting.send(ada, thread)
    assert await chatting.rules.threads.list(ben, most=10, now_micros=chatting.now) == before
    assert (await chatting.rules.threads.list(ada, most=10, now_micros=chatting.now)) != before


async def test_receipts_tell_nobody_who_was_removed_of_a_later_message_though_a_clock_went_back(
    chatting: Chatting,
) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben)
    before = await chatting.send(ada, thread)
    await chatting.rules.receipts.mark_read(ada, thread, before, now_micros=chatting.now)
    await chatting.remove(ada, thread, ben)
    assert [str(each.message_id) for each in await chatting.rules.receipts.list(ben, thread, skip=0, most=9)] == [
        before
    ]
    chatting.clock.move(timedelta(hours=-1))
    after = await chatting.send(ada, thread)
    await chatting.rules.receipts.mark_read(ada, thread, after, now_micros=chatting.now)
    assert await chatting.rules.receipts.list(ben, thread, skip=0, most=9) == []


async def test_a_page_looks_at_few_messages_that_are_older_than_the_readers_history(chatting: Chatting) -> None:
    """All of the history that the reader has not was deleted since: so it has the newest versions."""
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada)
    await chatting.send(ada, thread)
    chatting.clock.move(timedelta(hours=1))
    await chatting.add(ada, thread, ben, history_millis=chatting.now // 1_000)
    kept = [int(await chatting.send(ada, thread)) for _ in range(3)]
    [(number, old, newest)] = await chatting.database.query(
        "select thread, min(id), max(version) from messages group by thread"
    )
    rows = [(number, old - each, newest + each, each, b"%016d" % each) for each in range(1, 2_301)]
    await chatting.database.transact(lambda each: each.execute_many(_TOMBSTONE, rows))
    sizes, found, below = [], [], None
    while True:
        page = await chatting.rules.messages.list(ben, thread, below=below, most=10, now_micros=chatting.now)
        sizes.append(len(page.messages))
        found += [each.id for each in page.messages]
        below = page.next_version
        if below is None:
            break
    assert [id for id in found if id in kept] == kept[::-1]
    assert sizes == [0, 0, len(found)]


_TOMBSTONE = """
    insert into messages (thread, id, version, sequence, kind, sender, content, deleted_millis, key)
    values ($1, $2, $3, $4, 'text', 'acs:a_b', '', 1, $5)
"""
