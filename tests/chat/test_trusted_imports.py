"""Histories that are brought in: numbers by original times, going on where it was, and who sees them when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.chat.test_inbox import inbox
from tests.chat.test_restrictions import restrict
from tests.support.chats import Chatting, invited
from tests.support.chats import chatting as open_chatting
from tests.support.importing import LONG_AGO, Importing, record
from watchword.chat.held_import import STALE_MILLIS
from watchword.chat.invitations import NotAdded
from watchword.chat.speakers import Speaker
from watchword.chat.trusted_imports import MOST_RECORDS
from watchword.errors import (
    ChatQuotaExceeded,
    EmptyMessage,
    HistoryTooOld,
    ImportFinished,
    ImportNotFound,
    InvalidMoment,
    MalformedImportId,
    MalformedParticipant,
    MessageTooLarge,
    NotAParticipant,
    RecordRefused,
    RecordsMissing,
    ThreadNotFound,
    ThreadTaken,
    TooManyRecords,
)
from watchword.identifiers import parse_identity
from watchword.identity.store import IdentityStore
from watchword.storage import Database


async def test_whoever_goes_on_sends_what_is_in_already_and_nothing_is_there_twice(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    importing = Importing(chatting)
    thread = await importing.begin()
    assert await importing.begin(topic="another") == thread
    records = [record(ada, str(number), number) for number in range(10)]
    assert await importing.append(records[:6]) == 6
    assert await importing.append(records[:6]) == 6
    assert await importing.append(records[4:8], 4) == 8
    with pytest.raises(RecordsMissing):
        await importing.append(records[9:], 9)
    assert (await importing.rules.get(chatting.resource, "room")).reached == 8
    assert await importing.append(records[8:], 8) == 10
    await importing.finish(ada)
    await importing.finish(ada)
    assert [each.content for each in await chatting.listed(ada, thread)] == [str(each) for each in range(9, -1, -1)]
    for call in (importing.append(records, 10), importing.rules.give_up(chatting.resource, "room", chatting.now)):
        with pytest.raises(ImportFinished):
            await call
    assert await importing.begin() == thread


async def test_nobody_sees_it_before_it_is_finished(chatting: Chatting) -> None:
    ada, ben, cy = await chatting.users(3)
    importing = Importing(chatting)
    thread = await importing.begin()
    await importing.append([record(ada, "hello", 0), record(cy, "bye", 1)])
    for speaker in (ada, ben):
        with pytest.raises(ThreadNotFound):
            await chatting.rules.threads.get(speaker, thread)
        with pytest.raises(ThreadNotFound):
            await chatting.send(speaker, thread)
        assert (await chatting.rules.threads.list(speaker, most=9, now_micros=chatting.now)).threads == []
        assert await inbox(chatting, speaker) == []
    await importing.work()
    await importing.finish(ada, ben)
    assert [each.topic for each in await inbox(chatting, ben)] == ["Lunch"]
    # Whoever wrote there and is not in it reads nothing.
    assert await inbox(chatting, cy) == []
    assert await chatting.listed(cy, thread) == []
    with pytest.raises(NotAParticipant):
        await chatting.send(cy, thread)


async def test_a_history_counts_as_read_unless_it_is_to_be_unread(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    for id, unread in (("read", False), ("unread", True)):
        importing = Importing(chatting, id)
        await importing.begin(topic=id)
        await importing.append([record(ada, "hello", 0), record(ada, "hello", 5)])
        await importing.finish(ben, unread=unread)
    assert {each.topic: each.unread for each in await inbox(chatting, ben)} == {"read": 0, "unread": 2}


async def test_a_thread_that_is_there_takes_no_history_and_another_resources_import_is_none(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    taken = await chatting.thread(ada)
    importing = Importing(chatting)
    with pytest.raises(ThreadTaken):
        await importing.begin(thread=taken)
    kept = taken.replace("acsV1_", "acsV1_k")
    assert await importing.begin(thread=kept) == kept
    other = await open_chatting(chatting.database)
    with pytest.raises(ImportNotFound):
        await Importing(other).append([])
    assert await Importing(other).begin() != kept


async def test_html_is_sanitised_and_limits_hold_and_the_record_is_named(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    importing = Importing(chatting)
    thread = await importing.begin()
    good = record(ada, "<b>bold</b><script>alert(1)</script>", 0, type="html")
    for bad, reason in (
        (record(ada, "", 1), EmptyMessage),
        (record(ada, "x" * 28_673, 1), MessageTooLarge),
        (record(Speaker(ada.resource, "nobody"), "x", 1), MalformedParticipant),
        (record(ada, "x", -1), InvalidMoment),
        (record(ada, "x", 10**13), InvalidMoment),
        (record(ada, "x", 1, edited_millis=LONG_AGO), InvalidMoment),
    ):
        with pytest.raises(RecordRefused) as refused:
            await importing.append([good, bad])
        assert (refused.value.number, type(refused.value.reason)) == (2, reason)
    await importing.append([good])
    with pytest.raises(RecordRefused) as refused:
        await importing.append([record(ada, "x", -1)], 1)
    assert refused.value.number == 2
    with pytest.raises(TooManyRecords):
        await importing.append([good] * (MOST_RECORDS + 1))
    with pytest.raises(MalformedImportId):
        await Importing(chatting, "no spaces").begin()
    await importing.finish(ada)
    assert [each.content for each in await chatting.listed(ada, thread)] == ["<b>bold</b>"]


async def test_quotas_and_retention_hold(database: Database) -> None:
    chatting = await open_chatting(database, messages_of_thread=2, retention_days=30)
    [ada] = await chatting.users(1)
    importing = Importing(chatting)
    await importing.begin()
    with pytest.raises(HistoryTooOld):
        await importing.append([record(ada, "x", 0)])
    today = chatting.clock.micros() // 1_000 - LONG_AGO
    with pytest.raises(ChatQuotaExceeded):
        await importing.append([record(ada, "x", today)] * 3)
    assert await importing.append([record(ada, "x", today)] * 2) == 2


async def test_what_is_given_up_or_nobody_goes_on_with_is_gone(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    for id in ("given up", "stale"):
        importing = Importing(chatting, id.replace(" ", "-"))
        await importing.begin()
        await importing.append([record(ada, "x", 0)])
        if id == "given up":
            await importing.rules.give_up(chatting.resource, importing.id, chatting.now)
        else:
            await importing.work()
            assert (await importing.rules.get(chatting.resource, importing.id)).reached == 1
            chatting.clock.move(timedelta(milliseconds=STALE_MILLIS))
        with_row = 0 if id == "given up" else 1
        assert len(await chatting.rows("select id from history_imports")) == with_row
        for _ in range(2):
            await importing.work()
        for table in ("history_imports", "threads", "messages", "participants"):
            assert await chatting.rows(f"select 1 from {table}") == []
        with pytest.raises(ImportNotFound):
            await importing.append([])


async def test_a_history_whose_thread_was_deleted_can_be_brought_in_again(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    importing = Importing(chatting)
    first = await importing.begin()
    await importing.append([record(ada, "x", 0)])
    await importing.finish(ada)
    await chatting.rules.threads.delete(ada, first, chatting.now)
    second = await importing.begin()
    assert (first != second, await importing.append([record(ada, "x", 0)])) == (True, 1)


@pytest.mark.parametrize("is_finished", [True, False])
async def test_whoever_is_deleted_takes_along_what_was_brought_in_of_them(
    chatting: Chatting, is_finished: bool
) -> None:
    ada, ben = await chatting.users(2)
    importing = Importing(chatting)
    thread = await importing.begin()
    await importing.append([record(ada, "of Ada", 0), record(ben, "of Ben", 1)])
    if is_finished:
        await importing.finish(ben)
    identity = parse_identity(f"8:{ada.subject}")
    assert identity is not None
    await IdentityStore(chatting.database).delete(chatting.resource.number, identity, chatting.now)
    await importing.work()
    if not is_finished:
        await importing.finish(ben)
    found = {each.id - LONG_AGO: each for each in await chatting.listed(ben, thread)}
    assert (found[0].content, found[0].deleted_millis is not None, found[1].content) == ("", True, "of Ben")


async def test_a_connected_client_hears_of_the_thread_and_of_nothing_else(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    importing = Importing(chatting)
    await importing.begin()
    await importing.append([record(ada, "x", each) for each in range(5)])
    await importing.finish(ada)
    assert await chatting.rows("select kind, change from journal") == [("threadCreated", 1)]


async def test_whoever_is_banned_takes_no_part(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    await restrict(chatting, ben, "ban")
    importing = Importing(chatting)
    thread = await importing.begin()
    await importing.append([record(ben, "x", 0)])
    asked = invited(ada, ben)
    _, refused = await importing.rules.finish(chatting.resource, importing.id, asked, now_micros=chatting.now)
    assert refused == [NotAdded(f"8:{ben.subject}", "not permitted")]
    participants = await chatting.rules.participants.list(ada, thread, skip=0, most=9)
    assert [each.subject for each in participants] == [ada.subject]
