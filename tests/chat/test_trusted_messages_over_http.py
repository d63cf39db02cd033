"""Messages of the trusted server over HTTP: how they look, to it and to members, and what is refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.chat.test_trusted_over_http import call, trusted
from tests.support.chat_world import World, refused


def messages(world: World) -> str:
    return f"{trusted(world)}/messages"


def pages(world: World, target: str) -> Iterator[list[dict[str, Any]]]:
    """By following each nextLink as it is."""
    while target:
        page = call(world, "GET", target)
        assert page.status == 200, page
        yield page.json["value"]
        link = urlsplit(page.json.get("nextLink", ""))
        target = f"{link.path}?{link.query}" if link.path else ""


def test_messages_are_shown_with_who_caused_them(world: World) -> None:
    added, topic, hello = call(world, "GET", f"{messages(world)}?order=asc").json["value"]
    times = [each.pop("createdOn") for each in (added, topic, hello)]
    assert all(each.endswith("Z") for each in times)
    since = "1970-01-01T00:00:00Z"
    assert added == {
        "id": added["id"], "type": "participantAdded", "sequenceId": "1", "version": added["id"],
        "sender": world.ada.id,
        "participants": [{"user": each.id, "shareHistoryTime": since} for each in (world.ada, world.bob)],
    }  # fmt: skip
    assert (topic["topic"], topic["sender"], "content" in topic) == ("Lunch", world.ada.id, False)
    assert hello == {
        "id": world.message, "type": "text", "sequenceId": "3", "version": world.message, "sender": world.ada.id,
        "senderDisplayName": "", "content": "Hello", "metadata": {"k": "v"},
    }  # fmt: skip
    shown = call(world, "GET", f"{messages(world)}/{world.message}").json
    assert shown == {**hello, "createdOn": times[2]}


def test_both_orders_go_on_by_their_links_and_by_no_others(world: World) -> None:
    ids = [world.ada.send(world.thread, f"m{number}") for number in range(6)]
    world.ada.ask("PATCH", f"{world.thread}/messages/{ids[0]}", {"content": "again"})
    newest = list(pages(world, f"{messages(world)}?maxPageSize=2"))
    upward = list(pages(world, f"{messages(world)}?maxPageSize=2&order=asc&startTime=1970-01-01T00:00:00Z"))
    assert [len(page) for page in (*newest, *upward)] == [2, 2, 2, 2, 1] * 2
    versions = [int(each["version"]) for page in newest for each in page]
    assert versions == sorted(versions, reverse=True)
    assert newest[0][0]["id"] == ids[0]
    assert [each["id"] for page in upward for each in page][3:] == ids
    link = call(world, "GET", f"{messages(world)}?maxPageSize=2").json["nextLink"]
    assert "order" not in link
    target = f"{urlsplit(link).path}?{urlsplit(link).query}"
    assert "nextLink of this list" in refused(call(world, "GET", f"{target}&order=asc"))


def test_a_message_is_sent_under_a_name_and_members_see_who_it_is_from(world: World) -> None:
    sent = call(world, "POST", messages(world), {"content": "Closed from noon on", "senderDisplayName": "The house"})
    assert sent.status == 201
    id = sent.json["id"]
    assert urlsplit(sent.headers["location"]).path.endswith(
        f"/trusted/threads/{world.thread.rpartition('/')[2]}/messages/{id}"
    )
    [newest] = world.bob.ask("GET", f"{world.thread}/messages?maxPageSize=1").json["value"]
    raw_id = f"{world.ada.id.partition('_')[0]}_00000000-0000-0000-0000-000000000000"
    assert newest == {
        "id": id, "type": "text", "sequenceId": "4", "version": id,
        "content": {"message": "Closed from noon on", "attachments": []},
        "senderDisplayName": "The house", "createdOn": newest["createdOn"],
        "senderCommunicationIdentifier": {"rawId": raw_id, "communicationUser": {"id": raw_id}},
    }  # fmt: skip
    # No member is its sender, and nobody can become it.
    refused(world.ada.ask("PATCH", f"{world.thread}/messages/{id}", {"content": "open"}), 403)
    assert call(world, "POST", f"/identities/{raw_id}/:issueAccessToken?api-version=2023-10-01",
                {"scopes": ["chat"]}).status == 404  # fmt: skip


def test_what_is_redacted_shows_nothing_to_anybody(world: World) -> None:
    [topic] = [each["id"] for each in world.ada.ask("GET", f"{world.thread}/messages").json["value"]
               if each["type"] == "topicUpdated"]  # fmt: skip
    assert "topic the thread has now" in refused(call(world, "POST", f"{messages(world)}/{topic}/:redact"), 409)
    assert call(world, "PATCH", trusted(world), {"topic": "Dinner"}).status == 204
    for id in (world.message, topic):
        assert call(world, "POST", f"{messages(world)}/{id}/:redact").status == 204
    redacted = world.bob.ask("GET", f"{world.thread}/messages?maxPageSize=2").json["value"]
    assert [(each["id"], each["content"].get("message"), each["content"].get("topic")) for each in redacted] == [
        (topic, None, ""), (world.message, "", None),
    ]  # fmt: skip
    assert all("deletedOn" in each and "metadata" not in each for each in redacted)
    shown = str(world.state())
    assert "Hello" not in shown
    assert "Lunch" not in shown


def test_what_it_deletes_is_gone_for_members(world: World) -> None:
    assert call(world, "DELETE", f"{messages(world)}/{world.message}").status == 204
    shown = world.bob.ask("GET", f"{world.thread}/messages/{world.message}").json
    assert (shown["content"]["message"], "deletedOn" in shown) == ("", True)
    system = call(world, "GET", f"{messages(world)}?order=asc&maxPageSize=1").json["value"][0]["id"]
    assert "nobody what the system says" in refused(call(world, "DELETE", f"{messages(world)}/{system}"), 403)


@pytest.mark.parametrize(
    "query",
    ["order=up", "order=", "startTime=noon", "maxPageSize=0", "syncState=AAAA", f"syncState={'A' * 32}", "syncState="],
)
def test_a_bad_question_is_refused_in_words(world: World, query: str) -> None:
    assert refused(call(world, "GET", f"{messages(world)}?{query}"))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content": "c"},
        {"content": "c", "senderDisplayName": ""},
        {"senderDisplayName": "n"},
        {"content": "", "senderDisplayName": "n"},
        {"content": "c\0", "senderDisplayName": "n"},
        {"content": "c", "senderDisplayName": "n\0"},
        {"content": "c", "senderDisplayName": "n" * 257},
        {"content": "c", "senderDisplayName": "n", "type": "topicUpdated"},
        {"content": "c", "senderDisplayName": "n", "metadata": {"k": 5}},
        {"content": "c", "senderDisplayName": "n", "metadata": {"k": "\0"}},
        {"content": "c", "senderDisplayName": "\ud800"},
        b"{",
        b"[]",
        b"",
    ],
    ids=repr,
)
def test_a_bad_message_is_refused_in_words(world: World, body: Any) -> None:
    before = world.state()
    assert refused(call(world, "POST", messages(world), body))
    assert world.state() == before


def test_a_bad_id_is_refused_in_words(world: World) -> None:
    for method, part in (("GET", ""), ("DELETE", ""), ("POST", "/:redact")):
        assert "MessageId" in refused(call(world, method, f"{messages(world)}/none{part}"))
        refused(call(world, method, f"{messages(world)}/1600000000000{part}"), 404)
        assert "thread id" in refused(call(world, method, f"/trusted/threads/none/messages/{world.message}{part}"))
