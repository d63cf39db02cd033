"""The change of the encryption key. Whatever interrupts it, the key in force is there:

    1  the next key is given by setting, or is in its file, and has reached the disk
    2  one transaction encrypts every secret with it, and puts it in force
    3  its file takes the place of the former key's, which is gone with that

After 2 and before 3 a server reads the file of 1; whatever starts next does 3.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from watchword.cli.data_folder import data_of
from watchword.cli.management import told
from watchword.errors import OperatorError
from watchword.keyring.encryption import find_key_path
from watchword.keyring.encryption_key import EncryptionKey, parse_key
from watchword.keyring.key_files import changing, load_or_create_next, next_of
from watchword.resources.rewrap import Rewrapped, rewrap
from watchword.server.installation import find_encryption, opened_database
from watchword.settings import Settings
from watchword.storage.database import TURN


@dataclass(frozen=True)
class KeyChange:
    """`rewrapped` is None where the next key was in force already, as after a change that was interrupted.

    `key_file` holds the key now, unless a setting does; `former_key_file` is one that holds the former key.
    """

    rewrapped: Rewrapped | None
    key_file: Path | None
    former_key_file: Path | None


def change_key(settings: Settings) -> KeyChange:
    """Put the next encryption key in force.

    Raises:
        OperatorError: there is no database, no next key, or not the key in force.
    """
    return asyncio.run(_change_key(settings, data_of(settings)))


async def _change_key(settings: Settings, data: Path) -> KeyChange:
    key_file = None if settings.encryption_key else find_key_path(settings, data)
    if settings.synchronous not in ("FULL", "EXTRA"):
        # The former key's file must not go before the commit has reached the disk.
        settings = replace(settings, synchronous="FULL")
    async with opened_database(settings, data) as database:
        encryption = find_encryption(settings, data)
        if await encryption.tidy(database):
            return KeyChange(None, key_file, None)
        # Made and used under one lock: another command would take a next key that is not in force yet for its own.
        with changing(key_file) if key_file else nullcontext():
            new = _next_key(settings, key_file)
            rewrapped = await database.transact(lambda transaction: rewrap(transaction, encryption, new), TURN)
            if not settings.database:
                # What the secrets were under the former key goes from the log too, unless somebody is reading it.
                await database.query("pragma wal_checkpoint(truncate)")
            encryption.put_in_place(new)
    return KeyChange(rewrapped, *((None, key_file) if settings.encryption_key_next else (key_file, None)))


def _next_key(settings: Settings, key_file: Path | None) -> EncryptionKey:
    if settings.encryption_key_next:
        return EncryptionKey(parse_key(settings.encryption_key_next, "WATCHWORD_ENCRYPTION_KEY_NEXT"))
    if key_file is None:
        raise OperatorError(
            "There is no next key: WATCHWORD_ENCRYPTION_KEY_NEXT is not set.",
            "Make one with `openssl rand -base64 32`, give it to every node, and restart them before this command.",
        )
    if settings.database and not next_of(key_file).exists():
        raise OperatorError(
            "There is no next key, and other nodes may run on this database: they need it too.",
            f"Put one (openssl rand -base64 32) beside the key file of every node; here it is {next_of(key_file)}.",
        )
    return EncryptionKey(load_or_create_next(key_file))


def describe_change(settings: Settings, change: KeyChange) -> Iterator[str]:
    """What was done, and what is left to do."""
    if change.rewrapped is None:
        yield "The database is under the next key already."
    else:
        access_keys = told(change.rewrapped.access_keys, "access key", "access keys")
        signing_keys = told(change.rewrapped.signing_keys, "signing key", "signing keys")
        yield f"Encrypted with the new key: {access_keys}, {signing_keys}."
    if change.key_file is None:
        yield "Now make it WATCHWORD_ENCRYPTION_KEY, unset WATCHWORD_ENCRYPTION_KEY_NEXT, and restart node by node."
        if change.former_key_file is not None:
            yield f"Then delete {change.former_key_file}, which holds the former key."
    elif settings.database:
        yield f"It is in {change.key_file}; on other nodes a restart puts the next key in its place."
    else:
        yield f"It is in {change.key_file}, in the place of the former one. Keep it apart from backups of the database."
