"""Threads: created once, listed in order, changed, deleted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.chats import Chatting, another_resource, invited
from watchword.chat.limits import ChatLimits
from watchword.chat.participants import Invitation, NotAdded
from watchword.chat.speakers import Speaker
from watchword.chat.threads import ThreadChange
from watchword.errors import NotAuthenticated, Unstorable
from watchword.errors.chat import (
    ChatQuotaExceeded,
    InvalidRetention,
    InvalidTopic,
    MalformedParticipant,
    MetadataTooLarge,
    NotAParticipant,
    ThreadNotFound,
    TooManyParticipants,
    UnsupportedParticipant,
)
from watchword.identifiers import parse_identity
from watchword.identity.store import IdentityStore


async def test_the_creator_takes_part_whether_listed_or_not(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    unlisted = await chatting.thread(ada, ben)
    listed = await chatting.thread(ada, ben, invited=[Invitation(f"8:{ada.subject}", "Ada", metadata={"k": "v"})])
    found = await chatting.rules.participants.list(ada, unlisted, skip=0, most=10)
    assert [each.subject for each in found] == [ada.subject, ben.subject]
    [own] = await chatting.rules.participants.list(ada, listed, skip=0, most=10)
    assert (own.display_name, own.history_millis, own.metadata) == ("Ada", 0, {"k": "v"})


async def test_who_cannot_be_in_a_thread_is_named_and_the_others_are_in_it(chatting: Chatting) -> None:
    ada, ben, gone = await chatting.users(3)
    foreign = await chatting.user(await another_resource(chatting.database))
    identity = parse_identity(f"8:{gone.subject}")
    assert identity is not None
    await IdentityStore(chatting.database).delete(chatting.resource.number, identity, 1)
    guid = "0123abcd-0000-0000-0000-000000000000"
    teams = f"8:orgid:{guid}"
    exchanged = f"8:acs:{chatting.resource.id}_{guid}_{guid}"
    never = f"8:acs:{chatting.resource.id}_{guid}"
    nonsense = f"8:acs:{chatting.resource.id}_some"
    named = [
        f"8:{foreign.subject}",
        teams,
        f"8:{gone.subject}",
        never,
        nonsense,
        exchanged.upper().replace("ACS", "acs"),
    ]
    made = await chatting.rules.threads.create(
        ada,
        topic="x",
        invited=[*(Invitation(each) for each in named), *invited(ben, ben)],
        now_micros=chatting.now,
    )
    assert made.not_added == (
        NotAdded(named[0], "not permitted"),
        NotAdded(teams, "not permitted"),
        NotAdded(named[2], "not found"),
        NotAdded(never, "not found"),
        NotAdded(nonsense, "not found"),
    )
    there = await chatting.rules.participants.list(ada, made.thread.id, skip=0, most=10)
    assert [each.subject for each in there] == [ada.subject, exchanged[2:].lower(), ben.subject]


@pytest.mark.parametrize(
    ("id", "error"),
    [
        ("8:acs:invalidUserId", MalformedParticipant),
        ("", MalformedParticipant),
        ("nobody", MalformedParticipant),
        ("28:0123abcd-0000-0000-0000-000000000000", UnsupportedParticipant),
        ("4:+15550100", UnsupportedParticipant),
    ],
)
async def test_nobody_at_all_fails_the_whole_request(chatting: Chatting, id: str, error: type[Exception]) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada)
    entries = [*invited(ben), Invitation(id)]
    with pytest.raises(error):
        await chatting.rules.threads.create(ada, topic="x", invited=entries, now_micros=chatting.now)
    with pytest.raises(error):
        await chatting.rules.participants.add(ada, thread, entries, now_micros=chatting.now)
    with pytest.raises(error):
        await chatting.rules.participants.remove(ada, thread, id, now_micros=chatting.now)
    assert await chatting.rows("select count(*) from participants") == [(1,)]


async def test_the_same_request_makes_one_thread_also_at_once(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)

    async def make(speaker: Speaker, value: str) -> str:
        made = await chatting.rules.threads.create(
            speaker, topic="x", invited=invited(ben), repeatability_id=value, now_micros=chatting.now
        )
        return made.thread.id

    first = await asyncio.gather(*(make(ada, "contoso-1") for _ in range(8)))
    assert len(set(first)) == 1
    assert await chatting.rows("select count(*) from messages") == [(2,)]
    others = [await make(ada, "contoso-2"), await make(ben, "contoso-1"), await make(ada, "contoso-1")]
    assert others[2] == first[0]
    assert len({*others}) == 3
    chatting.clock.move(timedelta(hours=24))
    assert await make(ada, "contoso-1") != first[0]


async def test_a_repeatability_id_is_forgotten_with_its_thread(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)

    async def make() -> str:
        made = await chatting.rules.threads.create(ada, topic="x", repeatability_id="1", now_micros=chatting.now)
        return made.thread.id

    first = await make()
    await chatting.rules.threads.delete(ada, first, chatting.now)
    assert await make() != first


async def test_metadata_is_merged_and_retention_set_and_only_a_topic_is_a_message(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben, metadata={"a": "1", "b": "2"})
    messages = len(await chatting.listed(ada, thread))

    async def change(**fields: object) -> None:
        await chatting.rules.threads.update(ben, thread, ThreadChange(**fields), now_micros=chatting.now)  # type: ignore[arg-type]

    await change()
    await change(metadata={"b": "", "c": "3", "d": None}, changes_retention=True, retention_days=40)
    found = await chatting.rules.threads.get(ada, thread)
    assert (found.metadata, found.retention_days, found.topic) == ({"a": "1", "c": "3"}, 40, "a topic")
    assert len(await chatting.listed(ada, thread)) == messages
    await change(topic="another", changes_retention=True)
    found = await chatting.rules.threads.get(ada, thread)
    assert (found.topic, found.retention_days) == ("another", None)
    assert (await chatting.listed(ada, thread))[0].content == "another"
    assert [kind for (kind,) in await chatting.rows("select kind from journal order by id")] == [
        "threadCreated",
        "threadUpdated",
        "threadUpdated",
    ]


async def test_metadata_that_was_never_given_is_another_thing_than_none_left(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    without, empty = await chatting.thread(ada), await chatting.thread(ada, metadata={})
    assert (await chatting.rules.threads.get(ada, without)).metadata is None
    assert (await chatting.rules.threads.get(ada, empty)).metadata == {}


async def test_a_deleted_thread_is_listed_for_thirty_days_and_may_be_deleted_again(chatting: Chatting) -> None:
    ada, ben, eve = await chatting.users(3)
    thread = await chatting.thread(ada, ben)
    id = await chatting.send(ada, thread)
    await chatting.rules.threads.delete(ben, thread, chatting.now)
    listed = (await chatting.rules.threads.list(ada, most=10, now_micros=chatting.now)).threads
    assert [each.deleted_millis is None for each in listed] == [False]
    await chatting.rules.threads.delete(ada, thread, chatting.now)
    assert (await chatting.rules.threads.list(ada, most=10, now_micros=chatting.now)).threads == listed
    with pytest.raises(NotAParticipant):
        await chatting.rules.threads.delete(eve, thread, chatting.now)
    for call in (
        lambda: chatting.rules.threads.get(ada, thread),
        lambda: chatting.listed(ada, thread),
        lambda: chatting.rules.messages.get(ada, thread, id),
        lambda: chatting.send(ada, thread),
        lambda: chatting.rules.receipts.mark_read(ada, thread, id, now_micros=chatting.now),
        lambda: chatting.rules.participants.list(ada, thread, skip=0, most=1),
        lambda: chatting.rules.threads.get(eve, thread),
    ):
        with pytest.raises(ThreadNotFound):
            await call()
    chatting.clock.move(timedelta(days=31))
    assert (await chatting.rules.threads.list(ada, most=10, now_micros=chatting.now)).threads == []
    events = await chatting.rows("select kind from journal order by id")
    assert [kind for (kind,) in events].count("threadDeleted") == 1


async def test_a_thread_of_another_resource_is_not_there(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    thread = await chatting.thread(ada)
    stranger = await chatting.user(await another_resource(chatting.database))
    with pytest.raises(ThreadNotFound):
        await chatting.rules.threads.get(stranger, thread)
    with pytest.raises(ThreadNotFound):
        await chatting.send(stranger, thread)


async def test_what_a_thread_cannot_be_is_refused_and_nothing_is_made(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)

    async def refused(error: type[Exception], **wrong: object) -> None:
        with pytest.raises(error):
            await chatting.thread(ada, **wrong)

    await refused(InvalidTopic, topic="")
    await refused(InvalidTopic, topic="t" * 1_001)
    await refused(Unstorable, topic="nul \0")
    await refused(InvalidRetention, retention_days=29)
    await refused(InvalidRetention, retention_days=91)
    await refused(MetadataTooLarge, metadata={str(number): "" for number in range(1_000)})
    await refused(TooManyParticipants, invited=[Invitation("8:orgid:x")] * 201)
    assert await chatting.rows("select count(*) from threads") == [(0,)]


async def test_nobody_whose_identity_or_resource_is_gone_makes_a_thread(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    identity = parse_identity(f"8:{ada.subject}")
    assert identity is not None
    await IdentityStore(chatting.database).delete(chatting.resource.number, identity, 1)
    with pytest.raises(NotAuthenticated):
        await chatting.thread(ada)
    [ben] = await chatting.users(1)
    await chatting.database.transact(
        lambda each: each.execute("update resources set state = 'deleting' where number = $1", ben.resource.number)
    )
    with pytest.raises(NotAuthenticated):
        await chatting.thread(ben)
    assert await chatting.rows("select count(*) from threads") == [(0,)]


async def test_limits_are_settings(chatting: Chatting) -> None:
    users = await chatting.users(5)
    small = replace(chatting, limits=ChatLimits(participants=3, batch=3, threads_of_user=2))
    with pytest.raises(TooManyParticipants):
        await small.thread(users[0], *users[1:])
    with pytest.raises(TooManyParticipants):
        await small.thread(users[0], *users[1:4])
    thread = await small.thread(users[0], *users[1:3])
    with pytest.raises(TooManyParticipants) as refusal:
        await small.add(users[0], thread, users[3], users[4])
    assert (refusal.value.scope, refusal.value.count, refusal.value.maximum) == ("thread", 5, 3)
    await small.thread(users[0])
    with pytest.raises(ChatQuotaExceeded):
        await small.thread(users[0])
    await small.remove(users[0], thread, users[0])
    await small.thread(users[0])
