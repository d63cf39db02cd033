"""Deletions: refused at once, finished whatever happens, and together with what others do meanwhile."""

from __future__ import annotations

import base64
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.management.support import GROUPS, Manager, resource_path
from tests.support.commands import Home, server
from tests.support.data import OnData, beside, transact
from tests.support.engines import FreshSettings
from tests.support.polling import until
from tests.support.requirements import require
from tests.support.servers import running_server
from tests.support.signed import SignedClient, to_bytes
from watchword.identity.store import IdentityStore
from watchword.resources import deletion
from watchword.resources.deletion import begin_resource_deletion
from watchword.resources.store import list_resources
from watchword.storage import Transaction
from watchword.testing import RunningServer

IDENTITIES = 50_000
CREATE = "/identities?api-version=2023-10-01"


@pytest.fixture(scope="module")
def running(fresh_settings: FreshSettings) -> Iterator[RunningServer]:
    with pytest.MonkeyPatch.context() as patch:
        # How often it looks whether another process has begun a deletion: nobody here waits five seconds for that.
        patch.setattr(deletion, "_LOOK_EVERY_SECONDS", 0.2)
        with running_server(fresh_settings()) as found:
            yield found


def _identities(server: OnData) -> int:
    [(count,)] = beside(server, lambda database: database.query("select count(*) from identities"))
    return int(count)


async def _fill(transaction: Transaction, resource: str) -> None:
    [(number,)] = await transaction.execute("select number from resources where id = $1", resource)
    statement = "insert into identities (resource, flake, generation, custom_id, created_micros)"
    for first in range(0, IDENTITIES, 10_000):
        rows = [(number, n.to_bytes(16, "big"), f"custom-{n}") for n in range(first, first + 10_000)]
        await transaction.execute_many(f"{statement} values ($1, $2, 1, $3, 0)", rows)


def test_a_deletion_that_was_killed_completes_by_itself(tmp_path: Path) -> None:
    require(os.name == "posix", "only POSIX kills with -9")
    home = Home(tmp_path)
    with server(home, "serve", "--no-tls", "--no-request-log") as first:
        token = first.new_operator()
        manager = Manager.of_process(first.endpoint, token)
        resource = manager.create("large", "large")["id"]
        transact(first, lambda transaction: _fill(transaction, resource))
        assert manager.call("DELETE", f"{GROUPS}/large").status_code == 202
        left = until(lambda: _identities(first), lambda count: count < IDENTITIES)
        assert left > 0, "it was to be killed in the middle"
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    assert 0 < _identities(first) < IDENTITIES
    with server(home, "serve", "--no-tls", "--no-request-log") as second:
        manager = Manager.of_process(second.endpoint, token)
        until(lambda: manager.call("HEAD", f"{GROUPS}/large").status_code, lambda status: status == 404, 60)
        assert _identities(second) == 0
        assert manager.call("GET", f"{GROUPS}/large").status_code == 404
        assert manager.call("GET", resource_path("large", "large")).status_code == 404


def test_creates_and_a_deletion_at_once_leave_nothing_behind(running: RunningServer) -> None:
    manager = Manager(running)
    key = base64.b64decode(manager.create("racing", "racing")["primaryKey"])
    statuses: list[int] = []

    def create_until_refused() -> None:
        with SignedClient(running) as client:
            for _ in range(2_000):
                statuses.append(client.call("POST", CREATE, key=key).status)
                if statuses[-1] != 201:
                    return

    threads = [threading.Thread(target=create_until_refused) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: statuses.count(201), lambda made: made > 20)
    progress = manager.call("DELETE", resource_path("racing", "racing"))
    for thread in threads:
        thread.join()
    assert progress.status_code == 202
    assert set(statuses) == {201, 401}, "an answer is a success, or a plain refusal"
    location = progress.headers["location"].removeprefix(running.endpoint).partition("?")[0]
    until(lambda: manager.call("GET", location).status_code, lambda status: status == 204)
    orphans = "select count(*) from identities where resource not in (select number from resources)"
    assert beside(running, lambda database: database.query(orphans)) == [(0,)]


def test_a_group_that_is_being_deleted_takes_nothing_in_and_its_name_is_free_afterwards(
    running: RunningServer,
) -> None:
    manager = Manager(running)
    manager.create("going", "going")
    transact(
        running, lambda each: each.execute("update resource_groups set state = 'deleting' where name = $1", "going")
    )
    body = {"location": "global", "properties": {"dataLocation": "Europe"}}
    into = manager.call("PUT", resource_path("going", "late"), body)
    assert (into.status_code, into.json()["error"]["code"]) == (409, "ResourceGroupBeingDeleted")
    again = manager.call("PUT", f"{GROUPS}/going", {"location": "westeurope"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "ResourceGroupBeingDeleted")
    assert manager.call("DELETE", f"{GROUPS}/going").status_code == 202
    until(lambda: manager.call("HEAD", f"{GROUPS}/going").status_code, lambda status: status == 404)
    assert manager.create("going", "going")["id"]


def test_a_deletion_begun_by_another_process_is_finished_by_the_server(running: RunningServer) -> None:
    manager = Manager(running)
    key = base64.b64decode(manager.create("beside", "beside")["primaryKey"])
    with SignedClient(running) as client:
        assert client.call("POST", CREATE, key=key).status == 201

        async def begin(transaction: Transaction) -> None:
            resources = await list_resources(transaction)
            [chosen] = [each for each in resources if each.name == "beside"]
            await begin_resource_deletion(transaction, chosen, running.clock.micros())

        transact(running, begin)
        assert client.call("POST", CREATE, key=key).status == 401
    path = resource_path("beside", "beside")
    until(lambda: manager.call("GET", path).status_code, lambda status: status == 404)


def test_a_number_is_never_given_to_a_second_resource(running: RunningServer) -> None:
    manager = Manager(running)
    manager.create("numbers", "once")
    numbers = "select max(number) from resources"
    [(before,)] = beside(running, lambda database: database.query(numbers))
    assert manager.call("DELETE", resource_path("numbers", "once")).status_code == 202
    until(lambda: manager.call("GET", resource_path("numbers", "once")).status_code, lambda status: status == 404)
    manager.create("numbers", "twice")
    [(after,)] = beside(running, lambda database: database.query(numbers))
    assert after > before, "the revocations of the first would concern the second"


def test_purging_takes_no_more_than_it_was_asked_for(running: RunningServer) -> None:
    with SignedClient(running) as client:
        for _ in range(5):
            client.create({"customId": f"c-{_}"}, "2025-03-02-preview")
    [resource, *_] = transact(running, list_resources)
    assert beside(running, lambda database: IdentityStore(database).purge(resource.number, 2)) == 2
    [(left,)] = beside(
        running,
        lambda database: database.query("select count(*) from identities where resource = $1", resource.number),
    )
    assert left == 3


def test_verifiers_are_told_that_a_resource_is_gone(running: RunningServer) -> None:
    manager = Manager(running)
    key = base64.b64decode(manager.create("told", "told")["primaryKey"])
    with SignedClient(running) as client:
        listen = client.sign("GET", "/revocations", key=key, headers={"Accept": "text/event-stream"})
    with (
        socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection,
        connection.makefile("rb") as stream,
    ):
        connection.sendall(to_bytes(listen))
        assert any(line.startswith(b"data:") for line in stream), "it listens"
        assert manager.call("DELETE", resource_path("told", "told")).status_code == 202
        told = [line for line in stream if b'"kind":"resource"' in line]
    assert len(told) == 1, "the farewell is the last word"
    assert b'"deleted":true' in told[0]
