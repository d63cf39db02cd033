"""`watchword migrate`: what is due, in words, and doing it; what it must not do."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.commands import Home, answer, refusal, run
from watchword.storage import schema as schema_module
from watchword.storage.migrations import migrate
from watchword.storage.schema import schema_files

pytestmark = pytest.mark.sqlite("each makes a file of an earlier version; tests/releases has both engines")

NEWEST = schema_files()[-1]


def made(home: Home, version: int) -> Path:
    """A database of an earlier version, in the server's directory."""
    home.server_data.mkdir(parents=True)
    path = home.server_data / "watchword.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection, pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(schema_module, "schema_files", lambda engine: schema_files()[:version])
        migrate(connection)
    return path


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        [(version,)] = connection.execute("pragma user_version").fetchall()
    return int(version)


def test_plan_tells_both_versions_and_every_step_and_changes_nothing(home: Home) -> None:
    path = made(home, NEWEST.version - 2)
    before = path.read_bytes()
    first, *lines = answer(home, "migrate", "plan").splitlines()
    assert first == f"{path} has schema version {NEWEST.version - 2}; this program's is {NEWEST.version}."
    last = schema_files()[-2:]
    assert [line.strip().split(maxsplit=1) for line in lines[1:]] == [[step.name, step.purpose] for step in last]
    assert [step["version"] for step in json.loads(answer(home, "migrate", "plan", "--json"))["steps"]] == [
        step.version for step in last
    ]
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir() if ".before-" in each.name] == []


def test_apply_tells_what_it_does_and_plan_has_nothing_left(home: Home) -> None:
    path = made(home, NEWEST.version - 2)
    told = run(home, "migrate", "apply").stderr
    [backup] = path.parent.glob("*.before-*")
    assert told.splitlines() == [
        f"watchword: copied the database to {backup}",
        *(f"watchword: applied {step.name}" for step in schema_files()[-2:]),
        f"{path} has schema version {NEWEST.version}: it had {NEWEST.version - 2}.",
    ]
    assert version_of(path) == NEWEST.version
    assert answer(home, "migrate", "plan").endswith("There is nothing to do.\n")
    assert "there was nothing to do" in run(home, "migrate", "apply").stderr


def test_commands_leave_the_version_before_as_it_is_and_say_what_to_do_with_older_ones(home: Home) -> None:
    path = made(home, NEWEST.version - 1)
    listed = run(home, "resource", "list", "--json")
    assert json.loads(listed.stdout) == []
    assert "the next start, or `watchword migrate apply`, migrates it" in listed.stderr
    assert version_of(path) == NEWEST.version - 1
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"pragma user_version = {NEWEST.version - 2}")
    told = refusal(home, "resource", "list")
    assert f"runs on the versions {NEWEST.version - 1} and {NEWEST.version}" in told
    assert "run `watchword migrate apply`" in told


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_database_of_a_newer_program_is_left_alone(home: Home, command: str) -> None:
    path = made(home, NEWEST.version)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 999")
    told = refusal(home, "migrate", command)
    assert f"The database has schema version 999; this program knows versions up to {NEWEST.version}." in told
    assert version_of(path) == 999


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_no_database_is_made_where_there_is_none(home: Home, command: str, tmp_path: Path) -> None:
    assert "There is no database" in refusal(home, "migrate", command, "--data", tmp_path)
    assert list(tmp_path.glob("*.sqlite*")) == []
