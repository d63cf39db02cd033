"""A moderator that is slow, dead or somewhere else: nobody else waits for it, and nothing forbidden is called."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from tests.support.chat_users import NEWEST, ChatUser, new_user
from tests.support.chat_world import refused
from tests.support.chats import Chatting
from tests.support.moderators import ALLOW, SECRET, Answer, Moderator, Question, moderator
from tests.support.polling import until
from tests.support.scraping import scrape
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from tests.support.steady import Steady
from watchword.chat import moderator as asking
from watchword.chat.moderation import Moderation
from watchword.chat.moderator import MOST_UNDER_WAY
from watchword.chat.rules import Chat, open_rules
from watchword.chat.store import ChatStore
from watchword.errors.chat import ModeratorUnavailable
from watchword.measurements import ModerationCounts
from watchword.outbound.addresses import AddressRule
from watchword.outbound.breaker import FAILURES_IN_A_ROW, REST_SECONDS
from watchword.outbound.calls import Calls
from watchword.outbound.resolving import Resolve
from watchword.outbound.targets import read_target
from watchword.testing import RunningServer

TEXT = "what nobody else may read"


@pytest.fixture
def made() -> Iterator[Moderator]:
    with moderator() as made:
        yield made


@asynccontextmanager
async def moderated(
    chatting: Chatting,
    address: str,
    *,
    allows_unanswered: bool = False,
    resolve: Resolve | None = None,
    steady: Steady | None = None,
    seconds: float = 10.0,
) -> AsyncIterator[tuple[Chat, asking.Moderator]]:
    """The rules of chat over the same database, with a moderator that is asked at the address."""
    more: dict[str, Any] = {} if resolve is None else {"resolve": resolve}
    timed: dict[str, Any] = {} if steady is None else {"steady": steady}
    calls = Calls(read_target(address), AddressRule(("127.0.0.1",)), **more)
    counts = ModerationCounts()
    asked = asking.Moderator(calls, SECRET.encode(), chatting.clock, seconds=seconds, counts=counts, **timed)
    store = ChatStore(chatting.database, lambda: None)
    moderation = Moderation(store, asked.ask, counts, allows_unanswered=allows_unanswered, **timed)
    try:
        yield open_rules(chatting.database, chatting.minter, chatting.limits, moderation=moderation), asked
    finally:
        await calls.close()


async def test_dead_moderator_is_asked_now_and_then_and_nobody_waits_meanwhile(
    chatting: Chatting, made: Moderator, caplog: pytest.LogCaptureFixture
) -> None:
    ada = await chatting.user()
    thread = await chatting.thread(ada)
    silence: Answer = (200, b"", {"Content-Length": "9", "Connection": "close"})
    made.answer = lambda _: silence
    steady = Steady()
    async with moderated(chatting, made.address, steady=steady) as (rules, asked):

        async def send() -> None:
            await rules.messages.send(ada, thread, content=TEXT, now_micros=chatting.now)

        def is_given_up() -> bool:
            return asked.is_given_up

        for _ in range(FAILURES_IN_A_ROW):
            assert not is_given_up()
            with pytest.raises(ModeratorUnavailable):
                await send()
        before = len(made.asked)
        assert is_given_up()
        for _ in range(3):
            with pytest.raises(ModeratorUnavailable):
                await send()
        assert len(made.asked) == before
        steady.pass_seconds(REST_SECONDS)
        with pytest.raises(ModeratorUnavailable):
            await send()
        after = len(made.asked)
        assert after > before
        with pytest.raises(ModeratorUnavailable):
            await send()
        assert len(made.asked) == after
        steady.pass_seconds(REST_SECONDS)
        made.answer = lambda _: ALLOW
        await send()
        await send()
        assert not is_given_up()
    said = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert len(said) == 2, "once when it is given up, and once when it is not any more"
    assert TEXT not in caplog.text


async def test_moderator_that_says_nonsense_is_asked_again_each_time(chatting: Chatting, made: Moderator) -> None:
    """Else whoever finds what it cannot judge would silence it for all."""
    ada = await chatting.user()
    thread = await chatting.thread(ada)
    made.answer = lambda _: (500, b"", {})
    async with moderated(chatting, made.address, allows_unanswered=True) as (rules, asked):
        for _ in range(2 * FAILURES_IN_A_ROW):
            await rules.messages.send(ada, thread, content=TEXT, now_micros=chatting.now)
        assert not asked.is_given_up
    assert len(made.asked) == 2 * FAILURES_IN_A_ROW


async def test_rebound_name_is_not_called(chatting: Chatting, made: Moderator) -> None:
    ada = await chatting.user()
    thread = await chatting.thread(ada)
    answers = [["127.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["169.254.169.254"], ["::ffff:127.0.0.2"]]

    async def resolve(name: str) -> Sequence[str]:
        return answers.pop(0)

    port = made.address.rpartition(":")[2]
    async with moderated(chatting, f"http://hooks.example:{port}", resolve=resolve) as (rules, _):
        await rules.messages.send(ada, thread, content="seen", now_micros=chatting.now)
        for _ in range(3):
            with pytest.raises(ModeratorUnavailable):
                await rules.messages.send(ada, thread, content=TEXT, now_micros=chatting.now)
    assert [each["content"] for each in made.asked] == ["seen"]
    assert TEXT not in str(await chatting.listed(ada, thread))


@pytest.mark.parametrize("allows_unanswered", [False, True])
async def test_slow_moderator_is_given_up_in_time(chatting: Chatting, made: Moderator, allows_unanswered: bool) -> None:
    ada = await chatting.user()
    thread = await chatting.thread(ada)
    made.answer = made.hang
    options: dict[str, Any] = {"seconds": 0.05, "allows_unanswered": allows_unanswered}
    async with moderated(chatting, made.address, **options) as (rules, asked):
        try:
            await rules.messages.send(ada, thread, content=TEXT, now_micros=chatting.now)
        except ModeratorUnavailable:
            assert not allows_unanswered
        assert asked.under_way == 0
    assert (TEXT in str(await chatting.listed(ada, thread))) is allows_unanswered


async def test_message_is_of_the_moment_after_the_wait(chatting: Chatting, made: Moderator) -> None:
    ada = await chatting.user()
    thread = await chatting.thread(ada)
    steady = Steady()

    def think(_: Question) -> Answer:
        steady.pass_seconds(1.5)
        return ALLOW

    made.answer = think
    async with moderated(chatting, made.address, steady=steady) as (rules, _):
        now = chatting.now
        sent = await rules.messages.send(ada, thread, content="later", now_micros=now)
        assert sent.id == now // 1_000 + 1_500
        await rules.messages.edit(ada, thread, str(sent.id), content="later still", now_micros=now)
    [found, *_] = await chatting.listed(ada, thread)
    assert found.version == now // 1_000 + 1_501


def test_nobody_else_waits_while_as_many_as_may_hang(made: Moderator) -> None:
    with running_server(made.settings(moderation_timeout=60.0)) as server, SignedClient(server) as client:
        ada = new_user(client)
        thread = ada.new_thread()
        before = ada.send(thread, "before")
        made.asked.clear()
        made.answer = made.hang
        statuses = asyncio.run(_hang(server, made, ada, thread=thread, before=before))
        assert statuses == [201] * MOST_UNDER_WAY
        assert ada.send(thread, "after")


async def _hang(server: RunningServer, made: Moderator, ada: ChatUser, *, thread: str, before: str) -> list[int]:
    """The statuses of all that hung, once they were released; meanwhile others go on."""
    limits = httpx2.Limits(max_connections=MOST_UNDER_WAY)
    headers = {"Authorization": f"Bearer {ada.token}"}
    messages, version = f"{server.endpoint}{thread}/messages", {"api-version": NEWEST}
    async with httpx2.AsyncClient(limits=limits, headers=headers, params=version, timeout=60) as many:
        waiting = [
            asyncio.create_task(many.post(messages, json={"content": str(place)})) for place in range(MOST_UNDER_WAY)
        ]
        await asyncio.to_thread(until, lambda: len(made.asked), MOST_UNDER_WAY.__eq__)
        with SignedClient(server) as client:
            other = ChatUser(client, ada.id, ada.token)
            await asyncio.to_thread(_go_on, server, other, thread=thread, before=before)
        assert not any(task.done() for task in waiting)
        made.released.set()
        return [(await task).status_code for task in waiting]


def _go_on(server: RunningServer, user: ChatUser, *, thread: str, before: str) -> None:
    """Everything that asks no moderator is answered, and what would is refused at once."""
    for method, target, body, status in (
        ("GET", thread, None, 200),
        ("GET", f"{thread}/messages", None, 200),
        ("POST", f"{thread}/readReceipts", {"chatMessageId": before}, 200),
        ("POST", f"{thread}/typing", {}, 200),
        ("DELETE", f"{thread}/messages/{before}", None, 204),
    ):
        assert user.ask(method, target, body).status == status
    assert scrape(server).value("watchword_moderation_under_way") == MOST_UNDER_WAY
    assert refused(user.ask("POST", f"{thread}/messages", {"content": "one more"}), 503)
    assert refused(user.ask("POST", "/chat/threads", {"topic": "one more"}), 503)


def test_server_tells_its_log_why_and_nothing_of_what_was_said(
    made: Moderator, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    settings = made.settings(moderation_url=f"http://127.0.0.1:{port}/")
    with running_server(settings) as server, SignedClient(server) as client:
        ada = new_user(client)
        for _ in range(FAILURES_IN_A_ROW + 1):
            refused(ada.ask("POST", "/chat/threads", {"topic": TEXT}), 503)
    assert "There was no answer" in caplog.text
    assert TEXT not in caplog.text
    assert SECRET not in caplog.text
