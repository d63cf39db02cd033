"""Does the encryption key fit the database? Asked at every start, before anything is encrypted.

Of several nodes on one database, one with another key would write secrets that the others cannot read.
"""

from __future__ import annotations

from watchword.keyring.encryption import Encryption
from watchword.storage import Transaction

FIND = "select encrypted from key_check"

_PURPOSE = "key check"
_CONSTANT = b"watchword"


async def require_fitting_key(transaction: Transaction, encryption: Encryption) -> None:
    """The first node's key is the one that all others need.

    Raises:
        OperatorError: the database was made with another key.
    """
    rows = await transaction.execute(FIND)
    if rows:
        require_opens(encryption, rows[0][0])
    else:
        await transaction.execute("insert into key_check values (1, $1)", encryption.encrypt(_CONSTANT, _PURPOSE))


def require_opens(encryption: Encryption, encrypted: bytes) -> None:
    """Raises:
    OperatorError: what `FIND` found was encrypted with another key.
    """
    encryption.decrypt(encrypted, _PURPOSE)
