"""Bringing a history in over HTTP, by an access key."""

from __future__ import annotations

from typing import Any

from tests.support.chat_users import ChatUser, pages
from tests.support.chat_world import World, refused
from tests.support.signed import Reply
from watchword.identifiers import new_guid

NOON = "2024-05-01T12:00:{:02}.250Z"


class Room:
    """An import under an id of its own."""

    def __init__(self, world: World) -> None:
        self.world, self.path = world, f"/trusted/imports/{new_guid()}"

    def ask(self, method: str, part: str = "", body: Any = None) -> Reply:
        return self.world.client.call(method, f"{self.path}{part}", b"" if body is None else body)

    def begun(self, **more: Any) -> dict[str, Any]:
        reply = self.ask("PUT", "", {"topic": "Lunch"} | more)
        assert reply.status in (200, 201), reply
        found: dict[str, Any] = reply.json
        return found

    def add(self, after: int, *records: dict[str, Any]) -> Reply:
        return self.ask("POST", "/:records", {"after": after, "records": list(records)})


def record(user: ChatUser, content: str, second: int, **more: Any) -> dict[str, Any]:
    return {"sender": user.id, "content": content, "createdOn": NOON.format(second)} | more


def test_a_history_is_begun_filled_and_finished(world: World) -> None:
    room, ada, bob = Room(world), world.ada, world.bob
    reply = room.ask("PUT", "", {"topic": "Lunch", "metadata": {"from": "elsewhere"}})
    assert (reply.status, reply.json["reached"]) == (201, 0)
    assert room.ask("PUT", "", {"topic": "Lunch"}).status == 200
    thread = f"/chat/threads/{reply.json['threadId']}"
    assert ada.ask("GET", thread).status == 404
    first = record(ada, "At noon?", 0, senderDisplayName="Ada", metadata={"k": "v"}, editedOn=NOON.format(30))
    html = record(bob, "<b>Yes</b><script>1</script>", 1, type="html")
    assert room.add(0, first, html).json["reached"] == 2
    gone = {"sender": bob.id, "createdOn": NOON.format(2), "deletedOn": NOON.format(3)}
    assert room.add(2, gone).json == room.ask("GET").json
    done = room.ask("POST", "/:finish", {"participants": [{"id": ada.id, "displayName": "Ada"}, {"id": bob.id}]})
    assert (done.status, done.json["reached"], "finishedOn" in done.json) == (200, 3, True)
    assert "invalidParticipants" not in done.json
    found = [each for page in pages(bob, f"{thread}/messages?maxPageSize=1") for each in page]
    assert [(each["content"]["message"], each["type"]) for each in found] == [
        ("At noon?", "text"),
        ("", "text"),
        ("<b>Yes</b>", "html"),
    ]
    assert [each["createdOn"][-3:] for each in found] == ["00Z", "02Z", "01Z"]
    assert (found[0]["senderDisplayName"], found[0]["metadata"]) == ("Ada", {"k": "v"})
    assert ada.ask("GET", thread).json["createdOn"] == "2024-05-01T12:00:00Z"
    assert [each["unreadCount"] for each in ada.ask("GET", "/chat/inbox").json["value"]][-1] == 0


def test_whoever_cannot_take_part_is_named(world: World) -> None:
    room = Room(world)
    room.begun()
    done = room.ask("POST", "/:finish", {"participants": [{"id": world.ada.id}, {"id": world.foreign.id}]})
    assert [(each["target"], each["code"]) for each in done.json["invalidParticipants"]] == [(world.foreign.id, "403")]


def test_what_makes_no_sense_is_refused_in_words(world: World) -> None:
    room, ada = Room(world), world.ada
    refused(room.add(0), 404)
    refused(room.ask("PUT", "", {}))
    refused(room.ask("PUT", "", {"topic": "Lunch", "createdBy": "Ada"}))
    refused(room.ask("PUT", "", {"topic": "Lunch", "threadId": "room"}))
    assert "takes no history" in refused(room.ask("PUT", "", {"topic": "Lunch", "threadId": world.thread[14:]}), 409)
    refused(world.client.call("PUT", "/trusted/imports/a%20room", {"topic": "Lunch"}))
    room.begun()
    good = record(ada, "x", 0)
    for bad in (
        {"content": "x", "createdOn": NOON.format(0)},
        {"sender": ada.id, "createdOn": NOON.format(0)},
        {"sender": ada.id, "content": "x"},
        record(ada, "x", 0, createdOn="noon"),
        record(ada, "x", 0, type="picture"),
        record(ada, "x", 0, metadata={"k": "v" * 1_025}),
        record(ada, "x", 0, senderDisplayName="x" * 257),
        record(ada, "a\0b", 0),
        record(ada, "x", 0, deletedOn="2024-04-01T12:00:00Z"),
        record(ada, "x", 0, createdOn="2924-04-01T12:00:00Z"),
    ):
        assert refused(room.add(0, good, bad)).startswith("Record 2: "), bad
    assert refused(room.add(0, record(ada, "x" * 28_673, 0)), 413).startswith("Record 1: ")
    malformed: list[Any] = [
        b"{",
        {"after": -1, "records": []},
        {"records": []},
        {"after": 0},
        {"after": 0, "records": [1]},
    ]
    for body in malformed:
        refused(room.ask("POST", "/:records", body))
    assert "only 0 are in" in refused(room.add(5, good), 409)
    assert room.add(0, good).json["reached"] == 1
    adding = {"participants": [{"user": ada.id}]}
    there = f"/trusted/threads/{room.ask('GET').json['threadId']}/participants/:add"
    assert "finish the import" in refused(world.client.call("POST", there, adding), 409)
    unfinished: list[Any] = [{}, {"participants": [{}]}, {"participants": [{"id": "Ada"}]}]
    for body in unfinished:
        refused(room.ask("POST", "/:finish", body))
    assert room.ask("DELETE").status == 204
    refused(room.ask("GET"), 404)


def test_a_batch_may_be_large_and_not_larger_than_that(world: World) -> None:
    room = Room(world)
    room.begun()
    text = "x" * 2_000
    assert room.add(0, *(record(world.ada, text, 0) for _ in range(480))).json["reached"] == 480
    refused(room.add(480, *(record(world.ada, text * 2, 0) for _ in range(480))), 413)
