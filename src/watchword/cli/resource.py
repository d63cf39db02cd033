"""`watchword resource`: the resources of a data directory, and their access keys in the clear."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchword.cli.completion import complete_groups, complete_resources
from watchword.cli.help_pages import ExplainedGroup
from watchword.cli.management import delete as delete_to_the_end
from watchword.cli.management import name_option, subscription_option, told
from watchword.cli.output import format_moment, json_option, print_facts, print_json, print_table
from watchword.cli.questions import require_consent, yes_option
from watchword.cli.setting_flags import with_settings
from watchword.clock import SystemClock, to_datetime
from watchword.errors import ResourceNotFound
from watchword.server.terminal import say
from watchword.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime

    from watchword.resources.access_keys import AccessKey
    from watchword.resources.holdings import Holding
    from watchword.resources.store import Slot
    from watchword.storage import Transaction

_OF_A_DATA_FOLDER = ("data", "encryption_key_file")

_named_option = click.option("--name", "-n", required=True, shell_complete=complete_resources, help="Its name.")
_which_option = click.option(
    "--name", "-n", shell_complete=complete_resources, help="Which resource; the oldest one by default."
)
_key_option = click.option(
    "--key", type=click.Choice(["primary", "secondary"]), default="primary", help="Which of the two access keys."
)


@click.group(cls=ExplainedGroup)
def resource() -> None:
    """Create, list, show and delete resources, and show and replace their access keys."""


@resource.command()
@name_option
@click.option(
    "--group",
    default="default",
    shell_complete=complete_groups,
    help="Resource group; `default` is made where it is missing.",
)
@click.option("--data-location", "location", default="United States", help="Where its data is said to be kept.")
@subscription_option
@with_settings((*_OF_A_DATA_FOLDER, "resource_suffix"))
def create(settings: Settings, name: str, group: str, *, location: str, subscription: str) -> None:
    """Create a resource with two access keys."""
    from watchword.cli.data_folder import data_of, transact
    from watchword.resources.groups import default_group, get_group_in_force
    from watchword.resources.holdings import Wanted, create_holding
    from watchword.server.installation import find_encryption

    encryption, now = find_encryption(settings, data_of(settings)), SystemClock().micros()

    async def work(transaction: Transaction) -> Holding:
        if group == "default":
            await default_group(transaction, now, subscription)
        return await create_holding(
            transaction,
            encryption,
            now,
            group=await get_group_in_force(transaction, subscription, group),
            name=name,
            region="global",
            data_location=location,
            wanted=Wanted(),
            shares_host=not settings.resource_suffix,
        )

    created = transact(settings, work)
    say(
        f"Created the resource {name} ({created.resource.id}). `watchword resource connection-string --name {name}`"
        " shows its connection string."
    )


@resource.command("list")
@json_option
@with_settings(("data",))
def list_all(settings: Settings, as_json: bool) -> None:
    """List the resources of all groups."""
    from watchword.cli.data_folder import transact
    from watchword.resources.holdings import list_all_holdings

    found = transact(settings, list_all_holdings)
    if as_json:
        print_json([_fields(each) for each in found])
        return
    rows = [
        (each.resource.name, each.resource.id, each.group, each.state, format_moment(to_datetime(each.created_micros)))
        for each in found
    ]
    print_table(("resource", "id", "group", "state", "created"), rows)


@resource.command()
@_named_option
@json_option
@with_settings(("data",))
def show(settings: Settings, name: str, as_json: bool) -> None:
    """Show a resource."""
    from watchword.cli.data_folder import transact

    found = transact(settings, lambda transaction: _get(transaction, name))
    if as_json:
        print_json(_fields(found))
        return
    print_facts(
        [
            ("resource", f"{found.resource.name} ({found.resource.id})"),
            ("group", f"{found.group}, subscription {found.subscription}"),
            ("data location", found.data_location or found.resource.location),
            ("access keys", "refused" if found.is_local_auth_disabled else "accepted"),
            ("state", found.state),
            ("created", format_moment(to_datetime(found.created_micros))),
        ]
    )


@resource.command()
@_named_option
@yes_option
@with_settings(("data",))
def delete(settings: Settings, name: str, yes: bool) -> None:
    """Delete a resource with its identities, chats, keys and access tokens."""
    from watchword.cli.data_folder import transact
    from watchword.resources.deletion import begin_resource_deletion
    from watchword.resources.holdings import count_identities

    async def count(transaction: Transaction) -> tuple[Holding, int]:
        found = await _get(transaction, name)
        return found, await count_identities(transaction, found.resource.number)

    found, identities = transact(settings, count)
    goes = told(identities, "identity", "identities")
    require_consent(f"Delete the resource {found.resource.name} ({goes}) for good?", yes)
    delete_to_the_end(
        settings, lambda transaction: begin_resource_deletion(transaction, found.resource, SystemClock().micros())
    )
    say(f"Deleted the resource {found.resource.name}: {goes}.")


@resource.command()
@_which_option
@json_option
@with_settings(_OF_A_DATA_FOLDER)
def keys(settings: Settings, name: str | None, as_json: bool) -> None:
    """Show both access keys of a resource."""
    from watchword.cli.data_folder import data_of
    from watchword.server.installation import read_access_keys

    primary, secondary = read_access_keys(settings, data_of(settings), name)
    shown_resource = primary.resource
    shown = {
        "resource": shown_resource.name,
        "id": shown_resource.id,
        "primary": b64encode(primary.secret).decode(),
        "secondary": b64encode(secondary.secret).decode(),
    }
    if as_json:
        print_json(shown)
    else:
        print_facts(
            [
                ("resource", f"{shown_resource.name} ({shown_resource.id})"),
                ("primary key", shown["primary"]),
                ("secondary key", shown["secondary"]),
            ]
        )


@resource.command()
@_named_option
@_key_option
@yes_option
@with_settings(_OF_A_DATA_FOLDER)
def regenerate_key(settings: Settings, name: str, key: Slot, *, yes: bool) -> None:
    """Replace an access key. The tokens that the former key asked for are dead at once; the other key works on."""
    from watchword.cli.data_folder import data_of, transact
    from watchword.resources.access_keys import regenerate_access_key
    from watchword.server.installation import find_encryption

    require_consent(f"Replace the {key} access key of {name}, and kill every token that it asked for?", yes)
    encryption = find_encryption(settings, data_of(settings))

    async def work(transaction: Transaction) -> AccessKey:
        found = await _get(transaction, name)
        return await regenerate_access_key(
            transaction, encryption, found.resource, slot=key, now_micros=SystemClock().micros()
        )

    print(b64encode(transact(settings, work).secret).decode())


@resource.command()
@_which_option
@_key_option
@with_settings((*_OF_A_DATA_FOLDER, "port", "tls", "public_endpoint", "resource_suffix"))
def connection_string(settings: Settings, name: str | None, key: str) -> None:
    """Print the connection string, with the address of the server that runs on the data directory, or that would."""
    from watchword.cli.data_folder import data_of
    from watchword.rest.resource_hosts import ResourceHosts
    from watchword.server.installation import read_access_keys
    from watchword.wire.connection_string import ConnectionString

    data = data_of(settings)
    chosen = next(each for each in read_access_keys(settings, data, name) if each.slot == key)
    endpoint = ResourceHosts(settings.resource_suffix).endpoint(_endpoint(settings, data), chosen.resource.name)
    print(ConnectionString(endpoint, chosen.secret))


async def _get(transaction: Transaction, name: str) -> Holding:
    from watchword.resources.holdings import find_holding

    found = await find_holding(transaction, name)
    if found is None:
        raise ResourceNotFound(name)
    return found


def _fields(holding: Holding) -> dict[str, str | bool | datetime]:
    return {
        "name": holding.resource.name,
        "id": holding.resource.id,
        "group": holding.group,
        "subscription": holding.subscription,
        "data_location": holding.data_location or holding.resource.location,
        "local_auth_disabled": holding.is_local_auth_disabled,
        "state": holding.state,
        "created": to_datetime(holding.created_micros),
    }


def _endpoint(settings: Settings, data: Path) -> str:
    from watchword.server.folders import find_folders
    from watchword.server.running import running_servers

    if settings.public_endpoint:
        return settings.public_endpoint.rstrip("/")
    for server in running_servers(find_folders().running):
        if server.data.resolve() == data.resolve():
            return server.endpoint
    return f"{'https' if settings.tls else 'http'}://localhost:{settings.port}"
