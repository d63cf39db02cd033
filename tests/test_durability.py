"""What was acknowledged survives: a power cut, proved from the order of system calls, and kill -9 under load."""

import json
import os
import random
import signal
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.support.chat_users import identifier, new_user, participant
from tests.support.commands import Home, answer
from tests.support.commands import server as started
from tests.support.process_tree import kill, linux_only, workers, writer
from tests.support.processes import PLAIN, Process
from tests.support.requirements import require
from tests.support.signed import EARLY, NEWEST, PREVIEW, SignedClient
from tests.support.standing import is_live
from tests.support.system_calls import SystemCall, acknowledgements, read_trace, strace, unsynced

ROUNDS = int(os.environ.get("WATCHWORD_SOAK_ROUNDS", "3"))
THREADS = 6


@contextmanager
def server_of(folder: Path, under: tuple[str, ...] = (), **settings: str) -> Iterator[Process]:
    """A process of its own over `folder`/server, without TLS, so that a trace shows its answers."""
    home, data = Home(folder), folder / "server"
    with started(home, "serve", "--data", data, environment=PLAIN | settings, under=under) as server:
        keys = json.loads(answer(home, "resource", "keys", "--data", data, "--json"))
        yield Process(server, (b64decode(keys["primary"]), b64decode(keys["secondary"])))


def every_kind_of_write(client: SignedClient) -> int:
    """How many there were; each waits for the answer of the one before."""
    for number in range(5):
        id = client.new_identity()
        assert client.create({"customId": f"user {number}"}, PREVIEW).status == 201
        assert client.create({"createTokenWithScopes": ["chat"]}).status == 201
        assert client.revoke(id).status == 204
        assert client.update(id, {"tokensValidFrom": "2020-01-01T00:00:00Z"}).status == 204
        assert client.update(id, {"tokensValidFrom": "2999-01-01T00:00:00Z"}).status == 204
        assert client.delete(id, EARLY).status == 204
    return 5 * 7


def every_kind_of_chat(client: SignedClient) -> int:
    """The same of chat, with a user made for each."""
    ada, ben = new_user(client), new_user(client)
    for _ in range(3):
        thread = ada.new_thread(ben)
        message = ada.send(thread)
        one = f"{thread}/messages/{message}"
        for status, method, target, body in (
            (204, "PATCH", one, {"content": "again"}),
            (200, "POST", f"{thread}/readReceipts", {"chatMessageId": message}),
            (204, "DELETE", one, None),
            (204, "PATCH", thread, {"topic": "another"}),
            (204, "POST", f"{thread}/participants/:remove", identifier(ben.id)),
            (201, "POST", f"{thread}/participants/:add", {"participants": [participant(ben.id)]}),
            (204, "DELETE", thread, None),
        ):
            assert ada.ask(method, target, body).status == status
    return 2 + 3 * 9


def traced(folder: Path, **settings: str) -> tuple[list[SystemCall], int]:
    require("strace", "strace is not installed; it shows when the disk was told to write")
    trace = folder / "trace"
    with (
        server_of(folder, strace(trace), **settings) as server,
        SignedClient(server) as client,
    ):
        count = every_kind_of_write(client) + every_kind_of_chat(client)
    return read_trace(trace), count


@pytest.mark.sqlite("PostgreSQL itself syncs its log, in a process that is not ours")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_log_is_synced_before_the_first_byte_of_any_acknowledgement(tmp_path: Path, workers: str) -> None:
    calls, count = traced(tmp_path, WATCHWORD_WORKERS=workers)
    assert len(list(acknowledgements(calls))) == count
    assert unsynced(calls) == []


@pytest.mark.sqlite("PostgreSQL itself syncs its log, in a process that is not ours")
def test_the_same_proof_fails_when_the_log_is_not_synced(tmp_path: Path) -> None:
    calls, count = traced(tmp_path, WATCHWORD_SYNCHRONOUS="OFF")
    assert len(list(acknowledgements(calls))) == count
    assert len(unsynced(calls)) == count


@pytest.mark.sqlite("PostgreSQL itself syncs its log, in a process that is not ours")
def test_a_relaxed_level_would_not_pass_either(tmp_path: Path) -> None:
    calls, count = traced(tmp_path, WATCHWORD_SYNCHRONOUS="NORMAL")
    assert len(list(acknowledgements(calls))) == count
    assert len(unsynced(calls)) > count // 2


@pytest.mark.sqlite("PostgreSQL itself syncs its log, in a process that is not ours")
def test_the_encryption_key_is_on_disk_before_the_first_row_that_needs_it(tmp_path: Path) -> None:
    calls, _ = traced(tmp_path)
    key_synced = next(call for call in calls if call.name == "fsync" and ".encryption.key." in call.file)
    named = next(
        call for call in calls if call.name in ("link", "linkat") and '/encryption.key.next"' in call.arguments
    )
    folder_synced = next(
        call for call in calls if call.name == "fsync" and call.file.endswith("/server") and call.began > named.ended
    )
    syncs = [call for call in calls if call.name == "fdatasync" and call.file.endswith("-wal")]
    before = [call for call in syncs if call.began < folder_synced.ended]
    assert not any(call.failed for call in (key_synced, named, folder_synced))
    assert key_synced.ended < named.began
    # What was committed before it is the log's own head and the schema, whole, which hold no secret.
    assert len(before) == 2
    assert len(syncs) > len(before)


class Load:
    """Clients that create, revoke and delete until the server is gone; they remember only what was acknowledged."""

    def __init__(self, server: Process) -> None:
        self.alive: set[str] = set()
        self.deleted: set[str] = set()
        self.revoked: list[tuple[str, str, str]] = []
        self.uncertain: set[str] = set()
        self.acknowledged = threading.Semaphore(0)
        self._server = server
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(THREADS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join(timeout=30)
            assert not thread.is_alive()

    def _run(self, number: int) -> None:
        chance = random.Random(number)
        with SignedClient(self._server) as client:
            try:
                while True:
                    self._once(client, chance)
                    self.acknowledged.release()
            except (OSError, HTTPException):
                # The server was killed: whatever was under way is nobody's promise.
                return

    def _once(self, client: SignedClient, chance: random.Random) -> None:
        id = client.new_identity()
        self.alive.add(id)
        if chance.random() < 0.5:
            before = client.new_token(id)
            assert client.revoke(id).status == 204
            self.revoked.append((id, before, client.new_token(id)))
        if chance.random() < 0.4:
            self.uncertain.add(id)
            assert client.delete(id).status == 204
            self.deleted.add(id)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_whatever_was_acknowledged_survives_a_kill_under_load(tmp_path: Path, number: int) -> None:
    with server_of(tmp_path) as server, Load(server) as load:
        for _ in range(60 + 45 * (number % 5)):
            assert load.acknowledged.acquire(timeout=30)
        server.stop(signal.SIGKILL)
    check_that_it_survived(tmp_path, load)


@pytest.mark.sqlite("only there one process writes for all")
@linux_only
def test_it_survives_the_kill_of_workers_writer_and_supervisor_all_at_once(tmp_path: Path) -> None:
    with server_of(tmp_path, WATCHWORD_WORKERS="2") as server, Load(server) as load:
        for _ in range(200):
            assert load.acknowledged.acquire(timeout=30)
        kill(writer(server.pid), *workers(server.pid), server.pid)
        server.wait()
    check_that_it_survived(tmp_path, load)


def check_that_it_survived(tmp_path: Path, load: Load) -> None:
    with (
        server_of(tmp_path) as server,
        SignedClient(server) as client,
    ):
        assert load.alive
        assert load.deleted
        assert load.revoked
        for id in load.alive - load.uncertain:
            assert client.get(id).status == 200, "an acknowledged identity is gone"
        for id in load.deleted:
            assert client.get(id).status == 404, "an acknowledged deletion was undone"
        for id, before, after in load.revoked:
            assert not is_live(client, before), "an acknowledged revocation was undone"
            if id not in load.uncertain:
                assert is_live(client, after)
        newest = max(load.alive)
        assert client.create(version=NEWEST).json["identity"]["id"] > newest
