"""One row, a constant under the encryption key: does a key fit the database?

Asked at every start and before anything is encrypted: of several nodes on one database, one with another key would
write secrets that the others cannot read.
"""

from __future__ import annotations

from watchword.keyring.encryption_key import EncryptionKey
from watchword.storage import Transaction

FIND = "select encrypted from key_check"
PURPOSE = "key check"
_CONSTANT = b"watchword"


async def find_key_check(transaction: Transaction) -> bytes | None:
    """What the key in force decrypts for `PURPOSE`; None in a database that has none yet."""
    rows = await transaction.execute(FIND)
    return rows[0][0] if rows else None


async def get_key_check(transaction: Transaction) -> bytes:
    """The same of a database that has one."""
    [(encrypted,)] = await transaction.execute(FIND)
    return bytes(encrypted)


async def insert_key_check(transaction: Transaction, key: EncryptionKey) -> bool:
    """Whether this is the key in force from the commit on: the first that comes to a database is."""
    return bool(
        await transaction.execute(
            "insert into key_check values (1, $1) on conflict (singleton) do nothing returning 1",
            key.encrypt(_CONSTANT, PURPOSE),
        )
    )


async def replace_key_check(transaction: Transaction, key: EncryptionKey) -> None:
    """This key is in force from the commit on, in the place of another."""
    await transaction.execute("update key_check set encrypted = $1", key.encrypt(_CONSTANT, PURPOSE))
