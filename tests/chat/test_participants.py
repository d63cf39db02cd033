"""Participants, read receipts and typing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.support.chats import Chatting
from watchword.chat.limits import ChatLimits
from watchword.chat.participants import Invitation
from watchword.errors.chat import NotAParticipant, ParticipantNotFound, UnknownReadMessage


async def test_participants_are_listed_in_the_order_of_joining(chatting: Chatting) -> None:
    users = await chatting.users(6)
    thread = await chatting.thread(users[0], users[2], users[1])
    await chatting.add(users[0], thread, users[5], users[3])
    await chatting.remove(users[0], thread, users[1])
    expected = [users[each].subject for each in (0, 2, 5, 3)]
    found = await chatting.rules.participants.list(users[0], thread, skip=0, most=100)
    assert [each.subject for each in found] == expected
    [one] = await chatting.rules.participants.list(users[0], thread, skip=1, most=1)
    assert one.subject == expected[1]
    # Whoever comes back is the last.
    await chatting.add(users[0], thread, users[1])
    found = await chatting.rules.participants.list(users[0], thread, skip=4, most=10)
    assert [each.subject for each in found] == [users[1].subject]


async def test_of_who_takes_part_already_nothing_changes(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, invited=[Invitation(f"8:{ben.subject}", "Ben")])
    before = await chatting.listed(ada, thread)
    entries = [Invitation(f"8:{ben.subject}", "Another", 5)]
    assert await chatting.rules.participants.add(ada, thread, entries, now_micros=chatting.now) == []
    assert await chatting.listed(ada, thread) == before
    found = await chatting.rules.participants.list(ada, thread, skip=1, most=1)
    assert (found[0].display_name, found[0].history_millis) == ("Ben", 0)


async def test_one_message_says_who_was_added_and_one_who_was_removed(chatting: Chatting) -> None:
    ada, ben, cy = await chatting.users(3)
    thread = await chatting.thread(ada)
    entries = [Invitation(f"8:{ben.subject}", "Ben", 7), Invitation(f"8:{cy.subject}")]
    await chatting.rules.participants.add(ada, thread, entries, now_micros=chatting.now)
    await chatting.remove(ben, thread, ben)
    removed, added, *_ = await chatting.listed(ada, thread)
    assert [(each.subject, each.display_name, each.history_millis) for each in added.participants] == [
        (ben.subject, "Ben", 7),
        (cy.subject, None, 0),
    ]
    assert (removed.sender, [tuple(_fields(each)) for each in removed.participants]) == (
        ben.subject,
        [(ben.subject, "Ben", 7)],
    )
    with pytest.raises(ParticipantNotFound):
        await chatting.remove(ada, thread, ben)


def _fields(named: object) -> list[object]:
    return [getattr(named, name) for name in ("subject", "display_name", "history_millis")]


async def test_the_last_one_may_leave(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    thread = await chatting.thread(ada)
    await chatting.remove(ada, thread, ada)
    assert await chatting.rows("select present from threads") == [(0,)]
    assert len(await chatting.listed(ada, thread)) == 3


async def test_nobody_writes_who_was_removed_meanwhile(chatting: Chatting) -> None:
    """What is acknowledged after the removal is not of who was removed."""
    ada, ben = await chatting.users(2)
    for _ in range(5):
        thread = await chatting.thread(ada, ben)
        sends = [asyncio.ensure_future(chatting.send(ben, thread)) for _ in range(10)]
        await asyncio.gather(chatting.remove(ada, thread, ben), *sends, return_exceptions=True)
        newest = (await chatting.listed(ada, thread))[0]
        assert newest.kind == "participantRemoved"
        with pytest.raises(NotAParticipant):
            await chatting.send(ben, thread)


async def test_a_receipt_is_the_newest_of_each_participant(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben)
    ids = [await chatting.send(ada, thread) for _ in range(3)]
    mark = chatting.rules.receipts.mark_read
    assert await mark(ben, thread, ids[1], now_micros=chatting.now)
    assert await mark(ada, thread, ids[2], now_micros=chatting.now)
    assert not await mark(ben, thread, ids[1], now_micros=chatting.now)
    assert not await mark(ben, thread, ids[0], now_micros=chatting.now)
    assert await mark(ben, thread, ids[2], now_micros=chatting.now)
    found = await chatting.rules.receipts.list(ada, thread, skip=0, most=10)
    assert [(each.subject, str(each.message_id)) for each in found] == [(ada.subject, ids[2]), (ben.subject, ids[2])]
    assert await chatting.rules.receipts.list(ada, thread, skip=1, most=1) == found[1:]
    entries = await chatting.rows("select reference from journal where kind = 'readReceiptReceived' order by id")
    assert [reference for (reference,) in entries] == [
        f"{ben.subject}/{ids[1]}",
        f"{ada.subject}/{ids[2]}",
        f"{ben.subject}/{ids[2]}",
    ]
    with pytest.raises(UnknownReadMessage):
        await mark(ben, thread, "1", now_micros=chatting.now)


async def test_where_too_many_take_part_receipts_and_typing_are_dropped(chatting: Chatting) -> None:
    users = await chatting.users(3)
    thread = await chatting.thread(*users[:2])
    id = await chatting.send(users[0], thread)
    small = replace(chatting, limits=ChatLimits(receipt_participants=2))
    typing = await small.rules.typing.begin(users[0], thread, sender_name="Ada", now_micros=chatting.now)
    assert set(typing.hearers) == {each.subject for each in users[:2]}
    await chatting.add(users[0], thread, users[2])
    assert not await small.rules.receipts.mark_read(users[0], thread, id, now_micros=chatting.now)
    assert await small.rules.receipts.list(users[0], thread, skip=0, most=10) == []
    typing = await small.rules.typing.begin(users[0], thread, now_micros=chatting.now)
    assert typing.hearers == ()
    before = await chatting.rows("select version, sequence, last_millis from threads")
    assert await chatting.rules.receipts.mark_read(users[0], thread, id, now_micros=chatting.now)
    assert await chatting.rows("select version, sequence, last_millis from threads") == before
