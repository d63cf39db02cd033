"""Who is moderated: nobody makes us ask who may not say it, and who loses the right meanwhile says nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.chat_users import ChatUser, identifier, new_user
from tests.support.chat_world import refused
from tests.support.moderated_talk import INTO_A_THREAD, WAYS, Say, Talk, create
from tests.support.moderators import ALLOW, Answer, Moderator, Question
from tests.support.signed import SignedClient
from watchword.testing import RunningServer

Restrict = Callable[[SignedClient, Talk], None]


@pytest.mark.parametrize("way", WAYS)
def test_who_is_revoked_while_the_moderator_thinks_says_nothing(
    way: Say, moderated: tuple[Moderator, RunningServer], asked: Moderator, talk: Talk
) -> None:
    before = talk.said()
    mallory = talk.ada.with_token(talk.ada.client.new_token(talk.ada.id))

    def revoke(_: Question) -> Answer:
        with SignedClient(moderated[1]) as another:
            assert another.revoke(mallory.id).status == 204
        return ALLOW

    asked.answer = revoke
    refused(way(talk, mallory, "hello"), 401)
    asked.answer = lambda _: ALLOW
    talk.ada = talk.ada.with_token(talk.ada.client.new_token(talk.ada.id))
    assert talk.said() == before


@pytest.mark.parametrize("way", INTO_A_THREAD)
def test_who_is_removed_while_the_moderator_thinks_says_nothing(
    way: Say, moderated: tuple[Moderator, RunningServer], asked: Moderator, talk: Talk
) -> None:
    def remove(_: Question) -> Answer:
        with SignedClient(moderated[1]) as another:
            bob = ChatUser(another, talk.bob.id, talk.bob.token)
            reply = bob.ask("POST", f"{talk.thread}/participants/:remove", identifier(talk.ada.id))
            assert reply.status == 204
        return ALLOW

    asked.answer = remove
    refused(way(talk, talk.ada, "secretly"), 403)
    assert "secretly" not in str(talk.said())


def freeze(client: SignedClient, talk: Talk) -> None:
    assert client.call("PATCH", f"/trusted/threads/{talk.id}", {"frozen": True}).status == 204


def mute_there(client: SignedClient, talk: Talk) -> None:
    path = f"/trusted/threads/{talk.id}/restrictions/{talk.ada.id}"
    assert client.call("PUT", path, {"kind": "mute"}).status == 200


def mute_everywhere(client: SignedClient, talk: Talk) -> None:
    assert client.call("PUT", f"/trusted/restrictions/{talk.ada.id}", {"kind": "mute"}).status == 200


def ban_everywhere(client: SignedClient, talk: Talk) -> None:
    assert client.call("PUT", f"/trusted/restrictions/{talk.ada.id}", {"kind": "ban"}).status == 200


RESTRICTIONS = [
    *((restrict, way) for restrict in (freeze, mute_there) for way in INTO_A_THREAD),
    *((restrict, way) for restrict in (mute_everywhere, ban_everywhere) for way in WAYS),
]


@pytest.mark.parametrize(("restrict", "way"), RESTRICTIONS)
def test_who_may_not_write_makes_us_ask_nothing(
    restrict: Restrict, way: Say, asked: Moderator, talk: Talk, moderated_client: SignedClient
) -> None:
    restrict(moderated_client, talk)
    refused(way(talk, talk.ada, "hello"), 403)
    assert asked.asked == []


@pytest.mark.parametrize(("restrict", "way"), RESTRICTIONS)
def test_who_may_not_write_any_more_once_the_moderator_has_thought_says_nothing(
    restrict: Restrict, way: Say, moderated: tuple[Moderator, RunningServer], asked: Moderator, talk: Talk
) -> None:
    def think(_: Question) -> Answer:
        with SignedClient(moderated[1]) as another:
            restrict(another, talk)
        return ALLOW

    asked.answer = think
    refused(way(talk, talk.ada, "secretly"), 403)
    assert len(asked.asked) == 1
    assert "secretly" not in str(talk.contents())
    assert "secretly" not in str(talk.bob.ask("GET", "/chat/threads").json)


def test_trusted_server_is_not_moderated(asked: Moderator, talk: Talk, moderated_client: SignedClient) -> None:
    assert moderated_client.call("PATCH", f"/trusted/threads/{talk.id}", {"topic": "Dinner"}).status == 204
    said = {"content": "Dinner is served", "senderDisplayName": "Kitchen"}
    assert moderated_client.call("POST", f"/trusted/threads/{talk.id}/messages", said).status == 201
    assert talk.contents()[:2] == ["Dinner is served", "Dinner"]
    assert asked.asked == []


def test_nobody_but_who_takes_part_makes_us_ask(asked: Moderator, talk: Talk, moderated_client: SignedClient) -> None:
    stranger, caller = new_user(moderated_client), new_user(moderated_client, "voip")
    removed = talk.bob
    assert talk.ada.ask("POST", f"{talk.thread}/participants/:remove", identifier(removed.id)).status == 204
    for user, status in ((stranger, 403), (removed, 403), (caller, 403), (stranger.with_token("x"), 401)):
        for way in INTO_A_THREAD:
            refused(way(talk, user, "hello"), status)
    refused(create(talk, caller, "hello"), 403)
    assert asked.asked == []


def test_nobody_is_asked_for_what_would_be_refused_anyway(asked: Moderator, talk: Talk) -> None:
    theirs, gone = talk.bob.send(talk.thread, "Bob's"), talk.ada.send(talk.thread, "gone")
    assert talk.ada.ask("DELETE", f"{talk.thread}/messages/{gone}").status == 204
    system = talk.ada.ask("GET", f"{talk.thread}/messages").json["value"][-1]["id"]
    asked.asked.clear()
    messages = f"{talk.thread}/messages"
    for method, target, body, status in (
        ("PATCH", f"{messages}/{theirs}", {"content": "x"}, 403),
        ("PATCH", f"{messages}/{system}", {"content": "x"}, 403),
        ("PATCH", f"{messages}/{gone}", {"content": "x"}, 404),
        ("PATCH", f"{messages}/1", {"content": "x"}, 404),
        ("PATCH", f"{messages}/x", {"content": "x"}, 400),
        ("PATCH", f"{messages}/{talk.message}", {"content": ""}, 400),
        ("POST", messages, {"content": ""}, 400),
        ("POST", messages, {"content": "x" * 28_673}, 413),
        ("POST", messages, {"content": "x", "type": "topicUpdated"}, 400),
        ("POST", messages, {"content": "a\0b"}, 400),
        ("POST", messages, {"content": "x", "metadata": {"k": "v" * 2_000}}, 400),
        ("PATCH", talk.thread, {"topic": ""}, 400),
        ("PATCH", talk.thread, {"topic": "x" * 1_001}, 400),
        ("POST", "/chat/threads", {"topic": ""}, 400),
        ("POST", "/chat/threads", {"topic": "x", "participants": [{"communicationIdentifier": {"rawId": "?"}}]}, 400),
    ):
        refused(talk.ada.ask(method, target, body), status)
    assert asked.asked == []
