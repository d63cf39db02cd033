"""Exports: exactly what is there, in order, piece by piece; and of a user all that is theirs, and nothing of others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.chat.test_restrictions import restrict
from tests.support.chats import Chatting, another_resource, invited
from watchword.chat import trusted_exports
from watchword.chat.speakers import Speaker
from watchword.chat.store import ChatStore
from watchword.chat.trusted_exports import (
    ExportedMessage,
    ExportedParticipant,
    ExportedReceipt,
    ExportedRegistration,
    ExportedThread,
    Exports,
    Piece,
    Place,
    Record,
)
from watchword.chat.trusted_messages import TrustedMessages
from watchword.chat.trusted_restrictions import Restriction
from watchword.errors.chat import MalformedParticipant, MalformedThreadId, ThreadNotFound, UnsupportedParticipant
from watchword.identifiers import new_thread_id
from watchword.realtime.store import Client, RegistrationStore


def exports(some: Chatting) -> Exports:
    return Exports(ChatStore(some.database, lambda: None), RegistrationStore(some.database))


async def all_of(ask: Callable[[Place], Awaitable[Piece]]) -> list[Record]:
    """All pieces, one after the other."""
    found: list[Record] = []
    place: Place | None = Place()
    while place is not None:
        piece = await ask(place)
        assert piece.next is None or piece.next > place
        found += piece.records
        place = piece.next
    return found


async def of_thread(some: Chatting, thread: str, most: int = 200) -> list[Record]:
    rules = exports(some)
    return await all_of(lambda place: rules.of_thread(some.resource, thread, place, most=most))


async def of_user(some: Chatting, user: Speaker, most: int = 200) -> list[Record]:
    rules = exports(some)
    return await all_of(lambda place: rules.of_user(some.resource, f"8:{user.subject}", place, most=most))


async def read(some: Chatting, user: Speaker, thread: str, message: str) -> None:
    await some.rules.receipts.mark_read(user, thread, message, now_micros=some.now)


@pytest.mark.parametrize("most", [1, 2, 7, 200])
async def test_a_thread_is_exported_whole_and_in_order(chatting: Chatting, most: int) -> None:
    some = chatting
    ada, ben, eve = await some.users(3)
    thread = await some.thread(ada, ben, eve, metadata={"k": "v"})
    ids = [await some.send(ada, thread, f"m{number}", metadata={"n": str(number)}) for number in range(4)]
    await some.rules.messages.edit(ada, thread, ids[0], content="again", now_micros=some.now)
    await some.rules.messages.delete(ada, thread, ids[1], now_micros=some.now)
    await read(some, ben, thread, ids[2])
    await read(some, ada, thread, ids[3])
    await some.remove(ada, thread, eve)
    found = await of_thread(some, thread, most)
    first, *others = found
    assert isinstance(first, ExportedThread)
    assert (first.id, first.topic, first.created_by, first.metadata) == (thread, "a topic", ada.subject, {"k": "v"})
    people = [each for each in others if isinstance(each, ExportedParticipant)]
    messages = [each for each in others if isinstance(each, ExportedMessage)]
    receipts = [each for each in others if isinstance(each, ExportedReceipt)]
    assert others == [*people, *messages, *receipts]
    assert [(each.subject, each.removed_millis is None) for each in people] == [
        (ada.subject, True), (ben.subject, True), (eve.subject, False),
    ]  # fmt: skip
    assert [each.message for each in messages] == sorted(await some.listed(ada, thread), key=lambda each: each.id)
    assert [each.message.content for each in messages if not each.message.is_system] == ["again", "", "m2", "m3"]
    assert [(each.receipt.subject, str(each.receipt.message_id)) for each in receipts] == [
        (ada.subject, ids[3]), (ben.subject, ids[2]),
    ]  # fmt: skip
    assert {each.thread for each in people} | {each.thread for each in messages} == {thread}


async def test_a_piece_is_bounded_in_bytes(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    thread = await chatting.thread(ada)
    for _ in range(50):
        await chatting.send(ada, thread, "x" * 28_000)
    rules = exports(chatting)
    piece = await rules.of_thread(chatting.resource, thread, Place(1), most=200)
    assert len(piece.records) == 2 + trusted_exports.MOST_BYTES // 28_000
    assert len(await of_thread(chatting, thread)) == 1 + 1 + 52
    assert len([each for each in await of_user(chatting, ada) if isinstance(each, ExportedMessage)]) == 50


async def test_what_was_redacted_or_deleted_is_in_no_export(chatting: Chatting) -> None:
    some = chatting
    ada, ben = await some.users(2)
    thread = await some.thread(ada, ben)
    redacted = await some.send(ada, thread, "secret", sender_name="secret", metadata={"k": "secret"})
    deleted = await some.send(ada, thread, "secret")
    trusted = TrustedMessages(ChatStore(some.database, lambda: None), some.minter, some.limits)
    await trusted.redact(some.resource, thread, redacted, now_micros=some.now)
    await some.rules.messages.delete(ada, thread, deleted, now_micros=some.now)
    assert "secret" not in str(await of_thread(some, thread))
    assert "secret" not in str(await of_user(some, ada))


@pytest.mark.parametrize("most", [1, 3, 200])
async def test_of_a_user_all_that_is_theirs_is_exported_and_no_word_of_others(
    chatting: Chatting, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    some = chatting
    ada, ben = await some.users(2)
    # So small that a piece ends within a thread, and between two.
    monkeypatch.setattr(trusted_exports, "LOOKED_AT", 4)
    monkeypatch.setattr(trusted_exports, "THREADS_LOOKED_AT", 2)
    both, left, deleted = [await some.thread(ada, ben, topic=f"topic {number}") for number in range(3)]
    without = await some.thread(ben, topic="without her")
    said = []
    for number in range(7):
        await some.send(ben, both, "not hers")
        said.append(await some.send(ada, both, f"hers {number}"))
    said.append(await some.send(ada, left, "hers, before"))
    await some.remove(ben, left, ada)
    await some.send(ben, left, "not hers, after")
    await some.send(ben, without, "not hers either")
    await some.send(ada, deleted, "hers, and gone")
    await read(some, ada, both, said[0])
    await read(some, ben, both, said[1])
    await some.rules.threads.delete(ben, deleted, some.now)
    for user, epid in ((ada, "hers"), (ben, "his")):
        await RegistrationStore(some.database).admit(
            Client(some.resource.number, user.subject, epid), "e", 0, most=9, now_millis=5, oldest_millis=0
        )
    await restrict(some, ada, "mute")
    await restrict(some, ada, "ban", without, until_millis=some.now // 1_000 + 99)
    await restrict(some, ben, "mute", both)
    found = await of_user(some, ada, most)
    threads = [each for each in found if isinstance(each, ExportedThread)]
    assert [(each.id, each.deleted_millis is None) for each in threads] == [
        (both, True), (left, True), (deleted, False),
    ]  # fmt: skip
    parts = [each for each in found if isinstance(each, ExportedParticipant)]
    assert [(each.thread, each.subject, each.removed_millis is None) for each in parts] == [
        (both, ada.subject, True), (left, ada.subject, False), (deleted, ada.subject, True),
    ]  # fmt: skip
    messages = [each for each in found if isinstance(each, ExportedMessage)]
    assert [str(each.message.id) for each in messages] == said
    assert {each.message.sender for each in messages} == {ada.subject}
    receipts = [each for each in found if isinstance(each, ExportedReceipt)]
    assert [(each.thread, each.receipt.subject, str(each.receipt.message_id)) for each in receipts] == [
        (both, ada.subject, said[0])
    ]
    assert [each for each in found if isinstance(each, ExportedRegistration)] == [ExportedRegistration("hers", 5)]
    restrictions = [each for each in found if isinstance(each, Restriction)]
    assert [(each.subject, each.kind, each.thread, each.until_millis is None) for each in restrictions] == [
        (ada.subject, "mute", None, True), (ada.subject, "ban", without, False),
    ]  # fmt: skip
    assert "not hers" not in str(found)


async def test_what_is_not_there_is_not_exported(chatting: Chatting) -> None:
    some = chatting
    ada, ben = await some.users(2)
    thread = await some.thread(ada)
    other = await another_resource(some.database)
    rules = exports(some)
    for resource, wanted, error in (
        (other, thread, ThreadNotFound),
        (some.resource, new_thread_id(), ThreadNotFound),
        (some.resource, "nonsense", MalformedThreadId),
    ):
        for stage in range(3):
            with pytest.raises(error):
                await rules.of_thread(resource, wanted, Place(stage), most=5)
    await some.rules.threads.delete(ada, thread, some.now)
    with pytest.raises(ThreadNotFound):
        await rules.of_thread(some.resource, thread, Place(1), most=5)
    assert await of_user(some, ben) == []
    assert await all_of(lambda place: rules.of_user(other, f"8:{ada.subject}", place, most=5)) == []
    for id, wrong in (("ada", MalformedParticipant), ("28:bot", UnsupportedParticipant)):
        with pytest.raises(wrong):
            await rules.of_user(some.resource, id, Place(), most=5)


async def test_whoever_only_wrote_in_a_history_that_was_brought_in_finds_it_in_their_export(chatting: Chatting) -> None:
    some = chatting
    ada, ben = await some.users(2)
    thread = await some.thread(ada, invited=invited(ben))
    id = await some.send(ben, thread, "long ago")
    # As an import leaves who wrote and takes no part.
    await some.database.transact(
        lambda each: each.execute(
            "update participants set place = 0, history_millis = 9223372036854775807, removed_millis = 0,"
            " listed_millis = -1 where subject = $1", ben.subject,
        )
    )  # fmt: skip
    about, message = await of_user(some, ben)
    assert isinstance(about, ExportedThread)
    assert isinstance(message, ExportedMessage)
    assert str(message.message.id) == id
    people = [each for each in await of_thread(some, thread) if isinstance(each, ExportedParticipant)]
    assert [each.subject for each in people] == [ada.subject]
