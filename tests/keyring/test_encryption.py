"""Secrets at rest: what stands in the files, under which key, and what happens when it is the wrong one."""

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.requirements import require
from watchword.errors import OperatorError
from watchword.keyring.encryption_key import KEY_BYTES, EncryptionKey, parse_key
from watchword.keyring.key_files import load_or_create_key_file

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))


@given(secret=st.binary(), purpose=st.text(st.characters(codec="utf-8")))
def test_what_was_encrypted_is_decrypted_for_the_same_purpose(secret: bytes, purpose: str) -> None:
    assert EncryptionKey(KEY).decrypt(EncryptionKey(KEY).encrypt(secret, purpose), purpose) == secret


def test_the_same_secret_never_looks_the_same() -> None:
    encryption = EncryptionKey(KEY)
    assert len({encryption.encrypt(b"secret", "purpose") for _ in range(100)}) == 100


@given(position=st.integers(min_value=1), flip=st.integers(1, 255))
def test_one_changed_byte_is_noticed(position: int, flip: int) -> None:
    stored = bytearray(EncryptionKey(KEY).encrypt(b"secret", "purpose"))
    # The first byte names the form and is no part of what is encrypted.
    at = 1 + position % (len(stored) - 1)
    stored[at] ^= flip
    with pytest.raises(OperatorError, match="the purpose cannot be decrypted"):
        EncryptionKey(KEY).decrypt(bytes(stored), "purpose")


@pytest.mark.parametrize("stored", [b"", b"\x01", b"\x01" + bytes(12), b"\x01" + bytes(27), bytes(64)])
def test_what_is_too_short_or_made_up_is_the_operators_matter(stored: bytes) -> None:
    with pytest.raises(OperatorError):
        EncryptionKey(KEY).decrypt(stored, "purpose")


def test_another_key_or_another_purpose_decrypts_nothing() -> None:
    stored = EncryptionKey(KEY).encrypt(b"secret", "access key 1")
    with pytest.raises(OperatorError, match="The encryption key does not fit the database") as raised:
        EncryptionKey(OTHER_KEY).decrypt(stored, "access key 1")
    assert raised.value.remedy
    with pytest.raises(OperatorError):
        EncryptionKey(KEY).decrypt(stored, "access key 2")


def test_a_key_is_base64_of_32_bytes() -> None:
    assert parse_key(f" {base64.b64encode(KEY).decode()}\n", "") == KEY
    for text in ("", "short", base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode(), "ü" * 44):
        with pytest.raises(OperatorError, match="in WATCHWORD_ENCRYPTION_KEY is not base64 of 32 bytes"):
            parse_key(text, "WATCHWORD_ENCRYPTION_KEY")


def test_the_key_file_is_made_once_for_its_owner_only_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "encryption.key"
    before = os.umask(0)
    try:
        key = load_or_create_key_file(path)
    finally:
        os.umask(before)
    assert len(key) == KEY_BYTES
    assert load_or_create_key_file(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_of_many_that_make_the_key_file_at_once_all_read_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "encryption.key"
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(load_or_create_key_file, [path] * 64))
    assert len(keys) == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_key_file_that_others_may_read_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    require(os.name == "posix", "there are no file modes here")
    path = tmp_path / "encryption.key"
    load_or_create_key_file(path)
    path.chmod(mode)
    if not mode & 0o007:
        # What a group may that this process is in, is whoever's business who put it there.
        require(os.geteuid() == 0, "only root gives a file to a foreign group")
        os.chown(path, -1, max(os.getgroups(), default=0) + 4711)
    with pytest.raises(OperatorError, match="Others may read the key file") as raised:
        load_or_create_key_file(path)
    assert raised.value.remedy == f"Close it with: chmod 600 {path}"


@pytest.mark.parametrize("content", [b"", b"not a key", b"\xff\xfe", bytes(32)])
def test_a_key_file_without_a_key_is_refused_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "encryption.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(OperatorError):
        load_or_create_key_file(path)
    assert path.read_bytes() == content
