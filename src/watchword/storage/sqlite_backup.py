"""Copies of a SQLite database, made beside it before its schema changes: the way back to the release before.

    watchword.sqlite.before-7.20261127T001122Z      schema version 6, as it was at that time

Whoever makes one holds the database's write lock, so nothing is written between the copy and the change.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from watchword.clock import Clock, to_datetime
from watchword.errors import OperatorError, reason_of
from watchword.files import sync_folder

KEPT = 3
"""Older ones hold what was deleted long ago, and are good for nothing else."""

_MARK = ".before-"


def back_up(database: Path, version: int, clock: Clock) -> Path:
    """A copy of what is committed, before the schema becomes `version`: whole, durable, and its owner's alone.

    Raises:
        OperatorError: the disk is full, or fails; there is no copy then.
    """
    moment = to_datetime(clock.micros())
    backup = database.with_name(f"{database.name}{_MARK}{version}.{moment:%Y%m%dT%H%M%SZ}")
    for left in database.parent.glob(f".{database.name}{_MARK}*"):
        # Of a process that died while it copied.
        left.unlink()
    try:
        # mkstemp creates with 0600: a copy is never readable by others, not even for a moment.
        descriptor, name = tempfile.mkstemp(dir=database.parent, prefix=f".{database.name}{_MARK}")
        os.close(descriptor)
        part = Path(name)
        try:
            _copy(database, part)
            part.replace(backup)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync_folder(database.parent)
    except (sqlite3.Error, OSError) as error:
        raise OperatorError(
            f"The database {database} cannot be copied before its schema changes: {reason_of(error)}."
            " Nothing was changed.",
            f"Make room in {database.parent} for as much as the database has.",
        ) from None
    return backup


def remove_old_backups(database: Path) -> None:
    """All but the newest few."""
    found = sorted(database.parent.glob(f"{database.name}{_MARK}*"), key=lambda path: path.suffix)
    for path in found[:-KEPT]:
        path.unlink(missing_ok=True)
    sync_folder(database.parent)


def _copy(database: Path, part: Path) -> None:
    # The connection that holds the write lock cannot be copied from; a reader beside it sees the same.
    with (
        closing(sqlite3.connect(database, isolation_level=None)) as source,
        closing(sqlite3.connect(part, isolation_level=None)) as target,
    ):
        # Nobody needs half a copy: it need not survive before it is whole.
        target.execute("pragma journal_mode = off")
        target.execute("pragma synchronous = off")
        source.backup(target)
    descriptor = os.open(part, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
