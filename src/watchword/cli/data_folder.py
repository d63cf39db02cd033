"""Rules carried out on a data directory, beside its server or without one: how commands change what no API changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from watchword.app import schedule
from watchword.clock import MonotoneClock, SystemClock
from watchword.errors import OperatorError
from watchword.identity.store import newest_marks
from watchword.keyring.keyring import Keyring
from watchword.resources.store import Resource
from watchword.server.folders import find_folders
from watchword.server.installation import find_encryption, opened_database
from watchword.settings import Settings
from watchword.storage import Transaction

Result = TypeVar("Result")


def data_of(settings: Settings) -> Path:
    """The data directory by setting, else this user's own."""
    return settings.data or find_folders().server


def transact(settings: Settings, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
    """The value of `work`, once what it wrote would survive a power cut.

    Raises:
        OperatorError: there is no database, or it cannot be used.
    """

    async def run() -> Result:
        async with opened_database(settings, data_of(settings)) as database:
            return await database.transact(work)

    return asyncio.run(run())


def transact_with_keyring(settings: Settings, work: Callable[[Transaction, Keyring], Awaitable[Result]]) -> Result:
    """The same with the signing keys, by a clock that never shows less than the server's did.

    Raises:
        OperatorError: there is no database, it cannot be used, or the encryption key does not fit.
    """

    async def run() -> Result:
        data = data_of(settings)
        async with opened_database(settings, data) as database:
            _, high_water = await newest_marks(database)
            clock = MonotoneClock(SystemClock(), high_water)
            encryption = find_encryption(settings, data)
            await encryption.tidy(database)
            keyring = Keyring(database, encryption, clock, settings.signing_algorithm, schedule(settings))

            async def checked(transaction: Transaction) -> Result:
                await encryption.in_force(transaction)
                return await work(transaction, keyring)

            return await database.transact(checked)

    return asyncio.run(run())


def choose_resource(resources: list[Resource], name: str | None) -> Resource:
    """The resource of that name, or the only one.

    Raises:
        OperatorError: there is none, or it has to be named.
    """
    names = ", ".join(resource.name for resource in resources)
    if not resources:
        raise OperatorError("The database has no resource yet.", "Start the server once: it makes one.")
    if name is None:
        if len(resources) > 1:
            raise OperatorError("There are several resources.", f"Name one with --resource: {names}.")
        return resources[0]
    for resource in resources:
        if resource.name.lower() == name.lower():
            return resource
    raise OperatorError(f"There is no resource {name}.", f"Name one of: {names}.")
