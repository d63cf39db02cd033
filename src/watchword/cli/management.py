"""What the commands `group`, `resource` and `operator` have in common: which group, and deletions to their end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from watchword.settings import Settings

if TYPE_CHECKING:
    from watchword.storage import Transaction

Result = TypeVar("Result")

DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"

name_option = click.option("--name", "-n", required=True, help="Its name.")
subscription_option = click.option(
    "--subscription",
    default=DEFAULT_SUBSCRIPTION,
    metavar="ID",
    help="Its subscription; the zero one by default.",
)


def delete(settings: Settings, begin: Callable[[Transaction], Awaitable[Result]]) -> Result:
    """Begin a deletion, and see it to its end; a running server does the same if this is stopped.

    Raises:
        OperatorError: there is no database, or it cannot be used.
    """
    from watchword.chat.purges import chats_of_resource
    from watchword.cli.data_folder import data_of
    from watchword.identity.store import identities_of_resource
    from watchword.resources.deletion import Deletions
    from watchword.server.installation import opened_database
    from watchword.storage.database import TURN
    from watchword.subjects.exchanged_users import users_of_resource

    async def run() -> Result:
        async with opened_database(settings, data_of(settings)) as database:
            begun = await database.transact(begin, TURN)
            purges = [each(database) for each in (identities_of_resource, users_of_resource, chats_of_resource)]
            await Deletions(database, purges).finish()
            return begun

    return asyncio.run(run())


def told(count: int, one: str, many: str) -> str:
    """`1 resource`, `12,408 identities`."""
    return f"{count:,} {one if count == 1 else many}"
