"""Verifier credentials of a running server: made and taken away in its database, as the operator's commands do."""

import asyncio

from watchword.resources.store import list_resources
from watchword.resources.verifier_credentials import create_verifier_credential, delete_verifier_credential
from watchword.storage import Transaction
from watchword.storage.opening import open_database
from watchword.testing import RunningServer


def create_credential(server: RunningServer) -> str:
    """The whole credential, of the server's first resource."""

    async def create(transaction: Transaction) -> str:
        [resource] = await list_resources(transaction)
        return await create_verifier_credential(transaction, resource, server.clock.micros())

    async def run() -> str:
        database = await open_database(server.settings, server.data)
        try:
            return await database.transact(create)
        finally:
            await database.close()

    return asyncio.run(run())


def delete_credential(server: RunningServer, credential: str) -> None:
    async def delete(transaction: Transaction) -> bool:
        return await delete_verifier_credential(transaction, credential.split("_")[1])

    async def run() -> bool:
        database = await open_database(server.settings, server.data)
        try:
            return await database.transact(delete)
        finally:
            await database.close()

    assert asyncio.run(run())
