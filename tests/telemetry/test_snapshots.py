"""Several processes on one folder: whichever is asked tells of all, the dead among them, and no counter goes back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.polling import until
from tests.support.postgres import Cluster
from tests.support.scraping import scrape
from tests.support.signed import SignedClient
from watchword.files import Process
from watchword.settings import Settings
from watchword.testing import RunningServer, running_server

CREATED = {"operation": "CommunicationIdentity_Create", "status": "201"}

OTHER_PROCESS = """
import sys
from pathlib import Path
from watchword.files import Process
from watchword.settings import Settings
from watchword.testing import running_server

data, folder = map(Path, sys.argv[1:3])
settings = Settings(request_log=False, tls=False, database=sys.argv[3])
with running_server(settings, data=data, process=Process("two", folder)) as server:
    print(server.port, flush=True)
    sys.stdin.read()
"""


class Other:
    """The second one, in a process of its own."""

    def __init__(self, first: RunningServer, folder: Path) -> None:
        command = [sys.executable, "-c", OTHER_PROCESS, str(first.data), str(folder), first.settings.database]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        port = int(self.process.stdout.readline())
        self.server = RunningServer(
            port, f"http://localhost:{port}", first.data, None, first.clock, first.keys, first.settings,
            first.operator_token,
        )  # fmt: skip

    def stop(self) -> None:
        self.process.communicate(timeout=30)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "metrics"


@pytest.fixture
def first(folder: Path, cluster: Cluster) -> Iterator[RunningServer]:
    # On SQLite one process would have to write for both, which tests/server/test_workers.py has.
    settings = Settings(request_log=False, tls=False, database=cluster.fresh())
    with running_server(settings, process=Process("one", folder)) as server:
        yield server


@pytest.fixture
def start(first: RunningServer, folder: Path) -> Iterator[Callable[[], Other]]:
    started: list[Other] = []

    def begin() -> Other:
        started.append(Other(first, folder))
        return started[-1]

    yield begin
    for each in started:
        each.kill()


def created(server: RunningServer) -> float:
    found = scrape(server)
    return found.value("watchword_requests_total", **CREATED)


def create(server: RunningServer, times: int) -> None:
    with SignedClient(server) as client:
        for _ in range(times):
            client.new_identity()


@contextmanager
def both(first: RunningServer, start: Callable[[], Other]) -> Iterator[Other]:
    other = start()
    create(first, 2)
    create(other.server, 3)
    yield other


def test_each_tells_of_both(first: RunningServer, start: Callable[[], Other]) -> None:
    with both(first, start) as other:
        # Whoever is asked writes its own down before it answers.
        assert until(lambda: created(other.server), lambda count: count == 5) == created(first)
        found = scrape(first)
        assert found.value("watchword_processes") == 2
        assert found.value("watchword_request_duration_seconds_count", operation=CREATED["operation"]) == 5
        assert {labels["process"] for labels in found.labels("process_resident_memory_bytes")} == {"one", "two"}
        assert found.value("process_resident_memory_bytes", process="two") > 0


def test_what_was_told_of_a_process_that_was_killed_is_told_on(
    first: RunningServer, start: Callable[[], Other]
) -> None:
    with both(first, start) as other, SignedClient(other.server) as idle:
        idle.new_identity()
        assert created(other.server) >= 4
        assert scrape(first).value("watchword_open_connections") >= 2
        other.kill()
    found = scrape(first)
    assert found.value("watchword_requests_total", **CREATED) == 6
    assert found.value("watchword_processes") == 1
    assert {labels["process"] for labels in found.labels("process_resident_memory_bytes")} == {"one"}
    assert found.value("watchword_open_connections") == 1


def test_a_process_in_the_place_of_a_dead_one_carries_its_counts_on(
    first: RunningServer, start: Callable[[], Other]
) -> None:
    with both(first, start) as other:
        other.stop()
    assert created(first) == 5
    again = start()
    create(again.server, 1)
    assert created(again.server) == 6
    assert scrape(first).value("watchword_processes") == 2


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_folder_is_private_and_what_is_no_snapshot_is_left_alone(first: RunningServer, folder: Path) -> None:
    (folder / "three.metrics").write_bytes(b"of another version")
    create(first, 1)
    assert created(first) == 1
    assert {path.stat().st_mode & 0o077 for path in (folder, folder / "one.metrics", folder / "one.lock")} == {0}
