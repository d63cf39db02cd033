"""Rules carried out on a data directory, beside its server or without one: how commands change what no API changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import click

from watchword.errors import OperatorError
from watchword.keyring.keyring import Keyring
from watchword.resources.store import Resource
from watchword.server import development
from watchword.server.folders import find_folders
from watchword.server.installation import opened_database, opened_ground
from watchword.server.running import RunningServer, running_servers
from watchword.server.terminal import say
from watchword.settings import Settings
from watchword.storage import Transaction
from watchword.storage.database import TURN

Result = TypeVar("Result")


def own_data_of(settings: Settings) -> Path:
    """The data directory by setting, else this user's own."""
    return settings.data or find_folders().server


def data_of(settings: Settings) -> Path:
    """The data directory by setting, else that of the one server that runs for this user, else this user's own.

    Raises:
        OperatorError: several servers run, and none was named.
    """
    running = find_running(settings)
    if running is None:
        return own_data_of(settings)
    if not settings.data:
        _say_once(f"watchword: On the server that runs: {running}")
    return running.data


def find_running(settings: Settings) -> RunningServer | None:
    """The server whose data directory a command works on, where that runs for this user.

    Raises:
        OperatorError: several run, and none was named.
    """
    folders = find_folders()
    servers = running_servers(folders.running)
    if settings.data:
        wanted = settings.data.resolve()
        return next((each for each in servers if each.data.resolve() == wanted), None)
    if settings.database or not servers:
        # Of PostgreSQL the address says which database is meant, whatever runs beside.
        return None
    if len(servers) > 1:
        listed = "".join(f"\n  {each}" for each in servers)
        raise OperatorError(f"Several servers are running:{listed}", "Name the data directory of one with --data.")
    return servers[0]


def as_of_running(settings: Settings) -> Settings:
    """Give the settings the defaults of the server that runs on the data directory."""
    running = find_running(settings)
    if running is None or running.mode != "dev" or settings.key_publish_ahead != Settings().key_publish_ahead:
        return settings
    return replace(settings, **development.DEFAULTS)


def _say_once(text: str) -> None:
    context = click.get_current_context(silent=True)
    said = context.meta.setdefault("watchword.said", set()) if context else set()
    if text not in said:
        said.add(text)
        say(text)


def transact(settings: Settings, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
    """The value of `work`, once what it wrote would survive a power cut.

    Raises:
        OperatorError: there is no database, or it cannot be used.
    """

    async def run() -> Result:
        async with opened_database(settings, data_of(settings)) as database:
            return await database.transact(work, TURN)

    return asyncio.run(run())


def transact_with_keyring(settings: Settings, work: Callable[[Transaction, Keyring], Awaitable[Result]]) -> Result:
    """The same with the signing keys, by a clock that never shows less than the server's did.

    Raises:
        OperatorError: there is no database, it cannot be used, or the encryption key does not fit.
    """

    async def run() -> Result:
        async with opened_ground(as_of_running(settings), data_of(settings)) as ground:

            async def checked(transaction: Transaction) -> Result:
                await ground.encryption.in_force(transaction)
                return await work(transaction, ground.keyring)

            return await ground.database.transact(checked, TURN)

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
