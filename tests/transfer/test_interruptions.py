"""Runs that are killed or interrupted, or that lose their database: what they leave, and how the next one ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.support.commands import WATCHWORD, Home, run
from tests.support.engines import FreshSettings, Place
from tests.support.polling import until
from tests.support.postgres import Cluster, cluster, programs
from tests.support.transfers import KEY, Source, exported, imported, sums
from watchword.errors import Unavailable

WAITING = "select pid from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'watchword'"


@pytest.fixture(scope="module")
def fresh_settings() -> FreshSettings:
    """What is exported is on SQLite; what it is read into is not."""
    return FreshSettings(None)


class Interruption(BaseException):
    """What ends a run, at some step."""


@dataclass
class KillItself:
    """A report of progress that ends its process at one of the steps: as a power cut would, or Ctrl-C."""

    at: int
    how: signal.Signals = signal.SIGKILL
    steps: int = 0

    def __call__(self, doing: str, done: int, total: int) -> None:
        self.steps += 1
        if self.steps == self.at:
            os.kill(os.getpid(), self.how)


def test_an_import_that_is_killed_again_and_again_ends_the_same(
    source: Source, export_file: Path, target: Place, tmp_path: Path
) -> None:
    processes = get_context("spawn")
    # The second goes on where the first was, and gets as far as comparing.
    for at in (6, 25):
        process = processes.Process(target=imported, args=(target, export_file, None, KillItself(at)))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    imported(target, export_file, keep_tokens=True)
    assert sums(exported(target, tmp_path / "after")) == sums(exported(source.place, tmp_path / "before"))


def test_an_export_that_is_interrupted_leaves_no_file_and_begins_anew(source: Source, tmp_path: Path) -> None:
    path = tmp_path / "file"

    def interrupt(doing: str, done: int, total: int) -> None:
        assert [each.name for each in tmp_path.iterdir()] == ["file.part"]
        raise Interruption

    with pytest.raises(Interruption):
        exported(source.place, path, report=interrupt)
    assert list(tmp_path.iterdir()) == []
    for how, status, left in ((signal.SIGINT, 1, []), (signal.SIGKILL, -signal.SIGKILL, ["file.part"])):
        process = get_context("spawn").Process(target=exported, args=(source.place, path, None, KillItself(3, how)))
        process.start()
        process.join()
        assert process.exitcode == status
        assert [each.name for each in tmp_path.iterdir()] == left
    made = exported(source.place, path)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert made.header.rows == sum(each.rows for each in made.end.sums.values())


@contextmanager
def command_that_waits(cluster: Cluster, home: Home, place: Place, file: Path) -> Iterator[subprocess.Popen[str]]:
    """`watchword import`, in the middle of the transaction that reads the first identities in."""
    name = place.settings.database.rpartition("=")[2]
    blocking = subprocess.Popen(
        [programs() / "psql", cluster.dsn(), "-qAt"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    with blocking:
        assert blocking.stdin is not None
        assert blocking.stdout is not None
        blocking.stdin.write(f"begin; lock table {name}.identities in exclusive mode; select 'locked';\n")
        assert blocking.stdout.readline() == "locked\n"
        with subprocess.Popen(
            [*WATCHWORD, "import", str(file)],
            env=home.environment(**environment(place)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            until(lambda: cluster.execute(WAITING), bool)
            yield process
        blocking.stdin.close()


def environment(place: Place) -> dict[str, str]:
    database = {"WATCHWORD_DATABASE": place.settings.database} if place.is_postgres else {}
    return {"WATCHWORD_ENCRYPTION_KEY": KEY, "WATCHWORD_DATA": str(place.folder)} | database


@pytest.mark.parametrize("target", ["postgres"], indirect=True)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_command_that_is_ended_within_a_transaction_is_run_again(
    source: Source, export_file: Path, target: Place, cluster: Cluster, tmp_path: Path, how: signal.Signals
) -> None:
    home = Home(tmp_path / "home")

    def interrupt(doing: str, done: int, total: int) -> None:
        raise Interruption

    with pytest.raises(Interruption):
        imported(target, export_file, report=interrupt)
    with command_that_waits(cluster, home, target, export_file) as process:
        process.send_signal(how)
        assert process.stderr is not None
        words = process.stderr.read()
    if how is signal.SIGINT:
        assert words.endswith("watchword: Interrupted. Run the same command again: it goes on where it was.\n"), words
        assert "Traceback" not in words
    assert process.returncode == (130 if how is signal.SIGINT else -how)
    done = run(home, "import", "--keep-tokens", "--json", export_file, environment=environment(target))
    # It did not begin anew.
    assert ("importing: 0 %" in done.stderr, "comparing: 100 %" in done.stderr) == (False, True)
    assert json.loads(done.stdout)["revoked"] == 0
    assert sums(exported(target, tmp_path / "after")) == sums(exported(source.place, tmp_path / "before"))


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """One that a test may kill."""
    with cluster() as running:
        yield running


def test_an_import_goes_on_when_its_database_is_back(
    source: Source, export_file: Path, own_cluster: Cluster, tmp_path: Path
) -> None:
    place = Place(FreshSettings(own_cluster)(encryption_key=KEY, database_timeout=2.0), tmp_path)
    for phase in ("importing", "comparing"):
        steps: list[str] = []

        def kill(doing: str, done: int, total: int, phase: str = phase, steps: list[str] = steps) -> None:
            steps.append(doing)
            if steps.count(phase) == 2:
                own_cluster.kill()

        with pytest.raises(Unavailable):
            imported(place, export_file, report=kill)
        own_cluster.start()
    imported(place, export_file, keep_tokens=True)
    assert sums(exported(place, tmp_path / "after")) == sums(exported(source.place, tmp_path / "before"))
