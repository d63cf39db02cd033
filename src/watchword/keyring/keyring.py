"""The signing keys in force: one signs, all verify."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from watchword.clock import Clock
from watchword.keyring import store
from watchword.keyring.encryption import Encryption
from watchword.keyring.store import SigningKeyRow
from watchword.storage import Database, Transaction
from watchword.tokens.issuer import SigningKey, new_signing_key
from watchword.tokens.jwks import KeySet


class Keyring:
    """Loaded once at start: parsing a private key costs far more than signing with it."""

    def __init__(self, keys: list[SigningKey], algorithm: str) -> None:
        self.current = [key for key in keys if key.algorithm == algorithm][-1]
        self.key_set = KeySet(key.verification_key() for key in keys)


async def open_keyring(database: Database, encryption: Encryption, clock: Clock, algorithm: str) -> Keyring:
    """The keyring of a database; a key of the algorithm is made where there is none.

    Raises:
        OperatorError: the encryption key does not fit.
    """

    def load(transaction: Transaction) -> list[SigningKeyRow]:
        rows = store.list_keys(transaction)
        if not any(row.algorithm == algorithm for row in rows):
            rows.append(_new_row(encryption, clock, algorithm))
            store.insert_key(transaction, rows[-1])
        return rows

    rows = await database.transact(load)
    return Keyring([_open(row, encryption) for row in rows], algorithm)


def _new_row(encryption: Encryption, clock: Clock, algorithm: str) -> SigningKeyRow:
    key = new_signing_key(algorithm)
    secret = key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return SigningKeyRow(key.kid, algorithm, encryption.encrypt(secret, _purpose(key.kid)), clock.micros())


def _open(row: SigningKeyRow, encryption: Encryption) -> SigningKey:
    secret = encryption.decrypt(row.private_key, _purpose(row.kid))
    return SigningKey.of(load_der_private_key(secret, None))  # type: ignore[arg-type]  # Only our three kinds are stored.


def _purpose(kid: str) -> str:
    return f"signing key {kid}"
