"""A thread that is still being brought in is nobody's: whoever would change it in another way is refused in words."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator

import pytest

from tests.support.chats import Chatting, invited
from tests.support.importing import Importing, record
from watchword.chat.participants import Invitation
from watchword.chat.speakers import Speaker
from watchword.chat.store import ChatStore
from watchword.chat.trusted_messages import TrustedMessages
from watchword.chat.trusted_participants import TrustedParticipants
from watchword.chat.trusted_restrictions import TrustedRestrictions, Whom
from watchword.chat.trusted_threads import TrustedThreads
from watchword.errors import HistoryUnfinished, NotAParticipant, ThreadNotFound


def _by_the_trusted_server(some: Chatting, thread: str, ada: Speaker, message: str) -> Iterator[Awaitable[object]]:
    """Everything that the trusted server changes in a thread."""
    store, where, now = ChatStore(some.database, lambda: None), (some.resource, thread), some.now
    messages = TrustedMessages(store, some.minter, some.limits)
    participants, threads = TrustedParticipants(store, some.limits), TrustedThreads(store)
    user = f"8:{ada.subject}"
    yield participants.add(*where, invited(ada), now_micros=now)
    yield participants.remove(*where, user, now_micros=now)
    yield messages.send(*where, content="x", sender_name="The house", now_micros=now)
    yield messages.delete(*where, message, now_micros=now)
    yield messages.redact(*where, message, now_micros=now)
    yield threads.update(*where, topic="x", now_micros=now)
    yield threads.update(*where, frozen=True, now_micros=now)
    yield threads.delete(*where, now_micros=now)
    yield TrustedRestrictions(store).put(Whom(some.resource, user, thread), "ban", until_millis=None, now_micros=now)


def _by_a_user(some: Chatting, thread: str, ada: Speaker) -> Iterator[Awaitable[object]]:
    rules, where = some.rules, (ada, thread)
    yield rules.participants.add(*where, [Invitation(f"8:{ada.subject}")], now_micros=some.now)
    yield rules.messages.send(*where, content="x", now_micros=some.now)
    yield rules.threads.delete(*where, some.now)


async def test_nobody_changes_a_thread_before_its_history_is_in(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    importing = Importing(chatting)
    thread = await importing.begin()
    await importing.append([record(ada, "hello", 0), record(ada, "bye", 1)])
    [(message, *_), _] = before = await chatting.rows("select id, version, content from messages order by id")
    for change in _by_the_trusted_server(chatting, thread, ada, str(message)):
        with pytest.raises(HistoryUnfinished):
            await change
    for change in _by_a_user(chatting, thread, ada):
        with pytest.raises((ThreadNotFound, NotAParticipant)):
            await change
    await importing.finish()
    assert await chatting.rows("select id, version, content from messages order by id") == before
    assert await chatting.rows("select topic, present, frozen_millis, messages from threads") == [("Lunch", 0, None, 2)]
    assert await chatting.rows("select kind from restrictions") == []
