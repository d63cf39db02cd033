"""All ten events over a real socket, on both engines: to whom, and with which members."""

from __future__ import annotations

import json
from typing import Any

from tests.support.chat_users import ChatUser, identifier, participant
from tests.support.polling import until
from tests.support.realtime_clients import Heard, RealtimeSocket, RealtimeWorld


def _text(heard: Heard, member: str) -> Any:
    text = heard.body[member]
    assert "%" not in text
    return json.loads(text)


def _typed(user: ChatUser, thread: str, socket: RealtimeSocket) -> Heard | None:
    assert user.ask("POST", f"{thread}/typing", {"senderDisplayName": "Ben"}).status == 200
    try:
        return socket.push(0.5)
    except TimeoutError:
        return None


def test_messages_are_heard_by_all_and_by_the_sender_last(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    with world.realtime(ada).opened() as of_ada, world.realtime(ben).opened() as of_ben:
        thread = ada.new_thread(ben, topic="100% % sure")
        created = of_ben.push()
        assert (created.name, created.body["eventId"]) == ("chatThreadCreated", 257)
        assert created.body["threadId"] == thread.removeprefix("/chat/threads/")
        assert _text(created, "properties")["topic"] == "100% % sure"
        assert _text(created, "createdBy")["participantId"] == ada.id
        assert {each["participantId"] for each in _text(created, "members")} == {ada.id, ben.id}
        assert of_ada.push().name == "chatThreadCreated"

        id = ada.send(thread, 'Hé "you" 100%', senderDisplayName="Ada", metadata={"k": "v"})
        for socket, who in ((of_ben, ben), (of_ada, ada)):
            heard = socket.push()
            assert heard.name == "chatMessageReceived"
            body = heard.body
            assert (body["eventId"], body["messageId"], body["version"]) == (200, id, id)
            assert (body["senderId"], body["recipientMri"], body["recipientId"]) == (ada.id, who.id, who.id)
            assert (body["messageBody"], body["messageType"]) == ('Hé "you" 100%', "Text")
            assert json.loads(body["acsChatMessageMetadata"]) == {"k": "v"}
            assert body["senderDisplayName"] == "Ada"

        assert ada.ask("PATCH", f"{thread}/messages/{id}", {"content": "Hi"}).status == 204
        for socket in (of_ada, of_ben):
            edited = socket.push()
            assert (edited.name, edited.body["eventId"], edited.text) == ("chatMessageEdited", 247, "Hi")
            assert edited.body["edittime"] > edited.body["originalArrivalTime"]
        assert ada.ask("DELETE", f"{thread}/messages/{id}").status == 204
        for socket in (of_ada, of_ben):
            deleted = socket.push()
            assert (deleted.name, deleted.body["eventId"], deleted.body["messageId"]) == ("chatMessageDeleted", 248, id)
            assert "messageBody" not in deleted.body


def test_typing_and_receipts_are_heard_by_all(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    with world.realtime(ada).opened() as of_ada, world.realtime(ben).opened() as of_ben:
        id = ada.send(thread)
        assert of_ada.text() == of_ben.text() == "Hello"
        for socket in (of_ada, of_ben):
            # It may be lost, while somebody is just coming.
            typing = until(lambda: _typed(ben, thread, socket), lambda heard: heard is not None)  # noqa: B023
            assert typing is not None
            assert (typing.name, typing.body["eventId"]) == ("typingIndicatorReceived", 245)
            assert (typing.body["senderId"], typing.body["senderDisplayName"]) == (ben.id, "Ben")
        assert ben.ask("POST", f"{thread}/readReceipts", {"chatMessageId": id}).status == 200
        for socket in (of_ada, of_ben):
            receipt = socket.push()
            while receipt.name == "typingIndicatorReceived":
                receipt = socket.push()
            assert (receipt.name, receipt.body["messageId"]) == ("readReceiptReceived", id)
            read = json.loads(receipt.text)
            assert read["user"] == ben.id
            assert read["consumptionhorizon"].split(";")[0] == id


def test_whoever_is_added_hears_from_then_on_and_whoever_is_removed_hears_that_last(world: RealtimeWorld) -> None:
    ada, ben, cleo = world.user(), world.user(), world.user()
    thread = ada.new_thread(ben)
    with (
        world.realtime(ada).opened() as of_ada,
        world.realtime(ben).opened() as of_ben,
        world.realtime(cleo).opened() as of_cleo,
    ):
        ada.send(thread, "before")
        assert of_ben.text() == of_ada.text() == "before"
        added = {"participants": [participant(cleo.id, displayName="Cleo", metadata={"a": "b"})]}
        assert ada.ask("POST", f"{thread}/participants/:add", added).status == 201
        for socket in (of_ada, of_ben, of_cleo):
            heard = socket.push()
            assert (heard.name, heard.body["eventId"]) == ("participantsAdded", 260)
            [named] = _text(heard, "participantsAdded")
            assert (named["participantId"], named["displayName"]) == (cleo.id, "Cleo")
            assert json.loads(named["memberMetaData"]) == {"a": "b"}
        assert ada.ask("PATCH", thread, {"topic": "Dinner"}).status == 204
        for socket in (of_ada, of_ben, of_cleo):
            updated = socket.push()
            assert (updated.name, _text(updated, "properties")["topic"]) == ("chatThreadPropertiesUpdated", "Dinner")
        assert ada.ask("POST", f"{thread}/participants/:remove", identifier(cleo.id)).status == 204
        ada.send(thread, "after")
        for socket in (of_ada, of_ben, of_cleo):
            removed = socket.push()
            assert (removed.name, removed.body["eventId"]) == ("participantsRemoved", 261)
            assert _text(removed, "participantsRemoved")[0]["participantId"] == cleo.id
        assert of_ben.text() == of_ada.text() == "after"
        assert ada.ask("DELETE", thread).status == 204
        for socket in (of_ada, of_ben):
            ended = socket.push()
            assert (ended.name, ended.body["reason"]) == ("chatThreadDeleted", "deletedByUser")
        assert of_cleo.hears_nothing()


def test_what_happens_from_the_allocation_on_is_heard_once_the_socket_is_open(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    client = world.realtime(ben)
    sid, query = client.session_id()
    ada.send(thread, "early")
    with client.connected(sid, query) as socket:
        assert socket.text() == "early"
        ada.send(thread, "late")
        assert socket.text() == "late"


def test_what_was_missed_is_heard_after_a_reconnect_and_what_was_answered_is_not_repeated(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    client = world.realtime(ben)
    with client.opened() as socket:
        ada.send(thread, "1")
        assert socket.text() == "1"
    ids = [ada.send(thread, text) for text in ("2", "3", "4")]
    assert ada.ask("DELETE", f"{thread}/messages/{ids[1]}").status == 204
    assert ada.ask("PATCH", f"{thread}/messages/{ids[2]}", {"content": "four"}).status == 204
    with client.opened() as socket:
        heard = socket.pushes(5)
        assert [(each.name, each.text) for each in heard] == [
            ("chatMessageReceived", "2"),
            ("chatMessageDeleted", ""),
            ("chatMessageReceived", "four"),
            ("chatMessageDeleted", ""),
            ("chatMessageEdited", "four"),
        ]
        assert socket.hears_nothing()
    with client.opened() as socket:
        assert socket.hears_nothing()


def test_pushes_without_an_answer_come_again_with_the_same_members(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    client = world.realtime(ben)
    with client.opened(answers=False) as socket:
        for text in "123":
            ada.send(thread, text)
        first = [socket.message() for _ in range(3)]
        socket.answer(first[0].id)
    with client.opened() as socket:
        again = socket.pushes(2)
        assert [each.body for each in again] == [each.body for each in first[1:]]
        assert socket.hears_nothing()
