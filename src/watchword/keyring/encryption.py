"""Secrets at rest: access keys and signing keys are stored encrypted (AES-256-GCM), each bound to its row.

    1 byte version · 12 bytes nonce · ciphertext with its 16-byte tag

The encryption key is given by setting, or lives in a file beside the data that only its owner may read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from watchword.errors import OperatorError
from watchword.files import sync_folder
from watchword.identifiers import random_bytes

KEY_BYTES = 32
_VERSION = b"\x01"
_NONCE_BYTES = 12


class Encryption:
    """Encrypts and decrypts secrets; `purpose` says what a secret is and whose, so that rows cannot be swapped."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(key)
        self._fingerprint_key = hmac.digest(key, b"fingerprints of access keys", hashlib.sha256)

    def encrypt(self, secret: bytes, purpose: str) -> bytes:
        nonce = random_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret, purpose.encode())

    def decrypt(self, stored: bytes, purpose: str) -> bytes:
        """Raises:
        OperatorError: the secret was encrypted with another key, or its row was changed.
        """
        nonce, ciphertext = stored[1 : 1 + _NONCE_BYTES], stored[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, ciphertext, purpose.encode())
        except (InvalidTag, ValueError):
            raise OperatorError(
                f"The encryption key does not fit the database: the {purpose} cannot be decrypted.",
                "Give the key file or the encryption key with which this database was made.",
            ) from None

    def fingerprint(self, secret: bytes) -> bytes:
        """Equal for equal secrets; tells nothing of them to who has not the key."""
        return hmac.digest(self._fingerprint_key, secret, hashlib.sha256)

    def derive(self, salt: bytes, purpose: str, length: int) -> bytes:
        """Bytes for a key of another purpose, which tell nothing of this one (HKDF, RFC 5869)."""
        return HKDF(SHA256(), length, salt, purpose.encode()).derive(self._key)


def parse_key(text: str) -> bytes:
    """The key of a setting: base64 of 32 bytes.

    Raises:
        OperatorError: anything else.
    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise OperatorError("The encryption key is not base64 of 32 bytes.", "Make one with: openssl rand -base64 32")
    return key


def load_or_create_key_file(path: Path) -> bytes:
    """The key of a file, made on first use.

    A new file, and its name in the folder, reach the disk before this returns: no row may be encrypted under a key
    that a power cut can still take away. Of two processes that start at once, one makes the file and both read it.

    Raises:
        OperatorError: the file cannot be read or holds no key, or others than its owner may read it.
    """
    if not path.exists():
        _create(path)
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise OperatorError(f"Others may read the key file {path}.", f"Close it with: chmod 600 {path}")
        return parse_key(path.read_text("ascii"))
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"The key file {path} cannot be read: {error}.", "Restore it from a backup.") from None


def _create(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{random_bytes(8).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(random_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link, unlike a rename, never replaces the key that another process made meanwhile.
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
    sync_folder(path.parent)
