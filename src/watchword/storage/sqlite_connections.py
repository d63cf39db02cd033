"""Connections to the SQLite file, whoever reads or writes by them: WAL mode, synced commits, and what errors mean."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from watchword.errors import OperatorError, Unavailable, Unstorable, reason_of

_log = logging.getLogger(__name__)

BUSY_TIMEOUT_SECONDS = 5
_PAGE_CACHE_KIB = 8_192
_WAL_WAIT_SECONDS = 0.01


def connect(path: Path, synchronous: str = "FULL") -> sqlite3.Connection:
    if not path.exists():
        # SQLite would create the file readable by all; whoever may read it may read custom ids. A file that is there
        # is left alone: closing it would take away the locks that this process's other connections hold on it (that is
        # POSIX), and another process that closes last would then delete the log under their feet.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_SECONDS)
    _enter_wal_mode(connection)
    connection.execute(f"pragma synchronous = {synchronous}")
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma secure_delete = on")
    connection.execute(f"pragma cache_size = -{_PAGE_CACHE_KIB}")
    return connection


def _enter_wal_mode(connection: sqlite3.Connection) -> None:
    """One of two processes that open a new file at once is told that it is locked, without the wait of other calls."""
    waits = round(BUSY_TIMEOUT_SECONDS / _WAL_WAIT_SECONDS)
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or waits <= 0:
                raise
        waits -= 1
        time.sleep(_WAL_WAIT_SECONDS)


def unusable(path: Path, error: Exception) -> OperatorError:
    """What an operator is told of a file that cannot be opened."""
    return OperatorError(
        f"The database {path} cannot be opened: {reason_of(error)}.",
        "Check that the data directory exists, has room, and belongs to the user who runs Watchword.",
    )


UNSTORABLE = (OverflowError, UnicodeEncodeError)
"""What Python's own conversion raises of a value that SQLite cannot hold."""

_OUR_FAULT = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_CONSTRAINT)


def told(error: sqlite3.Error) -> Exception:
    """What an error of SQLite is to the caller.

    Another process holds the file, its disk is full or fails, or its pages are damaged: nothing was committed. A value
    that is too large for it is the caller's. Wrong SQL is our own fault, and must not pass for an outage.
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if isinstance(error, sqlite3.DataError) or code in (sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH):
        return Unstorable()
    if code in _OUR_FAULT:
        return error
    damaged = code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    _log.error("the database %s: %s", "is damaged; `watchword doctor` says more" if damaged else "refused", error)
    return Unavailable(timedelta(seconds=1))


_NAMES = tuple(str(number) for number in range(1, 33))


def named(parameters: Sequence[Any]) -> dict[str, Any]:
    """SQLite takes `$1` for a parameter of the name 1."""
    return dict(zip(_NAMES, parameters, strict=False))
