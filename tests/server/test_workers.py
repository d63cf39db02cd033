"""A server of several processes: they share one truth, and none of them is missed when it ends."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.callers import Caller, all_identities, callers, created, wait_for_more
from tests.support.commands import Home, Server, refusal, server
from tests.support.engines import FreshSettings
from tests.support.polling import until
from tests.support.process_tree import children, client_of, is_alive, kill, linux_only, process_of, workers, writer
from tests.support.processes import PLAIN, Process, accepts
from tests.support.signed import SignedClient, read_reply
from tests.support.standing import is_live, why_dead
from watchword.server.installation import read_access_keys
from watchword.settings import Settings

pytestmark = linux_only

KILLS = int(os.environ.get("WATCHWORD_SOAK_ROUNDS", "3"))
CALLERS = 6
FAULTY_START = "import os, sys\nif 'watchword.server.worker' in sys.orig_argv:\n    os._exit(3)\n"


class Place:
    """Where a server's data is; it can be started there again and again."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self.home = home
        self._environment = PLAIN | {"WATCHWORD_DATABASE": settings.database, "WATCHWORD_WORKERS": "2"}

    @contextmanager
    def started(self, *arguments: str, **variables: str) -> Iterator[tuple[Server, Process]]:
        environment = self._environment | variables
        with server(self.home, "serve", *arguments, environment=environment) as running:
            primary, secondary = read_access_keys(running.settings, self.home.server_data)
            yield running, Process(running, (primary.secret, secondary.secret))


@pytest.fixture
def place(home: Home, fresh_settings: FreshSettings) -> Place:
    return Place(home, fresh_settings())


@pytest.fixture
def sqlite_place(home: Home) -> Place:
    return Place(home, Settings())


@pytest.fixture(scope="module")
def standing(
    fresh_settings: FreshSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Process]]:
    """One server for the tests that leave it as it was."""
    place = Place(Home(tmp_path_factory.mktemp("standing")), fresh_settings())
    with place.started(WATCHWORD_HOST="127.0.0.1,::1") as running:
        yield running


def test_what_is_revoked_through_one_is_refused_by_the_other_at_once(standing: tuple[Server, Process]) -> None:
    running, process = standing
    pids = workers(running.process.pid)
    assert len(pids) == 2
    one, other = (client_of(process, pid, pids) for pid in pids)
    with one, other:
        for revoking, asking in [(one, other), (other, one)] * 10:
            id = asking.new_identity()
            before = asking.new_token(id)
            assert is_live(revoking, before)
            assert revoking.revoke(id).status == 204
            assert why_dead(asking, before)
            after = asking.new_token(id)
            assert is_live(revoking, after)
            assert revoking.delete(id).status == 204
            assert asking.issue(id).status == 404


def test_a_token_that_one_issues_shows_at_the_other_long_before_a_second_is_over(
    standing: tuple[Server, Process],
) -> None:
    """One identity after another: noted once a second, as above the bound, this would take half a minute."""
    running, process = standing
    pids = workers(running.process.pid)
    one, other = (client_of(process, pid, pids) for pid in pids)
    with one, other:
        left = [one.new_identity() for _ in range(30)]
        one.new_token(left[0])

        def look() -> int:
            if "lastTokenIssuedAt" in other.get(left[0]).json:
                del left[0]
                if left:
                    one.new_token(left[0])
            return len(left)

        until(look, lambda count: count == 0)


def test_both_addresses_answer(standing: tuple[Server, Process]) -> None:
    for host in ["127.0.0.1", *(["::1"] if Path("/proc/net/if_inet6").exists() else [])]:
        with socket.create_connection((host, standing[1].port), timeout=20) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert read_reply(connection).status == 200


def test_arguments_hold_no_settings(standing: tuple[Server, Process]) -> None:
    """Every user of a machine can read them, and secrets are among the settings."""
    started = children(standing[0].process.pid, "watchword.server.")
    arguments = [Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[1:-1] for pid in started]
    assert {tuple(each) for each in arguments} <= {
        (b"-P", b"-m", b"watchword.server.worker"),
        (b"-P", b"-m", b"watchword.server.writer"),
    }


def test_a_worker_that_is_killed_is_replaced_and_the_others_go_on(sqlite_place: Place) -> None:
    with sqlite_place.started() as (running, process):
        pids = workers(running.process.pid)
        with SignedClient(process) as client:
            mine = process_of(client, pids)
            [victim] = pids - {mine}
            kill(victim)
            assert client.create().status == 201
            now = until(lambda: workers(running.process.pid), lambda found: len(found) == 2 and victim not in found)
            assert mine in now
        [another] = now - {mine}
        with client_of(process, another, now) as fresh:
            assert fresh.create().status == 201
        status, log = running.stop(signal.SIGTERM)
    assert status == 0
    [line] = log
    assert re.search(r"worker-\d+ ended with status -9; another one takes its place", line)


def test_a_reload_replaces_every_worker_and_no_request_notices(place: Place) -> None:
    with place.started() as (running, process):
        before = workers(running.process.pid)
        with callers(process) as every:
            running.process.send_signal(signal.SIGHUP)
            until(lambda: workers(running.process.pid), lambda now: len(now) == 2 and now.isdisjoint(before))
            wait_for_more(every)
        assert [failure for each in every for failure in each.failures] == []
        assert not any(each.was_refused for each in every)
        with SignedClient(process) as client:
            assert all_identities(client) == created(every)
        assert running.stop(signal.SIGTERM) == (0, [])
    assert list(place.home.temporary.iterdir()) == []
    assert place.home.announcements == []


def test_the_writer_may_be_killed_and_nothing_that_was_acknowledged_is_lost(sqlite_place: Place) -> None:
    with sqlite_place.started() as (running, process):
        with callers(process) as every:
            victim = writer(running.process.pid)
            kill(victim)
            until(lambda: writer(running.process.pid), lambda now: now != victim)
            wait_for_more(every)
        # Creating may be repeated without harm, and was: no caller was even told.
        assert [failure for each in every for failure in each.failures] == []
        with SignedClient(process) as client:
            assert set(created(every)) == set(all_identities(client))
        assert running.stop(signal.SIGTERM)[0] == 0


def kill_one(supervisor: int, chance: random.Random) -> None:
    """Some process of the server; returns when another one is in its place."""
    before = children(supervisor, "watchword.server.")
    kill(chance.choice(sorted(before)))
    until(
        lambda: children(supervisor, "watchword.server."),
        lambda now: len(now) == len(before) and now != before,
    )


def test_whatever_is_killed_again_and_again_nothing_that_was_acknowledged_is_lost(sqlite_place: Place) -> None:
    chance = random.Random(KILLS)
    with sqlite_place.started() as (running, process), callers(process, CALLERS) as every:
        for _ in range(KILLS):
            kill_one(running.process.pid, chance)
            # Whose connection was with a worker that was killed has no answer, and gives up; another one comes.
            while len(calling := [each for each in every if not each.has_ended]) < CALLERS:
                every.append(Caller(process))
                every[-1].start()
            wait_for_more(calling)
        for each in every:
            each.stop()
            each.join()
        assert not [failure for each in every for failure in each.failures if failure.startswith("Reply")]
        with SignedClient(process) as client:
            assert set(created(every)) <= set(all_identities(client))


def test_without_their_supervisor_they_finish_and_end_and_a_new_one_can_start(sqlite_place: Place) -> None:
    with sqlite_place.started("--stop-deadline", "20") as (running, process):
        port, supervisor = running.port, running.process.pid
        pids = workers(supervisor) | {writer(supervisor)}
        with SignedClient(process) as client:
            id = client.new_identity()
            kill(supervisor)
            running.process.wait(20)
            until(lambda: accepts(port), lambda accepting: not accepting)
            # This connection is still open, and is told that its answer is the last.
            assert client.delete(id).headers["connection"] == "close"
        until(lambda: any(map(is_alive, pids)), lambda alive: not alive)
    with sqlite_place.started("--port", str(port)) as (_, process), SignedClient(process) as client:
        assert client.get(id).status == 404


def test_workers_that_cannot_start_are_told_in_a_sentence(home: Home, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(FAULTY_START)
    environment = PLAIN | {"WATCHWORD_WORKERS": "2", "WATCHWORD_PORT": "0", "PYTHONPATH": str(tmp_path)}
    complaint = refusal(home, "serve", environment=environment)
    assert re.search(r"worker-\d ended before it answered", complaint)
    assert list(home.temporary.iterdir()) == []


def test_a_reload_that_fails_leaves_the_workers_that_are_there(sqlite_place: Place, tmp_path: Path) -> None:
    with sqlite_place.started(PYTHONPATH=str(tmp_path)) as (running, process), SignedClient(process) as client:
        before = workers(running.process.pid)
        (tmp_path / "sitecustomize.py").write_text(FAULTY_START)
        os.kill(running.process.pid, signal.SIGHUP)
        until(lambda: list(running.log), lambda log: any("the reload ended early" in line for line in log))
        assert workers(running.process.pid) == before
        assert client.create().status == 201


def test_no_workers_at_all_are_refused(home: Home) -> None:
    assert "0 is out of bounds" in refusal(home, "serve", "--workers", "0")
