"""Whatever somebody with an access key sends to the trusted server is answered or refused, and breaks nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.chat.matrix import TRUSTED_ROWS
from tests.support.chat_world import World
from watchword.wire.operations import Operation

PARTS = (
    "%00",
    "%20",
    "%2F",
    "8:acs:",
    "8%3Aacs%3A",
    "19:acsV1_%00@thread.v2",
    "99999999999999999999999",
    "%F0%9F%98%80",
    "%FF",
    "-1",
    "a" * 3_000,
)
BODIES: tuple[Any, ...] = (
    b"",
    b"\xff",
    b"[" * 5_000,
    {},
    [],
    {"topic": "\0", "frozen": 7, "kind": "ban", "until": "9999-12-31T23:59:59Z", "user": "\0", "participants": [1]},
    {"kind": "mute", "until": "0001-01-01T00:00:00Z", "topic": "\ud800", "user": "8:acs:\ud800"},
    {"kind": "ban", "until": "9" * 400, "participants": [{"user": "8:acs:x", "metadata": {"k": "\0"}}]},
    {"participants": [{"user": "8:orgid:x", "displayName": "x" * 9_999}], "content": "\0", "senderDisplayName": "\0"},
)
QUERIES = (
    "maxPageSize=99999999999999999999",
    "maxPageSize=%00",
    "syncState=%00",
    "syncState=" + "_" * 300,
    "activeSince=0001-01-01T00:00:00%2B14:00",
    "activeSince=9999-12-31T23:59:59-14:00",
    "startTime=%00",
    "member=8:acs:%00",
    "topicPrefix=%F4%8F%BF%BF",
    "topicPrefix=" + "%F0%9F%98%80" * 1_100,
    "former=%00",
    "order=%00",
)


@pytest.mark.parametrize("operation", TRUSTED_ROWS, ids=lambda each: each.id)
def test_hostile_questions_are_answered_or_refused(world: World, operation: Operation) -> None:
    good = {"chatThreadId": world.thread.rpartition("/")[2], "userId": world.bob.id, "chatMessageId": world.message}
    names = re.findall(r"\{(\w+)\}", operation.path)
    asked = [(good | {name: part}, "", BODIES[3]) for name in names for part in PARTS]
    asked += [(good, "", body) for body in BODIES] + [(good, query, b"") for query in QUERIES]
    broken = []
    for parts, query, body in asked:
        path = re.sub(r"\{(\w+)\}", lambda found, parts=parts: parts.get(found[1], "x"), operation.path)  # type: ignore[misc]
        reply = world.client.call(operation.method, f"{path}?{query}", body)
        if reply.status >= 500:
            broken.append((path[:200], query[:60], body, reply.status))
    assert broken == []
