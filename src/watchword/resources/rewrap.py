"""The change of the encryption key: every secret at rest, and which key is in force, in one transaction.

Whatever is stored encrypted is listed here, and nowhere else; a test looks for what was left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchword.keyring.encryption import Encryption
from watchword.keyring.encryption_key import EncryptionKey
from watchword.keyring.key_check import replace_key_check
from watchword.keyring.keyring import rewrap_signing_keys
from watchword.keyring.store import KEYS
from watchword.resources.access_keys import rewrap_access_keys
from watchword.storage import Transaction


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How many secrets were encrypted anew."""

    access_keys: int
    signing_keys: int


async def rewrap(transaction: Transaction, encryption: Encryption, new: EncryptionKey) -> Rewrapped | None:
    """None where the new key is in force already.

    Raises:
        OperatorError: a secret cannot be decrypted.
    """
    await transaction.lock(KEYS)
    if await encryption.in_force(transaction) == new:
        return None
    access_keys = await rewrap_access_keys(transaction, encryption, new)
    signing_keys = await rewrap_signing_keys(transaction, encryption, new)
    await replace_key_check(transaction, new)
    return Rewrapped(access_keys, signing_keys)
