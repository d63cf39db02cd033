"""What lies in a data directory, read beside its running server or without one. Nothing is made, nothing migrated."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from watchword.clock import SystemClock
from watchword.errors import OperatorError, Unavailable
from watchword.ground import Ground, compose_ground
from watchword.keyring.encryption import Encryption, find_key_path, missing_key_file, open_encryption
from watchword.keyring.key_files import next_of
from watchword.measurements import Measurements
from watchword.resources.access_keys import AccessKey, open_access_keys
from watchword.resources.store import list_resources
from watchword.server.terminal import say
from watchword.settings import Settings
from watchword.storage import Database, Transaction
from watchword.storage.driver import driver_required
from watchword.storage.migrations import read_version
from watchword.storage.opening import DATABASE_FILE, open_database
from watchword.transfer.store import require_finished_imports


def schema_version(settings: Settings, data: Path) -> int:
    """Reads it from the database by setting, else from the one in the directory; 0 where it is empty.

    Raises:
        OperatorError: there is none, or it cannot be read.
    """
    if settings.database:
        return asyncio.run(_postgres_version(settings))
    path = require_file(data)
    try:
        # Not `mode=ro`: reading a database in WAL mode takes its shared-memory file, which may have to be made.
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as connection:
            return read_version(connection)
    except sqlite3.Error as error:
        raise _unreadable(str(path), error) from None


def require_file(data: Path) -> Path:
    """SQLite's database in the directory.

    Raises:
        OperatorError: there is none.
    """
    path = data / DATABASE_FILE
    if not path.exists():
        raise OperatorError(
            f"There is no database in {data}.",
            "Name the data directory with --data; `watchword serve` makes a new one.",
        )
    return path


@asynccontextmanager
async def opened_database(settings: Settings, data: Path) -> AsyncIterator[Database]:
    """Whoever only looks in does not migrate: a server of the release before may run on it.

    Raises:
        OperatorError: there is none, it cannot be read, or this program does not run on its schema.
    """
    if not settings.database:
        require_file(data)
    database = await open_database(settings, data, migrating="never")
    if database.schema.note:
        say(f"watchword: The database has schema {database.schema.note}.")
    try:
        await database.transact(require_finished_imports)
        yield database
    except (sqlite3.Error, Unavailable) as error:
        raise _unreadable(describe_database(settings, data), error) from None
    finally:
        await database.close()


@asynccontextmanager
async def opened_ground(settings: Settings, data: Path) -> AsyncIterator[Ground]:
    """The ground beside its server, or without one: nothing is prepared, and nothing runs.

    Raises:
        OperatorError: as `opened_database`; or the encryption key is missing, or not usable.
    """
    async with opened_database(settings, data) as database:
        encryption = find_encryption(settings, data)
        await encryption.tidy(database)
        yield await compose_ground(settings, database, encryption, clock=SystemClock(), measured=Measurements())


def describe_database(settings: Settings, data: Path) -> str:
    """Where the database is, for people: without user and password."""
    if not settings.database:
        return str(data / DATABASE_FILE)
    address = urlsplit(settings.database)
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}"


def find_encryption(settings: Settings, data: Path) -> Encryption:
    """The encryption of a database that is there.

    Raises:
        OperatorError: the key is missing, or is not usable.
    """
    key_file = find_key_path(settings, data)
    # Of a first start that was killed right after its commit the key lies in the next one's file.
    if not settings.encryption_key and not (key_file.exists() or next_of(key_file).exists()):
        raise missing_key_file(key_file)
    return open_encryption(settings, data)


def read_access_keys(settings: Settings, data: Path, name: str | None = None) -> list[AccessKey]:
    """The two access keys of the resource of that name, or of the oldest one; the primary key first.

    Raises:
        OperatorError: the directory holds none, or the encryption key does not fit.
    """

    async def read() -> list[AccessKey]:
        async with opened_database(settings, data) as database:
            return await access_keys(database, find_encryption(settings, data), name)

    return asyncio.run(read())


async def access_keys(database: Database, encryption: Encryption, name: str | None = None) -> list[AccessKey]:
    """The two access keys of the resource of that name, or of the oldest one; the primary key first.

    Raises:
        OperatorError: there is no resource, or the encryption key does not fit.
    """

    async def read(transaction: Transaction) -> list[AccessKey]:
        resources = await list_resources(transaction)
        if not resources:
            raise OperatorError(
                "The database has no resource.", "`watchword resource create` makes one; so does the first start."
            )
        chosen = resources if name is None else [each for each in resources if each.name.lower() == name.lower()]
        if not chosen:
            raise OperatorError(f"There is no resource {name}.", "`watchword resource list` shows those there are.")
        return await open_access_keys(transaction, chosen[0], encryption)

    return await database.transact(read)


async def _postgres_version(settings: Settings) -> int:
    with driver_required():
        from watchword.storage.postgres import read_schema_version
    return await read_schema_version(
        settings.database,
        statement_cache=settings.database_statement_cache,
        patience=timedelta(seconds=settings.database_timeout),
    )


def _unreadable(database: str, error: Exception) -> OperatorError:
    reason = "it is locked for too long, or its disk is full or fails" if isinstance(error, Unavailable) else str(error)
    return OperatorError(
        f"The database {database} cannot be read: {reason}.",
        "See that its disk has room, and that it belongs to the user who runs this. Only if it is damaged: stop the"
        " server and restore a backup.",
    )
