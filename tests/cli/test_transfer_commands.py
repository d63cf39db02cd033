"""`watchword export` and `watchword import`, beside a running server and into a directory of their own."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.commands import Home, answer, refusal, run, server
from tests.support.engines import CHOSEN

elsewhere = pytest.mark.sqlite("it names the database by a directory of its own; tests/transfer has both engines")


@pytest.fixture(scope="module")
def serving(shared_home: Home) -> Iterator[Home]:
    """The home of a server that runs on its user's own data directory, and has an identity."""
    with server(shared_home, "serve", "--no-request-log") as running:
        answer(shared_home, "identity", "create", "--custom-id", "ada")
        assert running.data == shared_home.server_data
        yield shared_home


@pytest.fixture(scope="module")
def file(serving: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written while the server ran."""
    path = tmp_path_factory.mktemp("exports") / "full.export"
    shown = run(serving, "export", path)
    assert shown.returncode == 0, shown.stderr
    assert "identities            1     " in shown.stdout
    assert shown.stderr.endswith(f"exporting: 100 %\nExported 9 rows to {path}.\n")
    return path


def test_a_file_is_verified_without_a_database(serving: Home, file: Path, tmp_path: Path) -> None:
    key = tmp_path / "encryption.key"
    shutil.copy(serving.server_data / "encryption.key", key)
    result = run(serving, "export", "--verify", file, "--data", tmp_path / "none", "--encryption-key-file", key)
    assert result.returncode == 0, result.stderr
    assert result.stderr.endswith(f"{file} is whole.\n")
    told = json.loads(answer(serving, "export", "--verify", file, "--json"))
    assert (told["engine"], told["tables"]["identities"]["rows"], told["numbers"]["resources"]) == (
        {"sqlite": "sqlite", "postgres": "postgresql"}[CHOSEN],
        1,
        1,
    )
    broken = tmp_path / "broken"
    broken.write_bytes(file.read_bytes()[:-1])
    assert "is damaged" in refusal(serving, "export", "--verify", broken)


@elsewhere
def test_a_backup_is_restored_into_a_directory_of_its_own(serving: Home, file: Path, tmp_path: Path) -> None:
    key = serving.server_data / "encryption.key"
    restored = tmp_path / "restored"
    result = run(serving, "import", file, "--data", restored, "--encryption-key-file", key)
    assert result.returncode == 0, result.stderr
    for told in ("Imported 9 rows", "refused, of 1 resource;", "An export brings back", "watchword keys revoke"):
        assert told in result.stderr
    assert restored.stat().st_mode & 0o077 == 0
    assert {each.stat().st_mode & 0o077 for each in restored.iterdir()} == {0}
    keys = answer(serving, "resource", "keys", "--data", restored, "--encryption-key-file", key)
    assert keys == answer(serving, "resource", "keys")
    again = run(serving, "import", file, "--data", restored, "--encryption-key-file", key)
    assert (again.returncode, "This very file is in already" in again.stderr) == (0, True)


@elsewhere
def test_keeping_tokens_is_told_in_words(serving: Home, file: Path, tmp_path: Path) -> None:
    key = serving.server_data / "encryption.key"
    result = run(serving, "import", "--keep-tokens", file, "--data", tmp_path / "moved", "--encryption-key-file", key)
    assert result.returncode == 0, result.stderr
    assert "Tokens live on, as you wished" in result.stderr
    assert "is refused" not in result.stderr


@elsewhere
def test_what_cannot_be_read_or_written_is_told_in_words(serving: Home, file: Path, tmp_path: Path) -> None:
    key = ("--encryption-key-file", serving.server_data / "encryption.key")
    assert "is there already" in refusal(serving, "export", file)
    assert "There is no database" in refusal(serving, "export", tmp_path / "x", "--data", tmp_path / "none", *key)
    assert "none cannot be used: No such file" in refusal(serving, "import", tmp_path / "none", *key)
    beneath_a_file = ("--data", file / "data", *key)
    assert "cannot be used: Not a directory" in refusal(serving, "import", file, *beneath_a_file)
    assert "is no export" in refusal(serving, "import", key[1], *key)
    assert "The database is not empty" in refusal(serving, "import", file)
    # Without the key nothing is made, not even a key of its own.
    assert "is missing" in refusal(serving, "import", file, "--data", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    wrong = tmp_path / "wrong.key"
    wrong.write_text("A" * 43 + "=")
    wrong.chmod(0o600)
    told = refusal(serving, "import", file, "--data", tmp_path / "new", "--encryption-key-file", wrong)
    assert "exported under another encryption key" in told
    assert not (tmp_path / "new").exists()


@elsewhere
def test_a_command_on_an_unfinished_import_is_refused(serving: Home, file: Path, tmp_path: Path) -> None:
    key = ("--encryption-key-file", serving.server_data / "encryption.key")
    answer(serving, "import", file, "--data", tmp_path, *key, "--json")
    with closing(sqlite3.connect(tmp_path / "watchword.sqlite", isolation_level=None)) as connection:
        connection.execute("update imports set finished_micros = null")
    for command in (("resource", "list"), ("export", tmp_path / "x")):
        assert "import that is not finished" in refusal(serving, *command, "--data", tmp_path)
