"""Pushes: spelled once, good for every recipient, and read alike by browsers and phones."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from watchword.wire import realtime_events as wire

THREAD = "19:acsV1_x1@thread.v2"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def _read(push: wire.Push, id: int = 7, recipient: bytes = b"acs:R_2") -> tuple[dict[str, Any], dict[str, Any]]:
    text = push.frame(id, b"/v4/f/abc/", recipient).decode()
    assert text.startswith("3:::")
    frame = json.loads(text[4:])
    return frame, json.loads(frame["body"])


def _facts(**more: Any) -> wire.MessageFacts:
    known: dict[str, Any] = {
        "id": "1636001350674",
        "version": "1636001350675",
        "sender": "acs:R_1",
        "sender_name": "First participant",
        "is_html": False,
        "created_millis": 1_636_001_350_674,
        "content": "hello",
        "metadata": '{"tags":"tag1"}',
        "changed_millis": 1_636_001_350_675,
    }
    return wire.MessageFacts(**(known | more))


def test_the_worked_example_is_spelled_as_it_stands_in_the_contract() -> None:
    """Source: chat.md section 8.3; member order is free."""
    frame, body = _read(wire.message_pushed(wire.RECEIVED, THREAD, _facts(version="1636001350674"), transaction="t"))
    assert (frame["id"], frame["method"]) == (7, "POST")
    assert frame["url"] == "/v4/f/abc/chatMessageReceived"
    assert body == {
        "eventId": 200,
        "senderId": "8:acs:R_1",
        "recipientId": "8:acs:R_2",
        "recipientMri": "8:acs:R_2",
        "transactionId": "t",
        "groupId": THREAD,
        "messageId": "1636001350674",
        "collapseId": "",
        "messageType": "Text",
        "messageBody": "hello",
        "senderDisplayName": "First participant",
        "clientMessageId": "",
        "originalArrivalTime": "2021-11-04T04:49:10.674Z",
        "priority": "",
        "version": "1636001350674",
        "acsChatMessageMetadata": '{"tags":"tag1"}',
        "attachments": "[]",
    }


def test_what_was_deleted_has_no_body_and_what_was_edited_says_when() -> None:
    _, deleted = _read(wire.message_pushed(wire.DELETED, THREAD, _facts(), transaction="t"))
    assert (deleted["eventId"], deleted["deletetime"]) == (248, "2021-11-04T04:49:10.675Z")
    assert {"messageBody", "acsChatMessageMetadata"}.isdisjoint(deleted)
    _, edited = _read(wire.message_pushed(wire.EDITED, THREAD, _facts(is_html=True), transaction="t"))
    assert (edited["edittime"], edited["messageType"]) == ("2021-11-04T04:49:10.675Z", "RichText/Html")


@given(text=TEXTS, name=TEXTS)
def test_any_text_comes_through_a_message(text: str, name: str) -> None:
    _, body = _read(wire.message_pushed(wire.RECEIVED, THREAD, _facts(content=text, sender_name=name), transaction="t"))
    assert (body["messageBody"], body["senderDisplayName"]) == (text, name)


@given(topic=TEXTS, name=TEXTS)
def test_a_json_text_within_is_the_same_with_and_without_unescaping(topic: str, name: str) -> None:
    by = wire.Participant(subject="acs:R_1", display_name=name, history_millis=5, metadata=json.dumps({"k": name}))
    properties = wire.Properties(topic=topic, metadata=json.dumps({"m": topic}), retention_days=30)
    push = wire.thread_created(THREAD, by, [by], properties=properties, millis=5, version="5", transaction="t")
    _, body = _read(push)
    for member in ("createdBy", "members", "properties"):
        assert "%" not in body[member]
        assert json.loads(unquote(body[member])) == json.loads(body[member])
    assert json.loads(body["properties"])["topic"] == topic
    assert json.loads(body["createdBy"])["displayName"] == name
    [member] = json.loads(body["members"])
    assert (member["participantId"], member["shareHistoryTime"]) == ("8:acs:R_1", 5)
    assert "recipientMri" not in body


def test_a_retention_deletes_and_nobody_did() -> None:
    push = wire.thread_deleted(THREAD, None, millis=5, version="5", created_millis=1, transaction="t")
    _, body = _read(push)
    assert (body["reason"], "deletedBy" in body) == ("deletedByPolicy", False)
