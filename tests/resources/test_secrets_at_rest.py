"""A running server's files: no key stands in them in the clear, and swapped or foreign rows prove nobody."""

import base64
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from tests.support.signed import SignedClient
from watchword.app import DATABASE_FILE
from watchword.errors import OperatorError
from watchword.keyring.encryption import KEY_FILE, Encryption
from watchword.keyring.key_files import load_or_create_key_file
from watchword.settings import Settings
from watchword.testing import RunningServer, running_server

SETTINGS = Settings(request_log=False, tls=False)
GIVEN = Settings(request_log=False, tls=False, encryption_key=base64.b64encode(bytes(range(32))).decode())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def rows(data: Path, sql: str) -> list[tuple[bytes, ...]]:
    with closing(sqlite3.connect(data / DATABASE_FILE)) as connection:
        return connection.execute(sql).fetchall()


def change(data: Path, sql: str) -> None:
    with closing(sqlite3.connect(data / DATABASE_FILE, isolation_level=None)) as connection:
        connection.execute(sql)


def spellings(secret: bytes) -> Iterator[bytes]:
    yield secret
    yield base64.b64encode(secret)
    yield base64.urlsafe_b64encode(secret)
    yield secret.hex().encode()


def signing_secrets(data: Path, encryption: Encryption) -> Iterator[bytes]:
    for kid, stored in rows(data, "select kid, private_key from signing_keys"):
        der = encryption.decrypt(stored, f"signing key {kid!s}")
        key = load_der_private_key(der, None)
        yield der
        yield key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        yield key.private_numbers().private_value.to_bytes(32, "big")  # type: ignore[union-attr]


def test_no_key_stands_in_any_file_while_the_server_runs_or_afterwards(data: Path) -> None:
    with running_server(SETTINGS, data=data) as server, SignedClient(server) as client:
        client.new_token(client.new_identity())
        key = load_or_create_key_file(data / KEY_FILE)
        secrets = [*server.keys, key, *signing_secrets(data, Encryption(key))]
        assert_none_stands_in(data, secrets)
        assert (data / f"{DATABASE_FILE}-wal").stat().st_size > 0
    assert_none_stands_in(data, secrets)


def assert_none_stands_in(data: Path, secrets: list[bytes]) -> None:
    files = [file for file in data.iterdir() if file.name != KEY_FILE]
    assert DATABASE_FILE in {file.name for file in files}
    for file in files:
        content = file.read_bytes()
        assert not [spelled for secret in secrets for spelled in spellings(secret) if spelled in content], file


def test_a_key_by_setting_needs_no_file_and_another_one_opens_nothing(data: Path) -> None:
    with running_server(GIVEN, data=data) as server, SignedClient(server) as client:
        assert client.create().status == 201
    assert not (data / KEY_FILE).exists()
    wrong = Settings(request_log=False, tls=False, encryption_key=base64.b64encode(bytes(32)).decode())
    with pytest.raises(OperatorError, match="The encryption key does not fit the database"):
        start(wrong, data)


def start(settings: Settings, data: Path) -> None:
    with running_server(settings, data=data):
        pass


def test_a_key_file_that_was_lost_is_noticed_at_the_start(data: Path) -> None:
    start(SETTINGS, data)
    (data / KEY_FILE).unlink()
    with pytest.raises(OperatorError, match="does not fit the database"):
        start(SETTINGS, data)


def test_the_files_are_their_owners_only(data: Path) -> None:
    with running_server(SETTINGS, data=data) as server, SignedClient(server) as client:
        client.new_identity()
        assert data.stat().st_mode & 0o077 == 0
        assert {file.name: file.stat().st_mode & 0o077 for file in data.iterdir()} == {
            file.name: 0 for file in data.iterdir()
        }


def refused(server: RunningServer) -> None:
    with SignedClient(server) as client:
        for key in server.keys:
            assert client.call("POST", "/identities?api-version=2023-10-01", key=key).status in (401, 503)


@pytest.mark.parametrize(
    "swap",
    [
        "update access_keys set secret = (select secret from access_keys o where o.slot <> access_keys.slot)",
        "update access_keys set secret = (select private_key from signing_keys)",
        "update access_keys set secret = zeroblob(93)",
    ],
    ids=["each other's", "a signing key", "zeros"],
)
def test_rows_that_were_swapped_prove_nobody(data: Path, swap: str) -> None:
    with running_server(SETTINGS, data=data) as server:
        change(data, swap)
        refused(server)
