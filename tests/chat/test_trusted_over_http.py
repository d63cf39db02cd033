"""What an application's server asks of chats over HTTP, signed with an access key."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.support.chat_users import new_user
from tests.support.chat_world import World, refused
from tests.support.signed import Reply


def call(world: World, method: str, target: str, body: Any = None) -> Reply:
    return world.client.call(method, target, b"" if body is None else body)


def trusted(world: World) -> str:
    """The path of the world's thread, as the trusted server knows it."""
    return world.thread.replace("/chat/", "/trusted/", 1)


def test_a_thread_is_shown_with_what_is_in_it(world: World) -> None:
    found = call(world, "GET", trusted(world))
    assert found.status == 200, found
    created, last = found.json.pop("createdOn"), found.json.pop("lastMessageOn")
    shown = found.json
    assert created.endswith("Z")
    assert last.endswith("Z")
    assert shown == {
        "id": world.thread.rpartition("/")[2],
        "topic": "Lunch",
        "createdOn": created,
        "createdBy": world.ada.id,
        "participantCount": 2,
        "messageCount": 3,
        "contentBytes": shown["contentBytes"],
        "lastMessageOn": last,
        "metadata": {"k": "v"},
    }


def test_a_list_goes_on_by_its_links_and_by_no_others(world: World) -> None:
    eve = new_user(world.client)
    threads = [eve.new_thread(topic=f"Of Eve, {number}").rpartition("/")[2] for number in range(5)]
    target = f"/trusted/threads?member={quote(eve.id)}&maxPageSize=2"
    found: list[str] = []
    links = []
    while target:
        page = call(world, "GET", target)
        assert page.status == 200, page
        found += [each["id"] for each in page.json["value"]]
        link = urlsplit(page.json.get("nextLink", ""))
        target = f"{link.path}?{link.query}" if link.path else ""
        links.append(target)
    assert found == threads[::-1]
    assert len(links) == 3
    other = links[0].replace(quote(eve.id, safe=""), quote(world.ada.id, safe=""))
    assert other != links[0]
    assert "nextLink of this list" in refused(call(world, "GET", other))


def test_a_topic_that_goes_on_at_any_letter_is_paged_through(world: World) -> None:
    eve = new_user(world.client)
    for number in range(3):
        eve.new_thread(topic=f"Ünï & +% {number} {'😀' * 40}")
    target = f"/trusted/threads?topicPrefix={quote('Ünï & +% ')}&maxPageSize=1"
    found = []
    while target:
        page = call(world, "GET", target).json
        found += [each["topic"][9] for each in page["value"]]
        link = urlsplit(page.get("nextLink", ""))
        target = f"{link.path}?{link.query}" if link.path else ""
    assert found == ["0", "1", "2"]


@pytest.mark.parametrize(
    "query",
    [
        "activeSince=yesterday",
        "maxPageSize=0",
        "maxPageSize=many",
        "syncState=AAAA",
        f"syncState={'A' * 208}",
        f"syncState={'A' * 5000}",
        "member=ada",
        "member=",
        "member=28:bot",
        "topicPrefix=%00",
    ],
)
def test_a_bad_question_is_refused_in_words(world: World, query: str) -> None:
    assert refused(call(world, "GET", f"/trusted/threads?{query}"))


@pytest.mark.parametrize(
    "body", [{}, {"topic": None}, {"topic": 5}, {"frozen": "yes"}, {"topic": ""}, {"topic": "x" * 1_001}, b"{", b"[]"]
)
def test_a_bad_change_is_refused_in_words(world: World, body: Any) -> None:
    before = world.state()
    assert refused(call(world, "PATCH", trusted(world), body))
    assert world.state() == before


def test_a_bad_id_is_refused_in_words(world: World) -> None:
    for method, body in (("GET", None), ("PATCH", {"topic": "t"}), ("DELETE", None)):
        assert "thread id is not valid" in refused(call(world, method, "/trusted/threads/none", body))


def test_another_topic_is_told_to_members_as_the_doing_of_the_trusted_server(world: World) -> None:
    assert call(world, "PATCH", trusted(world), {"topic": "Dinner"}).status == 204
    [newest] = world.bob.ask("GET", f"{world.thread}/messages?maxPageSize=1").json["value"]
    raw_id = f"{world.ada.id.partition('_')[0]}_00000000-0000-0000-0000-000000000000"
    by = {"rawId": raw_id, "communicationUser": {"id": raw_id}}
    assert newest["type"] == "topicUpdated"
    assert newest["content"] == {"topic": "Dinner", "initiatorCommunicationIdentifier": by}


def test_participants_come_and_go(world: World) -> None:
    path = f"{trusted(world)}/participants"
    eve = new_user(world.client)
    entry = {"user": eve.id, "displayName": "Eve", "metadata": {"k": "v"}, "shareHistoryTime": "2026-01-01T00:00:00Z"}
    foreign = {"user": world.foreign.id}
    added = call(world, "POST", f"{path}/:add", {"participants": [entry, foreign]})
    assert (added.status, [each["target"] for each in added.json["invalidParticipants"]]) == (201, [world.foreign.id])
    shown = call(world, "GET", path).json["value"]
    assert [each["user"] for each in shown] == [world.ada.id, world.bob.id, eve.id]
    assert shown[2] == entry
    assert call(world, "POST", f"{path}/:remove", {"user": eve.id}).status == 204
    assert len(call(world, "GET", path).json["value"]) == 2
    found: dict[str, Any] = {}
    target = f"{path}?former=true&maxPageSize=2"
    while target:
        page = call(world, "GET", target).json
        found |= {each["user"]: each for each in page["value"]}
        link = urlsplit(page.get("nextLink", ""))
        target = f"{link.path}?{link.query}" if link.path else ""
    assert found.keys() == {world.ada.id, world.bob.id, eve.id}
    assert found[eve.id]["removedOn"].endswith("Z")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"participants": None},
        {"participants": [{}]},
        {"participants": [{"user": "eve"}]},
        {"participants": [{"user": None}]},
        {"participants": [{"user": "8:acs:x", "shareHistoryTime": "now"}]},
        {"user": "28:bot"},
        b"",
    ],
)
def test_bad_participants_are_refused_in_words(world: World, body: Any) -> None:
    for verb in (":add", ":remove"):
        assert refused(call(world, "POST", f"{trusted(world)}/participants/{verb}", body))
    assert refused(call(world, "GET", f"{trusted(world)}/participants?former=perhaps"))


def test_a_thread_is_deleted(world: World) -> None:
    assert call(world, "DELETE", trusted(world)).status == 204
    assert world.ada.ask("GET", world.thread).status == 404
    refused(call(world, "DELETE", trusted(world)), 404)
