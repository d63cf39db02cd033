"""What lies in a data directory, read beside its running server or without one. Nothing is made, nothing migrated."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from urllib.parse import urlsplit

from watchword.app import DATABASE_FILE, open_database
from watchword.errors import OperatorError, Unavailable
from watchword.keyring.encryption import Encryption, find_key_path, missing_key_file, open_encryption
from watchword.resources.access_keys import AccessKey, open_access_keys
from watchword.resources.store import list_resources
from watchword.settings import Settings
from watchword.storage import Database, Transaction
from watchword.storage.migrations import schema_files


def schema_version(data: Path) -> int:
    """Of the database in the directory; 0 where it is empty.

    Raises:
        OperatorError: there is none, or it cannot be read.
    """
    path = data / DATABASE_FILE
    if not path.exists():
        raise OperatorError(
            f"There is no database in {data}.",
            "Name the data directory with --data; `watchword serve` makes a new one.",
        )
    try:
        # Not `mode=ro`: reading a database in WAL mode takes its shared-memory file, which may have to be made.
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as connection:
            return int(connection.execute("pragma user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise _unreadable(str(path), error) from None


@asynccontextmanager
async def opened_database(settings: Settings, data: Path) -> AsyncIterator[Database]:
    """Raises:
    OperatorError: there is none, it cannot be read, or it is of another version.
    """
    newest = schema_files()[-1][0]
    if not settings.database and (version := schema_version(data)) < newest:
        raise OperatorError(
            f"The database in {data} has schema version {version}, and this program reads version {newest}.",
            "Start the server once: it brings the schema up to date.",
        )
    database = await open_database(settings, data)
    try:
        yield database
    except (sqlite3.Error, Unavailable) as error:
        raise _unreadable(describe_database(settings, data), error) from None
    finally:
        await database.close()


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
    if not settings.encryption_key and not key_file.exists():
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


def _unreadable(database: str, error: Exception) -> OperatorError:
    reason = "it is locked for too long, or its disk fails" if isinstance(error, Unavailable) else str(error)
    return OperatorError(
        f"The database {database} cannot be read: {reason}.",
        "See that it belongs to the user who runs this; if it is damaged, stop the server and restore a backup.",
    )
