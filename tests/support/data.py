"""A second process's view of a server's data: changes made beside the server, by the same rules as the commands'."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from watchword.clock import MonotoneClock
from watchword.identifiers import random_bytes
from watchword.keyring.encryption import open_encryption
from watchword.keyring.keyring import Keyring
from watchword.keyring.lifecycle import Schedule
from watchword.resources.access_keys import ACCESS_KEY_BYTES, create_resource
from watchword.resources.store import Resource, list_resources
from watchword.resources.verifier_credentials import create_verifier_credential
from watchword.settings import Settings
from watchword.storage import Database, Transaction
from watchword.storage.database import TURN
from watchword.storage.opening import open_database
from watchword.testing import RunningServer

Result = TypeVar("Result")
Rows = list[tuple[Any, ...]]


class OnData(Protocol):
    """A server, in this process or in another, as far as its data is concerned."""

    @property
    def settings(self) -> Settings: ...

    @property
    def data(self) -> Path: ...


@dataclass(frozen=True)
class Located:
    """Data without a server."""

    settings: Settings
    data: Path


@contextmanager
def looking(server: OnData) -> Iterator[Callable[[str], Rows]]:
    """A connection of its own that is kept, for whoever asks over and over."""
    with asyncio.Runner() as runner:
        database = runner.run(open_database(server.settings, server.data))
        try:
            yield lambda sql: runner.run(database.query(sql))
        finally:
            runner.run(database.close())


def all_rows(server: OnData) -> dict[str, list[dict[str, Any]]]:
    """Every table with all its rows, by column."""
    if server.settings.database:
        listed = "select table_name from information_schema.tables where table_schema = current_schema"
        columns = "select column_name from information_schema.columns where table_schema = current_schema"
        columns += " and table_name = '{}' order by ordinal_position"
    else:
        listed, columns = (
            "select name from sqlite_master where type = 'table'",
            "select name from pragma_table_info('{}')",
        )
    with looking(server) as query:
        tables = [str(name) for (name,) in query(listed)]
        names = {table: [str(name) for (name,) in query(columns.format(table))] for table in tables}
        return {
            table: [dict(zip(names[table], row, strict=True)) for row in query(f"select * from {table}")]
            for table in tables
        }


def beside(server: OnData, work: Callable[[Database], Awaitable[Result]]) -> Result:
    """The value of `work` over a connection of its own."""

    async def run() -> Result:
        database = await open_database(server.settings, server.data)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def transact(server: OnData, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
    """The value of one transaction beside the server."""
    return beside(server, lambda database: database.transact(work, TURN))


def with_keyring(
    server: RunningServer, schedule: Schedule, work: Callable[[Transaction, Keyring], Awaitable[Result]]
) -> Result:
    """One transaction over the server's signing keys."""
    encryption = open_encryption(server.settings, server.data)

    async def run(database: Database) -> Result:
        keyring = Keyring(database, encryption, MonotoneClock(server.clock), algorithm="ES256", schedule=schedule)
        return await database.transact(lambda transaction: work(transaction, keyring), TURN)

    return beside(server, run)


@dataclass(frozen=True)
class OtherResource:
    """One more resource of a server, and its primary access key."""

    resource: Resource
    key: bytes


def add_resource(server: RunningServer, name: str) -> OtherResource:
    encryption = open_encryption(server.settings, server.data)
    keys = (random_bytes(ACCESS_KEY_BYTES), random_bytes(ACCESS_KEY_BYTES))
    resource = transact(
        server,
        lambda transaction: create_resource(
            transaction, encryption, server.clock.micros(), name=name, location="europe", keys=keys
        ),
    )
    return OtherResource(resource, keys[0])


def first_resource(server: RunningServer) -> Resource:
    return transact(server, list_resources)[0]


def add_verifier(server: RunningServer, resource: Resource) -> str:
    """The whole credential."""
    return transact(
        server, lambda transaction: create_verifier_credential(transaction, resource, server.clock.micros())
    )
