"""Who is muted or banned, and frozen threads: what users cannot do then, and what goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.support.chats import Chatting, another_resource, invited
from watchword.chat.restrictions import Kind
from watchword.chat.speakers import Speaker, trusted_server
from watchword.chat.store import ChatStore
from watchword.chat.threads import ThreadChange
from watchword.chat.trusted_restrictions import Restriction, TrustedRestrictions, Whom
from watchword.chat.trusted_threads import TrustedThreads
from watchword.errors.chat import (
    EndsInThePast,
    MalformedParticipant,
    NotAParticipant,
    Restricted,
    ThreadFrozen,
    ThreadNotFound,
    UserNotFound,
)

Ask = Callable[[], Awaitable[object]]
HOUR_MILLIS = 3_600_000


def rules(chatting: Chatting) -> TrustedRestrictions:
    return TrustedRestrictions(ChatStore(chatting.database, lambda: None))


async def restrict(
    chatting: Chatting, user: Speaker, kind: Kind, thread: str | None = None, *, until_millis: int | None = None
) -> Restriction:
    whom = Whom(chatting.resource, f"8:{user.subject}", thread)
    return await rules(chatting).put(whom, kind, until_millis=until_millis, now_micros=chatting.now)


async def lift(chatting: Chatting, user: Speaker, thread: str | None = None) -> None:
    await rules(chatting).lift(Whom(chatting.resource, f"8:{user.subject}", thread))


async def freeze(chatting: Chatting, thread: str, frozen: bool = True) -> None:
    threads = TrustedThreads(ChatStore(chatting.database, lambda: None))
    await threads.update(chatting.resource, thread, frozen=frozen, now_micros=chatting.now)


def writes(chatting: Chatting, ben: Speaker, thread: str, own: str, other: Speaker) -> dict[str, Ask]:
    """Whatever a member writes to a thread; `own` is a message of theirs."""
    rules, now = chatting.rules, chatting.now
    return {
        "send": lambda: rules.messages.send(ben, thread, content="c", now_micros=now),
        "edit": lambda: rules.messages.edit(ben, thread, own, content="c", now_micros=now),
        "delete": lambda: rules.messages.delete(ben, thread, own, now_micros=now),
        "topic": lambda: rules.threads.update(ben, thread, ThreadChange(topic="t"), now_micros=now),
        "metadata": lambda: rules.threads.update(ben, thread, ThreadChange(metadata={"k": "v"}), now_micros=now),
        "end": lambda: rules.threads.delete(ben, thread, now),
        "add": lambda: rules.participants.add(ben, thread, invited(other), now_micros=now),
        "remove": lambda: rules.participants.remove(ben, thread, f"8:{other.subject}", now_micros=now),
        "type": lambda: rules.typing.begin(ben, thread, now_micros=now),
    }


async def stored(chatting: Chatting) -> list[object]:
    tables = ("threads", "participants", "messages", "journal")
    return [await chatting.rows(f"select * from {table} order by 1, 2") for table in tables]


async def test_in_a_frozen_thread_everything_is_read_and_nothing_written(chatting: Chatting) -> None:
    ada, ben, cy = await chatting.users(3)
    thread = await chatting.thread(ada, ben, cy)
    own = await chatting.send(ben, thread)
    await freeze(chatting, thread)
    before = await stored(chatting)
    asked = writes(chatting, ben, thread, own, cy)
    asked["leave"] = lambda: chatting.rules.participants.remove(
        ben, thread, f"8:{ben.subject}", now_micros=chatting.now
    )
    for name, ask in asked.items():
        with pytest.raises(ThreadFrozen):
            await ask()
        assert await stored(chatting) == before, name
    assert len(await chatting.listed(ben, thread)) == 3
    assert (await chatting.rules.messages.get(ben, thread, own)).content == "hello"
    assert await chatting.rules.receipts.mark_read(cy, thread, own, now_micros=chatting.now)
    # Who takes no part is told so first.
    with pytest.raises(NotAParticipant):
        await chatting.send(await chatting.user(), thread)
    await freeze(chatting, thread, frozen=False)
    await chatting.send(ben, thread)


async def test_freezing_twice_keeps_the_first_time_and_the_trusted_server_writes_all_the_same(
    chatting: Chatting,
) -> None:
    ada = await chatting.user()
    thread = await chatting.thread(ada)
    threads = TrustedThreads(ChatStore(chatting.database, lambda: None))
    await freeze(chatting, thread)
    first = (await threads.get(chatting.resource, thread)).frozen_millis
    await freeze(chatting, thread)
    await threads.update(chatting.resource, thread, topic="Closed", now_micros=chatting.now)
    found = await threads.get(chatting.resource, thread)
    assert first is not None
    assert (found.frozen_millis, found.topic) == (first, "Closed")
    await threads.delete(chatting.resource, thread, now_micros=chatting.now)
    with pytest.raises(ThreadNotFound):
        await threads.get(chatting.resource, thread)


@pytest.mark.parametrize("is_everywhere", [False, True], ids=["in a thread", "everywhere"])
async def test_who_is_muted_reads_and_writes_nothing_but_may_leave(chatting: Chatting, is_everywhere: bool) -> None:
    ada, ben, cy = await chatting.users(3)
    thread, other = await chatting.thread(ada, ben, cy), await chatting.thread(ada, ben)
    own = await chatting.send(ben, thread)
    until = chatting.now // 1_000 + HOUR_MILLIS
    await restrict(chatting, ben, "mute", None if is_everywhere else thread, until_millis=until)
    before = await stored(chatting)
    for name, ask in writes(chatting, ben, thread, own, cy).items():
        with pytest.raises(Restricted) as raised:
            await ask()
        found = raised.value
        assert (found.kind, found.is_everywhere, found.until_millis) == ("mute", is_everywhere, until), name
        assert await stored(chatting) == before, name
    assert len(await chatting.listed(ben, thread)) == 3
    assert await chatting.rules.receipts.mark_read(ben, thread, own, now_micros=chatting.now)
    await chatting.send(ada, thread)
    if is_everywhere:
        with pytest.raises(Restricted):
            await chatting.thread(ben)
        with pytest.raises(Restricted):
            await chatting.send(ben, other)
    else:
        await chatting.send(ben, other)
        await chatting.thread(ben)
    await chatting.remove(ben, thread, ben)
    await chatting.add(ada, thread, ben)
    chatting.clock.move(timedelta(hours=1))
    await chatting.send(ben, thread)


async def test_the_strictest_and_longest_restriction_is_told(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben)
    until = chatting.now // 1_000 + HOUR_MILLIS
    await restrict(chatting, ada, "mute", thread, until_millis=until)
    await restrict(chatting, ada, "mute")
    for ask in writes(chatting, ada, thread, "1", ben).values():
        with pytest.raises(Restricted) as raised:
            await ask()
        assert (raised.value.is_everywhere, raised.value.until_millis) == (True, None)
    await restrict(chatting, ada, "ban", until_millis=until)
    await restrict(chatting, ada, "mute", thread)
    for ask in writes(chatting, ada, thread, "1", ben).values():
        with pytest.raises(Restricted) as raised:
            await ask()
        assert (raised.value.kind, raised.value.until_millis) == ("ban", until)
    await lift(chatting, ada)
    await lift(chatting, ada, thread)
    await chatting.send(ada, thread)


async def test_who_is_banned_in_a_thread_is_removed_and_cannot_be_added_by_anybody(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben)
    until = chatting.now // 1_000 + HOUR_MILLIS
    await restrict(chatting, ben, "ban", thread, until_millis=until)
    newest = (await chatting.listed(ada, thread))[0]
    by = trusted_server(chatting.resource).subject
    assert (newest.kind, newest.sender, newest.participants[0].subject) == ("participantRemoved", by, ben.subject)
    assert (await chatting.rows("select kind from journal order by id"))[-1] == ("participantsRemoved",)
    with pytest.raises(NotAParticipant):
        await chatting.send(ben, thread)
    [refused] = await chatting.rules.participants.add(ada, thread, invited(ben), now_micros=chatting.now)
    assert (refused.id, refused.reason) == (f"8:{ben.subject}", "not permitted")
    await chatting.thread(ada, ben)
    # Once more, it changes the end and nothing else.
    before = await stored(chatting)
    await restrict(chatting, ben, "ban", thread, until_millis=until + 1)
    assert await stored(chatting) == before
    chatting.clock.move(timedelta(hours=2))
    await chatting.add(ada, thread, ben)
    await chatting.send(ben, thread)


async def test_who_is_banned_everywhere_joins_no_thread(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada)
    await restrict(chatting, ben, "ban")
    assert (await chatting.rows("select kind, thread, reference from journal order by id"))[-1] == (
        "userBanned",
        0,
        ben.subject,
    )
    [refused] = await chatting.rules.participants.add(ada, thread, invited(ben), now_micros=chatting.now)
    assert refused.reason == "not permitted"
    made = await chatting.rules.threads.create(ada, topic="t", invited=invited(ben), now_micros=chatting.now)
    assert [each.reason for each in made.not_added] == ["not permitted"]
    with pytest.raises(Restricted):
        await chatting.thread(ben)
    await lift(chatting, ben)
    await chatting.add(ada, thread, ben)


async def test_a_user_who_never_chatted_or_exchanged_a_token_can_be_restricted(chatting: Chatting) -> None:
    ada, new = await chatting.users(2)
    exchanged = Speaker(
        chatting.resource, f"acs:{chatting.resource.id}_wf_{chatting.resource.id}_{chatting.resource.id}"
    )
    for user in (new, exchanged):
        found = await restrict(chatting, user, "ban")
        assert found.subject == user.subject
        made = await chatting.rules.threads.create(ada, topic="t", invited=invited(user), now_micros=chatting.now)
        assert [each.reason for each in made.not_added] == ["not permitted"]


async def test_whoever_is_no_user_of_the_resource_is_not_found(chatting: Chatting) -> None:
    ada = await chatting.user()
    thread = await chatting.thread(ada)
    elsewhere = await another_resource(chatting.database)
    foreign = await chatting.user(elsewhere)
    never = f"8:acs:{chatting.resource.id}_00000000-0000-0000-0000-000000000001"
    impossible = f"8:acs:{chatting.resource.id}_somebody"
    for id in (f"8:{foreign.subject}", never, impossible, f"8:orgid:{elsewhere.id}"):
        with pytest.raises(UserNotFound):
            await rules(chatting).put(
                Whom(chatting.resource, id, thread), "mute", until_millis=None, now_micros=chatting.now
            )
    with pytest.raises(MalformedParticipant):
        await rules(chatting).lift(Whom(chatting.resource, "ada"))
    with pytest.raises(ThreadNotFound):
        await rules(chatting).put(
            Whom(elsewhere, f"8:{foreign.subject}", thread), "mute", until_millis=None, now_micros=chatting.now
        )
    with pytest.raises(EndsInThePast):
        await restrict(chatting, ada, "mute", until_millis=chatting.now // 1_000)
    assert await chatting.rows("select * from restrictions") == []
