"""`watchword role`: which applications and users of an OpenID issuer may manage a resource, or the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from watchword.cli.completion import complete_principals, complete_resources
from watchword.cli.help_pages import ExplainedGroup
from watchword.cli.output import json_option, print_json, print_table
from watchword.cli.questions import require_consent, yes_option
from watchword.cli.setting_flags import with_settings
from watchword.clock import SystemClock
from watchword.entra.roles import CONTRIBUTOR, MANAGEMENT_ROLES, read_principal
from watchword.errors import OperatorError
from watchword.server.terminal import say
from watchword.settings import Settings

if TYPE_CHECKING:
    from watchword.resources.operators import Role
    from watchword.storage import Transaction

_MANAGEMENT = "the management API"

_principal_option = click.option(
    "--principal",
    metavar="ID",
    shell_complete=complete_principals,
    help="Whose role on a resource it is: an object id or application id.",
)
_management_option = click.option(
    "--management",
    metavar="ID",
    shell_complete=complete_principals,
    help="Whose role on the management API it is: an object id or application id; instead of --principal.",
)
_resource_option = click.option(
    "--resource",
    metavar="NAME",
    shell_complete=complete_resources,
    help="On which resource; by default the only one.",
)


@click.group(cls=ExplainedGroup)
def role() -> None:
    """Assign, list and remove roles: which callers of an OpenID issuer may manage a resource, or the server."""


@role.command()
@_principal_option
@_management_option
@_resource_option
@click.option(
    "--role",
    "name",
    type=click.Choice(MANAGEMENT_ROLES),
    default=CONTRIBUTOR,
    help="By default contributor; reader is for the management API only.",
)
@with_settings(("data",))
def assign(
    settings: Settings, principal: str | None, management: str | None, *, resource: str | None, name: Role
) -> None:
    """Give a principal a role on a resource, or on the management API."""
    from watchword.cli.data_folder import choose_resource, transact
    from watchword.entra.store import assign_management_role, assign_role
    from watchword.resources.store import list_resources

    named = _one_principal(principal, management, resource)
    if management is None and name != CONTRIBUTOR:
        raise OperatorError("On a resource there is only the role contributor.", "Leave --role out.")

    async def work(transaction: Transaction) -> str:
        now = SystemClock().micros()
        if management is not None:
            await assign_management_role(transaction, named, name, now_micros=now)
            return _MANAGEMENT
        chosen = choose_resource(await list_resources(transaction), resource)
        await assign_role(transaction, chosen, named, role=name, now_micros=now)
        return f"the resource {chosen.name}"

    say(f"{named} is {name} on {transact(settings, work)}.")


@role.command("list")
@json_option
@with_settings(("data",))
def list_all(settings: Settings, as_json: bool) -> None:
    """List who has which role on which resource, and on the management API."""
    from watchword.cli.data_folder import transact
    from watchword.entra.store import list_roles

    found = transact(settings, list_roles)
    if as_json:
        print_json([{"resource": each.resource, "principal": each.principal, "role": each.role} for each in found])
        return
    rows = [(each.resource or f"({_MANAGEMENT})", each.principal, each.role) for each in found]
    print_table(("resource", "principal", "role"), rows)


@role.command()
@_principal_option
@_management_option
@_resource_option
@yes_option
@with_settings(("data",))
def remove(
    settings: Settings, principal: str | None, management: str | None, *, resource: str | None, yes: bool
) -> None:
    """Take a role away. Its calls are refused from then on; tokens that were issued stay valid."""
    from watchword.cli.data_folder import choose_resource, transact
    from watchword.entra.store import remove_management_role, remove_role
    from watchword.resources.store import list_resources

    named = _one_principal(principal, management, resource)
    require_consent(f"Take the role of {named} away?", yes)

    async def work(transaction: Transaction) -> tuple[str, bool]:
        if management is not None:
            return _MANAGEMENT, await remove_management_role(transaction, named)
        chosen = choose_resource(await list_resources(transaction), resource)
        return f"the resource {chosen.name}", await remove_role(transaction, chosen, named)

    where, was_there = transact(settings, work)
    if not was_there:
        raise OperatorError(f"{named} has no role on {where}.", "`watchword role list` shows who has one.")
    say(f"{named} has no role on {where} any more.")


def _one_principal(principal: str | None, management: str | None, resource: str | None) -> str:
    """Choose the one principal that was named.

    Raises:
        OperatorError: not exactly one of the two was given, or it is none, or a resource of the management API was
            named.
    """
    if management is None and principal is not None:
        return read_principal(principal)
    if management is not None and principal is None:
        if resource is not None:
            raise OperatorError("The management API is of the whole server, and of no resource.", "Leave one out.")
        return read_principal(management)
    raise OperatorError(
        "Whose role, and on what?",
        "Give one of the two: --principal ID for a resource, or --management ID for the management API.",
    )
