"""`watchword doctor` finds what is wrong with an installation, and says what to do."""

import json
import os
import shutil
import signal
import socket
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.commands import Home, answer, run, server
from tests.support.data import Located, beside, transact
from tests.support.engines import DATABASES
from watchword.certificates import chain, prepare_authority
from watchword.cli.checks import check_installation
from watchword.cli.findings import Finding
from watchword.clock import SystemClock, to_datetime
from watchword.server.folders import Folders
from watchword.settings import Settings
from watchword.storage import Transaction
from watchword.testing import MovableClock


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """An installation with nothing wrong about it, to be copied."""
    home = Home(tmp_path_factory.mktemp("sound"))
    with server(home, "serve"):
        answer(home, "identity", "create")
    return home


@pytest.fixture
def broken(sound: Home, tmp_path: Path) -> Home:
    """A copy of it, to be broken."""
    shutil.copytree(sound.folder, tmp_path / "home")
    copy = Home(tmp_path / "home")
    DATABASES.share(copy.server_data, sound.server_data)
    return copy


def look(home: Home, clock: MovableClock | None = None, **settings: object) -> dict[str, Finding]:
    """What is not in order, by what it is about."""
    folders = Folders(home.folder / "data", home.folder / "state")
    database = DATABASES.address(home.server_data)
    chosen = Settings(**{"port": 0, "database": database, **settings})  # type: ignore[arg-type]
    findings = check_installation(chosen, home.server_data, folders, clock=clock or SystemClock())
    assert all(finding.remedy for finding in findings if finding.status != "ok")
    return {finding.about: finding for finding in findings if finding.status != "ok" and finding.about != "IPv6"}


def test_sound_installation_is_called_sound(sound: Home) -> None:
    printed = answer(sound, "doctor", "--port", "0")
    for about in ("data directory", "encryption key", "database", "resource", "clock", "certificate", "port", "IPv6"):
        assert f" {about}: " in printed
    assert "problem" not in printed
    assert json.loads(answer(sound, "doctor", "--port", "0", "--json"))["sound"] is True


@pytest.mark.sqlite("it takes SQLite's own file away")
def test_problem_sets_the_exit_status(broken: Home) -> None:
    (broken.server_data / "watchword.sqlite").unlink()
    result = run(broken, "doctor", "--port", "0", "--json")
    assert result.returncode == 1
    report = json.loads(result.stdout)
    assert report["sound"] is False
    assert {"about", "status", "message", "remedy"} == set(report["findings"][0])
    assert "problem database: There is no database" in run(broken, "doctor", "--port", "0").stdout


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_key_file_that_others_may_read(broken: Home) -> None:
    (broken.server_data / "encryption.key").chmod(0o644)
    finding = look(broken)["encryption key"]
    assert (finding.status, "chmod 600" in finding.remedy) == ("problem", True)


@pytest.mark.sqlite("it opens SQLite's own file to others")
@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_data_that_others_may_reach(broken: Home) -> None:
    (broken.server_data / "watchword.sqlite").chmod(0o644)
    broken.server_data.chmod(0o750)
    assert {about: finding.status for about, finding in look(broken).items()} == {
        "data directory": "warning",
        "database": "warning",
    }
    broken.server_data.chmod(0o777)
    assert look(broken)["data directory"].status == "problem"


def test_key_of_another_installation(broken: Home) -> None:
    (broken.server_data / "encryption.key").write_text("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n")
    assert "does not fit the database" in look(broken)["resource"].message


def test_lost_key_is_not_replaced(broken: Home) -> None:
    (broken.server_data / "encryption.key").unlink()
    assert any("missing" in finding.message for finding in look(broken).values())
    assert not (broken.server_data / "encryption.key").exists()


@pytest.mark.sqlite("it damages SQLite's own file")
def test_damaged_database(broken: Home) -> None:
    path = broken.server_data / "watchword.sqlite"
    content = path.read_bytes()
    path.write_bytes(b"\0" * 100 + content[100:])
    assert "restore a backup" in look(broken)["database"].remedy


@pytest.mark.sqlite("it damages SQLite's own file")
def test_damaged_page_in_a_database_that_opens(broken: Home) -> None:
    path = broken.server_data / "watchword.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        [(root,)] = connection.execute("select rootpage from sqlite_master where name = 'identities'").fetchall()
        [(size,)] = connection.execute("pragma page_size").fetchall()
    content = bytearray(path.read_bytes())
    content[(root - 1) * size : root * size] = b"\xff" * size
    path.write_bytes(content)
    finding = look(broken)["database"]
    assert "malformed" in finding.message or "damaged" in finding.message
    assert "restore a backup" in finding.remedy


@pytest.mark.sqlite("the version stands in SQLite's file; tests/storage asks the same of PostgreSQL")
def test_database_of_a_newer_program(broken: Home) -> None:
    with closing(sqlite3.connect(broken.server_data / "watchword.sqlite")) as connection:
        connection.execute("pragma user_version = 999")
    assert "Run a newer Watchword" in look(broken)["database"].remedy


@pytest.mark.parametrize(("back", "status"), [(timedelta(minutes=1), "warning"), (timedelta(hours=2), "problem")])
def test_clock_that_was_set_back(broken: Home, back: timedelta, status: str) -> None:
    clock = MovableClock()
    clock.move(-back)
    finding = look(broken, clock)["clock"]
    assert (finding.status, "set back" in finding.message) == (status, True)


def test_clock_behind_the_highest_issue_time(broken: Home) -> None:
    ahead = SystemClock().micros() + 3_600_000_000
    here = Located(Settings(database=DATABASES.address(broken.server_data)), broken.server_data)
    [(before,)] = beside(here, lambda database: database.query("select high_water_micros from clock"))
    set_back = "update clock set high_water_micros = $1"
    transact(here, lambda transaction: transaction.execute(set_back, ahead))
    assert look(broken)["clock"].message.startswith("It is 1:00:00 behind") or "0:59:" in look(broken)["clock"].message
    # On PostgreSQL the copies of an installation share one database.
    transact(here, lambda transaction: transaction.execute(set_back, before))


def test_certificate_that_expires_or_is_not_ours(broken: Home) -> None:
    clock = MovableClock()
    clock.move(timedelta(days=380))
    assert look(broken, clock)["certificate"].status == "warning"
    clock.move(timedelta(days=30))
    assert look(broken, clock)["certificate"].status == "problem"
    leaf = broken.folder / "data/certificates/leaf"
    (leaf / "leaf-key.pem").write_bytes((broken.folder / "data/certificates/intermediate-key.pem").read_bytes())
    assert "is not that of" in look(broken)["certificate"].message
    (leaf / "leaf.pem").unlink()
    assert look(broken)["certificate"].status == "problem"


def test_port_that_another_program_has(sound: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Port {port}" in look(sound, port=port)["port"].message


def test_port_of_our_own_running_server_is_in_order(home: Home) -> None:
    with server(home, "serve") as running:
        assert "port: Port" in answer(home, "doctor", "--port", str(running.port))


@pytest.mark.sqlite("the level is SQLite's; Watchword raises PostgreSQL's by itself")
def test_database_that_may_lose_what_was_acknowledged(sound: Home) -> None:
    assert look(sound, synchronous="NORMAL")["durability"].status == "warning"


def test_directory_that_is_not_there_is_not_made(home: Home) -> None:
    assert look(home)["data directory"].status == "problem"
    assert not home.folder.joinpath("data").exists()


def test_certificate_that_does_not_hold_for_the_public_endpoint(broken: Home) -> None:
    finding = look(broken, public_endpoint="https://acs.example")["certificate"]
    assert (finding.status, "--tls-names acs.example" in finding.remedy) == ("warning", True)
    assert "certificate" not in look(broken, public_endpoint="https://localhost:8443")


def test_ca_of_an_earlier_version_that_was_made_while_the_clock_was_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = to_datetime(SystemClock().micros())
    # As it was made before this version: it begins when it is made.
    monkeypatch.setattr(chain, "BEGINNING", now + timedelta(days=9))
    home = Home(tmp_path / "home")
    prepare_authority(home.folder / "data" / "certificates", now + timedelta(days=2))
    with server(home, "serve") as running:
        finding = look(home)["certificate"]
        assert (finding.status, "No client trusts the local CA yet" in finding.message) == ("problem", True)
        assert "makes a new CA" in finding.remedy
        assert any("No client trusts the local CA yet" in line for line in running.stop(signal.SIGTERM)[1])


def test_what_should_be_gone_from_chats_and_from_the_journal(broken: Home) -> None:
    assert {"chat", "journal"}.isdisjoint(look(broken))

    async def leave(transaction: Transaction) -> None:
        await transaction.execute(
            "insert into threads (id, resource, topic, created_by, created_millis, deleted_millis)"
            " values ('19:x@thread.v2', 1, 'secret', 'acs:x', 1, 2)"
        )
        await transaction.execute("insert into departures (resource, subject) values (1, 'acs:x')")
        await transaction.execute(
            "insert into journal (resource, thread, change, kind, reference, moment_micros)"
            " values (1, 1, 1, 'threadDeleted', '', 1)"
        )

    settings = Settings(database=DATABASES.address(broken.server_data))
    transact(Located(settings, broken.server_data), leave)
    found = look(broken)
    assert "still in chats: 1; deleted threads with messages: 1" in found["chat"].message
    assert "should have gone" in found["journal"].message
    assert {found[about].status for about in ("chat", "journal")} == {"warning"}
    assert not any("secret" in finding.message for finding in found.values())
