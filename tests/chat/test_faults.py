"""What goes wrong on our side, what is done at once, and what of it is told to whoever watches: chat over HTTP."""

from __future__ import annotations

import pytest

from tests.support.chat_users import new_user
from tests.support.data import transact
from tests.support.polling import until
from tests.support.scraping import scrape
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.chat import background, backlog
from watchword.settings import Settings
from watchword.testing import RunningServer

SETTINGS = Settings(request_log=False, tls=False)


def test_an_unknown_fault_is_told_in_both_shapes_of_an_error() -> None:
    with running_server(SETTINGS) as server, SignedClient(server) as client:
        thread = new_user(client).new_thread()
        ada = new_user(client)
        # Nobody foresaw that a table goes away under a running server.
        transact(server, lambda transaction: transaction.execute("alter table participants rename to mislaid"))
        reply = ada.ask("GET", thread)
        assert (reply.status, reply.headers["content-type"]) == (500, "application/json")
        assert reply.json == {
            "error": {"code": "InternalError", "message": "Internal server error."},
            "CommunicationError": {"Code": "InternalError", "Message": "Internal server error.", "Details": []},
        }


def test_what_a_deleted_thread_held_goes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody looks by themselves again before this test has failed.
    monkeypatch.setattr(background, "LOOK_EVERY_SECONDS", 3_600.0)
    with running_server(SETTINGS) as server, SignedClient(server) as client:
        ada = new_user(client)
        thread = ada.new_thread()
        ada.send(thread, "Hello")
        assert ada.ask("DELETE", thread).status == 204
        count = "select count(*) from messages"
        until(lambda: transact(server, lambda each: each.execute(count)), lambda rows: rows == [(0,)])


def test_what_waits_for_a_purge_is_told_to_whoever_scrapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "LOOK_EVERY_SECONDS", 3_600.0)
    monkeypatch.setattr(backlog, "_EVERY_SECONDS", 0.05)
    with running_server(SETTINGS) as server, SignedClient(server) as client:
        thread = new_user(client).new_thread()
        assert waiting(server) == (0, 0)
        # As a node of another release would have left it: nobody here is told.
        leave = "insert into departures (resource, subject) values (1, 'acs:x')"
        transact(server, lambda each: each.execute(leave))
        transact(server, lambda each: each.execute("update threads set deleted_millis = 1"))
        until(lambda: waiting(server), lambda told: told == (1, 1))
        assert thread.rpartition("/")[2] not in scrape(server).text


def waiting(server: RunningServer) -> tuple[float, float]:
    """Users and threads."""
    found = scrape(server)
    return found.value("watchword_chat_departures_waiting"), found.value("watchword_chat_deleted_threads_waiting")
