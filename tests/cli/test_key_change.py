"""`watchword keys rewrap` as people run it: beside a server, killed at any point, and where the next key is missing."""

import base64
import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.commands import WATCHWORD, Home, answer, refusal, run
from tests.support.engines import FreshSettings
from tests.support.postgres import Cluster
from tests.support.requirements import require
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from tests.support.system_calls import read_trace, strace
from watchword.keyring.encryption import KEY_FILE
from watchword.keyring.encryption_key import parse_key
from watchword.keyring.key_files import find_key_file, next_of
from watchword.settings import Settings
from watchword.storage.opening import DATABASE_FILE

PLAIN = Settings(request_log=False, tls=False)
KEY, NEXT = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))

# What makes the next key, the commit and the exchange of the files durable, or takes something away.
STEPS = ("fsync", "fdatasync", "link", "rename", "unlink")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The home of a user whose commands are processes of their own, beside servers of this one."""
    return Home(tmp_path / "home", in_process=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def key_of(data: Path) -> bytes:
    return parse_key((data / KEY_FILE).read_text(), KEY_FILE)


def environment_of(settings: Settings) -> dict[str, str]:
    return {"WATCHWORD_DATABASE": settings.database}


def works(settings: Settings, data: Path, keys: tuple[bytes, bytes] | None = None) -> tuple[bytes, bytes]:
    """Whether a server starts, takes its access keys and issues; the keys, which stay the same."""
    with running_server(settings, data=data) as server, SignedClient(server) as client:
        client.new_token(client.new_identity())
        assert keys in (None, server.keys)
        return server.keys


@pytest.mark.sqlite("only beside SQLite the command draws a key of its own")
def test_the_key_is_changed_beside_a_running_server_that_nobody_has_to_restart(home: Home, data: Path) -> None:
    with running_server(PLAIN, data=data) as server, SignedClient(server) as client:
        identity, former = client.new_identity(), key_of(data)
        changed = json.loads(answer(home, "keys", "rewrap", "--data", data, "--yes", "--json"))
        assert changed == {"changed": True, "access_keys": 2, "signing_keys": 1, "key_file": str(data / KEY_FILE)}
        client.new_token(identity)
        assert key_of(data) != former
        assert (data / KEY_FILE).stat().st_mode & 0o777 == 0o600
        assert not next_of(data / KEY_FILE).exists()
        # What it makes from now on is under the new key, too.
        answer(home, "keys", "rotate", "--now", "--data", data)
        client.new_token(identity)
        assert "2 access keys, 2 signing keys" in run(home, "keys", "rewrap", "--data", data, "--yes").stderr
        client.new_token(identity)
    works(PLAIN, data, server.keys)


@pytest.mark.sqlite("it reads SQLite's own files")
def test_nothing_under_the_former_key_stays_in_the_files(home: Home, data: Path) -> None:
    works(PLAIN, data)
    with running_server(PLAIN, data=data) as server:
        stored = [row[0] for row in _rows(data, "select secret from access_keys")]
        assert any(_stands(data, secret) for secret in stored)
        answer(home, "keys", "rewrap", "--data", data, "--yes")
        assert not any(_stands(data, secret) for secret in stored)
        assert server.keys


def _rows(data: Path, sql: str) -> list[tuple[bytes, ...]]:
    with closing(sqlite3.connect(data / DATABASE_FILE)) as connection:
        return connection.execute(sql).fetchall()


def _stands(data: Path, secret: bytes) -> bool:
    return any(secret in file.read_bytes() for file in data.glob(f"{DATABASE_FILE}*"))


def killed(home: Home, data: Path, settings: Settings, call: str, number: int) -> bool:
    """Run it until just before the given call of a thread of its; whether there was one."""
    points = ("-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}")
    done = subprocess.run(
        ["strace", "-f", "-qq", "-o", "/dev/null", *points, *WATCHWORD, "keys", "rewrap", "--yes", "--data", data],
        env=home.environment(**environment_of(settings)),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in (0, -9, 137), done.stderr
    return done.returncode != 0


def survives(home: Home, data: Path, call: str, number: int) -> bool:
    """Whether there was such a call; if so, killed before it the service works, and the change can be finished."""
    keys = works(PLAIN, data)
    if not killed(home, data, PLAIN, call, number):
        return False
    former, coming = key_of(data), find_key_file(next_of(data / KEY_FILE))
    works(PLAIN, data, keys)
    # Either the former key is still in force, or the next one is, which the start has put in its place.
    assert (key_of(data), next_of(data / KEY_FILE).exists()) in ((former, coming is not None), (coming, False))
    answer(home, "keys", "rewrap", "--yes", "--data", data)
    assert not next_of(data / KEY_FILE).exists()
    works(PLAIN, data, keys)
    return True


@pytest.mark.sqlite("only beside SQLite the command draws a key of its own")
@pytest.mark.parametrize("call", ["link", "fdatasync", "rename"])
def test_a_kill_leaves_the_database_and_its_key(home: Home, data: Path, call: str) -> None:
    require("strace", "strace is not installed; it kills a process just before a system call")
    assert survives(home, data, call, 1)


def test_a_kill_after_the_commit_leaves_the_key_on_postgres_too(home: Home, data: Path, cluster: Cluster) -> None:
    require("strace", "strace is not installed; it kills a process just before a system call")
    settings, coming = FreshSettings(cluster)(), next_of(data / KEY_FILE)
    keys = works(settings, data)
    coming.touch(0o600)
    coming.write_text(NEXT)
    assert killed(home, data, settings, "rename", 1)
    assert key_of(data) != parse_key(NEXT, "NEXT")
    # Called again, it does what was left to do, and no more.
    done = run(home, "keys", "rewrap", "--yes", "--data", data, environment=environment_of(settings))
    assert "under the next key already" in done.stderr
    assert key_of(data) == parse_key(NEXT, "NEXT")
    assert not coming.exists()
    works(settings, data, keys)


@pytest.mark.sqlite("only beside SQLite the command draws a key of its own")
@pytest.mark.soak
@pytest.mark.parametrize("call", STEPS)
def test_a_kill_at_any_point_leaves_the_database_and_its_key(home: Home, data: Path, call: str) -> None:
    require("strace", "strace is not installed; it kills a process just before a system call")
    number = 1
    while survives(home, data, call, number):
        shutil.rmtree(data)
        number += 1
    assert number > 1


@pytest.mark.sqlite("PostgreSQL itself syncs its log, in a process that is not ours")
def test_a_next_key_that_somebody_put_there_is_on_disk_before_the_commit(
    home: Home, data: Path, tmp_path: Path
) -> None:
    require("strace", "strace is not installed; it shows when the disk was told to write")
    works(PLAIN, data)
    next_of(data / KEY_FILE).touch(0o600)
    next_of(data / KEY_FILE).write_text(NEXT)
    command = [*strace(tmp_path / "trace"), *WATCHWORD, "keys", "rewrap", "--yes", "--data", str(data)]
    subprocess.run(command, env=home.environment(), check=True, capture_output=True, timeout=60)
    calls = read_trace(tmp_path / "trace")
    commit = next(call for call in calls if call.name == "fdatasync" and call.file.endswith("-wal"))
    for synced in (next_of(data / KEY_FILE), data):
        assert any(call.name == "fsync" and call.file == str(synced) and call.ended < commit.began for call in calls)


def test_without_consent_nothing_is_changed(home: Home, data: Path) -> None:
    works(PLAIN, data)
    former = key_of(data)
    assert "--yes" in refusal(home, "keys", "rewrap", "--data", data)
    assert key_of(data) == former
    assert not next_of(data / KEY_FILE).exists()


def test_a_key_by_setting_is_changed_to_the_next_one_by_setting(home: Home, data: Path) -> None:
    given = {"WATCHWORD_ENCRYPTION_KEY": KEY}
    keys = works(Settings(request_log=False, tls=False, encryption_key=KEY), data)
    told = refusal(home, "keys", "rewrap", "--data", data, "--yes", environment=given)
    assert "WATCHWORD_ENCRYPTION_KEY_NEXT is not set" in told

    both = given | {"WATCHWORD_ENCRYPTION_KEY_NEXT": NEXT}
    for sentence in ("Encrypted with the new key: 2 access keys, 1 signing key.", "under the next key already"):
        done = run(home, "keys", "rewrap", "--data", data, "--yes", environment=both)
        assert sentence in done.stderr
        assert "Now make it WATCHWORD_ENCRYPTION_KEY" in done.stderr
    works(Settings(request_log=False, tls=False, encryption_key=NEXT), data, keys)
    assert {file.name for file in data.iterdir()} <= {DATABASE_FILE}


def test_a_key_file_gives_way_to_a_setting(home: Home, data: Path) -> None:
    keys = works(PLAIN, data)
    done = run(
        home, "keys", "rewrap", "--data", data, "--yes", environment={"WATCHWORD_ENCRYPTION_KEY_NEXT": f"{NEXT}\n"}
    )
    assert f"delete {data / KEY_FILE}" in done.stderr
    (data / KEY_FILE).unlink()
    works(Settings(request_log=False, tls=False, encryption_key=NEXT), data, keys)


def test_on_postgres_the_next_key_has_to_be_there_before(home: Home, data: Path, cluster: Cluster) -> None:
    settings = FreshSettings(cluster)()
    keys = works(settings, data)
    told = refusal(home, "keys", "rewrap", "--data", data, "--yes", environment=environment_of(settings))
    assert "other nodes may run on this database" in told
    assert str(next_of(data / KEY_FILE)) in told
    assert not next_of(data / KEY_FILE).exists()
    works(settings, data, keys)


def test_a_next_key_that_lies_ready_is_told_by_doctor_and_used(home: Home, data: Path) -> None:
    keys, coming = works(PLAIN, data), next_of(data / KEY_FILE)
    coming.write_text(NEXT)
    coming.chmod(0o644)
    assert "Others may read the key file" in refusal(home, "keys", "rewrap", "--data", data, "--yes")
    coming.chmod(0o600)
    assert "`watchword keys rewrap` makes it the key" in run(home, "doctor", "--data", data).stdout
    answer(home, "keys", "rewrap", "--data", data, "--yes")
    assert key_of(data) == parse_key(NEXT, "NEXT")
    works(PLAIN, data, keys)


@pytest.mark.sqlite("only beside SQLite the command draws a key of its own")
def test_a_folder_in_which_nothing_can_be_replaced_stops_the_change_before_it_began(home: Home, data: Path) -> None:
    keys, former = works(PLAIN, data), key_of(data)
    (data / f"{KEY_FILE}.lock").unlink(missing_ok=True)
    (data / f"{KEY_FILE}.lock").mkdir()
    assert "cannot be replaced" in refusal(home, "keys", "rewrap", "--data", data, "--yes")
    assert not next_of(data / KEY_FILE).exists()
    assert key_of(data) == former
    works(PLAIN, data, keys)
