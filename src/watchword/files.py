"""Owns durable files that processes share: written whole or not at all, kept through a power cut, and locks on them.

A lock dies with its holder, however that one ends.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt
    import time
else:
    import fcntl

# Windows locks are mandatory and by byte range, so the lock sits far behind anything that is read.
_LOCKED_BYTE = 1 << 30


@dataclass(frozen=True, slots=True)
class Process:
    """A process that is one of several of a server. `folder` is theirs alone, for as long as the server runs; no two
    processes of it ever have the same name.
    """

    name: str
    folder: Path


def opens_to_strangers(status: os.stat_result, rights: int) -> bool:
    """Whether somebody has one of these rights of group and others, who is neither the owner nor of a group of ours.

    A group of this process has its rights from whoever runs it: Kubernetes gives them to the group `fsGroup` at every
    mount, and a key that is mounted or lent to a service is readable by its group alone.
    """
    others = status.st_mode & rights & 0o007
    group = status.st_mode & rights & 0o070
    return bool(others) or (bool(group) and status.st_gid not in {os.getegid(), *os.getgroups()})


def write_atomically(path: Path, content: bytes, mode: int = 0o600, *, durable: bool = True) -> None:
    """Replace the file in one step, which survives a power cut if it is `durable`; no reader ever sees half of it."""
    # mkstemp creates with 0600, so a private key is never readable by others, not even for a moment.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A new file of its owner's alone, to be filled piece by piece; only when the block has ended has it its name.

    Until then it is called `<name>.part`; what a dead process left of one is overwritten.

    Raises:
        FileExistsError: the name is taken, or another process is writing a file for it.
    """
    if path.exists():
        raise FileExistsError(f"{path} is there already")
    part = path.with_name(f"{path.name}.part")
    file = hold(part)
    if file is None:
        raise FileExistsError(f"another process is writing {part}")
    with file:
        try:
            try:
                file.truncate()
                yield file
                file.flush()
                os.fsync(file.fileno())
            finally:
                if sys.platform == "win32":
                    # Which neither renames nor removes an open file. Elsewhere the lock is held until that is done.
                    file.close()
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make new names and renames in the folder durable. Windows offers no such call and does it by itself."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`, waiting for whoever holds it. The file itself stays.

    Raises:
        OSError: the file cannot be made, or its file system has no locks.
    """
    with _open_lock(path) as file:
        if sys.platform == "win32":
            while not _try_lock(file):
                time.sleep(0.05)
        else:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def hold(path: Path) -> BinaryIO | None:
    """Take the lock at `path` until the returned file is closed or the process dies; None if it is taken.

    Processes that are born with the file's descriptor hold it as well, for as long as they live.

    Raises:
        OSError: the file cannot be made, or its file system has no locks.
    """
    while True:
        file = _open_lock(path)
        try:
            taken = not _try_lock(file)
        except BaseException:
            file.close()
            raise
        if taken:
            file.close()
            return None
        # Whoever cleans up may have removed the file between our opening and our locking it.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


def _open_lock(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")


def _try_lock(file: BinaryIO) -> bool:
    try:
        if sys.platform == "win32":
            file.seek(_LOCKED_BYTE)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        # The second is how Windows says it. Whatever else went wrong does not mean that somebody holds the lock.
        return False
    return True
