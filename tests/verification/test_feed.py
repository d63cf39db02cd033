"""`GET /revocations` over a socket: pages, the long poll, and server-sent events."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.data import add_verifier, first_resource, transact
from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from tests.verification.conftest import Asker, World
from watchword.resources.verifier_credentials import delete_verifier_credential
from watchword.testing import RunningServer


class Stream:
    """Server-sent events, one by one."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.type = answer.headers["content-type"]
        self._answer = answer

    def next(self) -> tuple[str, Any]:
        """The id and the page of the next event."""
        fields: dict[str, str] = {}
        while line := self._answer.readline().decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
        if not fields:
            raise EOFError
        assert fields["event"] == "revocations"
        return fields["id"], json.loads(fields["data"])

    def next_with_news(self) -> tuple[str, Any]:
        while True:
            id, page = self.next()
            if page["revocations"]:
                return id, page


@contextmanager
def listening(server: RunningServer, credential: str, **headers: str) -> Iterator[Stream]:
    connection = http.client.HTTPConnection("localhost", server.port, timeout=20)
    sent = {"Accept": "text/event-stream", "Authorization": f"Bearer {credential}"}
    try:
        connection.request("GET", "/revocations", headers=sent | {n.replace("_", "-"): v for n, v in headers.items()})
        yield Stream(connection.getresponse())
    finally:
        connection.close()


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """`work` in a thread; what it raises is raised."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits.
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    assert failures == []


@pytest.fixture
def second(world: World) -> Iterator[Asker]:
    """The owner on a connection of its own, for what happens while the first one waits."""
    with SignedClient(world.server) as client:
        yield Asker(client, key=world.server.keys[0])


def test_a_page_names_its_resource_and_is_not_stored(world: World) -> None:
    reply = world.verifier.ask("GET", "/revocations")
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json["resource"] == first_resource(world.server).id
    assert reply.json["snapshot"] is True


def test_both_credentials_see_the_same_and_the_other_resource_sees_none_of_it(world: World) -> None:
    before = world.other_owner.page()["cursor"]
    token = world.new_token()
    jti = world.owner.introspect(token)["jti"]
    world.owner.revoke(token=token)
    assert world.owner.page() == world.verifier.page()
    assert jti in {entry["id"] for entry in world.owner.page()["revocations"]}
    assert jti not in {entry["id"] for entry in world.other_owner.page()["revocations"]}
    assert world.other_owner.page(f"?since={before}")["revocations"] == []


def test_a_long_poll_is_answered_when_something_is_revoked(world: World, second: Asker) -> None:
    token, cursor = world.new_token(), world.verifier.page()["cursor"]
    jti = world.owner.introspect(token)["jti"]
    with meanwhile(lambda: second.revoke(token=token)):
        page = world.verifier.page(f"?since={cursor}&wait=20")
    assert page["revocations"] == [{"kind": "token", "id": jti}]
    assert "snapshot" not in page


def test_a_long_poll_without_news_is_answered_empty_in_time(world: World) -> None:
    cursor = world.verifier.page()["cursor"]
    page = world.verifier.page(f"?since={cursor}&wait=0.1")
    assert (page["cursor"], page["revocations"]) == (cursor, [])


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "soon", ""])
def test_a_wait_that_is_none_is_refused(world: World, wait: str) -> None:
    assert world.verifier.ask("GET", f"/revocations?wait={wait}").status == 400


def test_events_begin_with_a_snapshot_and_go_on_with_the_tail(world: World) -> None:
    token = world.new_token()
    jti = world.owner.introspect(token)["jti"]
    with listening(world.server, world.credential) as stream:
        assert (stream.status, stream.type.partition(";")[0]) == (200, "text/event-stream")
        id, page = stream.next()
        assert page["snapshot"] is True
        assert page["cursor"] == id
        world.owner.revoke(token=token)
        id, page = stream.next_with_news()
        assert "snapshot" not in page
        assert page["revocations"] == [{"kind": "token", "id": jti}]


def test_events_are_taken_up_where_the_last_event_id_says(world: World) -> None:
    with listening(world.server, world.credential) as stream:
        id, _ = stream.next()
    token = world.new_token()
    jti = world.owner.introspect(token)["jti"]
    world.owner.revoke(token=token)
    with listening(world.server, world.credential, Last_Event_ID=id) as stream:
        id, page = stream.next()
        assert "snapshot" not in page
        assert page["revocations"] == [{"kind": "token", "id": jti}]


def test_an_event_comes_though_nothing_happens_so_that_a_listener_knows_how_fresh_it_is(world: World) -> None:
    with listening(world.server, world.credential) as stream:
        first, _ = stream.next()
        second, page = stream.next()
    assert (second, page["revocations"]) == (first, [])


def test_a_stream_ends_with_the_credential_that_it_began_with(world: World) -> None:
    credential = add_verifier(world.server, first_resource(world.server))
    token = world.new_token()
    with listening(world.server, credential) as stream:
        stream.next()
        transact(world.server, lambda transaction: delete_verifier_credential(transaction, credential.split("_")[1]))
        world.owner.revoke(token=token)
        with pytest.raises(EOFError):
            stream.next_with_news()


def test_a_long_poll_whose_credential_is_deleted_while_it_waits_is_refused(world: World, second: Asker) -> None:
    credential = add_verifier(world.server, first_resource(world.server))
    asker = world.as_verifier(f"Bearer {credential}")
    token, cursor = world.new_token(), asker.page()["cursor"]

    def delete_then_revoke() -> None:
        transact(world.server, lambda transaction: delete_verifier_credential(transaction, credential.split("_")[1]))
        second.revoke(token=token)

    with meanwhile(delete_then_revoke):
        assert asker.ask("GET", f"/revocations?since={cursor}&wait=20").status == 401


def test_a_server_that_stops_answers_those_who_wait(fresh_settings: FreshSettings) -> None:
    """Else it would have to wait for them, up to its deadline."""
    pages: list[Any] = []
    with running_server(fresh_settings(stop_deadline=30)) as server:
        client = SignedClient(server)
        asker = Asker(client, authorization=f"Bearer {add_verifier(server, first_resource(server))}")
        cursor = asker.page()["cursor"]
        waiting = threading.Thread(target=lambda: pages.append(asker.page(f"?since={cursor}&wait=60")))
        waiting.start()
        with listening(server, asker.authorization.split()[1] if asker.authorization else "") as stream:
            # By the second event, which comes after a second, the poll has long begun.
            stream.next()
            stream.next()
            stopped_from = time.monotonic()
    waiting.join()
    client.__exit__()
    assert time.monotonic() - stopped_from < 20
    assert [page["revocations"] for page in pages] == [[]]
