"""Bodies that broken clients send to chat: a right status, a sentence, never a 5xx, and nothing is changed."""

import json

import pytest

from tests.support.chat_users import ChatUser, participant
from tests.support.chat_world import World, refused, writes
from tests.support.signed import SignedClient

GUID = "00000000-0000-4000-8000-000000000000"
SURROGATE = b'"\\ud800"'

ODD_TEXTS = [
    "\u202e\u2066bidi",
    "\ufeff",
    "\u200d" * 10,
    "é" * 10,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\x01\x1b",
    "\r\n",
    "\uffff",
]
BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"1",
    b"\xff\xfe",
    b"\0",
    b'{"topic":' + SURROGATE + b',"content":' + SURROGATE + b',"chatMessageId":' + SURROGATE + b"}",
    b'{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    b'{"topic":{"a":1},"content":{"a":1},"participants":1,"rawId":1,"chatMessageId":1,"senderDisplayName":1}',
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: str(body[:12]))
def test_a_body_that_is_none_is_refused_and_changes_nothing(world: World, body: bytes) -> None:
    before = world.state()
    for method, target, _ in writes(world):
        if not (target.endswith("/typing") and body == b""):
            refused(world.ada.ask(method, target, body))
    assert world.state() == before


def test_a_wrong_type_anywhere_is_refused_and_changes_nothing(world: World) -> None:
    before = world.state()
    for method, target, body in writes(world):
        for name in body:
            for wrong in (1, 1.5, True, ["x"], {"x": {"y": 1}}):
                if name == "communicationUser" and isinstance(wrong, dict):
                    # It is an object, of which nobody knows the member.
                    continue
                reply = world.ada.ask(method, target, {**body, name: wrong})
                refused(reply)
    assert world.state() == before


def test_null_where_something_is_needed_is_told_by_name(world: World) -> None:
    for method, target, body in writes(world):
        for name in ("topic", "content", "chatMessageId", "participants", "rawId"):
            if name in body and method == "POST" and (name, target) != ("participants", "/chat/threads"):
                sent = dict.fromkeys(body)
                assert name in refused(world.ada.ask(method, target, sent))


@pytest.mark.parametrize("text", ODD_TEXTS, ids=ascii)
def test_any_text_that_can_be_stored_comes_back_as_it_was_sent(world: World, text: str) -> None:
    sent = {"content": text, "senderDisplayName": text, "metadata": {text: text}}
    reply = world.ada.ask("POST", f"{world.thread}/messages", sent)
    assert reply.status == 201, reply
    found = world.bob.ask("GET", f"{world.thread}/messages/{reply.json['id']}").json
    assert (found["content"]["message"], found["senderDisplayName"], found["metadata"]) == (text, text, {text: text})
    assert world.ada.ask("PATCH", world.thread, {"topic": text, "metadata": {text: text}}).status == 204
    shown = world.bob.ask("GET", world.thread).json
    assert (shown["topic"], shown["metadata"][text]) == (text, text)


def test_a_nul_character_is_refused_everywhere(world: World) -> None:
    before = world.state()
    for method, target, body in writes(world):
        for name, value in body.items():
            if isinstance(value, str) and not value.startswith("8:"):
                refused(world.ada.ask(method, target, {**body, name: "a\0b"}))
            if name == "metadata":
                refused(world.ada.ask(method, target, {**body, name: {"a\0b": "v"}}))
                refused(world.ada.ask(method, target, {**body, name: {"k": "a\0b"}}))
    entry = participant(world.stranger.id, displayName="a\0b")
    refused(world.ada.ask("POST", f"{world.thread}/participants/:add", {"participants": [entry]}))
    assert world.state() == before


def test_text_is_measured_in_bytes_and_an_emoji_at_the_limit_fits(world: World) -> None:
    fitting = "\U0001f600" * 7_168
    assert len(fitting.encode()) == 28_672
    world.ada.send(world.thread, fitting)
    before = world.state()
    message = refused(world.ada.ask("POST", f"{world.thread}/messages", {"content": fitting + "x"}), 413)
    assert "28672" in message
    target = f"{world.thread}/messages/{world.message}"
    assert "28672" in refused(world.ada.ask("PATCH", target, {"content": fitting + "x"}), 413)
    assert world.state() == before


def test_the_largest_text_may_be_escaped_and_the_largest_batch_be_full(world: World) -> None:
    escaped = b'{"content":"' + b"\\u0041" * 28_672 + b'"}'
    assert world.ada.ask("POST", f"{world.thread}/messages", escaped).status == 201
    resource = world.ada.id.partition("_")[0]
    entries = [
        participant(f"{resource}_{GUID[:-3]}{at:03x}", displayName="\U0001f600" * 200, metadata={"k": "v" * 1_000})
        for at in range(200)
    ]
    reply = world.ada.ask("POST", f"{world.thread}/participants/:add", {"participants": entries})
    assert (reply.status, len(reply.json["invalidParticipants"])) == (201, 200)


def test_a_body_beyond_all_limits_is_refused_while_it_is_read(world: World) -> None:
    for target, size in (("/messages", 1_000_000), ("/participants/:add", 8_000_000), ("/typing", 70_000)):
        user = ChatUser(SignedClient(world.server), world.ada.id, world.ada.token)
        try:
            reply = user.ask("POST", f"{world.thread}{target}", b'{"x":"' + b"x" * size + b'"}')
            assert (reply.status, reply.json["error"]["code"]) == (413, "RequestEntityTooLarge")
        except (ConnectionResetError, BrokenPipeError):
            # It hung up before all was sent, which is as good.
            pass
        user.client.close()


def test_thousands_of_keys_of_metadata_are_refused(world: World) -> None:
    before = world.state()
    keys = {f"{at}": "" for at in range(5_000)}
    for method, target, body in writes(world):
        if "metadata" in body:
            assert "1024" in refused(world.ada.ask(method, target, {**body, "metadata": dict.fromkeys(keys, "v")}))
    assert world.state() == before


def test_a_refusal_of_any_body_is_json_without_a_charset(world: World) -> None:
    reply = world.ada.ask("GET", "/chat/threads/x")
    assert reply.headers["content-type"] == "application/json"
    assert json.loads(reply.body)["CommunicationError"] == {"Code": "BadRequest", "Details": []}
