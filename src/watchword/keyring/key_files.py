"""The files of a node whose encryption key is not given by setting. Only their owner may read them,
or a group that this process is in.

encryption.key         the key in use
encryption.key.next    the key to come, until `watchword keys rewrap` or the first start has put it in force
encryption.key.lock    held by whoever puts the next key in the place of the key
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watchword.errors import OperatorError, reason_of
from watchword.files import exclusive, opens_to_strangers, sync_folder
from watchword.identifiers import random_bytes
from watchword.keyring.encryption_key import KEY_BYTES, parse_key


def next_of(path: Path) -> Path:
    """Where the key to come lies, beside the key."""
    return path.with_name(f"{path.name}.next")


def load_or_create_key_file(path: Path) -> bytes:
    """The key of a file, made on first use.

    A new file, and its name in the folder, reach the disk before this returns: no row may be encrypted under a key
    that a power cut can still take away. Of two processes that start at once, one makes the file and both read it.

    Raises:
        OperatorError: the file cannot be read or holds no key, or others than its owner may read it.
    """
    try:
        if not path.exists():
            _create(path)
    except OSError as error:
        raise OperatorError(
            f"The key file {path} cannot be made: {reason_of(error)}.",
            "Let this user write to its folder, or name a file that holds a key: openssl rand -base64 32",
        ) from None
    return _read(path)


def find_key_file(path: Path) -> bytes | None:
    """The key of a file, or None where there is no such file.

    Raises:
        OperatorError: as above.
    """
    try:
        return _read(path)
    except OperatorError:
        if path.exists():
            raise
        return None


def load_or_create_next(path: Path) -> bytes:
    """The key to come, of the key file at `path`; it is durable, whoever put it there.

    Raises:
        OperatorError: as above.
    """
    key = load_or_create_key_file(next_of(path))
    with next_of(path).open("r+b") as file:
        os.fsync(file.fileno())
    sync_folder(path.parent)
    return key


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Nobody else puts a next key in the place of this key, until the block ends.

    Raises:
        OperatorError: the folder cannot be written to.
    """
    try:
        # Whoever changes the key holds this from the making of the next one to the end.
        with exclusive(path.with_name(f"{path.name}.lock")):
            yield
    except OSError as error:
        raise OperatorError(
            f"The key file {path} cannot be replaced: {reason_of(error)}.",
            f"Let this user write to its folder, or put the content of {next_of(path)} in its place by hand.",
        ) from None


def put_next_in_place(path: Path) -> None:
    """Replaces the key in one step that survives a power cut; there never is no key. To be called while `changing`."""
    next_of(path).replace(path)
    sync_folder(path.parent)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # Of the file that is read, whatever takes its place meanwhile.
            if os.name == "posix" and opens_to_strangers(os.fstat(file.fileno()), 0o077):
                raise OperatorError(f"Others may read the key file {path}.", f"Close it with: chmod 600 {path}")
            return parse_key(file.read().decode("ascii"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(
            f"The key file {path} cannot be read: {reason_of(error)}.", "Restore it from a backup."
        ) from None


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
