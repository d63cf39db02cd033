"""Moderation over HTTP: what a moderator is asked, what it may answer, and what becomes of that."""

from __future__ import annotations

import pytest

from tests.support.chat_users import identifier
from tests.support.chat_world import refused
from tests.support.moderated_talk import INTO_A_THREAD, WAYS, Say, Talk, create, edit, send
from tests.support.moderators import ALLOW, Answer, Moderator, change, moderator, refuse
from tests.support.scraping import scrape
from watchword.testing import RunningServer

HOSTILE = '<p onclick="x()">Hi<script>alert(1)</script> <a href="javascript:x()">you</a></p>'
SAFE = '<p>Hi <a rel="noopener noreferrer">you</a></p>'


def is_refusing(moderated: tuple[Moderator, RunningServer]) -> bool:
    return moderated[1].settings.moderation_on_failure == "refuse"


def test_moderator_is_asked_for_everything_that_is_said_in_signed_questions(asked: Moderator, talk: Talk) -> None:
    for way in WAYS:
        assert way(talk, talk.ada, "hello").status in (201, 204)
    resource, _, _ = talk.ada.id.removeprefix("8:acs:").partition("_")
    about = {"resource": resource, "sender": talk.ada.id}
    for question in asked.asked:
        assert question.pop("moment").endswith("Z")
    message = {"thread": talk.id, "type": "html", "content": "hello"}
    assert asked.asked == [
        {"kind": "message", **about, **message, "displayName": "Ada"},
        {"kind": "edit", **about, **message},
        {"kind": "topic", **about, "thread": talk.id, "content": "hello"},
        {"kind": "topic", **about, "content": "hello"},
    ]
    assert asked.forged == []


def test_moderator_sees_what_would_be_stored(asked: Moderator, talk: Talk) -> None:
    assert send(talk, talk.ada, HOSTILE).status == 201
    assert edit(talk, talk.ada, "<b>b<!-- -->ad<script></script></b>").status == 204
    assert [each["content"] for each in asked.asked] == [SAFE, "<b>bad</b>"]


def test_metadata_of_messages_is_shown(asked: Moderator, talk: Talk) -> None:
    body = {"content": "hello", "metadata": {"a": "b"}}
    assert talk.ada.ask("POST", f"{talk.thread}/messages", body).status == 201
    assert talk.ada.ask("PATCH", f"{talk.thread}/messages/{talk.message}", {"metadata": {"k": "w"}}).status == 204
    assert [each["metadata"] for each in asked.asked] == [{"a": "b"}, {"k": "w"}]
    assert asked.asked[1]["content"] == "before"
    assert "before" in talk.contents()


def test_change_of_an_edit_of_metadata_alone_is_stored_too(asked: Moderator, talk: Talk) -> None:
    asked.answer = lambda _: change("after")
    assert talk.ada.ask("PATCH", f"{talk.thread}/messages/{talk.message}", {"metadata": {"k": "w"}}).status == 204
    found = talk.bob.ask("GET", f"{talk.thread}/messages/{talk.message}").json
    assert (found["content"]["message"], found["metadata"]) == ("after", {"k": "w"})


def test_nobody_is_asked_for_what_is_not_said(asked: Moderator, talk: Talk) -> None:
    ada, bob = talk.ada, talk.bob
    for method, target, body in (
        ("GET", talk.thread, None),
        ("GET", f"{talk.thread}/messages", None),
        ("PATCH", talk.thread, {"metadata": {"k": "v"}}),
        ("POST", f"{talk.thread}/readReceipts", {"chatMessageId": talk.message}),
        ("POST", f"{talk.thread}/typing", {}),
        ("POST", f"{talk.thread}/participants/:remove", identifier(bob.id)),
        ("DELETE", f"{talk.thread}/messages/{talk.message}", None),
        ("DELETE", talk.thread, None),
    ):
        assert ada.ask(method, target, body).status in (200, 201, 204)
    assert asked.asked == []


@pytest.mark.parametrize("way", INTO_A_THREAD)
def test_change_is_stored_in_place_of_what_was_sent(way: Say, asked: Moderator, talk: Talk) -> None:
    asked.answer = lambda _: change("better")
    assert way(talk, talk.ada, "worse").status in (201, 204)
    assert "better" in talk.contents()
    assert "worse" not in str(talk.said())


def test_topic_of_a_new_thread_is_the_changed_one(asked: Moderator, talk: Talk) -> None:
    asked.answer = lambda _: change("better")
    assert create(talk, talk.ada, "worse").json["chatThread"]["topic"] == "better"


@pytest.mark.parametrize("way", [send, edit])
def test_change_is_sanitised_again(way: Say, asked: Moderator, talk: Talk) -> None:
    asked.answer = lambda _: change(HOSTILE)
    assert way(talk, talk.ada, "hello").status in (201, 204)
    assert SAFE in talk.contents()
    assert "script" not in str(talk.said())


@pytest.mark.parametrize("way", WAYS)
def test_refusal_is_told_with_its_reason_and_stores_nothing(way: Say, asked: Moderator, talk: Talk) -> None:
    before = talk.said()
    asked.answer = lambda _: refuse("No  addresses\x07,\u202e please.\n")
    sentence = refused(way(talk, talk.ada, "hello"), 403)
    assert sentence == "The moderator of this server refuses the content: No addresses , please."
    asked.answer = lambda _: refuse("x" * 5_000)
    assert len(refused(way(talk, talk.ada, "hello"), 403)) < 300
    asked.answer = lambda _: {"action": "refuse"}
    assert refused(way(talk, talk.ada, "hello"), 403).endswith("refuses the content.")
    assert talk.said() == before


LIES: list[Answer] = [
    *(b"", b"{}", b"null", b"[]", b"allow", b'"allow"', b'{"action":"ALLOW"}', b'{"action":"allow"', b"\xff\xfe"),
    *(b'{"action":null}', b'{"action":"change"}', b'{"action":"change","content":null}', b"[" * 60_000),
    *(b'{"action":"change","content":["x"]}', b'{"action":"change","content":""}', b'{"action":"refuse","reason":1}'),
    b'{"action":"change","content":"a\\u0000b"}',
    b'{"action":"change","content":"a\\ud800b"}',
    change("x" * 28_673),
    change("x" * 100_000),
    b" " * 70_000 + b'{"action":"allow"}',
    (204, b"", {}),
    (500, b'{"action":"allow"}', {}),
    (403, b'{"action":"allow"}', {}),
    (200, b'{"action":"allow"}', {"Content-Length": "1000", "Connection": "close"}),
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: repr(lie)[:40])
def test_whatever_is_no_verdict_counts_as_none(
    lie: Answer, moderated: tuple[Moderator, RunningServer], asked: Moderator, talk: Talk
) -> None:
    before = talk.said()
    asked.answer = lambda _: lie
    reply = send(talk, talk.ada, HOSTILE)
    # Whatever was counted against it is forgotten with an answer.
    asked.answer = lambda _: ALLOW
    if is_refusing(moderated):
        assert "nothing is stored unseen" in refused(reply, 503)
        assert reply.headers["retry-after"] == "5"
        assert talk.said() == before
        assert send(talk, talk.ada, "hello").status == 201
    else:
        assert reply.status == 201
        assert talk.contents()[0] == SAFE


def test_redirect_is_followed_nowhere(moderated: tuple[Moderator, RunningServer], asked: Moderator, talk: Talk) -> None:
    with moderator() as beside:
        asked.answer = lambda _: (307, b"", {"Location": beside.address})
        reply = send(talk, talk.ada, "hello")
        assert reply.status == (503 if is_refusing(moderated) else 201)
        assert beside.asked == []


def test_verdicts_are_counted(moderated: tuple[Moderator, RunningServer], asked: Moderator, talk: Talk) -> None:
    answers: dict[str, Answer] = {"allowed": ALLOW, "changed": change("x"), "refused": refuse("x"), "unanswered": b""}
    before = scrape(moderated[1])
    for answer in answers.values():
        asked.answer = lambda _, answer=answer: answer  # type: ignore[misc]
        send(talk, talk.ada, "hello")
    after = scrape(moderated[1])
    name = "watchword_moderation_verdicts_total"
    told = {verdict: after.value(name, verdict=verdict) - before.value(name, verdict=verdict) for verdict in answers}
    assert told == dict.fromkeys(answers, 1)
    times = "watchword_moderation_duration_seconds_count"
    assert after.value(times) - before.value(times) == len(answers)
    assert after.value("watchword_moderation_under_way") == 0
