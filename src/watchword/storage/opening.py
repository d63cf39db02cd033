"""Which engine a server stands on, by setting; and, of several workers on SQLite, who writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from watchword.errors import OperatorError
from watchword.files import sync_folder
from watchword.settings import Settings
from watchword.storage.database import Database

DATABASE_FILE = "watchword.sqlite"


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that is one of several of a server. `folder` is theirs alone, for as long as the server runs; no two
    processes of it ever have the same name.
    """

    name: str
    folder: Path


async def open_database(settings: Settings, data: Path, worker: Worker | None = None) -> Database:
    """The engine by setting, with its schema in place; a worker on SQLite finds it so.

    Raises:
        OperatorError: the database is not usable.
    """
    if settings.database:
        return await _open_postgres(settings)
    if worker is not None:
        from watchword.storage.sqlite_worker import WorkerDatabase

        shared = WorkerDatabase(data / DATABASE_FILE, worker.folder)
        await shared.open()
        return shared
    from watchword.storage.sqlite import SqliteDatabase

    database = SqliteDatabase(data / DATABASE_FILE, synchronous=settings.synchronous)
    sync_folder(data)
    return database


async def _open_postgres(settings: Settings) -> Database:
    try:
        from watchword.storage.postgres import open_postgres
    except ImportError:
        raise OperatorError(
            "PostgreSQL needs a driver that is not installed.", "Install it with: pip install 'watchword[postgres]'"
        ) from None
    return await open_postgres(
        settings.database,
        pool=settings.database_pool,
        batch=settings.database_batch,
        statement_cache=settings.database_statement_cache,
        patience=timedelta(seconds=settings.database_timeout),
    )
