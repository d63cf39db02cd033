"""The clients of the inbox and of histories that are brought in, blocking and for asyncio, against a server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.chat_users import ChatUser, new_user
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.client import (
    AsyncHistoryImports,
    AsyncInbox,
    HistoryImports,
    HistoryParticipant,
    HistoryRecord,
    Inbox,
    ServiceError,
    UserTokenCredential,
)
from watchword.client.history_values import MOST_BYTES, MOST_RECORDS, batches
from watchword.identifiers import new_guid
from watchword.settings import Settings
from watchword.testing import RunningServer

LONG_AGO = datetime(2020, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(Settings(request_log=False, tls=False)) as running:
        yield running


@pytest.fixture
def users(server: RunningServer) -> Iterator[list[ChatUser]]:
    with SignedClient(server) as client:
        yield [new_user(client) for _ in range(2)]


def records(sender: str, count: int) -> list[HistoryRecord]:
    return [
        HistoryRecord(sender=sender, content=f"number {each}", created=LONG_AGO + timedelta(seconds=each))
        for each in range(count)
    ]


class _Cut(Exception):
    """Whoever brings a history in is gone."""


def _cut(given: Iterable[HistoryRecord], after: int) -> Iterator[HistoryRecord]:
    for number, each in enumerate(given):
        if number == after:
            raise _Cut
        yield each


def test_a_history_is_brought_in_and_goes_on_after_an_interruption(
    server: RunningServer, users: list[ChatUser]
) -> None:
    ada, ben = users
    given, id, reports = records(ada.id, 1_300), new_guid(), list[int]()
    people = [HistoryParticipant(ada.id, "Ada"), HistoryParticipant(ben.id, "Ben", LONG_AGO + timedelta(seconds=1_290))]
    with HistoryImports.from_connection_string(server.connection_string) as imports:
        with pytest.raises(_Cut):
            imports.bring(id, "Lunch", _cut(given, 700), participants=people)
        assert (imports.get(id).reached, imports.get(id).finished) == (500, None)
        done = imports.bring(id, "Lunch", given, participants=people, report=reports.append)
        assert (done.reached, done.finished is not None, done.not_added, reports) == (1_300, True, (), [1_000, 1_300])
        assert imports.bring(id, "Lunch", given, participants=people) == done
        with pytest.raises(ServiceError, match="finished"):
            imports.give_up(id)
    thread = f"/chat/threads/{done.thread}"
    assert ada.ask("GET", f"{thread}/messages?maxPageSize=1").json["value"][0]["sequenceId"] == "1300"
    assert len(ben.ask("GET", f"{thread}/messages?maxPageSize=200").json["value"]) == 10


async def test_the_same_for_asyncio(server: RunningServer, users: list[ChatUser]) -> None:
    ada, _ = users
    id = new_guid()
    async with AsyncHistoryImports.from_connection_string(server.connection_string) as imports:
        begun = await imports.begin(id, "Lunch", created_by=ada.id, metadata={"from": "elsewhere"})
        assert (await imports.add(id, records(ada.id, 3), after=0)).reached == 3
        assert (await imports.get(id)).thread == begun.thread
        done = await imports.bring(
            id, "Lunch", records(ada.id, 5), participants=[HistoryParticipant(ada.id)], unread=True
        )
        assert (done.reached, done.finished is not None) == (5, True)
        other = new_guid()
        await imports.begin(other, "Dinner")
        await imports.give_up(other)
        with pytest.raises(ServiceError, match="no import"):
            await imports.finish(other, [])


def test_a_refused_record_is_named(server: RunningServer) -> None:
    with HistoryImports.from_connection_string(server.connection_string) as imports:
        with pytest.raises(ServiceError, match=r"Record 2: Identifier format is invalid"):
            imports.bring(new_guid(), "t", [*records("8:orgid:" + new_guid(), 1), *records("Ada", 1)], participants=[])
        naive = HistoryRecord(sender="x", content="x", created=LONG_AGO.replace(tzinfo=None))
        with pytest.raises(ValueError, match="no time zone"):
            imports.bring(new_guid(), "t", [naive], participants=[])


def test_a_batch_is_as_large_as_a_call_takes() -> None:
    assert list(map(len, batches(records("8:acs:x", 1_001)))) == [MOST_RECORDS, MOST_RECORDS, 1]
    long = [HistoryRecord(sender="x", content="x" * 28_000, created=LONG_AGO)] * 100
    made = list(batches(long))
    assert sum(map(len, made)) == 100
    assert all(sum(map(len, each)) <= MOST_BYTES for each in made)


def test_the_inbox_by_a_token_or_a_credential(server: RunningServer, users: list[ChatUser]) -> None:
    ada, ben = users
    threads = [ada.new_thread(ben, topic=f"Topic {each}") for each in range(5)]
    ada.send(threads[2], "At noon?", senderDisplayName="Ada")
    with Inbox(server.endpoint, ben.token) as inbox:
        found = list(inbox.threads(page_size=2))
        assert [each.topic for each in found] == ["Topic 2", "Topic 4", "Topic 3", "Topic 1", "Topic 0"]
        assert (found[0].unread_count, found[0].left, found[0].has_more_unread) == (1, None, False)
        last = found[0].last_message
        assert last is not None
        assert (last.text, last.sender, last.sender_name, last.is_deleted) == ("At noon?", ada.id, "Ada", False)
        assert [each.topic for each in inbox.threads(unread=True, topic_prefix="Topic")] == ["Topic 2"]
        assert list(inbox.threads(membership="past")) == []
    credential = UserTokenCredential(ben.token, refresher=lambda: ben.token)
    with credential, Inbox(server.endpoint, credential) as inbox:
        assert list(inbox.threads()) == found
    with pytest.raises(ServiceError, match="not authorized"), Inbox(server.endpoint, "a.b.c") as inbox:
        list(inbox.threads())
    with pytest.raises(ValueError, match="https only"):
        Inbox("http://chat.example", ben.token)

    async def asked() -> list[str]:
        async with AsyncInbox(server.endpoint, ben.token) as asking:
            return [each.topic async for each in asking.threads(page_size=2)]

    assert asyncio.run(asked()) == [each.topic for each in found]
