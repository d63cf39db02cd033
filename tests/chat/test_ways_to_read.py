"""Whichever way somebody looks at a thread, they see the same messages of it, as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.chat.scenes import BACK, MEMBER, NEVER, REMOVED, Cast, Scene
from tests.support.chat_users import ChatUser, pages
from tests.support.data import OtherResource
from tests.support.operations import all_operations
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.settings import Settings
from watchword.testing import RunningServer
from watchword.wire import chat as wire
from watchword.wire import inbox

WAYS = {wire.LIST_MESSAGES, wire.GET_MESSAGE, inbox.LIST_INBOX}
"""Operations that give messages away. Whoever adds one shows here that it gives away the same."""

UNSEEN = {
    MEMBER: {"before history"},
    BACK: {"before history"},
    REMOVED: {"before history", "after removal", "changed after removal"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(Settings(request_log=False, tls=False, synchronous="OFF")) as running:
        yield running


@pytest.fixture(scope="module")
def cast(server: RunningServer, other: OtherResource) -> Iterator[Cast]:
    with SignedClient(server) as client:
        yield Cast(client, server, other)


@pytest.fixture(scope="module")
def scene(cast: Cast) -> Scene:
    made = cast.scene()
    for each in (MEMBER, BACK):
        user = cast.users[each]
        assert user.ask("POST", f"{made.path}/readReceipts", _read(made.messages[each]["another's"])).status == 200
    return made


def _read(id: str) -> dict[str, str]:
    return {"chatMessageId": id}


def listed(user: ChatUser, scene: Scene, query: str) -> list[dict[str, Any]]:
    return [item for page in pages(user, f"{scene.path}/messages{query}") for item in page]


def test_no_other_operation_gives_messages_away() -> None:
    giving = {
        each
        for each in all_operations()
        if each.path.startswith("/chat")
        and any("MessageBody" in msgspec.json.schema(body.shape).get("$defs", {}) for body in each.gives)
    }
    assert giving == WAYS


@pytest.mark.parametrize("membership", UNSEEN)
def test_list_page_get_receipt_edit_and_deletion_see_the_same(cast: Cast, scene: Scene, membership: str) -> None:
    user = cast.users[membership]
    every = {each["id"] for each in listed(cast.ada, scene, "?maxPageSize=200")}
    seen = {each["id"]: each for each in listed(user, scene, "")}
    assert seen.keys() < every
    assert every - seen.keys() >= {scene.messages[membership][kind] for kind in UNSEEN[membership]}
    kinds = {kind for kind, id in scene.messages[membership].items() if id in seen}
    assert kinds == scene.messages[membership].keys() - UNSEEN[membership] - {"unknown"}
    for query in ("?maxPageSize=1", "?maxPageSize=3", "?maxPageSize=200", "?startTime=1970-01-01T00:00:00Z"):
        assert [each["id"] for each in listed(user, scene, query)] == list(seen)
    nothing = user.ask("GET", f"{scene.path}/messages/{scene.messages[membership]['unknown']}")
    for id in every:
        target = f"{scene.path}/messages/{id}"
        one = user.ask("GET", target)
        assert one.json == seen.get(id, nothing.json), "what is not seen is as if it were not there"
        own = seen.get(id, {}).get("senderCommunicationIdentifier", {}).get("rawId") == user.id
        statuses = [user.ask("POST", f"{scene.path}/readReceipts", _read(id)).status]
        if not own:
            statuses += [user.ask("PATCH", target, {"content": "c"}).status, user.ask("DELETE", target).status]
        if membership == REMOVED:
            assert set(statuses) == {403}
        elif id in seen:
            assert statuses == ([200] if own else [200, 403, 403])
        else:
            assert set(statuses) == {404}


@pytest.mark.parametrize("membership", UNSEEN)
def test_the_inbox_shows_the_last_message_that_is_seen(cast: Cast, scene: Scene, membership: str) -> None:
    user = cast.users[membership]
    seen = {each["id"]: each for each in listed(user, scene, "")}
    [item] = [each for page in pages(user, "/chat/inbox") for each in page if scene.path.endswith(each["id"])]
    assert item["lastMessage"] == seen[max(seen, key=int)]
    assert item["membership"] == ("past" if membership == REMOVED else "current")


def test_receipts_name_no_message_that_is_not_seen(cast: Cast, scene: Scene) -> None:
    every = cast.ada.ask("GET", f"{scene.path}/readReceipts").json["value"]
    assert len(every) == 2
    for membership in UNSEEN:
        user = cast.users[membership]
        seen = {each["id"] for each in listed(user, scene, "")}
        receipts = user.ask("GET", f"{scene.path}/readReceipts").json["value"]
        assert receipts == [each for each in every if each["chatMessageId"] in seen and membership != REMOVED]


def test_a_stranger_sees_nothing_in_any_way(cast: Cast, scene: Scene) -> None:
    stranger = cast.users[NEVER]
    id = scene.messages[NEVER]["another's"]
    for part in ("", "/messages", f"/messages/{id}", "/participants", "/readReceipts"):
        assert stranger.ask("GET", f"{scene.path}{part}").status == 403
    assert stranger.ask("GET", "/chat/threads").json["value"] == []
