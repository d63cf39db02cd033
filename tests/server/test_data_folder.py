"""Whose data directory is it? No server opens another one's, nor one that is in use, nor makes anew what is gone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.commands import WATCHWORD, Home, Server, answer, refusal, run, server
from tests.support.polling import until
from tests.support.postgres import Cluster
from tests.support.process_tree import kill, linux_only
from tests.support.releases import BEFORE, environment_of
from tests.support.requirements import require
from watchword.entra.development import PRINCIPAL
from watchword.server import development
from watchword.server.data_lock import LOCK_FILE
from watchword.storage.opening import DATABASE_FILE

in_a_file = pytest.mark.sqlite("its database is a file of the data directory; on PostgreSQL several servers share one")

PATIENT = ("--stop-deadline", "60", "--body-deadline", "60")
"""What is in flight is there until the test has seen what it is about."""


def keys_of(home: Home) -> str:
    return answer(home, "resource", "keys", "--json")


def start_and_stop(home: Home, *arguments: str) -> None:
    with server(home, "serve", "--no-tls", *arguments):
        pass


def query(data: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(data / DATABASE_FILE)) as connection:
        return connection.execute(sql).fetchall()


def remove_database(data: Path) -> None:
    for path in data.glob(f"{DATABASE_FILE}*"):
        path.unlink()


@in_a_file
@pytest.mark.parametrize("left", [None, b""], ids=["gone", "empty"])
def test_a_key_file_without_its_database_does_not_start_anew_by_itself(home: Home, left: bytes | None) -> None:
    start_and_stop(home)
    before, key = keys_of(home), (home.server_data / "encryption.key").read_bytes()
    remove_database(home.server_data)
    if left is not None:
        (home.server_data / DATABASE_FILE).write_bytes(left)
    for command in (["serve"], ["dev", "--data", str(home.server_data)]):
        told = refusal(home, *command, "--port", "0", "--no-tls")
        assert f"{DATABASE_FILE} is gone: of what belongs to it there is encryption.key." in told
        assert "--start-anew" in told
    assert (home.server_data / DATABASE_FILE).exists() == (left is not None)
    start_and_stop(home, "--start-anew")
    assert keys_of(home) != before
    assert (home.server_data / "encryption.key").read_bytes() == key
    start_and_stop(home)


@in_a_file
def test_the_log_of_a_database_that_is_gone_is_not_thrown_away(home: Home) -> None:
    require(os.name == "posix", "only POSIX kills with -9")
    with server(home, "serve", "--no-tls") as running:
        kill(running.process.pid)
        running.process.wait(20)
    log = home.server_data / f"{DATABASE_FILE}-wal"
    (home.server_data / DATABASE_FILE).unlink()
    (home.server_data / "encryption.key").unlink()
    content = log.read_bytes()
    assert content
    assert f"there is {DATABASE_FILE}-wal." in refusal(home, "serve", "--port", "0", "--no-tls")
    assert log.read_bytes() == content


@in_a_file
@pytest.mark.parametrize("flags", [[], ["--entra"]], ids=["plain", "entra"])
def test_dev_adds_nothing_to_what_serve_keeps_and_does_not_migrate_it(home: Home, flags: list[str]) -> None:
    there = environment_of(BEFORE, home.folder / "program")
    with server(home, "serve", "--no-tls", environment=there):
        pass
    [version] = query(home.server_data, "pragma user_version")
    told = refusal(home, "dev", "--port", "0", "--no-tls", "--data", home.server_data, *flags)
    assert "is that of a `watchword serve`" in told
    assert query(home.server_data, "pragma user_version") == [version]
    assert query(home.server_data, "select * from role_assignments") == []
    assert not list(home.server_data.glob("*.before-*"))


@in_a_file
def test_what_an_earlier_dev_has_left_in_a_directory_of_serve_is_pointed_out(home: Home) -> None:
    start_and_stop(home)
    answer(home, "role", "assign", "--principal", PRINCIPAL)
    with server(home, "serve", "--no-tls") as running:
        _, log = running.stop(signal.SIGTERM)
    [note] = [line for line in log if "left a role" in line]
    answer(home, *note.partition("`watchword role")[2].partition("`.")[0].join(["role", ""]).split(), "--yes")
    with server(home, "serve", "--no-tls") as running:
        assert running.stop(signal.SIGTERM)[1] == []


@in_a_file
def test_a_directory_of_dev_stays_one_for_as_long_as_everybody_knows_a_token_of_it(home: Home, tmp_path: Path) -> None:
    where = ("--data", str(tmp_path))
    with server(home, "dev", "--no-tls", *where):
        pass
    answer(home, "resource", "create", "--name", "other", *where)
    assert "everybody knows" in refusal(home, "serve", "--port", "0", "--no-tls", *where)
    answer(home, "resource", "delete", "--name", "dev", "--yes", *where)
    assert "everybody knows" in refusal(home, "serve", "--port", "0", "--no-tls", *where)
    answer(home, "operator", "delete", "--id", development.OPERATOR_ID, "--yes", *where)
    with server(home, "serve", "--no-tls", *where):
        pass
    assert "is that of a `watchword serve`" in refusal(home, "dev", "--port", "0", "--no-tls", *where)


@in_a_file
def test_a_second_server_on_a_data_directory_is_told_who_has_it(home: Home, tmp_path: Path) -> None:
    with server(home, "serve", "--no-tls") as running:
        (tmp_path / "by another name").symlink_to(running.data)
        for data in (running.data, tmp_path / "by another name"):
            for command in ("serve", "dev"):
                told = refusal(home, command, "--port", "0", "--no-tls", "--data", data)
                assert f"A server runs on the data directory {data} already: process {running.process.pid} on" in told
        # Commands look in and change things all the same.
        assert json.loads(keys_of(home))["resource"] == "watchword"
        answer(home, "resource", "create", "--name", "beside")
        assert running.stop(signal.SIGTERM) == (0, [])
    start_and_stop(home)


@in_a_file
def test_the_lock_of_a_server_that_was_killed_is_no_obstacle(home: Home) -> None:
    require(os.name == "posix", "only POSIX kills with -9")
    with server(home, "serve", "--no-tls") as running:
        kill(running.process.pid)
        running.process.wait(20)
    assert (home.server_data / LOCK_FILE).read_bytes()
    start_and_stop(home)


@linux_only
@in_a_file
def test_after_a_killed_supervisor_a_start_waits_for_the_processes_that_it_left(home: Home) -> None:
    with server(home, "serve", "--no-tls", "--workers", "2", *PATIENT) as running, unfinished(running):
        kill(running.process.pid)
        running.process.wait(20)
        with starting(home) as process:
            assert "Waiting for the server that stops" in first_line(process)
    start_and_stop(home)


@contextmanager
def starting(home: Home) -> Iterator[subprocess.Popen[str]]:
    command = [*WATCHWORD, "serve", "--port", "0", "--no-tls", *PATIENT, "--data", str(home.server_data)]
    with subprocess.Popen(
        command, env=home.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.terminate()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.readline()


@contextmanager
def unfinished(running: Server) -> Iterator[socket.socket]:
    """A request that is in flight until the block ends."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as client:
        client.sendall(
            b"POST /identities HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        assert client.recv(100)
        yield client


@linux_only
@in_a_file
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_start_waits_for_a_server_that_is_stopping(home: Home, workers: str) -> None:
    with server(home, "serve", "--no-tls", "--workers", workers, *PATIENT) as old, unfinished(old) as client:
        old.process.send_signal(signal.SIGTERM)
        until((home.server_data / LOCK_FILE).read_text, lambda text: '"is_stopping":true' in text)
        with starting(home) as new:
            assert f"Waiting for the server that stops on {home.server_data}: process {old.process.pid}" in first_line(
                new
            )
            client.sendall(b"{}")
            assert new.stdout is not None
            assert any(line.startswith("Next,") for line in new.stdout)
            assert old.process.wait(20) == 0


@linux_only
@in_a_file
def test_whoever_waits_can_be_told_to_stop(home: Home) -> None:
    with server(home, "serve", "--no-tls", *PATIENT) as old, unfinished(old):
        old.process.send_signal(signal.SIGTERM)
        until((home.server_data / LOCK_FILE).read_text, lambda text: '"is_stopping":true' in text)
        with starting(home) as new:
            first_line(new)
            new.terminate()
            assert "A server runs on the data directory" in first_line(new)
            assert new.wait(20) == 1


@linux_only
@in_a_file
@pytest.mark.parametrize(("when", "where"), [("1+", "data/server"), ("2+", "state/servers")], ids=["data", "state"])
def test_a_file_system_without_locks_is_told_in_a_sentence(home: Home, when: str, where: str) -> None:
    require(shutil.which("strace") is not None, "strace takes the locks of the file system away")
    start_and_stop(home)
    strace = ["strace", "-f", "-o", "/dev/null", "-e", "trace=flock", "-e", f"inject=flock:error=ENOLCK:when={when}"]
    result = subprocess.run(
        [*strace, *WATCHWORD, "serve", "--port", "0", "--no-tls"],
        env=home.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "No locks available" in result.stderr
    assert str(home.folder / where) in result.stderr


def test_nodes_on_postgresql_may_share_everything(home: Home, cluster: Cluster) -> None:
    here = {"WATCHWORD_DATABASE": cluster.fresh()}
    with (
        server(home, "serve", "--no-tls", environment=here) as first,
        server(home, "serve", "--no-tls", environment=here) as second,
    ):
        assert first.data == second.data
        assert first.fact("resource") == second.fact("resource")
    # But the folder's key does not go with another database.
    told = refusal(home, "serve", "--port", "0", "--no-tls", environment={"WATCHWORD_DATABASE": cluster.fresh()})
    assert f"The key file {home.server_data / 'encryption.key'} was made for a database, and this one is empty." in told
    assert run(home, "migrate", "plan", environment=here).returncode == 0
