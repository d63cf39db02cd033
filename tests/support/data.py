"""A second process's view of a server's data: changes made beside the server, by the same rules as the commands'."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from watchword.app import open_database
from watchword.clock import MonotoneClock
from watchword.identifiers import random_bytes
from watchword.keyring.encryption import open_encryption
from watchword.keyring.keyring import Keyring
from watchword.keyring.lifecycle import Schedule
from watchword.resources.access_keys import ACCESS_KEY_BYTES, create_resource
from watchword.resources.store import Resource, list_resources
from watchword.resources.verifier_credentials import create_verifier_credential
from watchword.storage import Database, Transaction
from watchword.testing import RunningServer

Result = TypeVar("Result")


def beside(server: RunningServer, work: Callable[[Database], Awaitable[Result]]) -> Result:
    """The value of `work` over a connection of its own."""

    async def run() -> Result:
        database = await open_database(server.settings, server.data)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def transact(server: RunningServer, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
    """The value of one transaction beside the server."""
    return beside(server, lambda database: database.transact(work))


def with_keyring(
    server: RunningServer, schedule: Schedule, work: Callable[[Transaction, Keyring], Awaitable[Result]]
) -> Result:
    """One transaction over the server's signing keys."""
    encryption = open_encryption(server.settings, server.data)

    async def run(database: Database) -> Result:
        keyring = Keyring(database, encryption, MonotoneClock(server.clock), "ES256", schedule)
        return await database.transact(lambda transaction: work(transaction, keyring))

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
            transaction, encryption, server.clock, name=name, location="europe", keys=keys
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
