"""The trusted server lists, adds and removes participants by the rules of chat, and takes part in nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.chat.test_restrictions import freeze, lift, restrict
from tests.support.chats import Chatting, another_resource, invited
from watchword.chat.invitations import Invitation
from watchword.chat.limits import ChatLimits
from watchword.chat.speakers import trusted_server
from watchword.chat.store import ChatStore
from watchword.chat.trusted_participants import TrustedParticipant, TrustedParticipants
from watchword.errors.chat import MalformedParticipant, ParticipantNotFound, ThreadNotFound, TooManyParticipants


def rules(chatting: Chatting, **limits: Any) -> TrustedParticipants:
    return TrustedParticipants(ChatStore(chatting.database, lambda: None), ChatLimits(**limits))


async def listed(
    chatting: Chatting, thread: str, *, with_former: bool = False, most: int = 2
) -> list[TrustedParticipant]:
    """All pages."""
    found: list[TrustedParticipant] = []
    after = 0, ""
    while True:
        page = await rules(chatting).list(chatting.resource, thread, with_former=with_former, after=after, most=most)
        assert len(page.participants) <= most
        found += page.participants
        if page.next is None:
            return found
        after = page.next.place, page.next.subject


async def test_participants_are_listed_in_the_order_of_joining_and_those_who_left_if_they_are_asked_for(
    chatting: Chatting,
) -> None:
    users = await chatting.users(6)
    thread = await chatting.thread(users[0], *users[4:0:-1])
    await chatting.add(users[0], thread, users[5], history_millis=7)
    for gone in (users[3], users[5]):
        await chatting.remove(users[0], thread, gone)
    message = await chatting.send(users[0], thread)
    await chatting.rules.receipts.mark_read(users[1], thread, message, now_micros=chatting.now)
    present = await listed(chatting, thread)
    assert [each.subject for each in present] == [users[each].subject for each in (0, 4, 2, 1)]
    assert [each.read_id for each in present] == [None, None, None, int(message)]
    every = await listed(chatting, thread, with_former=True)
    assert [each.subject for each in every] == sorted(each.subject for each in users)
    former = {each.subject: each for each in every if each.removed_millis is not None}
    assert former.keys() == {users[3].subject, users[5].subject}
    assert former[users[5].subject].history_millis == 7


async def test_whoever_is_added_or_removed_is_so_by_the_trusted_server(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada)
    asked = rules(chatting)
    by = trusted_server(chatting.resource).subject
    entries = [Invitation(f"8:{ben.subject}", "Ben", 0, {"k": "v"})]
    assert await asked.add(chatting.resource, thread, entries, now_micros=chatting.now) == []
    newest = (await chatting.listed(ben, thread))[0]
    assert (newest.kind, newest.sender, newest.participants[0].display_name) == ("participantAdded", by, "Ben")
    before = await chatting.listed(ada, thread)
    assert await asked.add(chatting.resource, thread, invited(ben), now_micros=chatting.now) == []
    assert await chatting.listed(ada, thread) == before
    await asked.remove(chatting.resource, thread, f"8:{ben.subject}", now_micros=chatting.now)
    newest = (await chatting.listed(ada, thread))[0]
    assert (newest.kind, newest.sender, newest.participants[0].subject) == ("participantRemoved", by, ben.subject)
    told = await chatting.rows("select kind from journal order by id")
    assert [kind for (kind,) in told] == ["threadCreated", "participantsAdded", "participantsRemoved"]
    with pytest.raises(ParticipantNotFound):
        await asked.remove(chatting.resource, thread, f"8:{ben.subject}", now_micros=chatting.now)


async def test_a_frozen_thread_and_who_is_banned_make_no_difference_but_that_nobody_adds_who_is_banned(
    chatting: Chatting,
) -> None:
    ada, ben, cy = await chatting.users(3)
    thread = await chatting.thread(ada)
    await restrict(chatting, ben, "ban", thread)
    await freeze(chatting, thread)
    asked = rules(chatting)
    not_added = await asked.add(chatting.resource, thread, invited(ben, cy), now_micros=chatting.now)
    assert [(each.id, each.reason) for each in not_added] == [(f"8:{ben.subject}", "not permitted")]
    assert [each.subject for each in await listed(chatting, thread)] == [ada.subject, cy.subject]
    await lift(chatting, ben, thread)
    assert await asked.add(chatting.resource, thread, invited(ben), now_micros=chatting.now) == []
    await asked.remove(chatting.resource, thread, f"8:{ada.subject}", now_micros=chatting.now)


async def test_limits_and_ids_are_those_of_chat(chatting: Chatting) -> None:
    ada, ben, cy = await chatting.users(3)
    elsewhere = await another_resource(chatting.database)
    foreign = await chatting.user(elsewhere)
    thread = await chatting.thread(ada)
    few = rules(chatting, participants=2, batch=2)
    for joining in (invited(ben, cy), invited(ada, ben, cy)):
        with pytest.raises(TooManyParticipants):
            await few.add(chatting.resource, thread, joining, now_micros=chatting.now)
    with pytest.raises(MalformedParticipant):
        await few.add(chatting.resource, thread, [Invitation("ben")], now_micros=chatting.now)
    [refused] = await few.add(chatting.resource, thread, invited(foreign), now_micros=chatting.now)
    assert refused.reason == "not permitted"
    assert [each.subject for each in await listed(chatting, thread)] == [ada.subject]
    for resource in (elsewhere, replace(chatting.resource, number=99)):
        with pytest.raises(ThreadNotFound):
            await few.list(resource, thread, with_former=True, most=1)
        with pytest.raises(ThreadNotFound):
            await few.add(resource, thread, [], now_micros=chatting.now)
        with pytest.raises(ThreadNotFound):
            await few.remove(resource, thread, f"8:{ada.subject}", now_micros=chatting.now)
