"""Whose data a server is about to open: that of `watchword dev`, whose keys everybody knows, or of `watchword serve`.

Neither opens the other's. And where a database is gone, none is made in its place without a word.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from watchword.entra.development import PRINCIPAL
from watchword.entra.store import list_roles
from watchword.errors import OperatorError
from watchword.keyring.encryption import KEY_FILE, START_ANEW
from watchword.resources.first_resource import has_begun
from watchword.resources.operators import list_operators
from watchword.resources.store import list_resources
from watchword.server import development
from watchword.server.installation import schema_version
from watchword.server.terminal import say
from watchword.settings import Settings
from watchword.storage import Transaction
from watchword.storage.opening import DATABASE_FILE, open_database

_BRING_BACK = "Bring it back from a backup, or name the directory that is meant with --data."


async def is_public(transaction: Transaction) -> bool:
    """Whether everybody knows an access key of the database, or an operator's token."""
    resources, operators = await list_resources(transaction), await list_operators(transaction)
    return any(each.id == development.RESOURCE_ID for each in resources) or any(
        each.id == development.OPERATOR_ID for each in operators
    )


def require_for_development(settings: Settings, data: Path) -> None:
    """`watchword dev` may open the data directory: it made it, or nobody has.

    Raises:
        OperatorError: it holds what `watchword serve` keeps, or it cannot be read.
    """
    if not _is_filled(data / DATABASE_FILE) or not schema_version(settings, data):
        return
    if not asyncio.run(_is_for_development(settings, data)):
        raise OperatorError(
            f"The data directory {data} is that of a `watchword serve`, to which everybody would have access.",
            "Run `watchword serve` on it, or give `watchword dev` a directory of its own, or none.",
        )


async def require_private(transaction: Transaction, data: Path) -> None:
    """Refuse to serve others with data that `watchword dev` made.

    Raises:
        OperatorError: everybody may call this database's service.
    """
    if await is_public(transaction):
        raise OperatorError(
            f"The data directory {data} was made by `watchword dev`: everybody knows its access keys.",
            "Run `watchword dev` on it, or give `watchword serve` a directory of its own with --data.",
        )


async def tell_public_roles(transaction: Transaction) -> None:
    """Up to 0.2.0 `dev --entra` opened every directory, and gave a role to a principal that everybody knows."""
    for role in await list_roles(transaction):
        if role.principal == PRINCIPAL:
            where = f"--principal {PRINCIPAL} --resource {role.resource}"
            say(f"watchword: `watchword dev --entra` left a role here. Take it away: `watchword role remove {where}`.")


def require_nothing_lost(settings: Settings, data: Path) -> None:
    """SQLite makes a new database wherever there is none.

    Raises:
        OperatorError: what lies in the data directory shows that there was one.
    """
    if settings.database or settings.start_anew or _is_filled(data / DATABASE_FILE):
        return
    left = [each.name for each in (data / KEY_FILE, data / f"{DATABASE_FILE}-wal") if each.exists()]
    left += sorted(each.name for each in data.glob(f"{DATABASE_FILE}.before-*"))
    if left:
        raise OperatorError(
            f"The database {data / DATABASE_FILE} is gone: of what belongs to it there is {', '.join(left)}.",
            f"{_BRING_BACK} {START_ANEW}",
        )


async def _is_for_development(settings: Settings, data: Path) -> bool:
    # Not even migrated: the server that it belongs to may be of another release.
    database = await open_database(settings, data, migrating="never")

    async def look(transaction: Transaction) -> bool:
        return not await has_begun(transaction) or await is_public(transaction)

    try:
        return await database.transact(look)
    finally:
        await database.close()


def _is_filled(database: Path) -> bool:
    return database.exists() and database.stat().st_size > 0
