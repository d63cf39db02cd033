"""Muting and banning over HTTP, and what users are told: in words, at the very next request."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.chat_users import ChatUser, identifier, new_user, participant
from tests.support.chat_world import World, refused, writes
from tests.support.signed import Reply
from watchword.wire import chat, inbox, realtime


def call(world: World, method: str, target: str, body: Any = None) -> Reply:
    return world.client.call(method, target, b"" if body is None else body)


def of_thread(world: World, user: ChatUser) -> str:
    return f"{world.thread.replace('/chat/', '/trusted/', 1)}/restrictions/{user.id}"


def everywhere(user: ChatUser) -> str:
    return f"/trusted/restrictions/{user.id}"


def later(world: World, **step: int) -> str:
    return (world.server.clock.now() + timedelta(**step)).isoformat(timespec="seconds").replace("+00:00", "Z")


def test_who_is_muted_is_told_where_and_until_when(world: World) -> None:
    until = later(world, hours=1)
    made = call(world, "PUT", of_thread(world, world.bob), {"kind": "mute", "until": until})
    assert made.status == 200, made
    thread = world.thread.rpartition("/")[2]
    since = made.json["since"]
    shown = {"user": world.bob.id, "kind": "mute", "chatThreadId": thread, "since": since, "until": until}
    assert made.json == shown
    assert call(world, "GET", of_thread(world, world.bob)).json == shown
    said = refused(world.bob.ask("POST", f"{world.thread}/messages", {"content": "c"}), 403)
    assert said.endswith(f"The user is muted, and may only read in this thread, until {until}.")
    assert world.bob.ask("GET", f"{world.thread}/messages").status == 200
    assert call(world, "PUT", everywhere(world.bob), {"kind": "mute"}).status == 200
    said = refused(world.bob.ask("POST", f"{world.thread}/typing"), 403)
    assert said.endswith("The user is muted, and may only read in all chats of the resource, until that is lifted.")
    for path in (everywhere(world.bob), of_thread(world, world.bob)):
        assert [call(world, "DELETE", path).status for _ in range(2)] == [204, 204]
        assert "neither muted nor banned" in refused(call(world, "GET", path), 404)
    world.bob.send(world.thread)


def test_a_frozen_thread_says_so(world: World) -> None:
    path = world.thread.replace("/chat/", "/trusted/", 1)
    assert call(world, "PATCH", path, {"frozen": True}).status == 204
    assert call(world, "GET", path).json["frozenOn"].endswith("Z")
    said = refused(world.ada.ask("POST", f"{world.thread}/messages", {"content": "c"}), 403)
    assert "The thread is frozen" in said
    assert call(world, "PATCH", path, {"frozen": False}).status == 204
    assert "frozenOn" not in call(world, "GET", path).json


def test_who_is_banned_everywhere_is_refused_by_every_operation_at_once(world: World) -> None:
    eve = new_user(world.client)
    world.ada.ask("POST", f"{world.thread}/participants/:add", {"participants": [participant(eve.id)]})
    assert call(world, "PUT", everywhere(eve), {"kind": "ban", "until": later(world, hours=1)}).status == 200
    parts = {"chatThreadId": world.thread.rpartition("/")[2], "chatMessageId": world.message}
    before = world.state()
    for operation in [*chat.OPERATIONS, inbox.LIST_INBOX]:
        said = refused(eve.ask(operation.method, operation.path.format(**parts), {}), 403)
        assert "The user is banned, and takes no part in all chats of the resource, until " in said, operation.id
    for method, target, body in writes(world):
        refused(eve.ask(method, target, body), 403)
    for operation in (realtime.CONFIG, realtime.ALLOCATE, realtime.BEGIN, realtime.REGISTER):
        target = operation.path.replace("{registrationId}", "e")
        refused(eve.ask(operation.method, f"{target}?epid=e", version=(operation.versions or (None,))[-1]), 403)
    assert world.state() == before
    assert call(world, "DELETE", everywhere(eve)).status == 204
    eve.send(world.thread)
    assert call(world, "PUT", everywhere(eve), {"kind": "ban", "until": later(world, minutes=1)}).status == 200
    refused(eve.ask("GET", world.thread), 403)
    world.server.clock.move(timedelta(minutes=2))
    assert eve.ask("GET", world.thread).status == 200


def test_who_is_banned_in_a_thread_is_in_it_no_more_and_reads_what_came_before(world: World) -> None:
    assert call(world, "PUT", of_thread(world, world.bob), {"kind": "ban"}).status == 200
    said = refused(world.bob.ask("POST", f"{world.thread}/messages", {"content": "c"}), 403)
    assert "Only a participant" in said
    assert world.bob.ask("GET", f"{world.thread}/messages/{world.message}").status == 200
    added = world.ada.ask("POST", f"{world.thread}/participants/:add", {"participants": [participant(world.bob.id)]})
    assert added.status == 201
    assert added.json["invalidParticipants"] == [
        {"target": world.bob.id, "code": "403", "message": "Permissions check failed"}
    ]
    members = world.ada.ask("GET", f"{world.thread}/participants").json["value"]
    assert [each["communicationIdentifier"] for each in members] == [identifier(world.ada.id)]


def test_a_list_goes_on_by_its_links(world: World) -> None:
    for user in (world.ada, world.bob):
        assert call(world, "PUT", of_thread(world, user), {"kind": "mute"}).status == 200
    path = of_thread(world, world.ada).rpartition("/")[0]
    page = call(world, "GET", f"{path}?maxPageSize=1").json
    link = page["nextLink"].partition(world.client.host)[2]
    more = call(world, "GET", link).json
    assert sorted(each["user"] for each in page["value"] + more["value"]) == sorted([world.ada.id, world.bob.id])
    assert "nextLink" not in more
    listed = call(world, "GET", "/trusted/restrictions?maxPageSize=200").json["value"]
    assert {world.ada.id, world.bob.id} <= {each["user"] for each in listed}
    refused(call(world, "GET", link.replace(path, "/trusted/restrictions")))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": None},
        {"kind": "shout"},
        {"kind": "mute", "until": "tomorrow"},
        {"kind": "mute", "until": 5},
        {"kind": "mute", "until": "2020-01-01T00:00:00Z"},
        b"",
        b"{",
    ],
)
def test_a_bad_restriction_is_refused_in_words(world: World, body: Any) -> None:
    assert refused(call(world, "PUT", everywhere(world.bob), body))
    assert refused(call(world, "PUT", of_thread(world, world.bob), body))
    assert call(world, "GET", everywhere(world.bob)).status == 404


@pytest.mark.parametrize(("user", "status"), [("bob", 400), ("28:bot", 400), ("%00", 400), ("foreign", 404)])
def test_somebody_who_cannot_be_restricted_is_refused_in_words(world: World, user: str, status: int) -> None:
    user = world.foreign.id if user == "foreign" else user
    for method, body in (("PUT", {"kind": "mute"}), ("GET", None), ("DELETE", None)):
        assert refused(call(world, method, f"/trusted/restrictions/{user}", body), status)
