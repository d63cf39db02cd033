"""The clients of the trusted server, blocking and for asyncio, against a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.chat_users import ChatUser, new_user
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.client import (
    AsyncTrustedServer,
    ChatParticipant,
    ServiceError,
    TrustedServer,
)
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
        yield [new_user(client) for _ in range(3)]


@pytest.fixture
def trusted(server: RunningServer) -> Iterator[TrustedServer]:
    with TrustedServer.from_connection_string(server.connection_string) as client:
        yield client


def test_threads_are_found_read_changed_and_deleted(trusted: TrustedServer, users: list[ChatUser]) -> None:
    ada, ben, _ = users
    threads = [ada.new_thread(ben, topic=f"Order {number}").rpartition("/")[2] for number in range(3)]
    assert [each.id for each in trusted.threads(member=ada.id, page_size=1)] == threads[::-1]
    found = [each.topic for each in trusted.threads(topic_prefix="Order 1")]
    assert "Order 1" in found
    assert list(trusted.threads(member=ada.id, active_since=datetime.now(UTC) + timedelta(days=1))) == []
    trusted.update_thread(threads[0], topic="Dinner", frozen=True)
    thread = trusted.thread(threads[0])
    assert (thread.topic, thread.created_by, thread.participant_count) == ("Dinner", ada.id, 2)
    assert thread.frozen is not None
    assert thread.created.tzinfo is not None
    trusted.update_thread(threads[0], frozen=False)
    assert trusted.thread(threads[0]).frozen is None
    trusted.delete_thread(threads[0])
    with pytest.raises(ServiceError) as caught:
        trusted.thread(threads[0])
    assert caught.value.status == 404


def test_messages_are_read_sent_deleted_and_redacted(trusted: TrustedServer, users: list[ChatUser]) -> None:
    ada, ben, _ = users
    path = ada.new_thread(ben)
    thread = path.rpartition("/")[2]
    ids = [ada.send(path, f"m{number}", senderDisplayName="Ada") for number in range(3)]
    sent = trusted.send(thread, "<b>news</b>", sender_name="The house", type="html", metadata={"k": "v"})
    found = list(trusted.messages(thread, oldest_first=True, page_size=2))
    assert [each.id for each in found[2:]] == [*ids, sent]
    assert (found[0].type, found[0].users, found[1].topic) == ("participantAdded", (ada.id, ben.id), "Lunch")
    assert [each.id for each in trusted.messages(thread, page_size=2)][:4] == [sent, *ids[::-1]]
    assert list(trusted.messages(thread, since=datetime.now(UTC) + timedelta(hours=1))) == []
    last = found[-1]
    assert (last.content, last.sender_name, last.type, last.metadata) == (
        "<b>news</b>",
        "The house",
        "html",
        {"k": "v"},
    )
    assert last.sender.endswith("_00000000-0000-0000-0000-000000000000")
    trusted.delete_message(thread, ids[0])
    trusted.redact_message(thread, ids[1])
    deleted, redacted = trusted.message(thread, ids[0]), trusted.message(thread, ids[1])
    assert (deleted.content, deleted.sender_name, deleted.deleted is None) == ("", "Ada", False)
    assert (redacted.content, redacted.sender_name, redacted.deleted is None) == ("", "", False)


def test_participants_come_and_go(trusted: TrustedServer, users: list[ChatUser]) -> None:
    ada, ben, eve = users
    thread = ada.new_thread(ben).rpartition("/")[2]
    nobody = f"{ada.id[:-12]}000000000000"
    added = [ChatParticipant(user=eve.id, display_name="Eve", since=LONG_AGO), ChatParticipant(user=nobody)]
    assert trusted.add_participants(thread, added) == (nobody,)
    trusted.remove_participant(thread, ben.id)
    there = list(trusted.participants(thread, page_size=1))
    assert [(each.user, each.display_name) for each in there] == [(ada.id, None), (eve.id, "Eve")]
    assert there[1].since == LONG_AGO
    former = {each.user: each.removed is None for each in trusted.participants(thread, former=True)}
    assert former == {ada.id: True, ben.id: False, eve.id: True}


def test_users_are_muted_and_banned_until_that_is_lifted(trusted: TrustedServer, users: list[ChatUser]) -> None:
    ada, ben, _ = users
    path = ada.new_thread(ben)
    thread = path.rpartition("/")[2]
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    muted = trusted.restrict(ben.id, "mute", thread=thread, until=until)
    assert (muted.user, muted.kind, muted.thread, muted.until) == (ben.id, "mute", thread, until)
    assert trusted.restriction(ben.id, thread=thread) == muted
    assert list(trusted.restrictions(thread)) == [muted]
    assert ben.ask("POST", f"{path}/messages", {"content": "c"}).status == 403
    trusted.lift(ben.id, thread=thread)
    banned = trusted.restrict(ben.id, "ban")
    assert (banned.thread, banned.until) == (None, None)
    assert banned in list(trusted.restrictions())
    trusted.lift(ben.id)
    with pytest.raises(ServiceError):
        trusted.restriction(ben.id)
    assert trusted.sockets(ben.id) == []
    trusted.close_sockets(ben.id)


def test_exports_are_lines_of_all_pages(trusted: TrustedServer, users: list[ChatUser]) -> None:
    ada, ben, _ = users
    path = ada.new_thread(ben)
    for number in range(250):
        ada.send(path, f"m{number}")
    lines = [json.loads(line) for line in trusted.export_thread(path.rpartition("/")[2])]
    assert [each["content"] for each in lines if each.get("type") == "text"] == [f"m{number}" for number in range(250)]
    mine = [json.loads(line) for line in trusted.export_user(ada.id)]
    assert len([each for each in mine if each["kind"] == "message"]) == 250
    assert list(trusted.export_user(users[2].id)) == []


async def test_all_of_it_for_asyncio(server: RunningServer, users: list[ChatUser]) -> None:
    ada, ben, eve = users
    path = ada.new_thread(ben)
    thread = path.rpartition("/")[2]
    async with AsyncTrustedServer.from_connection_string(server.connection_string) as client:
        assert [each.id async for each in client.threads(member=ada.id)] == [thread]
        await client.update_thread(thread, topic="Dinner")
        assert (await client.thread(thread)).topic == "Dinner"
        sent = await client.send(thread, "news", sender_name="The house")
        assert (await client.message(thread, sent)).content == "news"
        newest = [each.id async for each in client.messages(thread, page_size=1)]
        assert newest[0] == sent
        await client.delete_message(thread, sent)
        await client.redact_message(thread, sent)
        assert await client.add_participants(thread, [ChatParticipant(user=eve.id)]) == ()
        await client.remove_participant(thread, ben.id)
        assert [each.user async for each in client.participants(thread)] == [ada.id, eve.id]
        muted = await client.restrict(eve.id, "mute", thread=thread)
        assert await client.restriction(eve.id, thread=thread) == muted
        assert [each async for each in client.restrictions(thread)] == [muted]
        await client.lift(eve.id, thread=thread)
        assert await client.sockets(eve.id) == []
        await client.close_sockets(eve.id, "some")
        records = [json.loads(line)["kind"] async for line in client.export_thread(thread)]
        assert records[:3] == ["thread", "participant", "participant"]
        assert [json.loads(line)["kind"] async for line in client.export_user(eve.id)] == ["thread", "participant"]
        await client.delete_thread(thread)


def test_whoever_asks_wrongly_is_told_so_before_anything_is_sent(trusted: TrustedServer) -> None:
    naive: Any = datetime(2026, 1, 1)  # noqa: DTZ001 - that it is refused is what is tested.
    with pytest.raises(ValueError, match="time zone"):
        list(trusted.threads(active_since=naive))
    with pytest.raises(ServiceError) as caught:
        trusted.thread("../identities")
    assert caught.value.status == 400
