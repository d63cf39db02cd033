"""`watchword role`: which applications and users of an OpenID issuer may manage a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from watchword.cli.output import json_option, print_json, print_table, say
from watchword.cli.questions import require_consent, yes_option
from watchword.cli.setting_flags import with_settings
from watchword.clock import SystemClock
from watchword.entra.roles import CONTRIBUTOR, ROLES, read_principal
from watchword.errors import OperatorError
from watchword.settings import Settings

if TYPE_CHECKING:
    from watchword.resources.store import Resource
    from watchword.storage import Transaction

_principal_option = click.option(
    "--principal", required=True, metavar="ID", help="Object id or application id, as the issuer names it."
)
_resource_option = click.option("--resource", metavar="NAME", help="On which resource; the only one, if there is one.")


@click.group()
def role() -> None:
    """Say which callers of an OpenID issuer may manage a resource."""


@role.command()
@_principal_option
@_resource_option
@click.option("--role", "name", type=click.Choice(ROLES), default=CONTRIBUTOR, help="Which role.")
@with_settings(("data",))
def assign(settings: Settings, principal: str, resource: str | None, name: str) -> None:
    """Give a principal a role on a resource."""
    from watchword.cli.data_folder import choose_resource, transact
    from watchword.entra.store import assign_role
    from watchword.resources.store import list_resources

    named = read_principal(principal)

    async def work(transaction: Transaction) -> Resource:
        chosen = choose_resource(await list_resources(transaction), resource)
        await assign_role(transaction, chosen, named, name, SystemClock().micros())
        return chosen

    chosen = transact(settings, work)
    say(f"{named} is {name} on the resource {chosen.name}.")


@role.command("list")
@json_option
@with_settings(("data",))
def list_all(settings: Settings, as_json: bool) -> None:
    """List who has which role on which resource."""
    from watchword.cli.data_folder import transact
    from watchword.entra.store import list_roles

    found = transact(settings, list_roles)
    if as_json:
        print_json([{"resource": each.resource, "principal": each.principal, "role": each.role} for each in found])
        return
    print_table(("resource", "principal", "role"), [(each.resource, each.principal, each.role) for each in found])


@role.command()
@_principal_option
@_resource_option
@yes_option
@with_settings(("data",))
def remove(settings: Settings, principal: str, resource: str | None, yes: bool) -> None:
    """Take a role away; calls are refused from then on, and tokens that were issued live on."""
    from watchword.cli.data_folder import choose_resource, transact
    from watchword.entra.store import remove_role
    from watchword.resources.store import list_resources

    named = read_principal(principal)
    require_consent(f"Take the role of {named} away?", yes)

    async def work(transaction: Transaction) -> tuple[Resource, bool]:
        chosen = choose_resource(await list_resources(transaction), resource)
        return chosen, await remove_role(transaction, chosen, named)

    chosen, was_there = transact(settings, work)
    if not was_there:
        raise OperatorError(
            f"{named} has no role on the resource {chosen.name}.", "`watchword role list` shows who has one."
        )
    say(f"{named} has no role on the resource {chosen.name} any more.")
