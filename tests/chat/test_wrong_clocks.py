"""A wrong clock ends no thread before its time: neither by what it takes for now, nor by what it would date it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.support.chat_users import ChatUser, new_user
from tests.support.engines import FreshSettings, Place
from tests.support.polling import until
from tests.support.signed import SignedClient
from watchword.testing import RunningServer, running_server

DAYS = 30
RETENTION = {"kind": "threadCreationDate", "deleteThreadAfterDays": DAYS}
HOURS = timedelta(hours=6)
"""A token is good by a clock that is so wrong, if it was issued long enough ago; one of another day would not be."""


@pytest.fixture
def server(fresh_settings: FreshSettings) -> Iterator[RunningServer]:
    with running_server(fresh_settings(synchronous="OFF")) as running:
        yield running


@pytest.mark.parametrize("by", [-HOURS, HOURS, -timedelta(minutes=6)])
def test_no_thread_is_dated_by_a_wrong_clock(server: RunningServer, by: timedelta) -> None:
    with SignedClient(server) as client:
        ada = new_user(client)
        thread = ada.new_thread()
        server.clock.move(2 * HOURS)
        server.clock.set_wrong(by)
        for more in ({}, {"retentionPolicy": RETENTION}):
            refused = ada.ask("POST", "/chat/threads", {"topic": "x", **more})
            assert (refused.status, refused.headers["retry-after"].isdigit()) == (503, True)
            assert "creates no chat threads" in refused.json["error"]["message"]
        ada.send(thread, "goes on")
        server.clock.set_wrong(timedelta(0))
        made = until(lambda: ada.ask("POST", "/chat/threads", {"topic": "x"}), lambda reply: reply.status == 201)
        assert made.json["chatThread"]["createdOn"] >= ada.ask("GET", thread).json["createdOn"]


def test_no_thread_is_deleted_by_a_clock_that_leapt_ahead(server: RunningServer) -> None:
    with SignedClient(server) as client:
        ada = new_user(client)
        kept = ada.new_thread(retentionPolicy=RETENTION)
        others = [ada.new_thread() for _ in range(2)]
        server.clock.move(timedelta(days=DAYS) - HOURS)
        ada = _with_new_token(ada)
        server.clock.set_wrong(HOURS)
        _await_purges(server, ada, others[0])
        assert _is_there(server, kept)
        server.clock.set_wrong(timedelta(0))
        # As soon as tokens are issued again it is known that the clock is right.
        ada = _with_new_token(ada)
        server.clock.move(HOURS)
        _await_purges(server, ada, others[1])
        until(lambda: _is_there(server, kept), lambda is_there: not is_there)


def _with_new_token(user: ChatUser) -> ChatUser:
    reply = until(lambda: user.client.issue(user.id), lambda reply: reply.status == 200)
    return user.with_token(reply.json["token"])


def _await_purges(server: RunningServer, user: ChatUser, thread: str) -> None:
    """Returns once a thread was deleted and emptied; what is due by time comes before that."""
    assert user.ask("DELETE", thread).status == 204
    sql = f"select emptied from threads where id = '{_id(thread)}'"
    until(lambda: _read(server, sql), lambda emptied: emptied == 1)


def _is_there(server: RunningServer, thread: str) -> bool:
    return not _read(server, f"select count(deleted_millis) from threads where id = '{_id(thread)}'")


def _id(thread: str) -> str:
    return thread.rpartition("/")[2]


def _read(server: RunningServer, sql: str) -> int:
    async def read() -> int:
        database = await Place(server.settings, server.data).open()
        try:
            [(found,)] = await database.query(sql)
            return int(found)
        finally:
            await database.close()

    return asyncio.run(read())
