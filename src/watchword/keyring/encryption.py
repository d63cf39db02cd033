"""The encryption keys of a node: the one that its database is under, and the next one while that changes.

    given by setting    encryption_key, encryption_key_next     read once, at the start
    in files            encryption.key, encryption.key.next     read again whenever no key fits

Which of them is in force stands in the database (`key_check`), so that all nodes change at one commit.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path

from watchword.errors import OperatorError
from watchword.keyring.encryption_key import EncryptionKey, parse_key
from watchword.keyring.key_check import FIND, PURPOSE, find_key_check, get_key_check, insert_key_check
from watchword.keyring.key_files import changing, find_key_file, load_or_create_next, next_of, put_next_in_place
from watchword.settings import Settings
from watchword.storage import Database, Transaction

KEY_FILE = "encryption.key"

START_ANEW = "To start anew, with other access keys and without what was there, say --start-anew."

_log = logging.getLogger(__name__)


class Encryption:
    """Encrypts with the key that is in force at that moment; decrypts with whichever of the node's keys fits.

    Raises:
        OperatorError: a key file cannot be read or holds no key, or others than its owner may read it.
    """

    def __init__(self, *given: bytes, file: Path | None = None, shows_a_database: bool = False) -> None:
        """The first key, which is that of `file` where one is named, is for a database that has none yet.

        Unless the file `shows_a_database`: then it was made for one, which is gone.
        """
        self._shows_a_database = shows_a_database
        self._given = [EncryptionKey(key) for key in given]
        self._file = file
        self._keys = self._read()

    @property
    def keys(self) -> Sequence[EncryptionKey]:
        """Those of this node, whichever is in force."""
        return self._keys

    def decrypt(self, stored: bytes, purpose: str) -> bytes:
        """Decrypt a secret with that one of this node's keys that fits.

        Raises:
            OperatorError: no key of this node fits, or the row was changed.
        """
        return self._open(stored, purpose)[1]

    async def in_force(self, transaction: Transaction) -> EncryptionKey:
        """The key that the database is under: what it encrypts in this transaction, all nodes can decrypt.

        Only a database that has none yet is given one, and only then a key file is made: one in the place of a file
        that was lost would hide what has happened.

        Raises:
            OperatorError: this node does not have it, or the database that it had is gone.
        """
        stored = await find_key_check(transaction)
        if stored is not None:
            return self.fitting(stored)
        key = self._first_key()
        if await insert_key_check(transaction, key):
            return key
        # Another node was faster.
        return self.fitting(await get_key_check(transaction))

    def fitting(self, key_check: bytes) -> EncryptionKey:
        """The key of this node that decrypts what `key_check.FIND` found.

        Raises:
            OperatorError: this node does not have it.
        """
        return self._open(key_check, PURPOSE)[0]

    async def tidy(self, database: Database) -> bool:
        """End a change of the key that was interrupted after its commit: the next key's file becomes the key's.

        Whether there was anything to end.

        Raises:
            OperatorError: this node does not have the key in force.
        """
        if self._file is None or not next_of(self._file).exists():
            return False
        rows = await database.query(FIND)
        if not rows:
            return False
        in_force = self.fitting(rows[0][0])
        try:
            with changing(self._file):
                return self.put_in_place(in_force)
        except OperatorError as error:
            # It has the key, and so need not fail for want of a folder that it may write to.
            _log.warning("%s", error)
            return False

    def put_in_place(self, in_force: EncryptionKey) -> bool:
        """The next key's file becomes the key's, if it alone holds the key in force. To be called while `changing`.

        Whether it was so.
        """
        if self._file is None or _key_of(self._file) == in_force or _key_of(next_of(self._file)) != in_force:
            return False
        put_next_in_place(self._file)
        self._keys = self._read()
        return True

    def _first_key(self) -> EncryptionKey:
        if self._file is None:
            return self._keys[0]
        key = _key_of(self._file)
        if key is None:
            # The next key's file becomes the key's after the commit, see `tidy`. So a first start that was interrupted
            # is told from a database that is gone: only that one leaves a key's file.
            key = EncryptionKey(load_or_create_next(self._file))
        elif self._shows_a_database:
            raise OperatorError(
                f"The key file {self._file} was made for a database, and this one is empty.",
                f"Name the database that is meant, or bring it back from a backup. {START_ANEW}",
            )
        self._keys = self._read()
        return key

    def _open(self, stored: bytes, purpose: str) -> tuple[EncryptionKey, bytes]:
        found = _try(self._keys, stored, purpose)
        if found is None and self._file is not None:
            self._keys = self._read() or self._keys
            found = _try(self._keys, stored, purpose)
        if found is None and not self._keys:
            raise missing_key_file(self._file)
        if found is None:
            keys = "The encryption key does" if len(self._keys) == 1 else "The encryption keys of this node do"
            raise OperatorError(
                f"{keys} not fit the database: the {purpose} cannot be decrypted.",
                "Give this node the key that the database was made with, or that `watchword keys rewrap` changed it "
                f"to, {f'in {next_of(self._file)}' if self._file else 'in WATCHWORD_ENCRYPTION_KEY, and restart it'}.",
            )
        return found

    def _read(self) -> list[EncryptionKey]:
        if self._file is None:
            return self._given
        # The next one first: should it become the key meanwhile, it is read there.
        coming = _key_of(next_of(self._file))
        return [key for key in (_key_of(self._file), *self._given, coming) if key is not None]


def open_encryption(settings: Settings, data: Path) -> Encryption:
    """The key by setting, else the key file's, which need not be there yet; and the next one, if there is one.

    A file that Watchword itself has made, in the data directory, goes with a database.

    Raises:
        OperatorError: a key is not usable.
    """
    given = [
        parse_key(text, variable)
        for text, variable in (
            (settings.encryption_key, "WATCHWORD_ENCRYPTION_KEY"),
            (settings.encryption_key_next, "WATCHWORD_ENCRYPTION_KEY_NEXT"),
        )
        if text
    ]
    if settings.encryption_key:
        return Encryption(*given)
    path = find_key_path(settings, data)
    # A file that the operator names may have been put there before the first start.
    return Encryption(*given, file=path, shows_a_database=path == data / KEY_FILE and not settings.start_anew)


def find_key_path(settings: Settings, data: Path) -> Path:
    """Where the key file is, or would be, if no key is given by setting."""
    return settings.encryption_key_file or data / KEY_FILE


def missing_key_file(path: Path | None) -> OperatorError:
    return OperatorError(
        f"The key file {path} is missing: without it the secrets in the database cannot be read.",
        "Restore it from a backup, or give the key with --encryption-key-file or WATCHWORD_ENCRYPTION_KEY.",
    )


def _key_of(path: Path) -> EncryptionKey | None:
    key = find_key_file(path)
    return None if key is None else EncryptionKey(key)


def _try(keys: Sequence[EncryptionKey], stored: bytes, purpose: str) -> tuple[EncryptionKey, bytes] | None:
    for key in keys:
        with contextlib.suppress(OperatorError):
            return key, key.decrypt(stored, purpose)
    return None
