"""What is kept of who is muted or banned: it is listed while it is in force, and goes when it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.chat.test_restrictions import HOUR_MILLIS, restrict, rules
from tests.support.chats import Chatting
from watchword.chat.departures import Departures
from watchword.chat.limits import ChatLimits
from watchword.chat.purges import Purges
from watchword.chat.store import ChatStore
from watchword.chat.trusted_restrictions import Whom
from watchword.chat.trusted_threads import TrustedThreads
from watchword.errors.chat import NotRestricted
from watchword.identifiers import parse_identity
from watchword.identity.store import IdentityStore


async def test_restrictions_are_listed_page_by_page_while_they_are_in_force(chatting: Chatting) -> None:
    users = sorted(await chatting.users(3), key=lambda each: each.subject)
    thread, other = await chatting.thread(*users), await chatting.thread(*users)
    until = chatting.now // 1_000 + HOUR_MILLIS
    for user in users:
        await restrict(chatting, user, "mute", thread, until_millis=until)
        await restrict(chatting, user, "mute", other)
        await restrict(chatting, user, "ban", until_millis=until)
    asked = rules(chatting)

    async def listed(thread: str | None = None) -> list[tuple[str, str | None]]:
        found: list[tuple[str, str | None]] = []
        after = "", 0
        while True:
            page = await asked.list(chatting.resource, thread=thread, after=after, most=2, now_micros=chatting.now)
            found += [(each.subject, each.thread) for each in page.restrictions]
            if page.next is None:
                return found
            after = page.next

    assert await listed() == [(user.subject, of) for user in users for of in (None, thread, other)]
    assert await listed(thread) == [(user.subject, thread) for user in users]
    whom = Whom(chatting.resource, f"8:{users[0].subject}", thread)
    found = await asked.get(whom, now_micros=chatting.now)
    assert (found.kind, found.until_millis, found.thread) == ("mute", until, thread)
    chatting.clock.move(timedelta(hours=1))
    assert await listed() == [(user.subject, other) for user in users]
    with pytest.raises(NotRestricted):
        await asked.get(whom, now_micros=chatting.now)


async def test_what_is_over_is_purged_and_what_is_not_stays(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada)
    until = chatting.now // 1_000 + HOUR_MILLIS
    await restrict(chatting, ada, "mute", until_millis=until)
    await restrict(chatting, ada, "mute", thread)
    await restrict(chatting, ben, "mute", thread, until_millis=until + 1)
    purges = Purges(ChatStore(chatting.database, lambda: None), ChatLimits())
    assert await purges.end_restrictions((until - 1) * 1_000) == 0
    assert await purges.end_restrictions(until * 1_000) == 1
    left = await chatting.rows(
        "select subject, thread = 0, until_millis from restrictions order by until_millis is null"
    )
    assert [(subject, bool(everywhere), end) for subject, everywhere, end in left] == [
        (ben.subject, False, until + 1),
        (ada.subject, False, None),
    ]


async def test_restrictions_go_with_the_identity_the_thread_and_the_resource(chatting: Chatting) -> None:
    ada, ben, cy = await chatting.users(3)
    thread = await chatting.thread(ada)
    for user in (ada, ben, cy):
        await restrict(chatting, user, "mute", thread)
        await restrict(chatting, user, "mute")
    gone = parse_identity(f"8:{ben.subject}")
    assert gone is not None
    await IdentityStore(chatting.database).delete(chatting.resource.number, gone, chatting.now)
    departures = Departures(ChatStore(chatting.database, lambda: None))
    assert await departures.waiting() == [(chatting.resource.number, ben.subject)]
    await departures.finish(chatting.resource.number, ben.subject, chatting.now)
    assert await departures.waiting() == []
    found = "select subject, thread = 0 from restrictions order by 1, 2"
    assert {subject for subject, _ in await chatting.rows(found)} == {ada.subject, cy.subject}
    purges = Purges(ChatStore(chatting.database, lambda: None), ChatLimits())
    await TrustedThreads(ChatStore(chatting.database, lambda: None)).delete(
        chatting.resource, thread, now_micros=chatting.now
    )
    while await purges.empty_deleted():
        pass
    await purges.forget_deleted(chatting.now + 31 * 86_400_000_000)
    assert [bool(everywhere) for _, everywhere in await chatting.rows(found)] == [True, True]
    while await purges.of_resource(chatting.resource.number, 10):
        pass
    assert await chatting.rows(found) == []
