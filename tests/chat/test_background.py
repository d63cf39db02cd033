"""What goes: who was deleted leaves every thread, retention ends threads, and of a resource nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.chats import Chatting
from tests.support.chats import chatting as open_chatting
from tests.support.engines import Place
from watchword.chat import departures as pieces
from watchword.chat.background import Background
from watchword.chat.backlog import Backlog, Waiting
from watchword.chat.departures import Departures
from watchword.chat.limits import ChatLimits
from watchword.chat.participants import Invitation
from watchword.chat.purges import Purges
from watchword.chat.speakers import Speaker
from watchword.chat.store import ChatStore
from watchword.chat.threads import ThreadChange
from watchword.errors import Unavailable
from watchword.errors.chat import ThreadNotFound
from watchword.identifiers import parse_identity
from watchword.identity.store import IdentityStore, identities_of_resource
from watchword.resources.deletion import Deletions, begin_resource_deletion
from watchword.storage import Database
from watchword.storage.database import Lock

CHAT_TABLES = ("threads", "participants", "messages", "departures", "journal")


def background(chatting: Chatting) -> Background:
    store = ChatStore(chatting.database, lambda: None)
    return Background(Departures(store), Purges(store, chatting.limits), chatting.clock)


async def looked(chatting: Chatting) -> Waiting:
    return await Backlog(ChatStore(chatting.database, lambda: None), chatting.limits, chatting.clock).look()


async def deleted(chatting: Chatting, speaker: Speaker) -> None:
    """The identity is gone, by the statement that the release before has, too."""
    identity = parse_identity(f"8:{speaker.subject}")
    assert identity is not None
    await IdentityStore(chatting.database).delete(speaker.resource.number, identity, 1)


async def test_who_was_deleted_leaves_every_thread_and_what_they_wrote_says_nothing(chatting: Chatting) -> None:
    ada, ben, cy = await chatting.users(3)
    both, own, left = await chatting.thread(ada, ben), await chatting.thread(ben), await chatting.thread(ada, ben)
    gone = await chatting.thread(ada, ben)
    words = [await chatting.send(ben, thread, "secret") for thread in (both, own, left, gone)]
    kept = await chatting.send(ada, both, "kept")
    await chatting.remove(ben, left, ben)
    await chatting.rules.threads.delete(ada, gone, chatting.now)
    await deleted(chatting, ben)
    assert await chatting.rows("select subject from departures") == [(ben.subject,)]
    await background(chatting).work()
    newest = {each.id: each for each in await chatting.listed(ada, both)}
    removal = next(each for each in newest.values() if each.kind == "participantRemoved")
    assert (removal.sender, removal.participants[0].subject) == (ben.subject, ben.subject)
    buried = newest[int(words[0])]
    assert (buried.content, buried.deleted_millis is None) == ("", False)
    assert newest[int(kept)].content == "kept"
    assert await chatting.rows("select count(*) from messages where content = 'secret'") == [(0,)]
    assert await chatting.rows(f"select count(*) from participants where subject = '{ben.subject}'") == [(0,)]
    assert await chatting.rows("select count(*) from departures") == [(0,)]
    assert [each.subject for each in await chatting.rules.participants.list(ada, both, skip=0, most=9)] == [ada.subject]
    kinds = [kind for (kind,) in await chatting.rows("select kind from journal order by id")]
    assert kinds.count("messageDeleted") == 3
    assert kinds.count("participantsRemoved") == 3
    # Who is in no thread leaves no trace.
    await deleted(chatting, cy)
    assert await chatting.rows("select count(*) from departures") == [(0,)]


async def test_a_user_of_another_provider_departs_as_an_identity_does(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    guid = "0123abcd-0000-0000-0000-000000000000"
    user = Speaker(chatting.resource, f"acs:{chatting.resource.id}_{guid}_{guid}")
    thread = await chatting.thread(ada, invited=[Invitation(f"8:{user.subject}")])
    await chatting.send(user, thread, "secret")
    insert = "insert into exchanged_users (resource, subject) values ($1, $2)"
    delete = "delete from exchanged_users where resource = $1 and subject = $2"
    for sql in (insert, delete):
        await chatting.database.transact(
            lambda each, sql=sql: each.execute(sql, chatting.resource.number, user.subject)  # type: ignore[misc]
        )
    await background(chatting).work()
    assert await chatting.rows("select count(*) from messages where content = 'secret'") == [(0,)]
    assert [each.kind for each in await chatting.listed(ada, thread)][:2] == ["text", "participantRemoved"]


async def test_a_departure_goes_on_wherever_it_was_interrupted(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every transaction but one more is the last of its process, and a fresh process takes up."""
    monkeypatch.setattr(pieces, "MESSAGES_IN_ONE_PIECE", 2)
    monkeypatch.setattr(pieces, "LOOKED_AT_IN_ONE_PIECE", 4)
    database = await place.open()
    try:
        chat = await open_chatting(database)
        ada, ben = await chat.users(2)
        threads = [await chat.thread(ada, ben) for _ in range(3)]
        for thread in threads:
            for number in range(6):
                await chat.send(ben if number % 2 else ada, thread, f"by {'ben' if number % 2 else 'ada'}")
        await deleted(chat, ben)
        turns = 0
        while await chat.rows("select 1 from departures"):
            with contextlib.suppress(Unavailable):
                await background(replace(chat, database=_OneChange(database))).work()
            turns += 1
        assert turns > 10
        assert await chat.rows("select count(*), min(content) from messages where kind = 'text' and content <> ''") == [
            (9, "by ada")
        ]
        assert await chat.rows("select count(*) from messages where kind = 'participantRemoved'") == [(3,)]
        assert await chat.rows("select present, sequence, messages from threads") == [(1, 9, 9)] * 3
    finally:
        await database.close()


class _OneChange:
    """A database that answers, and goes away after one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._left = 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def transact(self, work: Callable[[Any], Awaitable[Any]], *locks: Lock) -> Any:
        if not self._left:
            raise Unavailable(timedelta(seconds=1))
        self._left -= 1
        return await self._database.transact(work, *locks)


async def test_retention_ends_a_thread_and_then_nothing_of_it_is_left(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    short, kept = await chatting.thread(ada, ben, retention_days=30), await chatting.thread(ada, ben)
    later = await chatting.thread(ada, retention_days=30)
    for thread in (short, kept):
        await chatting.send(ada, thread)
    await chatting.rules.threads.update(
        ada, later, ThreadChange(changes_retention=True, retention_days=90), now_micros=chatting.now
    )
    chatting.clock.move(timedelta(days=29))
    await background(chatting).work()
    assert (await chatting.rules.threads.get(ben, short)).id == short
    chatting.clock.move(timedelta(days=1))
    await background(chatting).work()
    with pytest.raises(ThreadNotFound):
        await chatting.rules.threads.get(ben, short)
    assert await chatting.rows("select reference from journal where kind = 'threadDeleted'") == [("",)]
    assert await chatting.rows("select count(*) from messages") == [(5,)]
    listed = await chatting.rules.threads.list(ben, most=9, now_micros=chatting.now)
    assert {each.id: each.deleted_millis is None for each in listed.threads} == {short: False, kept: True}
    chatting.clock.move(timedelta(days=31))
    await background(chatting).work()
    assert await chatting.rows("select id from threads order by number") == [(kept,), (later,)]
    assert await chatting.rows("select count(*) from participants") == [(3,)]
    # The operator's own, of any number of days, holds for all.
    await background(replace(chatting, limits=ChatLimits(retention_days=61))).work()
    assert await chatting.rows("select count(*) from threads where deleted_millis is null") == [(0,)]
    assert not await looked(chatting)


async def test_of_a_deleted_resource_nothing_is_left_and_nothing_of_another_is_touched(chatting: Chatting) -> None:
    other = await open_chatting(chatting.database)
    for each in (chatting, other):
        ada, ben = await each.users(2)
        thread = await each.thread(ada, ben)
        await each.send(ada, thread)
        await each.rules.threads.delete(ada, await each.thread(ada), each.now)
    counts = {name: await chatting.rows(f"select count(*) from {name}") for name in CHAT_TABLES}
    purges = Purges(ChatStore(chatting.database, lambda: None), chatting.limits)
    await chatting.database.transact(lambda each: begin_resource_deletion(each, chatting.resource, 1))
    await Deletions(chatting.database, [purges.purge, identities_of_resource(chatting.database)]).finish()
    for name in CHAT_TABLES:
        [(left,)] = await chatting.rows(f"select count(*) from {name}")
        [(whole,)] = counts[name]
        assert left == whole / 2, name
    assert await chatting.rows(f"select count(*) from threads where resource = {chatting.resource.number}") == [(0,)]


async def test_a_resource_that_an_older_release_deleted_is_purged_all_the_same(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    await chatting.send(ada, await chatting.thread(ada, ben))
    await chatting.database.transact(lambda each: begin_resource_deletion(each, chatting.resource, 1))
    # It knows nothing of chat.
    await Deletions(chatting.database, [identities_of_resource(chatting.database)]).finish()
    assert await chatting.rows("select resource, subject from departures") == [(chatting.resource.number, "")]
    await background(chatting).work()
    for name in CHAT_TABLES:
        assert await chatting.rows(f"select count(*) from {name}") == [(0,)], name


async def test_repeatability_ids_are_forgotten_after_a_day(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    for value in "ab":
        await chatting.rules.threads.create(ada, topic="x", repeatability_id=value, now_micros=chatting.now)
        chatting.clock.move(timedelta(hours=20))
    await background(chatting).work()
    assert await chatting.rows("select count(*) from threads where request is not null") == [(1,)]


async def test_two_processes_finish_one_departure_together(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    threads = [await chatting.thread(ada, ben) for _ in range(4)]
    for thread in threads:
        await chatting.send(ben, thread, "secret")
    await deleted(chatting, ben)
    await asyncio.gather(background(chatting).work(), background(chatting).work())
    assert await chatting.rows("select count(*) from messages where content = 'secret'") == [(0,)]
    assert await chatting.rows("select present, messages from threads") == [(1, 4)] * 4


async def test_what_waits_is_counted_by_its_kind(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    gone, kept = await chatting.thread(ada), await chatting.thread(ben)
    short = await chatting.thread(ada, ben, retention_days=30)
    assert await looked(chatting) == Waiting()
    await chatting.rules.threads.delete(ada, gone, chatting.now)
    await deleted(chatting, ben)
    assert await looked(chatting) == Waiting(departures=1, deleted_threads=1)
    chatting.clock.move(timedelta(days=30))
    assert await looked(chatting) == Waiting(departures=1, deleted_threads=1, expired_threads=1)
    # By the operator's own retention the other one, too; which of the two a thread is past does not count twice.
    chatting.limits = ChatLimits(retention_days=7)
    assert (await looked(chatting)).expired_threads == len({short, kept})
    await background(chatting).work()
    assert await looked(chatting) == Waiting()
