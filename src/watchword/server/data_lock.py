"""Keeps a second server away from a data directory: on SQLite all that writes belongs to one server.

    <data>/server.lock    locked for as long as a process of the server lives; in it, who that is: see `Holder`

The system frees the lock however its holders end, so what lies there after a crash or a power cut is no obstacle. The
processes of a server are born with it, so that it holds until the last of them is gone. Commands that look in, or
change what no API changes, do not ask for it: they work beside a server.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from watchword.errors import OperatorError, reason_of
from watchword.files import hold
from watchword.server.terminal import say

LOCK_FILE = "server.lock"

_LOOK_EVERY_SECONDS = 0.1
_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


class Holder(msgspec.Struct, frozen=True):
    """Who holds the lock, for whoever does not get it."""

    pid: int
    host: str
    is_stopping: bool = False

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    @property
    def is_ending(self) -> bool:
        """Its lock will be free soon. Of a server that was killed, what it has started may live a moment longer."""
        return self.is_stopping or (self.host == socket.gethostname() and not _lives(self.pid))


@dataclass(frozen=True)
class DataLock:
    """Held by this process."""

    file: BinaryIO

    def say_running(self) -> None:
        self._write(Holder(os.getpid(), socket.gethostname()))

    def say_stopping(self) -> None:
        """A server that starts waits, from now on, for this one to end. Safe in the handler of a signal."""
        self._write(Holder(os.getpid(), socket.gethostname(), is_stopping=True))

    def _write(self, holder: Holder) -> None:
        # Nobody relies on it: without room on the disk a server is told a little less.
        with suppress(OSError):
            os.truncate(self.file.fileno(), 0)
            os.lseek(self.file.fileno(), 0, os.SEEK_SET)
            os.write(self.file.fileno(), msgspec.json.encode(holder) + b"\n")


@contextmanager
def held(data: Path, patience_seconds: float, has_time: Callable[[], bool] = lambda: True) -> Iterator[DataLock]:
    """This process alone serves the data directory, which is made where it is missing, until the block ends.

    It waits for a server that is stopping: for so many seconds at the most, and while there is time.

    Raises:
        OperatorError: another server has it, or it cannot be used.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = _take(data / LOCK_FILE, patience_seconds, has_time)
    except OSError as error:
        if error.errno in _WITHOUT_LOCKS:
            raise OperatorError(
                f"The file system of {data} has no locks ({error.strerror}): nothing would keep a second server away.",
                "Put the data directory on a local disk, and name it with --data.",
            ) from None
        raise unusable(data, error) from None
    with file:
        lock = DataLock(file)
        lock.say_running()
        yield lock


def unusable(data: Path, error: OSError) -> OperatorError:
    return OperatorError(
        f"The data directory {data} cannot be used: {reason_of(error)}.",
        "Name one with --data that this user may write to, on a disk that has room.",
    )


def _take(path: Path, patience_seconds: float, has_time: Callable[[], bool]) -> BinaryIO:
    looks, has_said = int(patience_seconds / _LOOK_EVERY_SECONDS), False
    while True:
        file = hold(path)
        if file is not None:
            return file
        holder = _read(path)
        if looks <= 0 or not has_time() or not (holder is None or holder.is_ending):
            raise OperatorError(
                f"A server runs on the data directory {path.parent} already: {holder or 'which one is not known'}.",
                "Stop that one, or give this one a directory of its own with --data. Several servers on one database"
                " need PostgreSQL.",
            )
        if not has_said:
            say(f"watchword: Waiting for the server that stops on {path.parent}: {holder or 'which one is not known'}.")
            has_said = True
        looks -= 1
        time.sleep(_LOOK_EVERY_SECONDS)


def _read(path: Path) -> Holder | None:
    """None where it has just been taken, or is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Holder)
    except (OSError, msgspec.MsgspecError):
        return None


def _lives(pid: int) -> bool:
    # On Windows the signal 0 is no question but Ctrl-C; there the lock alone has to tell.
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
