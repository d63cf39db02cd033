"""Which engine a server stands on, by setting; and, of several workers on SQLite, who writes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from watchword.files import Process, sync_folder
from watchword.measurements import DatabaseTrips
from watchword.settings import Settings
from watchword.storage.database import Database
from watchword.storage.driver import driver_required
from watchword.storage.schema import Migrating

DATABASE_FILE = "watchword.sqlite"


async def open_database(
    settings: Settings,
    data: Path,
    process: Process | None = None,
    *,
    migrating: Migrating | None = None,
    trips: DatabaseTrips | None = None,
) -> Database:
    """The engine by setting. On PostgreSQL nodes of the release before may run: there only who says so migrates. A
    worker on SQLite never does: its supervisor has. `trips` counts what the engine does.

    Raises:
        OperatorError: the database is not usable.
    """
    if settings.database:
        return await _open_postgres(settings, migrating or "when empty", trips)
    if process is not None:
        from watchword.storage.sqlite_worker import WorkerDatabase

        shared = WorkerDatabase(data / DATABASE_FILE, process.folder, trips)
        await shared.open()
        return shared
    from watchword.storage.sqlite import SqliteDatabase

    file = data / DATABASE_FILE
    database = SqliteDatabase(file, synchronous=settings.synchronous, migrating=migrating or "always", trips=trips)
    sync_folder(data)
    return database


async def _open_postgres(settings: Settings, migrating: Migrating, trips: DatabaseTrips | None) -> Database:
    with driver_required():
        from watchword.storage.postgres import open_postgres
    return await open_postgres(
        settings.database,
        pool=settings.database_pool,
        batch=settings.database_batch,
        statement_cache=settings.database_statement_cache,
        patience=timedelta(seconds=settings.database_timeout),
        migrating=migrating,
        trips=trips,
    )
