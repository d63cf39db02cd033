"""`watchword group`: resource groups, on the data directory itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from watchword.cli.completion import complete_groups
from watchword.cli.help_pages import ExplainedGroup
from watchword.cli.management import delete as delete_to_the_end
from watchword.cli.management import name_option, subscription_option, told
from watchword.cli.output import format_moment, json_option, print_json, print_table
from watchword.cli.questions import require_consent, yes_option
from watchword.cli.setting_flags import with_settings
from watchword.clock import SystemClock, to_datetime
from watchword.server.terminal import say
from watchword.settings import Settings

if TYPE_CHECKING:
    from watchword.resources.groups import Group
    from watchword.storage import Transaction

_named_option = click.option("--name", "-n", required=True, shell_complete=complete_groups, help="Its name.")


@click.group(cls=ExplainedGroup)
def group() -> None:
    """Create, list and delete resource groups. Deleting one deletes everything in it."""


@group.command()
@name_option
@click.option("--location", default="global", help="Region; it has no effect here.")
@subscription_option
@with_settings(("data",))
def create(settings: Settings, name: str, location: str, *, subscription: str) -> None:
    """Create a resource group."""
    from watchword.cli.data_folder import transact
    from watchword.resources.groups import create_group, find_group

    async def work(transaction: Transaction) -> bool:
        if await find_group(transaction, subscription, name):
            return False
        await create_group(
            transaction, subscription, name, location=location, tags={}, now_micros=SystemClock().micros()
        )
        return True

    say(f"Created the resource group {name}." if transact(settings, work) else f"The resource group {name} is there.")


@group.command("list")
@json_option
@with_settings(("data",))
def list_all(settings: Settings, as_json: bool) -> None:
    """List the resource groups of all subscriptions."""
    from watchword.cli.data_folder import transact
    from watchword.resources.groups import list_groups

    found = transact(settings, list_groups)
    if as_json:
        print_json(
            [
                {
                    "name": each.name,
                    "subscription": each.subscription,
                    "location": each.location,
                    "state": each.state,
                    "created": to_datetime(each.created_micros),
                }
                for each in found
            ]
        )
        return
    rows = [
        (each.name, each.subscription, each.state, format_moment(to_datetime(each.created_micros))) for each in found
    ]
    print_table(("group", "subscription", "state", "created"), rows)


@group.command()
@_named_option
@subscription_option
@yes_option
@with_settings(("data",))
def delete(settings: Settings, name: str, subscription: str, *, yes: bool) -> None:
    """Delete a resource group with its resources, their identities, chats, keys and access tokens."""
    from watchword.cli.data_folder import transact
    from watchword.resources.deletion import begin_group_deletion
    from watchword.resources.groups import get_group
    from watchword.resources.holdings import count_identities, list_holdings

    async def count(transaction: Transaction) -> tuple[Group, int, int]:
        found = await get_group(transaction, subscription, name)
        holdings = await list_holdings(transaction, subscription, found)
        identities = [await count_identities(transaction, each.resource.number) for each in holdings]
        return found, len(holdings), sum(identities)

    found, resources, identities = transact(settings, count)
    goes = f"{told(resources, 'resource', 'resources')}, {told(identities, 'identity', 'identities')}"
    require_consent(f"Delete the resource group {found.name} ({goes}) for good?", yes)

    async def begin(transaction: Transaction) -> None:
        await begin_group_deletion(
            transaction, await get_group(transaction, subscription, name), SystemClock().micros()
        )

    delete_to_the_end(settings, begin)
    say(f"Deleted the resource group {found.name}: {goes}.")
