"""Exports over HTTP: JSON lines, and a header that leads on."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.chat.test_trusted_over_http import call, trusted
from tests.support.chat_world import World, refused


def exported(world: World, target: str) -> tuple[list[dict[str, Any]], int]:
    """Every line of all pages, and how many pages there were."""
    lines: list[dict[str, Any]] = []
    pages = 0
    while target:
        page = call(world, "GET", target)
        assert page.status == 200, page
        assert page.headers["content-type"] == "application/x-ndjson"
        assert page.body == b"" or page.body.endswith(b"\n")
        lines += [json.loads(line) for line in page.body.splitlines()]
        pages += 1
        link = re.fullmatch(r'<(https?://[^>]+)>; rel="next"', page.headers.get("link", ""))
        parts = urlsplit(link[1] if link else "")
        target = f"{parts.path}?{parts.query}" if link else ""
    return lines, pages


def test_a_thread_is_exported_as_lines_and_the_same_in_small_pages(world: World) -> None:
    world.bob.ask("POST", f"{world.thread}/readReceipts", {"chatMessageId": world.message})
    lines, _ = exported(world, f"{trusted(world)}/export")
    id = world.thread.rpartition("/")[2]
    assert [each["kind"] for each in lines] == [
        "thread", "participant", "participant", "message", "message", "message", "receipt",
    ]  # fmt: skip
    about, ada, _, added, topic, hello, receipt = lines
    assert about == {
        "kind": "thread", "id": id, "topic": "Lunch", "createdOn": about["createdOn"], "createdBy": world.ada.id,
        "metadata": {"k": "v"},
    }  # fmt: skip
    since = "1970-01-01T00:00:00.000Z"
    assert ada == {"kind": "participant", "thread": id, "user": world.ada.id, "shareHistoryTime": since}
    assert [each["user"] for each in added["participants"]] == [world.ada.id, world.bob.id]
    assert topic["topic"] == "Lunch"
    assert hello == {
        "kind": "message", "thread": id, "id": world.message, "type": "text", "sequenceId": "3",
        "version": world.message, "sender": world.ada.id, "senderDisplayName": "", "content": "Hello",
        "metadata": {"k": "v"}, "createdOn": hello["createdOn"],
    }  # fmt: skip
    assert hello["createdOn"].endswith(f".{world.message[-3:]}Z")
    assert receipt == {
        "kind": "receipt", "thread": id, "user": world.bob.id, "messageId": world.message, "readOn": receipt["readOn"],
    }  # fmt: skip
    again, pages = exported(world, f"{trusted(world)}/export?maxPageSize=1")
    assert (again, pages > len(lines)) == (lines, True)


def test_a_user_is_exported_by_an_id_that_is_encoded_or_not(world: World) -> None:
    for id in (world.bob.id, quote(world.bob.id, safe="")):
        lines, _ = exported(world, f"/trusted/users/{id}/export")
        assert [each["kind"] for each in lines] == ["thread", "participant"]
        assert lines[1]["user"] == world.bob.id
    made = call(world, "PUT", f"{trusted(world)}/restrictions/{world.bob.id}", {"kind": "mute"}).json
    [*_, muted], _ = exported(world, f"/trusted/users/{world.bob.id}/export")
    thread = world.thread.rpartition("/")[2]
    assert (muted["since"][:19] + "Z", muted.pop("since")[-1]) == (made["since"], "Z")
    assert muted == {"kind": "restriction", "user": world.bob.id, "restriction": "mute", "thread": thread}
    [*_, said], _ = exported(world, f"/trusted/users/{world.ada.id}/export")
    assert (said["kind"], said["content"], said["thread"]) == ("message", "Hello", world.thread.rpartition("/")[2])
    assert exported(world, f"/trusted/users/{world.stranger.id}/export")[0] == []


@pytest.mark.parametrize(
    "query", ["maxPageSize=0", "maxPageSize=x", "syncState=", "syncState=AAAA", "syncState=" + 43 * "A"]
)
def test_a_bad_question_is_refused_in_words(world: World, query: str) -> None:
    for target in (f"{trusted(world)}/export", f"/trusted/users/{world.ada.id}/export"):
        assert refused(call(world, "GET", f"{target}?{query}"))


def test_a_link_is_of_one_export(world: World) -> None:
    page = call(world, "GET", f"/trusted/users/{world.ada.id}/export?maxPageSize=1")
    link = urlsplit(page.headers["link"][1:].partition(">")[0])
    other = link.path.replace(quote(world.ada.id, safe=":@"), world.bob.id)
    assert other != link.path
    refused(call(world, "GET", f"{other}?{link.query}"))


def test_a_bad_id_is_refused_in_words(world: World) -> None:
    assert "thread id is not valid" in refused(call(world, "GET", "/trusted/threads/none/export"))
    assert "Identifier format is invalid" in refused(call(world, "GET", "/trusted/users/ada/export"))
    assert "not supported" in refused(call(world, "GET", "/trusted/users/28:bot/export"))
