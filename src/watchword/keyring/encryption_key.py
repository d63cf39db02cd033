"""Secrets at rest: access keys and signing keys are stored encrypted (AES-256-GCM), each bound to its row.

    1 byte version · 12 bytes nonce · ciphertext with its 16-byte tag

This is one key, and all that it can do; `encryption` says which of a node's keys is used when.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from watchword.errors import OperatorError
from watchword.identifiers import random_bytes

KEY_BYTES = 32
_VERSION = b"\x01"
_NONCE_BYTES = 12


class EncryptionKey:
    """Encrypts and decrypts secrets; `purpose` says what a secret is and whose, so that rows cannot be swapped."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(key)
        self._fingerprint_key = hmac.digest(key, b"fingerprints of access keys", hashlib.sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EncryptionKey) and hmac.compare_digest(self._key, other._key)

    def __hash__(self) -> int:
        return hash(self._fingerprint_key)

    def encrypt(self, secret: bytes, purpose: str) -> bytes:
        nonce = random_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret, purpose.encode())

    def decrypt(self, stored: bytes, purpose: str) -> bytes:
        """Decrypt a secret that was encrypted for the same purpose.

        Raises:
            OperatorError: the secret was encrypted with another key, or its row was changed.
        """
        nonce, ciphertext = stored[1 : 1 + _NONCE_BYTES], stored[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, ciphertext, purpose.encode())
        except (InvalidTag, ValueError):
            raise OperatorError(
                f"The encryption key does not fit the database: the {purpose} cannot be decrypted.",
                "Give the key that the database was made with, or that `watchword keys rewrap` changed it to.",
            ) from None

    def fingerprint(self, secret: bytes) -> bytes:
        """Equal for equal secrets; tells nothing of them to who has not the key."""
        return hmac.digest(self._fingerprint_key, secret, hashlib.sha256)

    def derive(self, salt: bytes, purpose: str, length: int) -> bytes:
        """Bytes for a key of another purpose, which tell nothing of this one (HKDF, RFC 5869)."""
        return HKDF(SHA256(), length, salt, purpose.encode()).derive(self._key)


def parse_key(text: str, origin: str) -> bytes:
    """The key of a setting or a file, which `origin` names: base64 of 32 bytes.

    Raises:
        OperatorError: anything else.
    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise OperatorError(
            f"The encryption key in {origin} is not base64 of 32 bytes.",
            "Give the key that the database was made with; for a new database, make one with: openssl rand -base64 32",
        )
    return key
