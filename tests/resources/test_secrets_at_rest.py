"""A running server's files: no key stands in them in the clear, and swapped or foreign rows prove nobody."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from tests.support.data import all_rows, transact
from tests.support.engines import CHOSEN
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.errors import OperatorError
from watchword.keyring.encryption import KEY_FILE, Encryption
from watchword.keyring.key_files import load_or_create_key_file
from watchword.settings import Settings
from watchword.storage.opening import DATABASE_FILE
from watchword.testing import RunningServer

SETTINGS = Settings(request_log=False, tls=False)
GIVEN = Settings(request_log=False, tls=False, encryption_key=base64.b64encode(bytes(range(32))).decode())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def spellings(secret: bytes) -> Iterator[bytes]:
    yield secret
    yield base64.b64encode(secret)
    yield base64.urlsafe_b64encode(secret)
    yield secret.hex().encode()


def signing_secrets(server: RunningServer, encryption: Encryption) -> Iterator[bytes]:
    for row in all_rows(server)["signing_keys"]:
        der = encryption.decrypt(row["private_key"], f"signing key {row['kid']}")
        key = load_der_private_key(der, None)
        yield der
        yield key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        yield key.private_numbers().private_value.to_bytes(32, "big")  # type: ignore[union-attr]


def test_no_key_stands_in_any_row_or_file_while_the_server_runs_or_afterwards(data: Path) -> None:
    with running_server(SETTINGS, data=data) as server, SignedClient(server) as client:
        client.new_token(client.new_identity())
        key = load_or_create_key_file(data / KEY_FILE)
        secrets = [*server.keys, key, *signing_secrets(server, Encryption(key))]
        assert_none_stands_in(server, secrets)
        assert CHOSEN == "postgres" or (data / f"{DATABASE_FILE}-wal").stat().st_size > 0
    assert_none_stands_in(server, secrets)


def assert_none_stands_in(server: RunningServer, secrets: list[bytes]) -> None:
    contents = {file.name: file.read_bytes() for file in server.data.iterdir() if file.name != KEY_FILE}
    contents |= {table: _bytes(rows) for table, rows in all_rows(server).items()}
    assert {"access_keys", "signing_keys"} <= set(contents)
    assert CHOSEN == "postgres" or DATABASE_FILE in contents
    for name, content in contents.items():
        assert not [spelled for secret in secrets for spelled in spellings(secret) if spelled in content], name


def _bytes(rows: list[dict[str, Any]]) -> bytes:
    cells = [cell for row in rows for cell in row.values()]
    return b"|".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in cells)


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
    with pytest.raises(OperatorError, match=r"encryption\.key is missing"):
        start(SETTINGS, data)
    assert not (data / KEY_FILE).exists()


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
        "update access_keys set secret = substr(secret, 1, 13)",
    ],
    ids=["each other's", "a signing key", "cut off"],
)
def test_rows_that_were_swapped_prove_nobody(data: Path, swap: str) -> None:
    with running_server(SETTINGS, data=data) as server:
        transact(server, lambda transaction: transaction.execute(swap))
        refused(server)
